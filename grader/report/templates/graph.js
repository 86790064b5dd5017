// A step or table that is chosen in a drawing tells about itself in the panel below; without script the link leads to
// its row in the table.
{
  const panelOf = (node) => node.closest(".fit").parentElement.querySelector("[data-panel]");
  const fromRow = (row) => {
    const head = document.createElement("h4");
    const glyph = row.querySelector(".glyph")?.cloneNode(true);
    const name = row.querySelector(".name").cloneNode(true);
    if (glyph) head.append(glyph);
    head.append(...name.childNodes);
    const said = [row.querySelector(".kind"), row.querySelector("td.took")].map((cell) => cell?.textContent.trim());
    const note = document.createElement("span");
    note.textContent = said.filter(Boolean).join(" · ");
    if (note.textContent) head.append(note);
    const parts = [head];
    const facts = row.querySelector(".facts");
    if (facts) parts.push(facts.cloneNode(true));
    return parts;
  };
  const choose = (node) => {
    const row = document.getElementById(node.dataset.key);
    const panel = panelOf(node);
    if (!row?.matches("tr, article") || !panel) return false;
    const fit = node.closest(".fit");
    for (const other of fit.querySelectorAll(".chosen")) other.classList.remove("chosen");
    for (const twin of fit.querySelectorAll(`[data-key="${node.dataset.key}"]`)) twin.classList.add("chosen");
    panel.replaceChildren(...fromRow(row));
    panel.scrollTop = 0;
    return true;
  };
  document.addEventListener("click", (event) => {
    const node = event.target.closest?.(".graph .node");
    if (node && !event.ctrlKey && !event.metaKey && choose(node)) event.preventDefault();
  });
  // To begin with: what went wrong, else what was retried, else the first step; of tables a mart.
  const firsts = [".t-bad.is-row", ".t-bad.is-step", ".is-row", ".is-step", ".k-mart", ".k-published", ".is-data"];
  for (const fit of document.querySelectorAll(".fit")) {
    firsts.some((selector) => { const node = fit.querySelector(`.node${selector}`); return node && choose(node); });
  }
}
// Follow a table's lineage up and down the stream.
for (const svg of document.querySelectorAll(".lineage-graph svg")) {
  const arrows = [...svg.querySelectorAll(".arrow")];
  const nodes = new Map([...svg.querySelectorAll(".node")].map((node) => [node.dataset.key, node]));
  const reach = (start, from, to) => {
    const seen = new Set([start]);
    for (const key of seen) for (const arrow of arrows) if (arrow.dataset[from] === key) seen.add(arrow.dataset[to]);
    return seen;
  };
  const follow = (key) => {
    const up = reach(key, "to", "from");
    const down = reach(key, "from", "to");
    for (const [name, node] of nodes) node.classList.toggle("near", up.has(name) || down.has(name));
    for (const arrow of arrows) {
      const { from, to } = arrow.dataset;
      arrow.classList.toggle("near", (up.has(from) && up.has(to)) || (down.has(from) && down.has(to)));
    }
    svg.classList.add("following");
  };
  for (const [key, node] of nodes) {
    node.addEventListener("pointerenter", () => follow(key));
    node.addEventListener("focus", () => follow(key));
    for (const leave of ["pointerleave", "blur"]) node.addEventListener(leave, () => svg.classList.remove("following"));
  }
}
