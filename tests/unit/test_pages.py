"""Pages: self-contained, safe to put text into, whole or not there at all; and what the pieces on them say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pullback.explain import pages
from pullback.explain.held import MAP_SIDE, MOST_NUMBERS, Held
from pullback.explain.pages import Page, Section
from pullback.explain.pictures import Statistics, figure, heat_map, photograph, signed

A_PAGE = Page(
    "A < B", "1 & 2", (Section("First part", "<p>x</p>", "lead <i>"), Section("2", "")), data={"d": {"a": "</script>"}}
)


class TestAPage:
    def test_needs_nothing_from_outside(self):
        html = A_PAGE.html()
        assert "default-src 'none'" in html
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", html)
        assert "http" not in re.sub(r"http://www\.w3\.org/\d+/\w+|http-equiv", "", html)

    def test_text_stays_text(self):
        html = A_PAGE.html()
        assert "<h1>A &lt; B</h1>" in html and "<p>1 &amp; 2</p>" in html and "lead &lt;i&gt;" in html
        assert html.count("</script>") == 2, "data cannot end its element"

    def test_sections_are_named(self):
        assert '<section aria-labelledby="first-part">' in A_PAGE.html()
        assert Section("Ωμέγα", "").anchor == "section"

    def test_data_that_is_no_json_is_refused(self):
        with pytest.raises(ValueError, match="JSON"):
            Page("t", data={"d": float("nan")}).html()

    def test_shows_in_a_frame_of_its_own_in_a_notebook(self):
        cell = A_PAGE._repr_html_()
        assert cell.startswith('<iframe srcdoc="&lt;!doctype html&gt;') and 'title="A &lt; B"' in cell

    def test_appears_whole_or_not_at_all(self, tmp_path, monkeypatch):
        path = A_PAGE.save(tmp_path / "page.html")
        before = path.read_text(encoding="utf-8")

        def full_disk(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pages.os, "replace", full_disk)
        with pytest.raises(OSError, match="No space"):
            Page("other").save(path)
        assert path.read_text(encoding="utf-8") == before
        assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


class TestPictures:
    def test_statistics_leave_out_what_is_no_number(self):
        s = Statistics.of([1.0, -1.0, 0.0, np.nan, np.inf])
        assert (s.least, s.largest, s.mean, s.zeros, s.nans, s.infinities) == (-1, 1, 0, 1, 1, 1)
        assert str(s) == "min -1, max 1, mean 0, std 0.816497, 1 of 5 zero, 1 NaN, 1 infinite"
        assert str(Statistics.of([])) == "empty"

    def test_signs_have_their_colours(self):
        red, blue, white, yellow = signed(np.array([[2.0, -2.0, 0.0, np.nan]]))[0]
        assert (
            red[0] > red[2] and blue[2] > blue[0] and white.tolist() == [255] * 3 and yellow.tolist() == [250, 190, 0]
        )

    def test_photographs_are_stretched(self):
        grey = photograph(np.array([[10.0, 20.0], [15.0, 20.0]]))
        assert grey[..., 0].tolist() == [[0, 255], [128, 255]] and grey.shape == (2, 2, 3)

    def test_figures_say_what_they_show(self):
        assert 'alt="a &lt; b"' in figure(signed(np.eye(2)), "a < b", "c")
        assert "max 1, mean 0.5" in heat_map(np.eye(2), "eye")


class TestHeld:
    def test_few_numbers_are_kept_and_many_are_drawn(self):
        few, many = Held.of(np.arange(MOST_NUMBERS)), Held.of(np.ones((2, 30, 40, 3)))
        assert few.value.tolist() == list(range(MOST_NUMBERS)) and few.map is None
        assert many.value is None and many.map.shape == (MAP_SIDE, MAP_SIDE)
        assert many.drawn == "the first of 2 images, the mean of its 3 channels"

    def test_blocks_hold_means(self):
        x = np.arange(48.0 * 48).reshape(48, 48)
        np.testing.assert_allclose(Held.of(x).map, x.reshape(24, 2, 24, 2).mean(axis=(1, 3)))

    def test_a_block_with_a_nan_is_one(self):
        x = np.zeros((48, 48))
        x[5, 7] = np.inf
        assert np.argwhere(np.isnan(Held.of(x).map)).tolist() == [[2, 3]]

    def test_a_long_row_is_broken_in_lines(self):
        assert Held.of(np.ones(100)).map.shape == (10, 10)

    def test_it_keeps_a_copy(self):
        x = np.zeros(3)
        held = Held.of(x)
        x[0] = 1
        assert held.value.tolist() == [0, 0, 0]

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (2.5, "2.5"), (True, "True"), (np.array([1.0, 2.0]), "[1 2]"), (np.eye(2), "[[1 0] [0 1]]"),
            (np.ones((5, 5)), "[5, 5] of mean 1"), (np.zeros((0, 3)), "[0, 3], empty"), (1 + 2j, "1+2j"),
            (np.array([b"text"]), "[1], empty"),
        ],
    )  # fmt: skip
    def test_it_is_said_shortly(self, value, said):
        assert str(Held.of(value)) == said
