"""What sessions and runs are told by messages, and what they tell."""

from __future__ import annotations

import time

import numpy as np
import pytest

import pullback.v1 as tf
from pullback.core.config import config


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


def test_a_trace_tells_what_ran(graph):
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    y = tf.add(tf.matmul(x, tf.ones([3, 2]), name="product"), 1.0, name="sum")
    tf.negative(y, name="unasked")
    told = tf.RunMetadata()
    with tf.Session() as session:
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, output_partition_graphs=True)
        assert session.run(y, {x: np.ones((1, 3))}, options, told).tolist() == [[4, 4]]
    (device,) = told.step_stats.dev_stats
    steps = {step.node_name: step for step in device.node_stats}
    assert {"product", "sum"} <= set(steps) and "unasked" not in steps
    assert steps["sum"].timeline_label.startswith("sum = AddV2(product, ")
    assert steps["product"].all_start_micros <= steps["sum"].all_start_micros
    described = steps["product"].output[0].tensor_description
    assert [d.size for d in described.shape.dim] == [1, 2] and described.allocation_description.requested_bytes == 8
    assert told.partition_graphs[0] == graph.as_graph_def()


def test_without_a_trace_nothing_is_told():
    told = tf.RunMetadata()
    told.step_stats.dev_stats.add()
    with tf.Session() as session:
        call = session.make_callable(tf.constant(2.0) * 3.0, accept_options=True)
        assert call(options=tf.RunOptions(), run_metadata=told) == 6
    assert not told.step_stats.dev_stats


@pytest.mark.parametrize("where", ["options", "config"])
def test_a_time_limit_stops_the_run(where: str):
    def slow(value):
        time.sleep(0.02)
        return value

    x = tf.py_func(slow, [tf.constant(1.0)], tf.float32)
    y = tf.py_func(slow, [x], tf.float32)
    given = tf.ConfigProto(operation_timeout_in_ms=5 if where == "config" else 0)
    options = tf.RunOptions(timeout_in_ms=5) if where == "options" else None
    with tf.Session(config=given) as session, pytest.raises(tf.errors.DeadlineExceededError, match="limit of 5 ms"):
        session.run(y, options=options)


def test_placement_is_logged_once(capsys):
    x = tf.constant(1.0, name="x")
    with tf.Session(config=tf.ConfigProto(log_device_placement=True)) as session:
        session.run(x)
        session.run([x, x])
    assert capsys.readouterr().err == "x: (Const): /job:localhost/replica:0/task:0/device:CPU:0\n"


def test_the_first_config_chooses_the_threads(monkeypatch):
    monkeypatch.setattr(config, "threads", 0)
    tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=2))
    tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=3))
    assert config.threads == 2


def test_numbers_that_mean_nothing():
    wrong = tf.GPUOptions(per_process_gpu_memory_fraction=-1)
    for given in (tf.ConfigProto(intra_op_parallelism_threads=-1), tf.ConfigProto(gpu_options=wrong)):
        with pytest.raises(ValueError, match="ConfigProto"):
            tf.Session(config=given)
    with pytest.raises(TypeError, match=r"RunMetadata is needed|tf\.RunMetadata"):
        tf.Session().run(tf.constant(1), run_metadata=tf.RunOptions())
