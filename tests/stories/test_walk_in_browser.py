"""The walk's page in Chromium: at every step the value, the local derivative and the adjoint, against the arrays."""

from __future__ import annotations

import json
from pathlib import Path

import chromium
import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.walk_page import MOST_MEMBERS

GOLDENS = Path(__file__).resolve().parents[2].parent / "shared" / "goldens"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "Chromium is here"),
]


@pytest.fixture(scope="module")
def browser():
    with chromium.Chromium() as opened:
        yield opened


def example(x, y):
    square = x * x
    return square * y + (y + 2)


def small_net(x, w, b):
    h = tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME") + b)
    return tf.reduce_sum(tf.tanh(tf.nn.max_pool(h, 2, 2, "SAME")))


@pytest.fixture(scope="module")
def walked():
    return tf.explain(example, [3.0, 4.0])


@pytest.fixture(scope="module")
def net():
    rng = np.random.default_rng(0)
    return tf.explain(small_net, [rng.normal(size=(2, 8, 8, 3)), rng.normal(size=(3, 3, 3, 4)), rng.normal(size=4)])


@pytest.fixture(scope="module")
def deep():
    """A graph of forty layers, each under its name scope."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf1.float64, [2, 4], name="x")
        h = x
        for i in range(40):
            with tf1.name_scope(f"layer{i}"):
                h = tf1.tanh(tf1.matmul(h, np.eye(4) * 0.9) + 0.1, name="out")
        return tf.explain(tf1.reduce_sum(h), x, session=session, feed_dict={x: np.ones((2, 4))})


@pytest.fixture
def opened(browser, walked, tmp_path):
    browser.open(walked.save(tmp_path / "walk.html"))
    return walked


def told(browser):
    return browser.texts(".told p")


def boxes(browser, kind):
    return browser.js(
        "return [...document.querySelectorAll(`.box.${arguments[0]}`)].map((b) => Number(b.dataset.n))", kind
    )


def shown(browser, label):
    return browser.js(
        """return [...document.querySelectorAll(".about dt")].filter((dt) => dt.innerText === arguments[0])
        .map((dt) => [...dt.nextElementSibling.querySelectorAll("p, code")].map((p) => p.innerText))[0]""",
        label,
    )


def visible(browser, n, kind):
    script = (
        "return getComputedStyle(document.querySelector(`.box[data-n='${arguments[0]}'] text.${arguments[1]}`)).opacity"
    )
    return float(browser.js(script, n, kind)) > 0


class TestEveryStep:
    def test_forward_shows_each_value_and_what_it_reads(self, browser, opened):
        browser.click(".stepper button:nth-child(1)")
        for n in opened.numbers:
            browser.click(".stepper button:nth-child(3)")
            assert told(browser)[1] == " = ".join(opened.making(n))
            assert boxes(browser, "held") == [n.index]
            assert sorted(boxes(browser, "used")) == sorted(set(n.inputs))
            assert float(shown(browser, "Value")[0]) == n.value
            assert [visible(browser, m.index, "value") for m in opened.numbers] == [
                m.index <= n.index for m in opened.numbers
            ]
            assert not any(visible(browser, m.index, "back") for m in opened.numbers)

    def test_back_shows_each_derivative_and_where_it_comes_from(self, browser, opened):
        browser.click(".stepper button:nth-child(1)")
        for _ in opened.numbers:
            browser.click(".stepper button:nth-child(3)")
        for n in reversed(opened.numbers):
            browser.click(".stepper button:nth-child(3)")
            assert told(browser)[1:] == [" = ".join(opened.chain(n)), *opened.locals(n)]
            assert boxes(browser, "held") == [n.index]
            assert sorted(boxes(browser, "used")) == sorted({t.via for t in n.terms})
            assert float(shown(browser, "Derivative")[0]) == n.derivative
            assert [visible(browser, m.index, "back") for m in opened.numbers] == [
                m.index >= n.index for m in opened.numbers
            ]
        assert browser.js("return document.querySelector('.stepper button:nth-child(3)').ariaDisabled") == "true"

    @pytest.mark.skipif(not GOLDENS.exists(), reason="goldens lie beside the checkout")
    def test_the_boxes_hold_the_goldens(self, browser, opened):
        outputs = json.loads((GOLDENS / "reverse_autodiff_walk.json").read_text(encoding="utf-8"))["outputs"]
        for kind, name in (("value", "values_n1_to_n7"), ("back", "df_dn1_to_n7")):
            assert browser.texts(f".box text.{kind}") == outputs[name]["values"]

    def test_edges_carry_the_local_derivatives(self, browser, opened):
        edges = browser.js("""return Object.fromEntries([...document.querySelectorAll(".edge")].map(
            (e) => [e.dataset.edge, e.textContent]))""")
        wanted = {
            f"{n.index - 1},{t.via - 1}": " + ".join(map(str, t.partials)) for n in opened.numbers for t in n.terms
        }
        assert edges == wanted


class TestHands:
    def test_arrow_keys_step(self, browser, opened):
        browser.js("document.querySelector('.stepper button').focus()")
        browser.press("Home", "Right", "Right", "Down", "Right")
        assert told(browser)[1] == "n4 = n1 * n1 = 3 * 3 = 9"
        browser.press("Left", "Up")
        assert told(browser)[1] == "n2 = y = 4"
        browser.press("End")
        assert told(browser)[1] == "df/dn1 = df/dn4 * dn4/dn1 = 4 * (3 + 3) = 24"

    def test_tab_and_enter_open_a_box(self, browser, opened):
        browser.js("document.querySelector('.stepper input').focus()")
        for n in opened.numbers[:5]:
            browser.press("Tab")
            while browser.js("return document.activeElement.dataset.n ?? ''") == "":
                browser.press("Tab")
            browser.press("Enter")
            assert browser.text(".about h3").startswith(f"n{n.index}")
        assert shown(browser, "Made by")[0] == "return square * y + (y + 2)"

    def test_a_click_tells_rule_and_line(self, browser, opened):
        browser.click(".box[data-n='4'] rect")
        assert browser.text(".about h3") == "n4 = n1 * n1"
        assert shown(browser, "Made by")[0] == "square = x * x"
        assert "test_walk_in_browser.py:" in browser.text(".about dd")
        assert shown(browser, "Local derivative") == ["dn5/dn4 = n2 = 4"]
        assert shown(browser, "Rule")[0] == "to n1: df/dn4*n1 + df/dn4*n1"
        assert "ops/math/arithmetic.py:" in shown(browser, "Rule")[1]
        browser.click(".box[data-n='2'] rect")
        assert shown(browser, "Paths that meet") == ["dn5/dn2 = n4 = 9", "dn6/dn2 = 1"]
        assert shown(browser, "Chain rule")[0].endswith("= 1 * 9 + 1 * 1 = 9 + 1 = 10")

    def test_the_slider_goes_anywhere(self, browser, opened):
        browser.js("document.querySelector('.stepper input').focus()")
        browser.press("Home")
        assert told(browser) == ["Before the first step: 7 values to compute, then as many derivatives."]
        browser.press("Right", "Right", "Right", "Right", "Right")
        assert told(browser)[1] == "n5 = n4 * n2 = 9 * 4 = 36"

    def test_colours_can_be_turned(self, browser, opened):
        colour = lambda: browser.js("return getComputedStyle(document.body).backgroundColor")  # noqa: E731
        light = colour()
        browser.click("#theme")
        assert colour() != light
        assert browser.js("return document.getElementById('theme').getAttribute('aria-pressed')") == "true"
        browser.click("#theme")
        assert colour() == light


class TestTensors:
    def test_a_large_one_is_a_heat_map_with_its_statistics(self, browser, net, tmp_path):
        browser.open(net.save(tmp_path / "net.html"))
        conv = next(n for n in net.numbers if n.op == "Conv2D")
        browser.click(f".box[data-n='{conv.index}'] rect")
        assert shown(browser, "Value")[-1] == f"[2, 8, 8, 4] float64: {conv.held.statistics}"
        assert shown(browser, "Derivative")[-1] == f"[2, 8, 8, 4] float64: {conv.adjoint.statistics}"
        pixels = np.array(
            browser.js("""const c = document.querySelector(".about canvas");
            return [c.width, c.height, [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]]""")[2]
        )
        colours, plane = pixels.reshape(8, 8, 4)[..., :3].astype(int), conv.held.map
        np.testing.assert_array_equal(
            colours[..., 0] > colours[..., 2], np.round(plane / np.abs(plane).max() * 127) > 0
        )
        strongest = np.unravel_index(np.abs(plane).argmax(), plane.shape)
        assert colours.sum(axis=-1).argmin() == np.ravel_multi_index(strongest, plane.shape)

    def test_every_step_says_value_rule_and_derivative(self, browser, net, tmp_path):
        browser.open(net.save(tmp_path / "net.html"))
        browser.js("document.querySelector('.stepper button').focus()")
        browser.press("Home")
        order = browser.js("return [...document.querySelectorAll('.box[data-n]')].map((box) => Number(box.dataset.n))")
        assert sorted(order) == [n.index for n in net.numbers]
        for i in order:
            n = net.numbers[i - 1]
            browser.press("Right")
            assert told(browser)[1] == " = ".join(net.making(n))
            assert str(n.held.statistics if n.held.shape else n.held) in " ".join(shown(browser, "Value"))
        for i in reversed(order):
            n = net.numbers[i - 1]
            browser.press("Right")
            assert told(browser)[1:] == [" = ".join(net.chain(n)), *net.locals(n)]
            if n.adjoint is not None and n.adjoint.shape:
                assert str(n.adjoint.statistics) in " ".join(shown(browser, "Derivative"))

    def test_a_small_one_is_all_its_numbers(self, browser, net, tmp_path):
        browser.open(net.save(tmp_path / "net.html"))
        b = net.by_name("b")
        browser.click(f".box[data-n='{b.index}'] rect")
        cells = browser.texts(".about dd:nth-of-type(2) td")
        assert cells == [f"{v:.6g}" for v in b.value]
        assert browser.texts(".about dd:nth-of-type(3) td") == [f"{v:.6g}" for v in b.derivative]


def test_the_drawing_follows_the_steps(browser, deep, tmp_path):
    browser.open(deep.save(tmp_path / "deep.html"))
    inside = """const b = document.querySelector(".box.held").getBoundingClientRect();
        const d = document.querySelector(".drawing").getBoundingClientRect();
        return b.left >= d.left && b.right <= d.right && b.top >= d.top && b.bottom <= d.bottom"""
    browser.js("document.querySelector('.stepper input').focus()")
    browser.press("Home", "Right")
    steps = int(browser.js("return document.querySelector('.stepper input').max")) - 1
    for _ in range(steps):
        assert browser.js(inside)
        browser.press("Right")


class TestFolding:
    def test_layers_are_groups_that_unfold(self, browser, deep, tmp_path):
        browser.open(deep.save(tmp_path / "deep.html"))
        count = len(browser.texts(".box"))
        assert len(deep.numbers) > 120 and count <= MOST_MEMBERS
        group = ".box.group"
        name = browser.js("return document.querySelector('.box.group').getAttribute('aria-label')")
        assert name.startswith("Group ")
        browser.js("document.querySelector('.box.group').focus()")
        browser.press("Enter")
        assert len(browser.texts(".box")) > count
        browser.click(".drawing + .stepper button:nth-child(2)")
        assert len(browser.texts(group)) >= 1 and len(browser.texts(".box")) < count

    def test_steps_pass_over_folded_groups(self, browser, deep, tmp_path):
        browser.open(deep.save(tmp_path / "deep.html"))
        browser.js("document.querySelector('.stepper button').focus()")
        browser.press("Home", "Right", "Right", "Right")
        assert told(browser)[0].startswith("Step 3 of ")


def test_a_notebook_shows_it_in_a_frame_as_high_as_the_page(browser, walked, tmp_path):
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><style>.box {{ color: red }}</style>{walked._repr_html_()}", encoding="utf-8")
    browser.open(path)
    found = browser.js("""const frame = document.querySelector("iframe"), inside = frame.contentDocument;
        return [frame.clientHeight >= inside.body.scrollHeight, inside.querySelectorAll(".box").length]""")
    assert found == [True, len(walked.numbers)]
    assert browser.errors() == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_the_screen_and_complains_of_nothing(browser, walked, net, deep, tmp_path, width, dark):
    for i, made in enumerate((walked, net, deep)):
        browser.open(made.save(tmp_path / f"{i}.html"), width, dark)
        assert browser.js("return document.documentElement.scrollWidth") <= width
        assert browser.errors() == []


def test_a_screen_reader_hears_a_name_for_everything(browser, walked, net, deep, tmp_path):
    for made in (walked, net, deep):
        browser.open(made.save(tmp_path / "walk.html"))
        assert browser.unnamed() == []
        ids = browser.js("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_the_contrast_that_aa_asks_for(browser, walked, net, tmp_path, dark):
    for made in (walked, net):
        browser.open(made.save(tmp_path / "walk.html"), dark=dark)
        assert browser.faint() == []


def test_a_call_of_a_function_is_folded_until_it_is_opened(browser, tmp_path):
    layer = tf.function(lambda x: tf.tanh(x * x))
    x = tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x) * 3.0
    walk = tf.explain(y, x, tape=tape)
    inside = [n.label for n in walk.numbers if n.scope]
    browser.open(walk.save(tmp_path / "call.html"))
    shown = "return [...document.querySelectorAll('.box[data-n]')].map((box) => `n${box.dataset.n}`)"
    assert len(inside) == 2 and not set(inside) & set(browser.js(shown))
    browser.click(".box.group")
    assert set(inside) <= set(browser.js(shown))
