"""Monitored sessions: hooks in order, checkpoints that are taken up again, and an orderly end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as v1


def model() -> tuple[Any, Any]:
    """(loss, training operation): (w - 3)^2 from w = 0, steps of 0.1 along the gradient."""
    step = v1.train.get_or_create_global_step()
    w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
    loss = tf.square(w - 3.0)
    v1.summary.scalar("loss", loss)
    return loss, v1.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step)


class Noting(v1.train.SessionRunHook):
    """Notes what it is told."""

    def __init__(self, fetched: Any = None) -> None:
        self.fetched, self.told = fetched, []

    def begin(self) -> None:
        self.told.append("begin")

    def after_create_session(self, session: Any, coord: Any) -> None:
        self.told.append("create")

    def before_run(self, run_context: Any) -> Any:
        return None if self.fetched is None else v1.train.SessionRunArgs(self.fetched)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.told.append(None if run_values.results is None else round(float(run_values.results), 3))

    def end(self, session: Any) -> None:
        self.told.append("end")


@pytest.fixture(autouse=True)
def graph() -> Any:
    with v1.Graph().as_default() as made:
        yield made


def trained(folder: Path, last: int) -> list[Any]:
    with v1.Graph().as_default():
        loss, train = model()
        noting = Noting(loss)
        hooks = [v1.train.StopAtStepHook(last_step=last), noting]
        with v1.train.MonitoredTrainingSession(
            checkpoint_dir=str(folder), hooks=hooks, save_checkpoint_steps=2, save_summaries_steps=1
        ) as session:
            while not session.should_stop():
                session.run(train)
        return noting.told


def test_training_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    # w - 3 shrinks by 0.8 a step: 9, 9 * 0.64, ...
    assert trained(tmp_path, 3) == ["begin", "create", 9.0, 5.76, 3.686, "end"]
    assert trained(tmp_path, 6) == ["begin", "create", 2.359, 1.51, 0.966, "end"]
    assert v1.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-6")
    assert (tmp_path / "graph.pbtxt").exists()
    written = [e for p in tmp_path.glob("*tfevents*") for e in v1.train.summary_iterator(str(p))]
    losses = {e.step: round(v.simple_value, 3) for e in written for v in e.summary.value if v.tag == "loss"}
    assert losses == {1: 9.0, 2: 5.76, 3: 3.686, 4: 2.359, 5: 1.51, 6: 0.966}


def test_the_inputs_end_is_the_sessions() -> None:
    element = v1.data.Dataset.range(3).make_one_shot_iterator().get_next()
    runs = 0
    with v1.train.MonitoredSession() as session:
        while not session.should_stop():
            session.run(element)
            runs += 1
    assert runs == 3


def test_queue_runners_are_started_and_ended() -> None:
    number = v1.train.range_input_producer(5, num_epochs=1, shuffle=False).dequeue()
    seen = []
    with v1.train.SingularMonitoredSession() as session:
        while not session.should_stop():
            seen.append(int(session.run(number)))
    assert seen == [0, 1, 2, 3, 4]


def test_graph_is_final() -> None:
    _, train = model()
    with v1.train.MonitoredSession() as session:
        session.run(train)
        with pytest.raises(RuntimeError, match="finalized"):
            v1.constant(1)


def test_a_loss_that_is_no_number_ends_training() -> None:
    x = v1.placeholder(tf.float32, [])
    session = v1.train.MonitoredSession(hooks=[v1.train.NanTensorHook(x)])
    assert session.run(x, {x: 1.0}) == 1
    with pytest.raises(v1.train.NanLossDuringTrainingError, match="NaN loss during training"):
        session.run(x, {x: np.nan})
    session.close()


def test_final_operations_and_feeding_hooks() -> None:
    x = v1.placeholder(tf.float32, [])
    final, product = v1.train.FinalOpsHook(tf.constant(5)), x * 3.0
    with v1.train.MonitoredSession(hooks=[final, v1.train.FeedFnHook(lambda: {x: 2.0})]) as session:
        assert session.run(product) == 6
        with pytest.raises(RuntimeError, match="fed by two"):
            session.run(x, {x: 1.0})
    assert final.final_ops_values == 5


def test_step_function_has_the_plain_session() -> None:
    loss, train = model()
    noting = Noting()

    def step_fn(step_context: Any) -> Any:
        step_context.session.run(train)
        return step_context.run_with_hooks(loss)

    with v1.train.MonitoredSession(hooks=[noting]) as session:
        assert session.run_step_fn(step_fn) == pytest.approx(5.76)
        assert not session.should_stop()
        session.run_step_fn(lambda step_context: step_context.request_stop())
        assert session.should_stop()
    assert noting.told == ["begin", "create", None, "end"], "one run had hooks"


def test_scaffold_initialises_by_a_function() -> None:
    w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
    fed = v1.placeholder(tf.float32, [])
    assign = w.assign(fed)
    scaffold = v1.train.Scaffold(init_fn=lambda scaffold, session: session.run(assign, {fed: 4.0}))
    with v1.train.MonitoredSession(v1.train.ChiefSessionCreator(scaffold)) as session:
        assert session.run(w) == 4


def test_what_is_not_initialised_is_named() -> None:
    v1.get_variable("w", [], initializer=v1.zeros_initializer())
    scaffold = v1.train.Scaffold(init_op=v1.no_op())
    with pytest.raises(tf.errors.FailedPreconditionError, match="Variables not initialized: w"):
        v1.train.MonitoredSession(v1.train.ChiefSessionCreator(scaffold))


def test_error_ends_hooks_without_end() -> None:
    noting = Noting()
    with pytest.raises(KeyError), v1.train.MonitoredSession(hooks=[noting]):
        raise KeyError("mine")
    assert noting.told == ["begin", "create"]


def test_hooks_say_when_they_are_due() -> None:
    timer = v1.train.SecondOrStepTimer(every_steps=3)
    due = []
    for step in range(8):
        if timer.should_trigger_for_step(step):
            timer.update_last_triggered_step(step)
            due.append(step)
    assert due == [0, 3, 6]
    for wrong in (v1.train.StopAtStepHook, v1.train.SecondOrStepTimer, lambda: v1.train.LoggingTensorHook([])):
        with pytest.raises(ValueError, match=r"one of|One of"):
            wrong()
