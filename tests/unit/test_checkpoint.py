"""Checkpoint and CheckpointManager: objects by their attributes' names, those that come later too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.io.bundle import write_bundle


class Model(tf.Module):
    """Variables in attributes, lists, dicts, tuples, and another model."""

    def __init__(self, scale: float = 1.0, inner: bool = True) -> None:
        super().__init__(name="model")
        self.w = tf.Variable(scale * np.arange(6, dtype=np.float32).reshape(2, 3), name="w")
        self.parts = [tf.Variable(scale), tf.Variable([2, 3])]
        self.named = {"a.b/c": tf.Variable(5 * scale), "list": [tf.Variable(b"text")]}
        self.pair = (tf.Variable(1.5 * scale),)
        self.again = self.w
        self.inner = Model(scale, False) if inner else None


class Late(tf.Module):
    """Makes its variable when it is first called."""

    def __call__(self, x: Any) -> Any:
        if not hasattr(self, "w"):
            self.w = tf.Variable(np.zeros((2, 3), np.float32))
        return self.w + x


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


class TestObjects:
    def test_keys_are_paths(self, folder: str):
        model, step = Model(), tf.Variable(7, dtype=tf.int64)
        path = tf.train.Checkpoint(model=model, step=step, list=[model.w, step]).save(f"{folder}/ck")
        assert path == f"{folder}/ck-1" and tf.train.latest_checkpoint(folder) == path
        keys = {name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE") for name, _ in tf.train.list_variables(path)}
        assert keys == {
            "_CHECKPOINTABLE_OBJECT_GRAPH", "list/0", "model/named/a..b.Sc", "model/named/list/0",
            "model/parts/0", "model/parts/1", "model/pair/0", "model/inner/w", "model/inner/named/a..b.Sc",
            "model/inner/named/list/0", "model/inner/parts/0", "model/inner/parts/1", "model/inner/pair/0",
            "save_counter", "step",
        }  # fmt: skip

    def test_values_return(self, folder: str):
        path = tf.train.Checkpoint(model=Model(2.0)).write(f"{folder}/ck")
        model = Model(0.0)
        status = tf.train.Checkpoint(model=model).read(path)
        status.assert_consumed().assert_existing_objects_matched().assert_nontrivial_match().expect_partial()
        assert model.w.numpy().tolist() == [[0, 2, 4], [6, 8, 10]] and model.inner.pair[0].numpy() == 3
        assert model.named["list"][0].numpy() == b"text"

    def test_a_root(self, folder: str):
        path = tf.train.Checkpoint(Model(3.0)).save(f"{folder}/ck")
        assert tf.train.load_variable(path, "w/.ATTRIBUTES/VARIABLE_VALUE")[0, 1] == 3
        model = Model(0.0)
        tf.train.Checkpoint(model).restore(path).assert_consumed()
        assert model.w.numpy()[1, 2] == 15
        with pytest.raises(ValueError, match=r"root\.w exists"):
            tf.train.Checkpoint(model, w=tf.Variable(1))

    def test_saves_are_counted_on(self, folder: str):
        checkpoint = tf.train.Checkpoint(v=tf.Variable(1.0))
        assert [checkpoint.save(f"{folder}/ck") for _ in range(2)] == [f"{folder}/ck-1", f"{folder}/ck-2"]
        other = tf.train.Checkpoint(v=tf.Variable(0.0))
        other.restore(f"{folder}/ck-2").assert_consumed()
        assert other.save(f"{folder}/ck") == f"{folder}/ck-3"

    def test_an_object_that_comes_later(self, folder: str):
        path = tf.train.Checkpoint(model=Model(2.0, inner=False)).write(f"{folder}/ck")
        late = Late()
        checkpoint = tf.train.Checkpoint(model=late)
        checkpoint.restore(path)
        assert late(1.0).numpy().tolist() == [[1, 3, 5], [7, 9, 11]]
        inside = Late()
        keep = tf.train.Checkpoint(model=inside)
        keep.restore(path)
        assert tf.function(lambda: inside(0.0))().numpy()[1, 2] == 10

    @pytest.mark.parametrize("made", [lambda: tf.optimizers.Adam(0.1), lambda: tf1.train.AdamOptimizer(0.1)])
    def test_an_optimizer_that_has_not_moved_yet(self, folder: str, made: Any):
        def moved(v: Any, optimizer: Any) -> Any:
            optimizer.apply_gradients([(tf.constant([1.0, -2.0]), v)])
            return v.numpy()

        v, optimizer = tf.Variable([1.0, 2.0]), made()
        moved(v, optimizer)
        path = tf.train.Checkpoint(v=v, optimizer=optimizer).write(f"{folder}/ck")
        wanted = moved(v, optimizer)
        again, other = tf.Variable([0.0, 0.0]), made()
        checkpoint = tf.train.Checkpoint(v=again, optimizer=other)
        checkpoint.restore(path).assert_consumed()
        assert np.array_equal(moved(again, other), wanted)

    def test_a_checkpoint_of_a_saver(self, folder: str):
        write_bundle(f"{folder}/m", {"v": np.float32(4), "left": np.zeros(1)})
        v = tf.Variable(0.0, name="v")
        status = tf.train.Checkpoint(any=v).restore(f"{folder}/m")
        assert v.numpy() == 4
        status.assert_existing_objects_matched().assert_nontrivial_match().expect_partial()
        with pytest.raises(AssertionError, match="left"):
            status.assert_consumed()

    def test_a_saver_reads_a_checkpoint_of_objects(self, folder: str):
        path = tf.train.Checkpoint(one=tf.Variable([1.0, 2.0], name="v")).write(f"{folder}/ck")
        with tf1.Graph().as_default(), tf1.Session() as session:
            v = tf1.get_variable("v", [2])
            tf1.train.Saver().restore(session, path)
            assert session.run(v).tolist() == [1, 2]

    def test_nothing_to_restore(self):
        status = tf.train.Checkpoint(v=tf.Variable(1)).restore(None)
        assert status.expect_partial() is status
        for ask in (status.assert_consumed, status.assert_existing_objects_matched, status.run_restore_ops):
            with pytest.raises(AssertionError, match="No checkpoint specified"):
                ask()


class TestRefused:
    def test_what_does_not_fit(self, folder: str):
        path = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(f"{folder}/ck")
        with pytest.raises(ValueError, match="incompatible tensor with shape"):
            tf.train.Checkpoint(v=tf.Variable([1.0])).restore(path)
        with pytest.raises(tf.errors.InvalidArgumentError, match="float32"):
            tf.train.Checkpoint(v=tf.Variable([1, 2])).restore(path)
        with pytest.raises(AssertionError, match="Unresolved object"):
            tf.train.Checkpoint().read(path).assert_consumed()
        with pytest.raises(AssertionError, match="Nothing except the root"):
            tf.train.Checkpoint(u=tf.Variable(1)).read(path).assert_nontrivial_match()
        with pytest.raises(AssertionError, match="No checkpoint value"):
            tf.train.Checkpoint(v=tf.Variable([0.0, 0.0]), u=tf.Variable(1)).read(
                path
            ).assert_existing_objects_matched()
        with pytest.raises(tf.errors.NotFoundError, match="double-check"):
            tf.train.Checkpoint(v=tf.Variable(1)).restore(f"{folder}/none")
        with pytest.raises(ValueError, match="trackable"):
            tf.train.Checkpoint(v=3)

    def test_options(self, folder: str):
        told: list[str] = []
        options = tf.train.CheckpointOptions(experimental_write_callbacks=[told.append])
        tf.train.Checkpoint(v=tf.Variable(1)).save(f"{folder}/ck", options)
        assert told == [f"{folder}/ck-1"]
        with pytest.raises(ValueError, match="enable_async"):
            tf.train.CheckpointOptions(enable_async=True)


class TestManager:
    def test_the_newest_are_kept(self, folder: str):
        v = tf.Variable(0)
        manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=v), folder, 2)
        assert manager.latest_checkpoint is None and manager.restore_or_initialize() is None
        for i in range(4):
            v.assign(i)
            manager.save()
        assert manager.checkpoints == [f"{folder}/ckpt-3", f"{folder}/ckpt-4"]
        assert sorted(os.listdir(folder)) == [
            "checkpoint", "ckpt-3.data-00000-of-00001", "ckpt-3.index", "ckpt-4.data-00000-of-00001", "ckpt-4.index",
        ]  # fmt: skip
        again = tf.Variable(9)
        later = tf.train.CheckpointManager(tf.train.Checkpoint(v=again), folder, 2)
        assert later.restore_or_initialize() == f"{folder}/ckpt-4" and again.numpy() == 3
        assert later.save() == f"{folder}/ckpt-5" and later.checkpoints == [f"{folder}/ckpt-4", f"{folder}/ckpt-5"]
        assert manager.save(checkpoint_number=100) == f"{folder}/ckpt-100"

    def test_one_is_kept_every_so_often(self, folder: str):
        manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=tf.Variable(0)), folder, 1, 1e-9)
        for _ in range(3):
            manager.save()
        assert all(os.path.exists(f"{folder}/ckpt-{i}.index") for i in (1, 2, 3)) and len(manager.checkpoints) == 1

    def test_an_interval_of_steps(self, folder: str):
        step, started = tf.Variable(0), []
        checkpoint = tf.train.Checkpoint(v=step)
        manager = tf.train.CheckpointManager(
            checkpoint, folder, 5, step_counter=step, checkpoint_interval=3, init_fn=lambda: started.append(1)
        )
        assert manager.restore_or_initialize() is None and started == [1]
        found = []
        for i in range(7):
            step.assign(i)
            found.append(manager.save() is not None)
        assert found == [True, False, False, True, False, False, True]
        assert manager.save(check_interval=False) is not None

    def test_refused(self, folder: str):
        checkpoint = tf.train.Checkpoint(v=tf.Variable(0))
        for wrong, words in (
            (lambda: tf.train.CheckpointManager(checkpoint, folder, 0), "positive integer"),
            (lambda: tf.train.CheckpointManager(checkpoint, folder, 1, checkpoint_interval=2), "step_counter"),
            (lambda: tf.train.CheckpointManager(checkpoint, folder, 1, step_counter=3), "tf.Variable"),
        ):
            with pytest.raises(ValueError, match=words):
                wrong()


class TestGraphs:
    def test_values_are_a_sessions(self, folder: str):
        with tf1.Graph().as_default():
            v, u = tf1.get_variable("v", [2]), tf1.get_variable("u", [1], initializer=tf1.ones_initializer())
            checkpoint = tf1.train.Checkpoint(v=v)
            with tf1.Session() as session:
                session.run([v.assign([1.0, 2.0]), u.initializer])
                path = checkpoint.save(f"{folder}/ck")
            with tf1.Session() as session:
                status = tf1.train.Checkpoint(v=v, u=u).restore(path)
                status.initialize_or_restore(session)
                assert session.run([v, u])[0].tolist() == [1, 2] and session.run(u) == 1
            with tf1.Session() as session:
                status = checkpoint.restore(path)
                status.assert_consumed().run_restore_ops(session)
                assert (
                    session.run(v).tolist() == [1, 2] and checkpoint.save(f"{folder}/ck", session) == f"{folder}/ck-2"
                )


class TestEagerSaver:
    @pytest.fixture(autouse=True)
    def eager(self) -> Iterator[None]:
        tf1.enable_eager_execution()
        yield
        tf1.disable_eager_execution()

    def test_values_return(self, folder: str):
        v = tf1.Variable([1.0, 2.0], name="v")
        saver = tf1.train.Saver({"v": v})
        path = saver.save(None, f"{folder}/m", global_step=tf.constant(3))
        v.assign([0.0, 0.0])
        saver.restore(None, path)
        assert path == f"{folder}/m-3" and v.numpy().tolist() == [1, 2]
        tf1.train.init_from_checkpoint(path, {"v": v})
        with pytest.raises(tf.errors.InvalidArgumentError, match="int32"):
            tf1.train.Saver({"v": tf.Variable([1, 2])}).restore(None, path)
        with pytest.raises(RuntimeError, match="var_list"):
            tf1.train.Saver()


def test_paths_as_bytes_or_path_objects(tmp_path: Path):
    v = tf.Variable(3.0)
    saved = tf.train.Checkpoint(v=v)
    for number, path in enumerate((os.fsencode(tmp_path / "b"), tmp_path / "p")):
        made = saved.save(path)
        assert made == f"{os.fsdecode(path)}-{number + 1}" and tf.train.latest_checkpoint(tmp_path) == made
        v.assign(0.0)
        saved.restore(os.fsencode(made)).assert_consumed()
        assert v.numpy() == 3.0
    kept = tf.train.CheckpointManager(saved, os.fsencode(tmp_path / "kept"), max_to_keep=1)
    assert kept.save() == f"{tmp_path}/kept/ckpt-{int(saved.save_counter.numpy())}"
