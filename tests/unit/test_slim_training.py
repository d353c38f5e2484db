"""slim.learning.train, evaluations over checkpoints, slim.summaries and slim.model_analyzer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf

slim, training = tf.contrib.slim, tf.contrib.training


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def falling(rate: float = 0.25) -> tuple[Any, Any]:
    """(w, a train op of the loss w^2), with w = 1, 1 - 2 rate, ..."""
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    return w, slim.learning.create_train_op(w * w, tf.train.GradientDescentOptimizer(rate))


def tags(folder: Path) -> dict[str, list[int]]:
    """{tag: steps} of the event files of a folder."""
    found: dict[str, list[int]] = {}
    for path in sorted(folder.glob("events*")):
        for event in tf.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


class TestTrain:
    def test_it_runs_to_the_step_and_goes_on_from_the_checkpoint(self, tmp_path: Path) -> None:
        _, op = falling()
        # w halves each step; the loss is that before the step.
        assert slim.learning.train(op, str(tmp_path), number_of_steps=3, log_every_n_steps=0) == pytest.approx(0.25**2)
        assert (tmp_path / "model.ckpt-3.index").exists()
        with tf.Graph().as_default():
            _, op = falling()
            last = slim.learning.train(op, str(tmp_path), number_of_steps=5, init_fn=lambda _: pytest.fail("restored"))
        assert last == pytest.approx(0.5 ** (2 * 4))
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("model.ckpt-5")

    def test_without_a_folder_nothing_is_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        _, op = falling()
        assert slim.learning.train(op, None, number_of_steps=2) == pytest.approx(0.25)
        assert not list(tmp_path.iterdir())

    def test_initialisers_run_in_order(self) -> None:
        w, _ = falling()
        start = tf.placeholder(tf.float32, [])
        seen: list[float] = []

        def init_fn(session: Any) -> None:
            seen.append(float(session.run(w)))
            w.load(8.0, session)

        step = tf.train.get_global_step()
        op = tf.group(tf.assign(w, start, name="begin"), tf.variables_initializer([step]))
        loss = slim.learning.create_train_op(w * 1.0, tf.train.GradientDescentOptimizer(0.0))
        last = slim.learning.train(
            loss, None, number_of_steps=1, init_op=op, init_feed_dict={start: 5.0}, init_fn=init_fn
        )
        assert seen == [5.0] and last == 8.0

    def test_a_step_function_decides_what_a_step_is(self) -> None:
        _, op = falling()
        calls: list[Any] = []

        def step(sess: Any, train_op: Any, global_step: Any, kwargs: Any) -> Any:
            calls.append((type(sess).__name__, global_step is tf.train.get_global_step(), kwargs))
            return sess.run(train_op), len(calls) == 2

        class Wrapped:
            def __init__(self, session: Any) -> None:
                self.run = session.run

        slim.learning.train(op, None, step, train_step_kwargs={"mine": 1}, session_wrapper=Wrapped)
        assert calls == [("Wrapped", True, {"mine": 1})] * 2

    def test_the_end_of_the_input_ends_it(self, tmp_path: Path) -> None:
        x = tf.train.input_producer(np.array([1.0, 2.0, 4.0], np.float32), shuffle=False, num_epochs=1).dequeue()
        w = tf.get_variable("w", [], initializer=tf.zeros_initializer())
        op = slim.learning.create_train_op(w + x, tf.train.GradientDescentOptimizer(0.0))
        assert slim.learning.train(op, str(tmp_path)) == 4.0
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-3")

    def test_errors_of_steps_are_raised(self) -> None:
        w, _ = falling()
        op = slim.learning.create_train_op(tf.log(w - 1.0), tf.train.GradientDescentOptimizer(0.1))
        with pytest.raises(tf.errors.InvalidArgumentError, match="LossTensor is inf or nan"):
            slim.learning.train(op, None, number_of_steps=3)

    def test_steps_are_logged_with_their_number(self, caplog: pytest.LogCaptureFixture) -> None:
        _, op = falling()
        with caplog.at_level("INFO", logger="tensorflow"):
            slim.learning.train(op, None, number_of_steps=4, log_every_n_steps=2)
        said = [line.partition(" (")[0] for line in caplog.messages if line.startswith("global step")]
        assert said == ["global step 2: loss = 0.2500", "global step 4: loss = 0.0156"]

    def test_traces_are_files_of_events(self, tmp_path: Path) -> None:
        _, op = falling()
        slim.learning.train(op, str(tmp_path), number_of_steps=3, trace_every_n_steps=2)
        assert sorted(p.name for p in tmp_path.glob("tf_trace*")) == ["tf_trace-1.json", "tf_trace-3.json"]
        events = json.loads((tmp_path / "tf_trace-1.json").read_text())["traceEvents"]
        assert events[0]["ph"] == "M"
        ran = {event["args"]["name"]: event for event in events[1:]}
        assert ran["mul"]["args"]["op"] == "Mul" and ran["mul"]["ph"] == "X" and ran["mul"]["dur"] >= 1

    def test_mistakes_are_told(self) -> None:
        _, op = falling()
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"train_op": None}, "train_op cannot be None"),
            ({"number_of_steps": 0}, "either None or a positive number"),
            ({"summary_op": tf.constant("")}, "Cannot provide summary_op because logdir=None"),
            ({"saver": tf.train.Saver()}, "Cannot provide saver because logdir=None"),
            ({"trace_every_n_steps": 1}, "Cannot provide trace_every_n_steps because logdir=None"),
            ({"is_chief": False}, "leave is_chief True"),
            ({"sync_optimizer": object()}, "sync_optimizer out"),
        ]
        for given, message in wrong:
            with pytest.raises(ValueError, match=message):
                slim.learning.train(**({"train_op": op, "logdir": None} | given))

    def test_training_train_is_a_monitored_session(self, tmp_path: Path) -> None:
        _, op = falling()
        hooks = [tf.train.StopAtStepHook(3)]
        assert training.train(op, str(tmp_path), hooks=hooks) == pytest.approx(0.25**2)
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-3")
        with pytest.raises(ValueError, match="logdir cannot be None when save_summaries_steps"):
            training.train(op, None)
        with tf.Graph().as_default():
            _, op = falling()
            hooks = [tf.train.StopAtStepHook(1)]
            assert training.train(op, None, hooks=hooks, save_checkpoint_secs=None, save_summaries_steps=None) == 1.0


class TestTrainOp:
    def test_gradients_are_transformed_then_summarized(self) -> None:
        w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
        op = training.create_train_op(
            tf.reduce_sum(3.0 * w),
            tf.train.GradientDescentOptimizer(1.0),
            transform_grads_fn=training.clip_gradient_norms_fn(1.0),
            summarize_gradients=True,
        )
        summary = tf.summary.merge_all()
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            _, told = session.run([op, summary])
            np.testing.assert_allclose(session.run(w), 1 - np.ones(2) / np.sqrt(2), rtol=1e-6)
        found = {v.tag: v for v in tf.Summary.FromString(told).value}
        assert found["summarize_grads/w_gradient_norm"].simple_value == pytest.approx(1)
        assert found["summarize_grads/w_gradient"].histo.num == 2

    def test_sparse_gradients_are_multiplied_and_clipped_in_their_values(self) -> None:
        table = tf.get_variable("table", [3, 2], initializer=tf.ones_initializer())
        pairs = tf.train.GradientDescentOptimizer(1.0).compute_gradients(tf.reduce_sum(tf.gather(table, [1]) * 3.0))
        assert isinstance(pairs[0][0], tf.IndexedSlices)
        ((twice, _),) = slim.learning.multiply_gradients(pairs, {"table": 2.0})
        ((clipped, _),) = slim.learning.clip_gradient_norms(pairs, 1.0)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(twice.values).tolist() == [[6, 6]] and session.run(twice.indices).tolist() == [1]
            np.testing.assert_allclose(session.run(clipped.values), np.full((1, 2), np.sqrt(0.5)), rtol=1e-6)
        with pytest.raises(ValueError, match="must be a dict"):
            slim.learning.multiply_gradients(pairs, {})


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """A folder with a checkpoint of v = 7, global step 4."""
    folder = tmp_path / "train"
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.get_variable("v", [], initializer=tf.constant_initializer(7.0))
        step = tf.train.get_or_create_global_step()
        session.run(tf.global_variables_initializer())
        session.run([step.assign(4), v])
        folder.mkdir()
        tf.train.Saver().save(session, str(folder / "model.ckpt"), global_step=4)
    return folder


def metrics() -> tuple[Any, Any, Any]:
    """(value, update, a counter of runs) of the mean of v plus 0, 1, 2, ..."""
    v = tf.get_variable("v", [], initializer=tf.zeros_initializer())
    runs = tf.Variable(-1.0, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])
    value, update = slim.metrics.streaming_mean(v + runs.assign_add(1.0))
    return value, update, runs


class TestEvaluation:
    def test_slim_evaluates_a_checkpoint_once(self, checkpoints: Path, tmp_path: Path) -> None:
        value, update, runs = metrics()
        tf.summary.scalar("average", value)
        path = tf.train.latest_checkpoint(str(checkpoints))
        found = slim.evaluation.evaluate_once(
            "",
            path,
            str(tmp_path / "eval"),
            num_evals=3,
            eval_op=[update],
            final_op={"mean": value, "runs": runs, "step": tf.train.get_or_create_global_step()},
        )
        assert found == {"mean": 8.0, "runs": 2.0, "step": 4}
        assert tags(tmp_path / "eval") == {"average": [4]}

    @pytest.mark.parametrize("shape", ["one", "list", "dict", "view", "operation"])
    def test_eval_ops_may_have_any_structure(self, checkpoints: Path, shape: str) -> None:
        value, update, runs = metrics()
        ops: Any = {
            "one": update,
            "list": [update],
            "dict": {"a": update},
            "view": {"a": update}.values(),
            "operation": update.op,
        }[shape]
        path = tf.train.latest_checkpoint(str(checkpoints))
        hooks = [training.StopAfterNEvalsHook(2, log_progress=False)]
        found = training.evaluate_once(path, eval_ops=ops, final_ops=[value, runs], hooks=hooks)
        assert found == [7.5, 1.0]

    def test_what_is_fed_reaches_each_part(self, checkpoints: Path, tmp_path: Path) -> None:
        x = tf.placeholder(tf.float32, [])
        tf.get_variable("v", [], initializer=tf.zeros_initializer())
        total = tf.Variable(0.0, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])
        found = training.evaluate_once(
            tf.train.latest_checkpoint(str(checkpoints)),
            eval_ops=total.assign_add(x),
            feed_dict={x: 3.0},
            final_ops=total + x,
            final_ops_feed_dict={x: 100.0},
            hooks=[
                training.StopAfterNEvalsHook(2),
                training.SummaryAtEndHook(
                    str(tmp_path / "eval"), feed_dict={x: 5.0}, summary_op=tf.summary.scalar("x", x)
                ),
            ],
        )
        assert found == 106.0 and tags(tmp_path / "eval") == {"x": [4]}

    def test_a_loop_ends_after_so_many_or_with_the_time(self, checkpoints: Path, tmp_path: Path) -> None:
        value, update, _ = metrics()
        asked: list[int] = []
        arguments: dict[str, Any] = {
            "num_evals": 1, "eval_op": update, "final_op": value, "eval_interval_secs": 0
        }  # fmt: skip
        first = slim.evaluation.evaluation_loop(
            "", str(checkpoints), str(tmp_path / "eval"), max_number_of_evaluations=1, **arguments
        )
        assert first == 7.0
        with tf.Graph().as_default():
            value, update, _ = metrics()
            arguments |= {"eval_op": update, "final_op": value}
            last = slim.evaluation.evaluation_loop(
                "", str(checkpoints), str(tmp_path), timeout=0, timeout_fn=lambda: asked.append(1) or True, **arguments
            )
        assert last == 7.0 and asked == [1]
        with pytest.raises(ValueError, match="either None or a positive number"):
            training.evaluate_repeatedly(str(checkpoints), max_number_of_evaluations=0)

    def test_a_loop_evaluates_each_new_checkpoint(self, checkpoints: Path) -> None:
        v = tf.get_variable("v", [], initializer=tf.zeros_initializer())
        saver, seen = tf.train.Saver([v]), []

        class NextCheckpoint(tf.train.SessionRunHook):
            def end(self, session: Any) -> None:
                seen.append(float(session.run(v)))
                with tf.Session(graph=v.graph) as other:
                    v.load(10.0, other)
                    saver.save(other, str(checkpoints / "model.ckpt"), global_step=9)

        found = training.evaluate_repeatedly(
            str(checkpoints),
            scaffold=tf.train.Scaffold(saver=saver),
            eval_ops=tf.no_op(),
            final_ops=v * 2.0,
            hooks=[training.StopAfterNEvalsHook(1), NextCheckpoint()],
            eval_interval_secs=0,
            max_number_of_evaluations=2,
        )
        assert seen == [7.0, 10.0] and found == 20.0

    def test_waiting_for_a_checkpoint_ends(self, checkpoints: Path, tmp_path: Path) -> None:
        path = tf.train.latest_checkpoint(str(checkpoints))
        assert slim.evaluation.wait_for_new_checkpoint(str(checkpoints)) == path
        assert training.wait_for_new_checkpoint(str(checkpoints), path, seconds_to_sleep=0.01, timeout=0.02) is None
        assert list(training.checkpoints_iterator(str(tmp_path / "none"), timeout=0)) == []

    def test_the_eval_step_is_one_local_variable(self) -> None:
        step = training.get_or_create_eval_step()
        assert training.get_or_create_eval_step() is step and step in tf.local_variables()
        tf.add_to_collection(tf.GraphKeys.EVAL_STEP, step)
        with pytest.raises(ValueError, match="Multiple tensors"):
            training.get_or_create_eval_step()

    def test_hooks_say_what_they_lack(self) -> None:
        with pytest.raises(ValueError, match="log_dir should not be None"):
            training.SummaryAtEndHook()
        with pytest.raises(RuntimeError, match="evaluate_once"):
            training.StopAfterNEvalsHook(1).before_run(None)


class TestSummaries:
    def test_names_are_prefix_name_postfix(self) -> None:
        x = tf.constant([0.0, 2.0, 0.0, 0.0], name="x")
        y = tf.constant(3.0, name="y")
        slim.summaries.add_histogram_summary(x, prefix="h")
        slim.summaries.add_scalar_summary(y, "named")
        slim.summaries.add_scalar_summaries([y], prefix="s")
        slim.summaries.add_zero_fraction_summary(x)
        slim.summaries.add_zero_fraction_summaries([x], prefix="z")
        slim.summaries.add_histogram_summaries([x, y], "all")
        slim.summaries.add_image_summary(tf.reshape(x, [1, 2, 2, 1]), "picture")
        with tf.Session() as session:
            found = {v.tag: v for v in tf.Summary.FromString(session.run(tf.summary.merge_all())).value}
        numbers = {tag: value.simple_value for tag, value in found.items() if value.HasField("simple_value")}
        zeros = "Fraction_of_Zero_Values"
        assert numbers == {"named": 3.0, "s/y": 3.0, f"x/{zeros}": 0.75, f"z/x/{zeros}": 0.75}
        assert {"h/x", "all/x", "all/y", "picture/image/0"} <= set(found)

    def test_printed_summaries_print(self, capfd: pytest.CaptureFixture[str]) -> None:
        slim.summaries.add_scalar_summary(tf.constant(3.5), "loss", print_summary=True)
        with tf.Session() as session:
            (value,) = tf.Summary.FromString(session.run(tf.summary.merge_all())).value
        assert value.tag == "loss" and "loss[3.5]" in capfd.readouterr().err


def test_operations_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    w = tf.constant(np.ones((3, 2)), tf.float32, name="w")
    tf.matmul(x, w, name="y")
    assert slim.model_analyzer.analyze_ops(tf.get_default_graph(), print_info=True) == 6
    said = capsys.readouterr().out
    assert "w \t-> (float32 3x2) [6]" in said and "y \t-> (float32 ?x2) [0]" in said and "Total size: 6" in said


class TestMetrics:
    def stream(self, make: Any, *batches: Any) -> list[Any]:
        """The updates of a metric over batches, then its value."""
        places = [tf.placeholder(tf.float32, [None, *np.shape(b)[1:]]) for b in batches[0]]
        value, update = make(*places)
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            out = [session.run(update, dict(zip(places, batch, strict=True))) for batch in batches]
            return [*out, session.run(value)]

    def test_values_are_joined(self) -> None:
        first, second = [[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]
        found = self.stream(slim.metrics.streaming_concat, [first], [second])
        assert [x.tolist() for x in found] == [first, first + second, first + second]
        most = self.stream(lambda x: slim.metrics.streaming_concat(x, max_size=2), [first], [second])
        assert most[-1].tolist() == [[1, 2], [3, 4]]
        value, _ = slim.metrics.streaming_concat(tf.zeros([2, 3]), axis=-1)
        assert value.shape.as_list() == [2, None]
        with pytest.raises(ValueError, match="statically known size"):
            slim.metrics.streaming_concat(tf.placeholder(tf.float32, [None, None]))

    def test_covariance_and_correlation_are_those_of_all_values(self) -> None:
        rng = np.random.RandomState(0)
        p = rng.normal(size=12).astype(np.float32)
        q = (0.5 * p + rng.normal(size=12)).astype(np.float32)
        batches = [(p[:5], q[:5]), (p[5:6], q[5:6]), (p[6:], q[6:])]
        cov = self.stream(slim.metrics.streaming_covariance, *batches)
        np.testing.assert_allclose(cov[-2:], [np.cov(p, q)[0, 1]] * 2, rtol=1e-5)
        np.testing.assert_allclose(cov[0], np.cov(p[:5], q[:5])[0, 1], rtol=1e-5)
        r = self.stream(slim.metrics.streaming_pearson_correlation, *batches)
        np.testing.assert_allclose(r[-2:], [np.corrcoef(p, q)[0, 1]] * 2, rtol=1e-5)

    def test_recalls_at_k(self) -> None:
        predictions = tf.constant([[0.1, 0.6, 0.3], [0.8, 0.1, 0.2], [0.2, 0.3, 0.5]])
        made = {
            "k": slim.metrics.streaming_recall_at_k(predictions, [2, 1, 2], 2),
            "sparse": slim.metrics.streaming_sparse_recall_at_k(predictions, tf.constant([[2], [1], [2]], tf.int64), 2),
            "precision": slim.metrics.streaming_sparse_precision_at_k(
                predictions, tf.constant([[2], [1], [2]], tf.int64), 1
            ),
            "top": slim.metrics.streaming_sparse_precision_at_top_k(
                tf.constant([[1, 2], [0, 2]], tf.int64), tf.constant([[2], [1]], tf.int64)
            ),
            "below": slim.metrics.streaming_percentage_less(tf.constant([1.0, 2.0, 3.0, 4.0]), 2.5),
        }
        _, updates = slim.metrics.aggregate_metric_map(made)
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            found = session.run(updates)
        # Among the best two: 2 of {1, 2}, not 1 of {0, 2}, 2 of {2, 1}.
        wanted = {"k": 2 / 3, "sparse": 2 / 3, "precision": 1 / 3, "top": 1 / 4, "below": 1 / 2}
        assert {name: pytest.approx(float(x)) for name, x in found.items()} == wanted

    def test_at_thresholds_predictions_stand_first(self) -> None:
        metric = slim.metrics.streaming_recall_at_thresholds
        _, update = metric(tf.constant([0.2, 0.9]), tf.constant([True, True]), [0.1, 0.5])
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            np.testing.assert_allclose(session.run(update), [1, 0.5], rtol=1e-5)
