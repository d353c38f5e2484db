"""Small pieces of HTML that the tools here share: numbers, tables that screen readers can follow, pictures in line."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape


def number(value: float) -> str:
    """A number as one writes it: up to six digits, no trailing zeros, no minus before a zero."""
    return f"{value + 0.0:.6g}"


def bracketed(value: float, inside: bool = True) -> str:
    """A number inside a sum or product: a negative one in brackets."""
    return f"({number(value)})" if value < 0 and inside else number(value)


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "", plain: bool = True) -> str:
    """A table whose first column names its rows.

    Args:
      caption: what the table says, in a line.
      head: names of the columns, the first one included.
      rows: cells as text.
      kind: a class name for the page's style.
      plain: cells are text; otherwise they are HTML and the caller has escaped them.
    """
    cell = escape if plain else str
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = [
        f'<tr><th scope="row">{cell(row[0])}</th>' + "".join(f"<td>{cell(c)}</td>" for c in row[1:]) + "</tr>"
        for row in rows
    ]
    told = escape(caption)
    around = f'<div class="scroll" role="group" aria-label="{told}" tabindex="0">'
    opening = f'{around}<table class="{kind}"><caption>{told}</caption>'
    return f"{opening}<thead><tr>{columns}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"


def picture(png: bytes, alt: str, width: int, kind: str = "") -> str:
    """A picture in line, so many CSS pixels wide; kind is a class name for the page's style."""
    data = base64.b64encode(png).decode("ascii")
    style = f' class="{kind}"' if kind else ""
    return f'<img{style} src="data:image/png;base64,{data}" alt="{escape(alt)}" width="{width}">'
