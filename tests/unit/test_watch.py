"""watch_gradients: norms as the golden has them, and which layers are named, since when."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import pullback as tf
import pullback.v1 as tf1
from pullback.explain.checks.watch import watch_gradients

GOLDENS = Path(__file__).resolve().parents[2].parent / "shared" / "goldens"


def mix(count, layer):
    """The goldens' numbers without a file; their README says how."""
    k = np.arange(count, dtype=np.uint64)
    h = (k * np.uint64(2654435761) + np.uint64(layer * 40503)) % np.uint64(2**32)
    h ^= h >> np.uint64(15)
    h = h * np.uint64(2246822519) % np.uint64(2**32)
    h ^= h >> np.uint64(13)
    return h / 2147483648 - 1


def watched(act, scale, x, rate, steps):
    """Eight layers, trained in a session under watch."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        h = tf1.constant(x)
        for i in range(8):
            w = tf1.Variable(mix(16, 30 + i).reshape(4, 4) * scale, name=f"w{i + 1}")
            h = act(tf1.matmul(h, w))
        optimizer = tf1.train.GradientDescentOptimizer(rate)
        pairs = optimizer.compute_gradients(tf1.reduce_mean((h - 1) ** 2))
        train = optimizer.apply_gradients(pairs)
        session.run(tf1.global_variables_initializer())
        watch = watch_gradients(pairs)
        for _ in range(steps):
            watch.run(session, train)
    return watch


@pytest.mark.skipif(not GOLDENS.exists(), reason="goldens lie beside the checkout")
@pytest.mark.parametrize(
    "network, act, scale, kinds",
    [
        ("vanishing_sigmoid", tf1.sigmoid, 1.0, {"w1": "vanishing", "w2": "vanishing", "w3": "vanishing"}),
        ("exploding_linear", tf1.identity, 6.0, {f"w{i}": "exploding" for i in range(1, 9)}),
        ("tanh", tf1.tanh, 1.2, {}),
    ],
)
def test_the_golden_norms_and_the_layers_that_are_amiss(network, act, scale, kinds):
    data = json.loads((GOLDENS / "viewing_gradients.json").read_text(encoding="utf-8"))
    x = np.array(data["inputs"]["x"]["values"]).astype(float).reshape(2, 4)
    watch = watched(act, scale, x, 0.0, 2)
    wanted = np.array(data["outputs_float64"][f"{network}_grad_norms"]["values"]).astype(float)
    np.testing.assert_allclose([watch.norms(f"w{i}")[0] for i in range(1, 9)], wanted, rtol=1e-9)
    assert {f.name: f.kind for f in watch.findings} == kinds
    assert all((f.began, f.last, f.now) == (0, 1, True) for f in watch.findings)


def see(watch, norms, step=None):
    """One step of given norms."""
    watch.see([(tf.constant([float(n)]), v) for n, v in zip(norms, VARIABLES, strict=True)], step)


VARIABLES = [tf.Variable([1.0], name="a"), tf.Variable([2.0], name="b")]


class TestFindings:
    def test_a_row_has_its_first_and_last_step_and_its_worst(self):
        watch = watch_gradients()
        for norms in [(1, 1), (1e-4, 1), (1e-6, 1), (1e-5, 1), (1, 1)]:
            see(watch, norms)
        (found,) = watch.findings
        assert (found.name, found.kind, found.began, found.last, found.now) == ("a", "vanishing", 1, 3, False)
        assert found.worst == pytest.approx(1e-6)
        assert "a: vanishing in steps 1 to 3" in str(watch)

    def test_it_may_come_again(self):
        watch = watch_gradients(exploding=10.0)
        for norms in [(1, 11), (1, 1), (1, 12), (1, 13)]:
            see(watch, norms)
        assert [(f.began, f.last, f.now) for f in watch.findings] == [(0, 0, False), (2, 3, True)]

    def test_an_exploding_layer_does_not_make_the_others_vanish(self):
        watch = watch_gradients()
        see(watch, (1.0, 1e9))
        assert [(f.name, f.kind) for f in watch.findings] == [("b", "exploding")]

    def test_nan_explodes_and_none_is_unconnected(self):
        watch = watch_gradients()
        watch.see([(tf.constant([np.nan]), VARIABLES[0]), (None, VARIABLES[1])], step=5)
        assert [(f.name, f.kind, f.began) for f in watch.findings] == [("a", "exploding", 5), ("b", "unconnected", 5)]

    def test_no_gradient_at_all_is_no_vanishing(self):
        watch = watch_gradients()
        see(watch, (0.0, 0.0))
        assert watch.findings == []

    def test_limits_must_mean_something(self):
        for wrong in ({"vanishing": 0.0}, {"vanishing": 1.5}, {"exploding": 0.0}, {"patience": 0}):
            with pytest.raises(tf.errors.InvalidArgumentError, match="watch_gradients"):
                watch_gradients(**wrong)


class TestEager:
    def test_updates_are_measured_against_the_weights(self):
        v = tf.Variable([3.0, 4.0], name="v")
        watch = watch_gradients()
        optimizer = tf1.train.GradientDescentOptimizer(0.5)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v * v)
        watch.apply(optimizer, [(tape.gradient(loss, v), v)])
        reading = watch.readings[0]["v"]
        assert (reading.norm, reading.largest, reading.weight) == (10.0, 8.0, 5.0)
        assert reading.ratio == pytest.approx(1.0) and v.numpy().tolist() == [0.0, 0.0]

    def test_dead_units_are_heard_on_the_tape_and_named_when_they_have_been_silent_long_enough(self):
        x = tf.constant([[1.0, 1.0]])
        w = tf.Variable([[1.0, -1.0, 1.0], [1.0, -1.0, -3.0]], name="w")
        watch = watch_gradients(patience=3)
        for step in range(5):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.nn.relu(tf.nn.relu(tf.matmul(x, w)) - 0.5))
            watch.see([(tape.gradient(loss, w, on_step=watch.on_step), w)])
            if step == 1:
                assert watch.findings == []
        told = {f.name: (f.kind, f.began, f.worst, f.units) for f in watch.findings}
        assert told == {"Relu": ("dead units", 0, 2.0, 3), "Relu_1": ("dead units", 0, 2.0, 3)}

    def test_sparse_gradients_are_counted_with_their_repeated_rows(self):
        table = tf.Variable(np.ones((4, 2)), name="table")
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(table, [1, 1, 3]))
        watch = watch_gradients()
        watch.see([(tape.gradient(loss, table), table)])
        reading = watch.readings[0]["table"]
        assert reading.norm == pytest.approx(np.sqrt(2 * 4 + 2)) and reading.zeros == 0.5
        assert reading.histogram.sum() == 4

    def test_symbolic_gradients_are_refused_with_what_to_do(self):
        watch, v = watch_gradients(), tf.Variable(1.0)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                y = v * v
            watch.see([(tape.gradient(y, v), v)])

        with pytest.raises(TypeError, match="return the gradients, and watch them outside"):
            step()

    def test_variables_of_one_name_are_told_apart(self):
        watch = watch_gradients()
        twins = [tf.Variable(1.0, name="w"), tf.Variable(1.0, name="w")]
        watch.see([(tf.constant(1.0), v) for v in twins])
        assert watch.names == ["w", "w_1"]


class TestSessions:
    def test_sparse_gradients_and_dead_units_of_a_graph(self):
        with tf1.Graph().as_default(), tf1.Session() as session:
            table = tf1.Variable(np.ones((4, 2)), name="table")
            rows = tf1.nn.relu(tf1.nn.embedding_lookup(table, [1, 1, 3]) * np.array([1.0, -1.0]), name="act")
            optimizer = tf1.train.GradientDescentOptimizer(0.1)
            pairs = optimizer.compute_gradients(tf1.reduce_sum(rows))
            train = optimizer.apply_gradients(pairs)
            session.run(tf1.global_variables_initializer())
            watch = watch_gradients(pairs, patience=1)
            loss = watch.run(session, [train, tf1.reduce_sum(rows)])[1]
        assert loss == 3.0
        assert watch.readings[0]["table"].norm == pytest.approx(np.sqrt(4 + 1))
        assert [(f.name, f.worst) for f in watch.findings] == [("act", 1.0)]

    def test_a_watch_without_pairs_says_so(self):
        with pytest.raises(tf.errors.InvalidArgumentError, match="compute_gradients"):
            watch_gradients().run(None, None)


class TestHowItShows:
    def shown(self, thing):
        out = io.StringIO()
        Console(file=out, width=140).print(thing)
        return out.getvalue()

    def test_the_terminal_has_a_row_a_variable(self):
        watch = watch_gradients()
        assert "no step yet" in self.shown(watch)
        for i in range(4):
            see(watch, (10.0**-i, 1.0))
        text = self.shown(watch)
        assert "step 3" in text and "1.000e-03" in text and "█" in text and "a: vanishing" not in text

    def test_live_keeps_the_table_up_to_date(self):
        out = io.StringIO()
        watch = watch_gradients()
        with watch.live(Console(file=out, width=120, force_terminal=True)):
            see(watch, (1.0, 1e7))
        assert "exploding" in out.getvalue()

    def test_the_page_holds_findings_curves_numbers_and_histograms(self, tmp_path):
        watch = watch_gradients()
        for i in range(5):
            see(watch, (10.0**-i, 1.0))
        text = watch.save(tmp_path / "watch.html").read_text(encoding="utf-8")
        assert "a: vanishing since step 4" in text and text.count("<polyline") == 2 and text.count("<img ") == 2
        assert "1.000e-04" in text

    def test_a_page_of_nothing_yet_can_be_made(self):
        assert "No gradient norm to draw" in watch_gradients().page().html()


def test_readings_are_thinned_and_findings_are_not(monkeypatch):
    import pullback.explain.checks.watch as module

    monkeypatch.setattr(module, "MOST_KEPT", 8)
    watch = watch_gradients()
    for step in range(40):
        see(watch, (1.0, 1e9 if step == 33 else 1.0))
    assert len(watch.steps) <= 9 and watch.steps[0] == 0 and len(watch.readings) == len(watch.steps)
    assert [(f.began, f.last) for f in watch.findings] == [(33, 33)]


def test_events_are_written_for_tensorboard_while_training_runs(tmp_path):
    watch = watch_gradients()
    see(watch, (5.0, 5.0))
    with watch.events(tmp_path / "logs"):
        see(watch, (3.0, 4.0))
        see(watch, (np.nan, 2.0))
    see(watch, (6.0, 6.0))
    (path,) = (tmp_path / "logs").iterdir()
    events = [e for e in tf1.train.summary_iterator(str(path)) if e.summary.value]
    assert [e.step for e in events] == [1, 2]
    first = {v.tag: v for v in events[0].summary.value}
    assert first["gradient_norm/a"].simple_value == 3.0 and first["gradient/b"].histo.max == 4.0
    assert "update_ratio/a" not in first
    assert {v.tag: v for v in events[1].summary.value}["gradient/a"].histo.num == 0


def test_units_of_a_channels_first_relu_are_its_channels():
    with tf1.Graph().as_default(), tf1.Session() as session:
        w = tf1.Variable([[[[1.0, -1.0]]]], name="w")
        x = tf1.constant(np.ones((1, 1, 3, 5), np.float32))
        y = tf1.nn.relu(tf1.nn.conv2d(x, w, 1, "VALID", data_format="NCHW"), name="relu")
        session.run(tf1.global_variables_initializer())
        watch = watch_gradients([(tf1.gradients(y, w)[0], w)], patience=1)
        watch.run(session, [])
    assert [(f.kind, f.worst, f.units) for f in watch.findings] == [("dead units", 1.0, 2)]


@pytest.mark.parametrize("between", [lambda y: y, lambda y: tf.tanh(y * 2.0), tf.nn.relu])
@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_units_of_an_eager_relu_are_its_channels_wherever_they_stand(order, between):
    """Two channels, one of them dead, over maps of 3 by 5; ops between convolution and relu keep the order."""
    w = tf.Variable([[[[1.0, -1.0]]]], name="w")
    x = tf.constant(np.ones((1, 1, 3, 5) if order == "NCHW" else (1, 3, 5, 1), np.float32))
    watch = watch_gradients(patience=1)
    with tf.GradientTape() as tape:
        y = tf.nn.relu(between(tf.nn.conv2d(x, w, 1, "VALID", data_format=order)))
    watch.see([(tape.gradient(y, w, on_step=watch.on_step), w)])
    assert {(f.kind, f.worst, f.units) for f in watch.findings} == {("dead units", 1.0, 2)}


def test_what_explodes_to_infinity_and_to_nan_is_still_told_and_drawn(tmp_path):
    w = tf.Variable(np.ones(3), name="w")
    watch = watch_gradients()
    for value in (1.0, 1e200, np.inf, np.nan):
        watch.see([(tf.constant(np.full(3, value)), w)])
    (found,) = watch.findings
    assert (found.kind, found.began, str(found)) == ("exploding", 1, "w: exploding since step 1, norm up to inf")
    assert "exploding since step 1, norm up to inf" in str(watch)
    Console(file=io.StringIO()).print(watch)
    assert "norm up to inf" in watch.save(tmp_path / "watch.html").read_text()
