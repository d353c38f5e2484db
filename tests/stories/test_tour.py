"""The tour: `pullback tour`, its report and its claims."""

from __future__ import annotations

import io
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pullback import __version__, cli, tour
from pullback.core.errors import ArgumentError
from pullback.explain import digits, pages
from pullback.tour import drawing, network


@pytest.fixture(scope="module")
def short():
    """Two steps of each training, on 64 digits; 40 others held out."""
    train, held_out = digits.split()
    some = digits.Split(
        digits.Digits(train.images[:64], train.labels[:64]), digits.Digits(held_out.images[:40], held_out.labels[:40])
    )
    heard = []
    return tour.run(1, lambda *told: heard.append(told), some), heard


class Page(HTMLParser):
    """What a page holds: its elements, and that they close in order."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})
    CLOSED = frozenset({"rect", "path", "line", "polyline"})

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in self.CLOSED
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


class TestTheTrainings:
    def test_they_agree_at_every_step(self, short):
        found, heard = short
        assert len(found.in_graph.losses) == len(found.on_tape.losses) == 2
        assert found.in_graph.losses.dtype == np.float32
        assert found.apart <= 1e-5
        assert heard == [(style, step, 2) for style in ("TensorFlow 1", "TensorFlow 2") for step in (1, 2)]

    def test_they_learn(self, short):
        found, _ = short
        start = network.initial()
        for name, value in found.on_tape.weights.items():
            assert not np.array_equal(value, start[name])
            np.testing.assert_allclose(found.in_graph.weights[name], value, rtol=1e-5, atol=1e-7)

    def test_a_difference_is_seen(self, short):
        found, _ = short
        other = network.Training("", "", found.on_tape.losses * np.float32(1.001), {}, found.on_tape.told, 1.0)
        assert network.apart(found.in_graph, other) == pytest.approx(1e-3, rel=1e-2)

    def test_weights_start_as_he_et_al_say(self):
        start = network.initial()
        assert {name: value.shape for name, value in start.items()} == network.SHAPES
        assert np.std(start["w3"]) == pytest.approx(np.sqrt(2 / 128), rel=0.05)
        assert not start["b1"].any()
        assert not np.array_equal(network.initial(seed=1)["w3"], start["w3"])

    def test_every_digit_is_seen_once_an_epoch(self):
        images = np.arange(64, dtype=np.float32).reshape(64, 1, 1, 1) * np.ones((1, 8, 8, 1), np.float32)
        numbered = digits.Digits(images, np.arange(64, dtype=np.int32) % 10)
        seen = [x[:, 0, 0, 0] for x, _ in network.batches(numbered, 2)]
        assert len(seen) == network.steps(numbered, 2) == 4
        for epoch in (seen[:2], seen[2:]):
            assert sorted(np.concatenate(epoch)) == list(range(64))
        assert not np.array_equal(seen[0], seen[2])


class TestTheReport:
    def test_it_stands_alone_and_reads_well(self, short, tmp_path):
        report, picture = tour.write(short[0], tmp_path / "new" / "folder")
        assert sorted(p.name for p in report.parent.iterdir()) == ["filters.html", "report.html", "tour.png"]
        text = report.read_text(encoding="utf-8")
        page = Page(text)
        assert "http" not in text and "url(" not in text and "@import" not in text
        assert not page.of("script") and not page.of("link") and not page.of("iframe")
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        assert {a["href"] for a in page.of("a")} == {f"#{i}" for i in ids}
        images = page.of("img")
        assert len(images) == 3 * sum(len(c.responses) for c in short[0].channels) > 0
        assert all(i["src"].startswith("data:image/png;base64,") and i["alt"] for i in images)
        assert page.of("html")[0]["lang"] == "en" and len(page.of("h1")) == 1 and page.of("title")
        assert len(page.of("caption")) == len(page.of("table")) == 7
        assert {th["scope"] for th in page.of("th")} == {"row", "col"}
        assert all(svg.get("aria-hidden") or (svg["role"] == "img" and svg["aria-label"]) for svg in page.of("svg"))
        assert "prefers-color-scheme: dark" in text
        assert picture.read_bytes().startswith(b"\x89PNG")

    def test_it_says_what_was_found(self, short, tmp_path):
        text = tour.write(short[0], tmp_path)[0].read_text(encoding="utf-8")
        assert "df/dn5 * dn5/dn2 + df/dn6 * dn6/dn2 = 1 * 9 + 1 * 1 = 9 + 1" in text
        assert "y32 = 4*a21 + 3*a22 + 2*a31 + a32" in text
        assert f"{short[0].on_tape.accuracy:.2%}" in text
        assert "fails" not in text

    def test_an_old_report_survives_a_failed_write(self, short, tmp_path, monkeypatch):
        report, _ = tour.write(short[0], tmp_path)
        before = report.read_bytes()

        def full_disk(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pages.os, "replace", full_disk)
        with pytest.raises(OSError, match="No space"):
            tour.write(short[0], tmp_path)
        assert report.read_bytes() == before
        assert len(list(tmp_path.iterdir())) == 3

    def test_every_filter_of_both_convolutions_has_its_portrait(self, short, tmp_path):
        tour.write(short[0], tmp_path)
        text = (tmp_path / "filters.html").read_text(encoding="utf-8")
        assert text.count("<h3>Filter ") == 16 + 32 and text.count("<img ") == (16 + 32) * (1 + 9)

    def test_pictures_are_functions_of_the_run(self, short):
        channels = short[0].channels
        assert drawing.mosaic(channels) == drawing.mosaic(channels)
        first = drawing.panels(channels[0].responses[0])
        wide = np.asarray(Image.open(io.BytesIO(drawing.png(drawing.enlarged(first[0], 64)))))
        assert wide.shape == (64, 64, 3)
        np.testing.assert_array_equal(wide[::8, ::8], first[0])

    def test_confusion_counts_every_digit(self, short):
        found = short[0]
        assert found.confusion.sum() == 40
        assert np.trace(found.confusion) == round(found.on_tape.accuracy * 40)
        assert found.confusion.sum(axis=1).tolist() == [Counter(found.held_out.labels.tolist())[d] for d in range(10)]


class TestTheCommand:
    def run(self, *args):
        return CliRunner().invoke(cli.main, list(args))

    def test_version(self):
        result = self.run("--version")
        assert (result.exit_code, result.output) == (0, f"pullback, version {__version__}\n")

    def test_tour_writes_and_names_the_report(self, short, tmp_path, monkeypatch):
        monkeypatch.setattr("pullback.tour.terminal.run", lambda epochs, watch: short[0])
        result = self.run("tour", "--out", str(tmp_path / "here"), "--epochs", "1")
        assert result.exit_code == 0, result.output
        assert str(tmp_path / "here" / "report.html") in result.output.replace("\n", "")
        assert "9 + 1 = 10" in result.output and "fails" not in result.output
        assert (tmp_path / "here" / "report.html").exists()

    def test_a_claim_that_fails_ends_with_status_1(self, short, tmp_path, monkeypatch):
        from dataclasses import replace

        wrong = replace(short[0], epochs=tour.EPOCHS)  # two steps do not reach the accuracy that a full tour claims
        monkeypatch.setattr("pullback.tour.terminal.run", lambda epochs, watch: wrong)
        result = self.run("tour", "--out", str(tmp_path))
        assert result.exit_code == 1 and "does not hold: over 97%" in result.output

    def test_a_folder_that_cannot_be_made_is_named_before_the_work(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pullback.tour.terminal.run", None)
        (tmp_path / "file").write_text("")
        result = self.run("tour", "--out", str(tmp_path / "file" / "below"))
        assert result.exit_code == 1
        assert f"Error: cannot write to {tmp_path / 'file' / 'below'}: Not a directory" in result.output
        assert "--out" in result.output and "Traceback" not in result.output

    def test_zero_epochs_are_refused(self):
        assert self.run("tour", "--epochs", "0").exit_code == 2
        with pytest.raises(ArgumentError, match="epochs is 0"):
            tour.run(0)

    def test_its_default_is_the_full_tour(self):
        (epochs,) = [p for p in cli.tour.params if p.name == "epochs"]
        assert epochs.default == tour.EPOCHS


@pytest.mark.slow
def test_the_full_tour_keeps_every_claim(tmp_path):
    found = tour.run()
    assert [check.claim for check in found.checks if not check.held] == []
    assert len(found.checks) == 5
    assert found.in_graph.accuracy > 0.97 and found.on_tape.accuracy > 0.97
    assert found.apart <= 1e-5
    assert len(found.held_out.labels) == 360
    tour.write(found, tmp_path)
