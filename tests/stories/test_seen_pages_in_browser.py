"""Pages of what a network sees and of watched training, in Chromium: what they show against the arrays."""

from __future__ import annotations

from pathlib import Path

import chromium
import numpy as np
import pytest

import pullback as tf
from pullback.explain.checks.watch import watch_gradients
from pullback.explain.see.deconvnet import deconvnet
from pullback.explain.see.integrated_gradients import integrated_gradients
from pullback.explain.see.portraits import filter_portraits

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "Chromium is here"),
]
RNG = np.random.default_rng(11)
FILTERS = RNG.normal(size=(3, 3, 1, 4)).astype(np.float32)
IMAGES = RNG.uniform(size=(2, 40, 40, 1)).astype(np.float32)
CAPTIONS = "return [...document.querySelectorAll('figcaption')].map(c => c.innerText)"
# Whether every picture was decoded, and whether the page stays within the screen.
SOUND = """return [[...document.images].every(i => i.complete && i.naturalWidth > 0),
                   document.documentElement.scrollWidth <= document.documentElement.clientWidth]"""


def model(images):
    h = tf.nn.relu(tf.nn.conv2d(images, FILTERS, 1, "SAME"))
    return {"conv": h, "scores": tf.reduce_mean(h, [1, 2])}


@pytest.fixture(scope="module")
def browser():
    with chromium.Chromium() as opened:
        yield opened


def sound_everywhere(browser, path):
    """Opens the page at phone and desk width, light and dark: pictures load, nothing sticks out, no complaints."""
    for width in (390, 1280):
        for dark in (False, True):
            browser.open(path, width=width, dark=dark)
            assert browser.js(SOUND) == [True, True], (path.name, width, dark)
            assert browser.errors() == []


def test_a_deconvnets_page_shows_each_parts_place_and_activation(browser, tmp_path):
    found = deconvnet(model, IMAGES, "conv", top=3, strongest=True)
    sound_everywhere(browser, found.save(tmp_path / "seen.html"))
    captions = browser.js(CAPTIONS)
    wanted = [str(part) for parts in found.parts for part in parts]
    assert [c for c in captions if c != "input"] == wanted
    sizes = browser.js("return [...document.images].map(i => [i.naturalWidth, i.naturalHeight, i.width])")
    assert sizes[0] == [40, 40, 240], "pixels are enlarged by whole numbers"
    assert sizes[1][1] > 1.9 * sizes[1][0], "the part of the input stands above the projection"


def test_integrated_gradients_say_their_completeness_error(browser, tmp_path):
    found = integrated_gradients(model, IMAGES, "scores", steps=10)
    browser.open(found.save(tmp_path / "added.html"))
    captions = [c.replace("\n", " ") for c in browser.js(CAPTIONS) if c != "input"]
    for caption, difference, error in zip(captions, found.difference[:, 0], found.error[:, 0], strict=True):
        assert f"adds up to {difference:.4f}".rstrip("0") in caption and f"error {error:.1e}" in caption


def test_portraits_are_in_order_of_response(browser, tmp_path):
    found = filter_portraits(model, IMAGES, "conv", FILTERS, top=2)
    sound_everywhere(browser, found.save(tmp_path / "filters.html"))
    titles = browser.js("return [...document.querySelectorAll('h2')].map(h => h.innerText)")
    responses = [float(title.rpartition(" ")[2]) for title in titles]
    assert responses == sorted(responses, reverse=True) and len(responses) == 4
    browser.click("nav a")
    assert browser.js("return location.hash").startswith("#filter-")


def test_a_watched_trainings_page_shows_its_numbers(browser, tmp_path):
    variables = [tf.Variable(np.ones(3), name=f"layer{i}") for i in range(4)]
    watch = watch_gradients()
    for step in range(6):
        sizes = [10.0 ** (i - step) * (0.1 if i == 0 else 1) for i in range(len(variables))]
        watch.see([(tf.constant(np.full(3, size)), v) for size, v in zip(sizes, variables, strict=True)])
    sound_everywhere(browser, watch.save(tmp_path / "watch.html"))
    rows = browser.js("return [...document.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText))")
    assert [row[:2] for row in rows] == [[n, f"{watch.norms(n)[-1]:.3e}"] for n in watch.names]
    assert rows[0][-1] == "vanishing"
    ends = browser.js(
        "return [...document.querySelectorAll('polyline')].map(p => p.getAttribute('points').split(' ').length)"
    )
    assert ends == [6, 6, 6, 6]
    label = browser.js("return document.querySelector('svg[role=img]').getAttribute('aria-label')")
    assert "layer3 from 1732.05 to 0.0173205" in label


@pytest.mark.parametrize("page", sorted(path.name for path in GALLERY.glob("*.html")))
def test_every_page_of_the_gallery_stands(browser, page):
    sound_everywhere(browser, GALLERY / page)


def test_a_page_of_many_filters_is_short_enough_for_a_phone(browser):
    """Each filter's pictures lie in a line that scrolls; the list of filters is folded, and leads to each."""
    browser.open(GALLERY / "digits-conv2.html", width=390)
    assert browser.js("return document.documentElement.scrollHeight") < 10_000
    assert not browser.js("return document.querySelector('nav a').checkVisibility()")
    browser.click("nav summary")
    browser.click("nav li:last-child a")
    assert browser.js("return document.querySelector('h2:target').innerText") == browser.texts("h2")[-1]
    lines = browser.js("return [...document.querySelectorAll('.pictures')].map((u) => [u.scrollWidth, u.clientHeight])")
    assert all(wide > 390 and high < 260 for wide, high in lines)


def test_the_gallerys_index_leads_to_every_page(browser):
    browser.open(GALLERY / "index.html")
    links = browser.js("return [...document.querySelectorAll('article a')].map(a => a.getAttribute('href'))")
    assert sorted([*links, "index.html"]) == sorted(path.name for path in GALLERY.glob("*.html"))
