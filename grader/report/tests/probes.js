// What a reader would stumble over, found in the page as laid out. Each probe gives a list of descriptions.
window.probes = (() => {
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const name = (element) => `${element.tagName} .${element.getAttribute("class") ?? ""} "${element.textContent.trim().slice(0, 50)}"`;
  const hits = (a, b, slack = 0.5) =>
    a.left < b.right - slack && b.left < a.right - slack && a.top < b.bottom - slack && b.top < a.bottom - slack;

  // Labels that leave their box, or lie on each other, in drawings.
  const labels = () => {
    const found = [];
    for (const svg of document.querySelectorAll(".graph svg")) {
      if (!shown(svg)) continue;
      for (const node of svg.querySelectorAll(".node")) {
        const face = node.querySelector(".face").getBoundingClientRect();
        const texts = [...node.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
        for (const [text, box] of texts) {
          if (box.left < face.left || box.right > face.right || box.top < face.top || box.bottom > face.bottom) found.push(`outside: ${name(text)}`);
        }
        texts.forEach(([text, box], at) => {
          for (const [other, second] of texts.slice(0, at)) if (hits(box, second, 3)) found.push(`on each other: ${name(text)} and ${name(other)}`);
        });
      }
      const boxes = [...svg.querySelectorAll(".is-step .face, .is-data .face")].map((face) => [face, face.getBoundingClientRect()]);
      boxes.forEach(([face, box], at) => {
        for (const [other, second] of boxes.slice(0, at)) if (hits(box, second)) found.push(`boxes overlap: ${name(face.parentElement)} and ${name(other.parentElement)}`);
      });
    }
    return found;
  };

  // Text that is cut off, other than in boxes that scroll.
  const clipped = () => [...document.querySelectorAll("body *")].filter((element) => {
    const style = getComputedStyle(element);
    if (!shown(element) || element.closest(".sr, svg")) return false;
    const hides = ["hidden", "clip"].includes(style.overflowX);
    return hides && element.scrollWidth > element.clientWidth + 1;
  }).map(name);

  // Elements that reach out of the window, other than in boxes that scroll.
  const outside = () => [...document.querySelectorAll("body *")].filter((element) => {
    if (!shown(element) || element.closest(".scroll > *, pre > *, .sr, .skip, .defs")) return false;
    const box = element.getBoundingClientRect();
    return box.width && (box.right > document.documentElement.clientWidth + 1 || box.left < -1);
  }).map(name);

  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const colour = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const ground = (element) => {
    const face = element.closest(".node")?.querySelector(".face");
    if (face) return colour(getComputedStyle(face).fill);
    for (let at = element; at; at = at.parentElement) {
      const parts = colour(getComputedStyle(at).backgroundColor);
      if (parts.length === 3 || parts[3] > 0) return parts;
    }
    return [255, 255, 255];
  };
  // Text with a contrast below 4.5 to 1 (WCAG AA, text of normal size).
  const faint = () => {
    const found = new Set();
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
      if (!own || !shown(element) || element.closest(".sr, .skip, title, script, style")) continue;
      const style = getComputedStyle(element);
      const [first, second] = [light(colour(element.closest("svg") ? style.fill : style.color)), light(ground(element))];
      const ratio = (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
      if (ratio < 4.5) found.add(`${ratio.toFixed(2)}: ${name(element)}`);
    }
    return [...found];
  };

  return { labels, clipped, outside, faint };
})();
