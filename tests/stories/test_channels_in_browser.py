"""The glass with channels in Chromium: every state of its widget against the arrays."""

from __future__ import annotations

import re

import chromium
import numpy as np
import pytest

import pullback as tf
from pullback.explain.convolution import every

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "Chromium is here"),
]
R = np.random.default_rng(3)
X, W = R.integers(-4, 5, (2, 4, 5, 3)) / 2, R.integers(-4, 5, (3, 2, 3, 2)) / 2
DY = R.integers(-4, 5, (2, 4, 5, 2)) / 2
MADE = {
    "conv2d": lambda: tf.explain.conv2d(X, W, 1, "SAME", bias=[0.25, -1.5], activation="relu"),
    "dilated": lambda: tf.explain.conv2d(X[0], W, (2, 1), [[0, 0], [1, 2], [0, 1], [0, 0]], (1, 2)),
    "transpose": lambda: tf.explain.conv2d_transpose(DY[:, :2], W, (4, 5), (2, 1), "SAME", bias=[1.0, 2.0, 3.0]),
    "input": lambda: tf.explain.conv2d_backprop_input(X.shape, W, DY, 1, "SAME"),
    "filter": lambda: tf.explain.conv2d_backprop_filter(X, W.shape, DY, 1, "SAME"),
}
PRODUCTS = """return [...document.querySelectorAll(".terms li")].map((row) =>
    [...row.querySelectorAll("td")].map((cell) => cell.ariaLabel ?? cell.getAttribute("aria-label")))"""
PIXELS = """const canvas = document.querySelector(arguments[0]), pen = canvas.getContext("2d");
    const [rows, columns] = arguments[1], size = [canvas.width / columns, canvas.height / rows];
    return Array.from({length: rows * columns}, (_, i) => [...pen.getImageData(
        (i % columns + 0.5) * size[0], (Math.floor(i / columns) + 0.5) * size[1], 1, 1).data].slice(0, 3))"""
FRAMED = """const canvas = document.querySelector(arguments[0]), pen = canvas.getContext("2d");
    const [rows, columns] = arguments[1], size = [canvas.width / columns, canvas.height / rows];
    const dark = (i) => pen.getImageData((i % columns) * size[0] + 2, (Math.floor(i / columns) + 0.5) * size[1], 1, 1)
        .data.slice(0, 3).every((v, k) => v === [24, 28, 36][k]);
    return Array.from({length: rows * columns}, (_, i) => i).filter(dark)"""


@pytest.fixture(scope="module")
def browser():
    with chromium.Chromium() as opened:
        yield opened


@pytest.fixture
def opened(browser, tmp_path):
    def opens(made, **how):
        browser.open(made.save(tmp_path / "glass.html"), **how)
        return made

    return opens


def said(browser):
    return browser.texts(".said p")


def spoken(browser, plane, figure=0):
    """The numbers that a screen reader hears in the cells of a plane."""
    script = """return [...[...document.querySelectorAll("table.plane")].filter((t) =>
        t.querySelector(`td[data-plane=${arguments[0]}]`))[arguments[1]].querySelectorAll("td")]
        .map((c) => c.getAttribute("aria-label"))"""
    return [float(re.split(r" is |, ", label)[-1]) for label in browser.js(script, plane, figure)]


def coloured(values, most):
    """Red above zero, blue below, on white: shares of (190, 30, 45) and (20, 90, 190)."""
    share = np.clip(values.ravel() / most, -1, 1)[:, None]
    ends = np.where(share < 0, [20, 90, 190], [190, 30, 45])
    return 255 + np.abs(share) * (ends - 255)


def hovered(browser, index):
    browser.js("document.querySelector('td[data-plane=total]').scrollIntoView({block: 'center'})")
    browser.hover(f'td[data-plane=total][data-index="{index}"]')


@pytest.mark.parametrize("op", MADE)
def test_every_result_channel_is_the_sum_it_shows(browser, opened, op):
    """Planes, terms, sums, bias and activation: every cell of some, some cells of every image and channel."""
    made = opened(MADE[op]())
    for i, j in np.ndindex(made.sums.shape[:2]):
        for n, at in ((0, i), (2, j)):
            if made.sums.shape[n // 2] > 1:
                browser.choose(f"#at-{n}", str(at))
        bias = 0 if made.bias is None else made.bias[j]
        np.testing.assert_allclose(spoken(browser, "total"), (made.sums[i, j] + bias).ravel(), atol=1e-5)
        if made.activation:
            np.testing.assert_allclose(spoken(browser, "total", 1), made.values[i, j].ravel(), atol=1e-5)
        for k, cell in list(enumerate(every(made.sums[i, j])))[:: 1 if i == j else 5]:
            hovered(browser, k)
            brought = [float(text.removeprefix("= ")) for text in browser.texts(".part")]
            np.testing.assert_allclose(brought, made.terms(i, j)[:, *cell], atol=1e-5)
            head, *lines = said(browser)[: 3 if made.activation else 2]
            assert "; ".join(lines) == made.sum_of_output(i, j, cell)
            assert head.endswith(f" = {made.values[i, j][cell]:.6g}") and f"{made.axes[2]} {j + 1}" in head


@pytest.mark.parametrize("op", ["conv2d", "dilated", "transpose", "input"])
def test_every_product_is_a_cell_times_its_weight(browser, opened, op):
    made = opened(MADE[op]())
    pairs = [made.pair(0, t, 0) for t in range(len(made.w))]
    for k, cell in enumerate(every(made.sums[0, 0])):
        hovered(browser, k)
        for pair, labels in zip(pairs, browser.js(PRODUCTS), strict=True):
            met = {}  # input cell -> (value, weight)
            for label in labels:
                of, value, _, weight, factor, _, product = label.split(" ")
                assert float(product) == pytest.approx(float(value) * float(factor))
                if of != "border":
                    met[of, weight] = float(value), float(factor)
            a, w = pair.letters[:2]
            names = {(f"{a}{h + 1}{v + 1}", f"{w}{r + 1}{s + 1}"): (pair.a[h, v], pair.w[r, s])
                     for h, v, r, s in np.argwhere(pair.weight_of[cell])}  # fmt: skip
            assert met == names


@pytest.mark.parametrize("op", MADE)
def test_heat_maps_are_the_planes_with_the_cells_used_framed(browser, opened, op):
    made = opened(MADE[op]())
    terms = made.terms(0, 0)
    for t in range(len(made.w)):
        row = f'.terms li[data-term="{t}"] '
        for part, planes in (("first", made.x[0]), ("term", terms)):
            pixels = browser.js(PIXELS, f"{row}[data-part={part}]", planes.shape[1:])
            np.testing.assert_allclose(pixels, coloured(planes[t], np.abs(planes).max()), atol=1.01)
        for k, cell in list(enumerate(every(terms[0])))[::3]:
            hovered(browser, k)
            used = np.flatnonzero(made.pair(0, t, 0).uses[cell])
            assert browser.js(FRAMED, f"{row}[data-part=first]", made.x.shape[2:]) == used.tolist()
            assert browser.js(FRAMED, f"{row}[data-part=term]", terms.shape[1:]) == [k]


def test_one_term_goes_under_the_glass(browser, opened):
    made = opened(MADE["conv2d"]())
    for t in (2, 0, 1):
        browser.click(f'.terms li[data-term="{t}"] button')
        assert browser.js("return document.querySelector('#at-1').value") == str(t)
        pair = made.pair(0, t, 0)
        for plane, array in (("first", pair.a), ("second", pair.w), ("result", pair.y)):
            np.testing.assert_allclose(spoken(browser, plane), array.ravel(), atol=1e-5)
        shown = browser.js("""return [...document.querySelectorAll(".whole tbody tr")].map((row) =>
            [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent)))""")
        np.testing.assert_allclose(shown, pair.sparse_matrix)
        hovered(browser, 7)
        assert said(browser)[-1] == f"input channel {t + 1} alone: {pair.sum_in_numbers((1, 2)).replace('y', 'p', 1)}"
        browser.hover('td[data-plane=first][data-index="6"]')
        assert said(browser)[0] == f"a22 of image 1, input channel {t + 1} = {pair.a[1, 1]:g}, used by 6 outputs"
        assert said(browser)[-2:] == [
            pair.sum_of_gradient((1, 1)),
            "through output channel 1; the other adds its own",
        ]
    browser.choose("#at-1", "2")
    assert browser.text("h3:has(+ .planes)") == "input channel 3, alone"


def test_pointing_into_a_heat_map_chooses_its_cell(browser, opened):
    opened(MADE["conv2d"]())
    browser.hover('.terms li[data-term="1"] [data-part=first]')  # the middle
    assert said(browser)[0].startswith("a23 of image 1, input channel 2 = ")
    assert browser.js(FRAMED, '.terms li[data-term="1"] [data-part=first]', [4, 5]) == [7]
    browser.tap('.terms li[data-term="0"] [data-part=term]')
    assert said(browser)[0].startswith("y23 of image 1, output channel 1 = ")


def test_the_keyboard_reaches_everything(browser, opened):
    made = opened(MADE["conv2d"]())
    browser.js("document.querySelector('td[data-plane=total]').focus()")
    browser.press("Down", "Right", "Right")
    assert said(browser)[1] == made.sum_of_output(0, 0, (1, 2)).partition("; ")[0]
    browser.js("document.querySelector('#at-2').focus()")
    browser.press("Down")
    assert said(browser)[1] == made.sum_of_output(0, 1, (1, 2)).partition("; ")[0]
    assert browser.js("return document.activeElement.id") == "at-2", "the focus stays where it was"
    browser.js("document.querySelector('.terms li[data-term=\"2\"] button').focus()")
    browser.press("Enter")
    assert browser.js("return document.querySelector('#at-1').value") == "2"
    browser.click(".steps button:nth-child(2)")
    assert said(browser)[0].startswith("y24 of image 1, output channel 2")


def test_typed_numbers_join_the_sum(browser, opened):
    opened(MADE["conv2d"]())
    browser.choose("#at-2", "1")
    browser.choose("#at-1", "2")
    w = np.array(W)
    w[:, :, 2, 1] = [[1, 2], [3, 4], [5, -6]]
    browser.type("#numbers-second", "1 2\n3 4\n5")
    assert browser.text(".alert") == "Every row must have as many numbers as the first."
    browser.type("#numbers-second", "1 2\n3 4")
    assert browser.text(".alert") == "These numbers must be 3 by 2: the other channels have that size."
    browser.type("#numbers-second", "1 2\n3 4\n5 -6")
    wanted = tf.explain.conv2d(X, w, 1, "SAME", bias=[0.25, -1.5], activation="relu")
    np.testing.assert_allclose(spoken(browser, "total", 1), wanted.values[0, 1].ravel(), atol=1e-5)
    browser.type("input[aria-label='Strides, columns']", "2")
    wanted = tf.explain.conv2d(X, w, (1, 2), "SAME", bias=[0.25, -1.5], activation="relu")
    np.testing.assert_allclose(spoken(browser, "total", 1), wanted.values[0, 1].ravel(), atol=1e-5)
    browser.type("input[aria-label='Kernel, rows']", "9")
    browser.choose("#padding", "VALID")
    assert "does not fit" in browser.text(".alert") and browser.texts(".terms li") == []
    browser.type("input[aria-label='Kernel, rows']", "2")
    assert len(browser.texts(".terms li")) == 3
    browser.type("input[aria-label='Kernel, rows']", "3")
    browser.choose("#padding", "SAME")
    np.testing.assert_allclose(spoken(browser, "total", 1), wanted.values[0, 1].ravel(), atol=1e-5)


def test_many_channels_are_folded_and_said(browser, opened):
    x, w = R.normal(size=(6, 6, 40)), R.normal(size=(3, 3, 40, 300))
    made = opened(tf.explain.conv2d(x, w))
    assert "holds output channels 1 to 162 of 300" in browser.text("header p")
    assert browser.js("return document.querySelectorAll('#at-2 option').length") == 162
    for count in (6, 12, 18):
        assert len(browser.texts(".terms li")) == count
        folded = made.terms(0, 0)[count:, 0, 0].sum()
        told = f"input channels {count + 1} to 40 ({40 - count}) are folded; together they add {folded:.6g}."
        assert browser.text(".folded") == told
        assert said(browser)[1] == made.sum_of_output(0, 0, (0, 0))
        browser.click(".rest button")
    assert browser.js("return document.querySelectorAll('*').length") < 6000


def test_terms_that_add_most_can_stand_first(browser, opened):
    made = opened(tf.explain.conv2d(R.normal(size=(4, 4, 9)), R.normal(size=(2, 2, 9, 1))))
    browser.click("#largest")
    for k, cell in enumerate(every(made.sums[0, 0])):
        hovered(browser, k)
        terms = made.terms(0, 0)[:, *cell]
        order = np.argsort(-np.abs(terms))
        shown = browser.js("return [...document.querySelectorAll('.terms li')].map((row) => Number(row.dataset.term))")
        assert shown == order[:6].tolist()
        brought = [float(text.removeprefix("= ")) for text in browser.texts(".part")]
        np.testing.assert_allclose(brought, terms[order[:6]], rtol=1e-5)
        rest = terms[order[6:]].sum()
        assert browser.text(".folded") == f"the other 3 input channels are folded; together they add {rest:.6g}."
    browser.hover(".terms li:last-child [data-part=term]")
    assert browser.js("return document.querySelector('.terms li').dataset.term") == str(order[0]), "rows stay still"
    browser.click("#largest")
    assert browser.text(".folded").startswith("input channels 7 to 9 (3) are folded")


def test_the_focus_stays_when_the_last_terms_are_shown(browser, opened):
    opened(tf.explain.conv2d(R.normal(size=(3, 3, 8)), R.normal(size=(2, 2, 8, 1))))
    browser.js("document.querySelector('.rest button').focus()")
    browser.press("Enter")
    assert len(browser.texts(".terms li")) == 8 and browser.texts(".rest button") == []
    assert browser.js("return document.activeElement.closest('li').dataset.term") == "7"


def test_a_large_slice_is_a_heat_map_of_products(browser, opened):
    dy = R.normal(size=(2, 8, 8, 2))
    made = opened(tf.explain.conv2d_backprop_filter(R.normal(size=(2, 8, 8, 3)), (3, 3), dy, padding="SAME"))
    hovered(browser, 4)
    products = made.x[0] * made.w[:, 0]
    for t in (0, 1):
        row = f'.terms li[data-term="{t}"] '
        pixels = browser.js(PIXELS, f"{row}[data-part=products]", [8, 8])
        np.testing.assert_allclose(pixels, coloured(products[t], np.abs(products[t]).max()), atol=1.01)
        told = f"64 products, from {products[t].min():.6g} to {products[t].max():.6g}"
        assert browser.text(f"{row}.many") == told
    assert said(browser)[-1] == f"image 1 alone: 64 products add up to {products[0].sum():.6g}"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("op", MADE)
def test_pages_fit_the_screen_and_complain_of_nothing(browser, opened, op, width):
    opened(MADE[op](), width=width)
    assert browser.js("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []


@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_and_heard(browser, opened, dark):
    opened(MADE["conv2d"](), dark=dark)
    hovered(browser, 7)
    assert browser.faint() == []
    assert browser.unnamed() == []


def test_two_widgets_share_a_document(browser, opened):
    """Their scripts declare no name that another could meet."""
    opened(MADE["conv2d"]())
    names = browser.js("return ['relate', 'OPS', 'view', 'make', 'number', 'begin'].filter((n) => n in window)")
    assert names == []
    browser.js("""const again = document.createElement("script");
        again.textContent = document.querySelector("script:not([type])").textContent; document.body.append(again)""")
    assert browser.errors() == [] and len(browser.texts("#at-2")) == 2


def test_pooling_shows_the_channel_that_is_chosen(browser, opened):
    made = opened(tf.explain.max_pool(X, 2, 2, "SAME"))
    for i, t in np.ndindex(2, 3):
        browser.choose("#at-0", str(i))
        browser.choose("#at-1", str(t))
        shown = made.planes[i][t]
        np.testing.assert_allclose(spoken(browser, "first"), shown.a.ravel())
        np.testing.assert_allclose(spoken(browser, "result"), shown.y.ravel())
        np.testing.assert_allclose(spoken(browser, "back"), shown.unpooled.ravel())
    browser.choose("#op", "avg_pool")
    wanted = tf.explain.avg_pool(X, 2, 2, "SAME").planes[1][2]
    np.testing.assert_allclose(spoken(browser, "result"), wanted.y.ravel(), atol=1e-5)
    assert browser.errors() == []


class TestSoftmax:
    LOGITS = (2.0, -1.0, 0.5, 3.25)

    def column(self, browser, kind):
        return [float(text) for text in browser.texts(f".softmax .{kind}")]

    def test_every_class_shows_its_share_and_what_comes_back(self, browser, opened):
        made = opened(tf.explain.softmax(self.LOGITS, 3, ["cat", "dog", "cup", "ball"]))
        for k in range(4):
            browser.hover(f"tr[data-class='{k}']")
            np.testing.assert_allclose(self.column(browser, "share"), made.y, rtol=1e-5)
            np.testing.assert_allclose(self.column(browser, "exp"), made.exps, rtol=1e-5)
            np.testing.assert_allclose(self.column(browser, "by"), made.jacobian[k], rtol=1e-5)
            np.testing.assert_allclose(self.column(browser, "back"), made.gradient, rtol=1e-5)
            lines = said(browser)
            assert lines[1] == made.sum_of_output(k) and lines[-1] == made.sum_of_gradient(k)
            assert lines[-2] == f"L = -log(y3) = {made.loss:.6g}"
        widths = browser.js("return [...document.querySelectorAll('.bar')].map((b) => b.getBoundingClientRect().width)")
        np.testing.assert_allclose(np.array(widths) / sum(widths), made.y, atol=0.01)

    def test_a_typed_logit_is_computed_at_once(self, browser, opened):
        opened(tf.explain.softmax(self.LOGITS))
        browser.type("tr[data-class='1'] input", "4.5")
        made = tf.explain.softmax([2.0, 4.5, 0.5, 3.25])
        np.testing.assert_allclose(self.column(browser, "share"), made.y, rtol=1e-5)

    @pytest.mark.parametrize("width", [390, 1280])
    def test_it_fits_and_can_be_read_and_heard(self, browser, opened, width):
        opened(tf.explain.softmax(self.LOGITS, 0), width=width, dark=width == 390)
        assert browser.js("return document.documentElement.scrollWidth") <= width
        assert (browser.faint(), browser.unnamed(), browser.errors()) == ([], [], [])
