"""Makes docs/gallery from real runs: `make gallery`, or `python tools/gallery [FOLDER]`."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

from exhibits import Exhibit, all_exhibits

from pullback.explain.pages import Page, Section

# All pages together; what a repository should carry for documentation.
MOST_BYTES = 3_000_000


def card(exhibit: Exhibit) -> str:
    """An exhibit as a card of the index."""
    return (
        f'<article class="card" style="margin:1rem 0"><h3><a href="{exhibit.file}">{escape(exhibit.title)}</a></h3>'
        f"<p>{escape(exhibit.words)}</p>{exhibit.shown}</article>"
    )


def index(exhibits: list[Exhibit]) -> Page:
    """The page that leads to the others."""
    lead = "What the tools of pullback.explain show. Each page here was made by one of them, from a real run."
    return Page("Gallery", lead, [Section("Exhibits", "".join(map(card, exhibits)))])


def main(folder: Path) -> int:
    """Returns the exit status: 1 where the pages are too large to keep."""
    folder.mkdir(parents=True, exist_ok=True)
    exhibits = []
    for exhibit in all_exhibits(folder):
        exhibits.append(exhibit)
        print(f"{exhibit.file:26} {(folder / exhibit.file).stat().st_size / 1e3:6.0f} kB  {exhibit.title}", flush=True)
    index(exhibits).save(folder / "index.html")
    total = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}/index.html, {total / 1e6:.2f} MB in all")
    return int(total > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "docs" / "gallery"))
