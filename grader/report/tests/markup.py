"""Check a page's markup without a browser."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "col"})
_LOADS = frozenset({"src", "srcset", "data", "poster", "action", "formaction", "background", "ping"})


class Markup(HTMLParser):
    """Collects what is wrong with nesting, ids and references, and what the page shows."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.loads: list[str] = []
        self.targets: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        self.problems += [f"id {name} is used {count} times" for name, count in Counter(self.ids).items() if count > 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note attributes, and that the element is open."""
        self._note(tag, attrs)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes of an element that closes itself (SVG)."""
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost open element is the one that ends."""
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} while {self._open[-3:]} are open")
            if tag not in self._open:
                return
            while self._open[-1] != tag:
                self._open.pop()
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Collect the text that is shown."""
        if self._open and self._open[-1] not in {"script", "style"}:
            self.text.append(data)

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = [name for name, _ in attrs]
        self.problems += [f"<{tag}> has {name} twice" for name in set(names) if names.count(name) > 1]
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name in _LOADS or (name in {"href", "xlink:href"} and tag in {"link", "image", "use", "script"}):
                self.loads.append(value or "")
            if name == "href" and tag == "a":
                self.targets.append(value or "")
