"""docs/gallery: it is whole, small, and can be made anew."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "gallery").glob("*.html"))


def test_the_index_names_every_page_and_all_are_there():
    text = (ROOT / "docs" / "gallery" / "index.html").read_text(encoding="utf-8")
    linked = re.findall(r'<h3><a href="([^"]+)"', text)
    assert sorted([*linked, "index.html"]) == [page.name for page in PAGES]


def test_all_pages_together_are_small_and_need_no_network():
    assert sum(page.stat().st_size for page in PAGES) < 3_000_000
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'(?:src|href)="(https?:[^"]*)"', text)
        assert loaded == [] and "default-src 'none'" in text, page.name


@pytest.mark.slow
def test_it_can_be_made_anew(tmp_path):
    pytest.importorskip("skimage")
    command = [sys.executable, "tools/gallery", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "src"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [page.name for page in PAGES]


@pytest.mark.slow
def test_each_class_finds_its_evidence_on_its_own_side_of_the_collage(monkeypatch):
    """Cat on the left, coffee on the right; the network was never shown both at once."""
    pytest.importorskip("skimage")
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "gallery"))
    import photographs

    import pullback as tf

    weights, right = photographs.trained(300)
    assert right > 0.9
    image, names = photographs.collage("cat", "coffee"), list(photographs.SUBJECTS)
    classes = [names.index("cat"), names.index("coffee")]

    def model(images):
        return photographs.layers(tf, images, weights)

    heat = tf.explain.grad_cam(model, image, "scores", "conv3", channel=classes).values[0, ..., 0]
    fall = tf.explain.occlusion(model, image, "scores", channel=classes, patch=40).values[0, ..., 0]
    for cat, coffee in (heat, fall):
        assert cat[:, :160].mean() > 2 * cat[:, 160:].mean()
        assert coffee[:, 160:].mean() > coffee[:, :160].mean()
