"""train.Supervisor: sessions that are ready, saved and summarised; and local variables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback.v1 as tf


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with tf.Graph().as_default() as made:
        yield made


def counter() -> Any:
    """The global step, and what moves it on."""
    step = tf.train.get_or_create_global_step()
    tf.summary.scalar("step", step)
    return tf.assign_add(step, 1)


def test_training_goes_on_from_the_latest_checkpoint(tmp_path: Path) -> None:
    for expected in (3, 6):
        with tf.Graph().as_default():
            move = counter()
            supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_model_secs=0, save_summaries_secs=0)
            with supervisor.managed_session() as session:
                for _ in range(3):
                    assert not supervisor.should_stop()
                    made = session.run(move)
                supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
            assert made == expected and supervisor.should_stop()
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-6")


def test_checkpoints_and_summaries_are_written_beside(tmp_path: Path) -> None:
    move = counter()
    supervisor = tf.train.Supervisor(logdir=str(tmp_path), save_model_secs=600, save_summaries_secs=600)
    with supervisor.managed_session() as session:
        session.run(move)
        supervisor.summary_computed(session, session.run(supervisor.summary_op))
        supervisor.stop()
    (events,) = tmp_path.glob("events*")
    values = {v.tag: v.simple_value for e in tf.train.summary_iterator(str(events)) for v in e.summary.value}
    assert values["step"] == 1


def test_the_first_session_is_initialised() -> None:
    w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
    told: list[Any] = []
    supervisor = tf.train.Supervisor(init_fn=lambda session: told.append(session.run(w).tolist()))
    with supervisor.managed_session() as session:
        assert session.run(w).tolist() == [1, 1] == told[0]
    with pytest.raises(RuntimeError, match="finalized"):
        tf.constant(1.0)


def test_errors_come_through() -> None:
    supervisor = tf.train.Supervisor(saver=None)
    with pytest.raises(KeyError, match="mine"), supervisor.managed_session():
        raise KeyError("mine")
    with supervisor.managed_session():
        supervisor.request_stop()
        assert supervisor.should_stop()


def test_what_cannot_be_honoured_is_refused() -> None:
    with pytest.raises(ValueError, match="leave is_chief"):
        tf.train.Supervisor(is_chief=False)
    supervisor = tf.train.Supervisor()
    with supervisor.managed_session() as session, pytest.raises(RuntimeError, match="logdir"):
        supervisor.summary_computed(session, b"")


def test_local_variables_are_not_saved() -> None:
    with tf.variable_scope("s"):
        v = tf.get_local_variable("v", initializer=np.float32(2))
    assert tf.local_variables() == [v] and not tf.global_variables() and not tf.trainable_variables()
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert v.name == "s/v:0" and session.run(v) == 2


def test_colocation_changes_no_result() -> None:
    x = tf.constant(3.0)
    with tf.colocate_with(x):
        y = x * 2
    with tf.Session() as session:
        assert session.run(y) == 6
