"""One page for every explanation: a title, sections, and all it needs inside one file.

    Page("Title", "What this is.", (Section("First", "<p>...</p>"),)).save("out.html")

A page opens from the disk without a network (its content security policy forbids one), in light and in dark, on a
phone and on a desk. In a notebook it shows in a frame of its own, so that neither changes the other's style.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

import pullback

# A page of more sections folds the list of them, and sets them closer.
MOST_LISTED = 12


@dataclass(frozen=True)
class Section:
    """A part of a page.

    title: its heading. body: HTML; whoever makes it has escaped the text in it. lead: text before the body.
    """

    title: str
    body: str
    lead: str = ""

    @property
    def anchor(self) -> str:
        """The heading's id: "The chain rule" is "the-chain-rule"."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-") or "section"


@dataclass(frozen=True)
class Page:
    """A page that needs nothing else.

    title, lead: heading, and a sentence below it (text).
    sections: what it shows; of three and more a list of links stands at the top, folded where it is long.
    styles, scripts: names of files of `explain/assets` that this page needs besides page.css and page.js.
    data: id -> what `json.dumps` takes; a script reads it with `dataOf(id)`. JSON has no NaN and no infinities: give
      them as text.
    """

    title: str
    lead: str = ""
    sections: Sequence[Section] = ()
    styles: Sequence[str] = ()
    scripts: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """The whole page."""
        return _template().render(
            page=self,
            many=len(self.sections) > MOST_LISTED,
            style="\n".join(map(asset, ("page.css", *self.styles))),
            script="\n".join(map(asset, ("page.js", *self.scripts))),
            data={name: _json(value) for name, value in self.data.items()},
            made_by=f"Made by Pullback {pullback.__version__} from its own numbers.",
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page; the file appears whole or not at all. Returns its path.

        Raises:
          OSError: it cannot be written there.
        """
        return write(path, self.html().encode("utf-8"))

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html())}" title="{escape(self.title)}" '
            'style="width:100%;height:640px;border:0"></iframe>'
        )


def write(path: str | os.PathLike[str], content: bytes) -> Path:
    """Writes a file that appears whole or not at all. Returns its path."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


@functools.cache
def asset(name: str) -> str:
    """The text of a file in `explain/assets`."""
    return files("pullback.explain").joinpath("assets", name).read_text(encoding="utf-8").strip()


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset("page.html.j2"))


def _json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
