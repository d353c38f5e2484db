"""Clusters of one process: described, served, and where variables are placed."""

from __future__ import annotations

import pytest

import pullback as tf
import pullback.v1 as v1


def test_cluster_is_described() -> None:
    cluster = tf.train.ClusterSpec({"ps": ["a:1", "b:2"], "worker": {3: "c:3"}})
    assert cluster.jobs == ["ps", "worker"]
    assert cluster.num_tasks("ps") == 2
    assert cluster.task_address("worker", 3) == "c:3"
    assert cluster.job_tasks("worker") == [None, None, None, "c:3"]
    assert tf.train.ClusterSpec(cluster.as_cluster_def()) == cluster
    with pytest.raises(ValueError, match="No such job"):
        cluster.num_tasks("chief")
    with pytest.raises(TypeError, match="tasks for job 'ps' must be a list or a dictionary, not 5"):
        tf.train.ClusterSpec({"ps": 5})


def test_server_of_one_task_runs_sessions() -> None:
    server = v1.train.Server.create_local_server()
    with v1.Graph().as_default():
        x = tf.constant(2)
        with v1.Session(server.target) as session:
            assert session.run(x) == 2
    with pytest.raises(ValueError, match="has 2 tasks"):
        v1.train.Server({"worker": ["a:1", "b:2"]}, "worker", 0)


def test_variables_are_placed_in_turn() -> None:
    with v1.Graph().as_default(), v1.device(v1.train.replica_device_setter(ps_tasks=2)):
        a, b = (v1.get_variable(name, [], initializer=v1.zeros_initializer()) for name in "ab")
        c = tf.constant(1.0)
    assert [x.op.device for x in (a, b, c)] == ["/job:ps/task:0", "/job:ps/task:1", "/job:worker"]
    assert v1.train.replica_device_setter() is None
