"""The glass in Chromium: what every cell shows when it is hovered, tapped or focused, against the arrays."""

from __future__ import annotations

import itertools

import chromium
import numpy as np
import pytest

import pullback as tf
from pullback.explain.convolution import cells, every
from pullback.explain.glass import conv2d, conv2d_backprop_filter, conv2d_backprop_input, conv2d_transpose
from pullback.explain.pages import asset
from pullback.explain.pooling import avg_pool, max_pool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing() or "Chromium is here"),
]
A, W = np.arange(1.0, 10.0).reshape(3, 3), np.array([[1.0, 2.0], [3.0, 4.0]])
PADDINGS = ("VALID", "SAME", [[0, 0], [1, 2], [0, 1], [0, 0]], [[0, 0], [2, 3], [3, 0], [0, 0]])


@pytest.fixture(scope="module")
def browser():
    with chromium.Chromium() as opened:
        yield opened


def opened(browser, tmp_path, made, **how):
    browser.open(made.save(tmp_path / "glass.html"), **how)
    return made


def numbers(shape, seed):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(float)


def many():
    """Glasses of all six ops over sizes, strides, dilations and paddings."""
    sizes, kernels, strides, dilations = [(5, 6), (7, 4)], [(1, 2), (3, 3)], [(1, 1), (2, 1), (3, 2)], [(1, 1), (2, 1)]
    for i, (size, k, s, d, p) in enumerate(itertools.product(sizes, kernels, strides, dilations, PADDINGS)):
        made = conv2d(numbers(size, i), numbers(k, i + 500), s, p, d)
        yield made
        if i % 2:
            yield conv2d_backprop_input(size, made.w, made.y, s, p, d)
            yield conv2d_backprop_filter(made.a, k, made.y, s, p, d)
            yield conv2d_transpose(made.y, made.w, size, s, p, d)
        if d == (1, 1) and p != PADDINGS[3] and (p != PADDINGS[2] or k == (3, 3)):
            yield max_pool(made.a, k, s, p)
            yield avg_pool(made.a, k, s, p)


def flat(array):
    return np.asarray(array, float).ravel().tolist()


def test_the_page_computes_what_python_computes_for_any_setting(browser, tmp_path):
    """Outputs, links and factors, the plain convolution's picture, and every sentence about every cell."""
    opened(browser, tmp_path, conv2d(A, W))
    script = """
        const m = relate(paired(arguments[0])), size = (i) => [...Array(i).keys()];
        const planes = m.kind.pools ? ["first", "result"] : ["first", "second", "result"];
        return {result: m.result, back: m.back ?? null,
                seen: m.seen && m.seen.cells.map((c) => (c < 0 ? 0 : m.first[c])),
                shape: m.seen?.shape ?? null, moving: m.moving && m.moving.cells.map((c) => m.second[c]),
                steps: m.seen ? [m.strides, m.dilations] : null,
                matrix: size(m.result.length).map((y) => size(m.first.length).map((a) =>
                    m.links.filter((l) => l.result === y && l.first === a).reduce((t, l) => t + l.factor, 0))),
                said: planes.map((p) => size(m[p].length).map((i) => sayings(m, p, i)))};"""
    source, count = "\n".join(map(asset, ("page.js", "relation.js"))), 0
    for made in many():
        data = made.page().data["setting"]
        ours = browser.js(source + script, data)
        np.testing.assert_allclose(ours["result"], flat(made.y), rtol=1e-12, atol=1e-12, err_msg=str(data))
        np.testing.assert_allclose(ours["matrix"], made.by_input.reshape(made.y.size, -1), rtol=1e-12)
        said = ours["said"]
        if data["planes"]["second"] is None:
            np.testing.assert_allclose(ours["back"], flat(made.unpooled), rtol=1e-12, atol=1e-12)
            assert [lines[1] for lines in said[0]] == [made.sum_of_gradient(a) for a in every(made.a)]
            sums = [made.sum_of_unpooled(a).split(" = ")[:2] for a in every(made.a)]
            assert [lines[2].removeprefix("unpooled: ").split(" = ")[:2] for lines in said[0]] == sums
            joined = [f"{lines[1]} = {lines[2].partition(' = ')[2]}" for lines in said[1]]
            assert joined == [made.sum_of_output(y) for y in every(made.y)]
        else:
            assert (ours["seen"], ours["shape"]) == (flat(made.seen), list(made.seen.shape)), data
            assert ours["moving"] == flat(made.moving)
            assert ours["steps"] == [list(n) for n in made.steps]
            assert [lines[-1] for lines in said[0]] == [made.sum_of_gradient(a) for a in every(made.a)]
            assert [lines[-1] for lines in said[1]] == [made.sum_of_kernel_gradient(r) for r in every(made.w)]
            sums = [(made.sum_in_symbols(y), made.sum_of_output(y), made.sum_in_numbers(y)) for y in every(made.y)]
            assert [tuple(lines[1:]) for lines in said[2]] == sums
        count += 1
    assert count > 200


def lit(browser, plane, how):
    """Which cells of a plane are lit so, and what is marked in them: {index: mark}."""
    script = """return [...document.querySelectorAll(`.plane td[data-plane=${arguments[0]}].${arguments[1]}`)]
        .map((c) => [Number(c.dataset.index), c.querySelector(".mark").textContent])"""
    return dict(browser.js(script, plane, how))


def index(cell, array):
    return cell[0] * array.shape[1] + cell[1]


def name(letter, cell):
    return f"{letter}{cell[0] + 1}{cell[1] + 1}"


def said(browser):
    return browser.texts(".said p")


@pytest.fixture
def transposed(browser, tmp_path):
    return opened(browser, tmp_path, conv2d_transpose(A, W, (4, 4), padding="VALID"))


class TestEveryCellOfATransposedConvolution:
    def test_hovering_an_output_lights_what_it_is_made_of(self, browser, transposed):
        for y in every(transposed.y):
            browser.hover(f'td[data-plane=result][data-index="{index(y, transposed.y)}"]')
            inputs = {index(a, A): "×" + transposed.weights_of(y, a) for a in cells(transposed.uses[y])}
            assert lit(browser, "first", "used") == inputs
            weights = {
                index(r, W): "×" + "".join(name("a", a) for a in cells(transposed.weight_of[*y, :, :, *r]))
                for r in cells(transposed.weight_of[y].any(axis=(0, 1)))
            }
            assert lit(browser, "second", "used") == weights
            assert list(lit(browser, "result", "held")) == [index(y, transposed.y)]
            assert said(browser)[2:] == [transposed.sum_of_output(y), transposed.sum_in_numbers(y)]
            window = {(y[0] + i) * 5 + y[1] + j for i in (0, 1) for j in (0, 1)}
            assert set(lit(browser, "seen", "window")) == window

    def test_hovering_an_input_lights_the_outputs_that_use_it(self, browser, transposed):
        for a in every(A):
            browser.hover(f'td[data-plane=first][data-index="{index(a, A)}"]')
            outputs = {
                index(y, transposed.y): "×" + transposed.weights_of(y, a) for y in cells(transposed.uses[:, :, *a])
            }
            assert lit(browser, "result", "used") == outputs
            assert said(browser)[0] == f"{name('a', a)} = {A[a]:g}, used by {len(outputs)} outputs"
            assert said(browser)[-1] == transposed.sum_of_gradient(a)

    def test_hovering_a_weight_lights_what_it_multiplies(self, browser, transposed):
        for r in every(W):
            browser.hover(f'td[data-plane=second][data-index="{index(r, W)}"]')
            met = transposed.weight_of[..., *r]
            assert lit(browser, "first", "used") == {
                index(a, A): "→" + "".join(name("y", y) for y in cells(met[:, :, *a])) for a in every(A)
            }
            assert set(lit(browser, "result", "used")) == {
                index(y, transposed.y) for y in every(transposed.y) if met[y].any()
            }
            assert said(browser)[-1] == transposed.sum_of_kernel_gradient(r)

    def test_the_padded_picture_stands_for_its_cells(self, browser, transposed):
        shown = browser.texts("td[data-plane=seen] .value")
        assert [float(v) for v in shown] == flat(transposed.seen)
        assert [float(v) for v in browser.texts("td[data-plane=moving] .value")] == [4, 3, 2, 1]
        browser.hover('td[data-plane=moving][data-index="0"]')
        assert list(lit(browser, "second", "held")) == [3]
        before = said(browser)
        browser.hover('td[data-plane=seen][data-index="0"]')
        assert said(browser) == before, "a border cell is nobody's"

    def test_matrix_coefficients_and_jacobian_are_the_arrays(self, browser, transposed):
        shown = browser.js("""return [...document.querySelectorAll(".whole tbody tr")].map((row) =>
            [...row.querySelectorAll("td")].map((cell) => Number(cell.textContent)))""")
        np.testing.assert_array_equal(shown, transposed.sparse_matrix)
        rows = browser.js("""return [...document.querySelectorAll(".coefficients tbody tr")].map((row) =>
            [...row.cells].map((cell) => cell.textContent))""")
        assert rows == transposed.input_rows()
        for by, array in (("first", transposed.by_input), ("second", transposed.by_kernel)):
            minis = browser.js(f"""return [...document.querySelectorAll(".mini[data-by={by}]")].map((mini) =>
                [...mini.querySelectorAll("td")].map((cell) => Number(cell.textContent)))""")
            np.testing.assert_array_equal(minis, array.reshape(transposed.y.size, -1))
        browser.hover('.mini[data-by=first][data-output="9"]')
        assert said(browser)[2] == "y32 = 4*a21 + 3*a22 + 2*a31 + a32"


class TestHands:
    def test_arrow_keys_move_and_choose(self, browser, transposed):
        browser.js("document.querySelector('td[data-plane=result]').focus()")
        browser.press("Down", "Down", "Right")
        assert said(browser)[2] == "y32 = 4*a21 + 3*a22 + 2*a31 + a32"
        browser.press("Up", "Up", "Up", "Left", "Left")
        assert said(browser)[0] == "y11 = 1"
        browser.press("Shift+Tab")
        assert browser.js("return document.activeElement.dataset.plane") == "second"

    def test_a_finger_chooses(self, browser, transposed):
        browser.tap('td[data-plane=first][data-index="4"]')
        assert said(browser)[0] == "a22 = 5, used by 4 outputs"

    def test_buttons_walk_through_the_outputs(self, browser, transposed):
        met = [said(browser)[0]]
        for _ in range(15):
            browser.click(".steps button:nth-child(2)")
            met.append(said(browser)[0])
        assert met == [f"{name('y', y)} = {transposed.y[y]:g}" for y in every(transposed.y)]
        assert browser.js("return document.querySelector('.steps button:nth-child(2)').ariaDisabled") == "true"

    def test_play_goes_on_from_output_to_output_and_begins_anew_until_paused(self, browser, tmp_path):
        opened(browser, tmp_path, conv2d([[1, 2, 3]], [[1]]))
        browser.js("window.met = []; window.setInterval = (f) => { window.tick = f; return 7; }")
        browser.js("window.clearInterval = (id) => { if (id === 7) window.tick = null; }")
        browser.click(".steps button:nth-child(3)")
        assert browser.text(".steps button:nth-child(3)") == "Pause"
        met = []
        for _ in range(4):
            browser.js("window.tick()")
            met.append(said(browser)[0])
        assert met == ["y12 = 2", "y13 = 3", "y11 = 1", "y12 = 2"]
        browser.click(".steps button:nth-child(3)")
        assert browser.text(".steps button:nth-child(3)") == "Play"
        assert browser.js("return window.tick") is None

    def test_typed_numbers_and_sizes_are_computed_at_once(self, browser, tmp_path):
        opened(browser, tmp_path, conv2d(A, W))
        browser.type("#numbers-first", "1 0 2 5\n-1 3 0.5 2\n7 7 7 7\n0 1 0 1")
        browser.type("#numbers-second", "2 -1 0\n0 1 1")
        browser.type("input[aria-label='Strides, columns']", "2")
        browser.choose("#padding", "SAME")
        wanted = conv2d(
            [[1, 0, 2, 5], [-1, 3, 0.5, 2], [7, 7, 7, 7], [0, 1, 0, 1]], [[2, -1, 0], [0, 1, 1]], (1, 2), "SAME"
        )
        assert [float(v) for v in browser.texts("td[data-plane=result] .value")] == flat(wanted.y)
        browser.choose("#op", "conv2d_backprop_input")
        assert browser.texts("td[data-plane=result] .name")[5] == "da22"
        assert len(browser.texts("td[data-plane=first]")) == 8

    def test_what_does_not_fit_is_told(self, browser, tmp_path):
        opened(browser, tmp_path, conv2d(A, W))
        browser.type("input[aria-label='Kernel, rows']", "5")
        assert "spans 5 cells does not fit 3" in browser.text(".alert")
        browser.type("input[aria-label='Kernel, rows']", "2")
        assert browser.js("return document.querySelector('.alert').textContent") == ""
        browser.type("#numbers-first", "1 2\n3")
        assert "Every row" in browser.text(".alert")
        browser.type("#numbers-first", "1 two\n3 4")
        assert "no number" in browser.text(".alert")
        assert len(browser.texts("td[data-plane=first]")) == 9, "what was there stays"


class TestPooling:
    @pytest.mark.parametrize("pool", [max_pool, avg_pool])
    def test_every_window_shows_its_pixels_and_its_switch(self, browser, tmp_path, pool):
        made = opened(browser, tmp_path, pool(numbers((4, 5), 3), (2, 3), (2, 2), "SAME"))
        for y in every(made.y):
            browser.hover(f'td[data-plane=result][data-index="{index(y, made.y)}"]')
            assert set(lit(browser, "first", "used")) == {index(a, made.a) for a in cells(made.uses[y])}
            first, *rest = said(browser)[1:]
            assert " = ".join([first, *(line.partition(" = ")[2] for line in rest)]) == made.sum_of_output(y)
        winners = browser.js("""return [...document.querySelectorAll("td[data-plane=first].winner")].map(
            (cell) => Number(cell.dataset.index))""")
        assert winners == (sorted(set(made.switches.ravel().tolist())) if made.largest else [])
        assert np.allclose(
            [float(v) for v in browser.texts("td[data-plane=back] .value")], flat(made.unpooled), rtol=1e-3
        )


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("made", [conv2d(A, W), conv2d_transpose(A, W, (6, 6), 2, "SAME"), max_pool(A, 2, 1)])
def test_pages_fit_the_screen_and_complain_of_nothing(browser, tmp_path, made, width):
    opened(browser, tmp_path, made, width=width, dark=True)
    assert browser.js("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []


def test_the_gradient_that_the_page_says_is_the_tapes(browser, tmp_path):
    made = opened(browser, tmp_path, conv2d(A, W, padding="SAME"))
    x = tf.constant(A[None, :, :, None])
    d = numbers((1, 3, 3, 1), 9)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.nn.conv2d(x, W[:, :, None, None], 1, "SAME")
    dx = tape.gradient(y, x, output_gradients=tf.constant(d)).numpy()[0, :, :, 0]
    env = {name("d", y): d[0, y[0], y[1], 0] for y in every(made.y)}
    for a in every(A):
        browser.hover(f'td[data-plane=first][data-index="{index(a, A)}"]')
        terms = said(browser)[-1].partition(" = ")[2].replace("- ", "+ -").split(" + ")
        value = sum(float(t.partition("*")[0]) * env[t.partition("*")[2]] if "*" in t else env[t] for t in terms)
        np.testing.assert_allclose(value, dx[a])


def test_a_screen_reader_hears_a_name_for_everything(browser, tmp_path):
    for made in (conv2d_transpose(A, W, (6, 6), 2, "SAME"), max_pool(A, 2, 1)):
        opened(browser, tmp_path, made)
        assert browser.unnamed() == []
        assert browser.js("return document.querySelector('.said').getAttribute('aria-live')") == "polite"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("plane", ["first", "result"])
def test_every_text_has_the_contrast_that_aa_asks_for(browser, tmp_path, dark, plane):
    for made in (conv2d_transpose(A, W, (6, 6), 2, "SAME"), max_pool(A, 2, 1)):
        opened(browser, tmp_path, made, dark=dark)
        browser.hover(f"td[data-plane={plane}]")
        assert browser.faint() == []
