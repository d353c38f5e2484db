"""Saver, readers and state files: what is written, kept, restored and refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf
from pullback.core.errors import DataLossError
from pullback.io import messages
from pullback.io.bundle import BundleReader, write_bundle


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as g:
        yield g


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def model() -> tuple[Any, Any, Any]:
    w = tf.get_variable("scope/w", [2, 3], initializer=tf.ones_initializer())
    words = tf.get_variable("words", initializer=np.array([b"a", b"bc"], object), trainable=False)
    step = tf.train.get_or_create_global_step()
    return w, words, step


def started() -> Any:
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


class TestSaving:
    def test_paths_as_bytes_or_path_objects(self, folder: str):
        w, *_ = model()
        saver, session = tf.train.Saver(), started()
        for path in (os.fsencode(f"{folder}/b"), Path(folder) / "p"):
            assert saver.save(session, path) == os.fsdecode(path)
            saver.restore(session, path)
            assert tf.train.checkpoint_exists(path) and len(tf.train.get_checkpoint_mtimes([path])) == 1
        assert tf.train.latest_checkpoint(os.fsencode(folder)) == f"{folder}/p"
        assert session.run(w).tolist() == [[1, 1, 1]] * 2

    def test_values_return(self, folder: str):
        w, words, step = model()
        with started() as session:
            session.run([w.assign(np.arange(6.0).reshape(2, 3)), step.assign(5)])
            path = tf.train.Saver().save(session, f"{folder}/model", global_step=step)
            assert path == f"{folder}/model-5"
        with tf.Session() as session:
            tf.train.Saver().restore(session, path)
            assert session.run(w).tolist() == [[0, 1, 2], [3, 4, 5]]
            assert session.run([words, step])[0].tolist() == [b"a", b"bc"] and session.run(step) == 5

    def test_files_and_operations_have_tensorflows_names(self, graph: Any, folder: str):
        model()
        saver = tf.train.Saver()
        with started() as session:
            saver.save(session, f"{folder}/model")
        assert sorted(os.listdir(folder)) == ["checkpoint", "model.data-00000-of-00001", "model.index", "model.meta"]
        assert Path(folder, "checkpoint").read_text() == (
            f'model_checkpoint_path: "{folder}/model"\nall_model_checkpoint_paths: "{folder}/model"\n'
        )
        names = {op.name for op in graph.get_operations()}
        assert {"save/filename", "save/Const", "save/SaveV2/tensor_names", "save/SaveV2/shape_and_slices"} <= names
        assert {
            "save/SaveV2",
            "save/control_dependency",
            "save/RestoreV2",
            "save/Assign_2",
            "save/restore_all",
        } <= names
        said = saver.as_saver_def()
        assert (said.filename_tensor_name, said.restore_op_name) == ("save/Const:0", "save/restore_all")
        assert said.save_tensor_name == "save/control_dependency:0" and said.version == said.V2

    def test_the_newest_are_kept(self, folder: str):
        model()
        saver = tf.train.Saver(max_to_keep=2)
        with started() as session:
            paths = [saver.save(session, f"{folder}/m", global_step=i) for i in (1, 2, 3)]
        assert saver.last_checkpoints == paths[1:]
        assert [tf.train.checkpoint_exists(p) for p in paths] == [False, True, True]
        assert not os.path.exists(f"{paths[0]}.meta") and not os.path.exists(f"{paths[0]}.data-00000-of-00001")
        state = tf.train.get_checkpoint_state(folder)
        assert state.model_checkpoint_path == paths[2] and list(state.all_model_checkpoint_paths) == paths[1:]
        assert tf.train.latest_checkpoint(folder) == paths[2]
        assert len(tf.train.get_checkpoint_mtimes(paths)) == 2

    def test_keeping_one_every_so_often(self, folder: str):
        model()
        saver = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=0)
        with started() as session:
            for i in range(3):
                saver.save(session, f"{folder}/m", global_step=i)
        assert all(tf.train.checkpoint_exists(f"{folder}/m-{i}") for i in range(3))

    @pytest.mark.parametrize("keep", [None, 0])
    def test_keeping_all(self, folder: str, keep: Any):
        model()
        saver = tf.train.Saver(max_to_keep=keep)
        with started() as session:
            for i in range(7):
                saver.save(session, f"{folder}/m", global_step=i, write_meta_graph=False)
        assert all(tf.train.checkpoint_exists(f"{folder}/m-{i}") for i in range(7)) and saver.last_checkpoints == []

    def test_an_earlier_process_is_taken_over(self, folder: str):
        model()
        with started() as session:
            for i in range(3):
                tf.train.Saver().save(session, f"{folder}/m", global_step=i, write_state=False)
            saver = tf.train.Saver(max_to_keep=2)
            saver.recover_last_checkpoints([f"{folder}/m-{i}" for i in range(4)])
            assert saver.last_checkpoints == [f"{folder}/m-{i}" for i in range(3)]
            saver.save(session, f"{folder}/m", global_step=9)
        assert not tf.train.checkpoint_exists(f"{folder}/m-0")

    def test_paths(self, folder: str, monkeypatch: pytest.MonkeyPatch):
        model()
        os.mkdir(f"{folder}/below")
        monkeypatch.chdir(folder)
        with started() as session:
            saver = tf.train.Saver(pad_step_number=True, save_relative_paths=True)
            assert saver.save(session, f"{folder}/below/m", global_step=7) == f"{folder}/below/m-00000007"
            assert 'path: "m-00000007"' in Path(folder, "below", "checkpoint").read_text()
            assert tf.train.latest_checkpoint("below") == "below/m-00000007"
            assert tf.train.Saver().save(session, "below/rel") == "below/rel"
            assert 'path: "rel"' in Path(folder, "below", "checkpoint").read_text()
            assert tf.train.Saver(filename="here").as_saver_def().filename_tensor_name == "save_2/Const:0"

    def test_some_variables_under_other_names(self, folder: str):
        w, _, _ = model()
        with started() as session:
            tf.train.Saver({"weights": w}).save(session, f"{folder}/m")
            assert tf.train.list_variables(f"{folder}/m") == [("weights", [2, 3])]
            session.run(w.assign(tf.zeros([2, 3])))
            tf.train.Saver({"weights": w}, restore_sequentially=True).restore(session, f"{folder}/m")
            assert session.run(w).tolist() == [[1, 1, 1], [1, 1, 1]]

    def test_another_shape(self, folder: str):
        w, _, _ = model()
        with started() as session:
            tf.train.Saver([w]).save(session, f"{folder}/m")
        with tf.Graph().as_default(), tf.Session() as session:
            flat = tf.get_variable("flat", [6])
            tf.train.Saver({"scope/w": flat}, reshape=True).restore(session, f"{folder}/m")
            assert session.run(flat).tolist() == [1] * 6

    def test_overwriting(self, folder: str):
        w, _, _ = model()
        with started() as session:
            for value in (1.0, 2.0):
                session.run(w.assign(tf.fill([2, 3], value)))
                tf.train.Saver([w]).save(session, f"{folder}/m")
            assert tf.train.load_variable(folder, "scope/w").tolist() == [[2, 2, 2], [2, 2, 2]]


class TestRefused:
    @pytest.mark.parametrize("given", ["scope/w", 5, [1], {1: None}, {"w": 1}])
    def test_what_is_no_list_of_variables(self, given: Any):
        model()
        with pytest.raises(TypeError):
            tf.train.Saver(given)

    def test_sessions_of_other_graphs(self, folder: str):
        model()
        saver = tf.train.Saver()
        with tf.Session(graph=tf.Graph()) as stranger, pytest.raises(TypeError, match="Cannot interpret feed_dict key"):
            saver.save(stranger, f"{folder}/m")

    @pytest.mark.parametrize("given", [None, 3])
    def test_what_is_no_graph_file(self, given: Any):
        with pytest.raises(TypeError):
            tf.train.import_meta_graph(given)

    def test_folders_and_numbers_for_records(self, folder: str):
        with pytest.raises(tf.errors.FailedPreconditionError, match="Is a directory"):
            list(tf.python_io.tf_record_iterator(folder))
        with pytest.raises(tf.errors.FailedPreconditionError, match="Is a directory"):
            tf.python_io.TFRecordWriter(folder)
        with tf.python_io.TFRecordWriter(f"{folder}/r") as writer, pytest.raises(TypeError, match="must be bytes"):
            writer.write(5)

    def test_arguments(self, folder: str):
        with pytest.raises(ValueError, match="No variables to save"):
            tf.train.Saver()
        assert tf.train.Saver(allow_empty=True).save(tf.Session(), f"{folder}/m") is None
        w, _, _ = model()
        for wrong, error, words in (
            (lambda: tf.train.Saver(builder=object()), ValueError, "builder"),
            (lambda: tf.train.Saver(write_version=1), ValueError, "only read"),
            (lambda: tf.train.Saver([w, w]), ValueError, "same name"),
            (lambda: tf.train.Saver([tf.constant(1)]), TypeError, "not a Variable"),
            (lambda: tf.train.Saver({"a": tf.constant(1)}), TypeError, "'a'"),
            (lambda: tf.train.Saver([w], defer_build=True), ValueError, "deferred"),
        ):
            with pytest.raises(error, match=words):
                wrong()

    def test_saving(self, folder: str):
        model()
        saver, session = tf.train.Saver(), started()
        for wrong, error, words in (
            (lambda: saver.save(session, f"{folder}/none/m"), ValueError, "Parent directory"),
            (lambda: saver.save(session, f"{folder}/checkpoint"), ValueError, "collides"),
            (lambda: saver.save(session, f"{folder}/m", latest_filename="a/b"), ValueError, "path components"),
            (lambda: saver.save("session", f"{folder}/m"), TypeError, "must be a Session"),
            (lambda: saver.save(tf.Session(), f"{folder}/m"), tf.errors.FailedPreconditionError, "uninitialized"),
            (lambda: tf.train.Saver(defer_build=True).save(session, f"{folder}/m"), RuntimeError, "build"),
        ):
            with pytest.raises(error, match=words):
                wrong()
        assert os.listdir(folder) == []

    def test_restoring(self, folder: str):
        w, _, _ = model()
        saver, session = tf.train.Saver([w]), started()
        path = saver.save(session, f"{folder}/m")
        with pytest.raises(ValueError, match="None"):
            saver.restore(session, None)
        with pytest.raises(ValueError, match="not a valid checkpoint"):
            saver.restore(session, f"{folder}/other")
        with tf.Graph().as_default(), tf.Session() as other:
            tf.get_variable("scope/w", [3, 3])
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"mismatch.*\n\n.*\[2,3\] does not fit"):
                tf.train.Saver().restore(other, path)
            tf.get_variable("another", [1])
            with pytest.raises(tf.errors.NotFoundError, match=r"missing from the checkpoint(.|\n)*Key another"):
                tf.train.Saver().restore(other, path)
        with tf.Graph().as_default(), tf.Session() as other:
            tf.get_variable("scope/w", [2, 3], tf.float64)
            with pytest.raises(tf.errors.InvalidArgumentError, match="float32 in the checkpoint, but float64"):
                tf.train.Saver().restore(other, path)
        data = Path(f"{path}.data-00000-of-00001")
        data.write_bytes(data.read_bytes()[:-1] + b"\x40")
        with pytest.raises(DataLossError, match="checksum"):
            saver.restore(session, path)


class TestReading:
    def test_reader(self, folder: str):
        write_bundle(f"{folder}/m", {"a": np.arange(3.0), "b": np.int64(4), "s": np.array(b"x", object)})
        reader = tf.train.NewCheckpointReader(f"{folder}/m")
        assert reader.get_variable_to_shape_map() == {"a": [3], "b": [], "s": []}
        assert reader.get_variable_to_dtype_map()["b"] is tf2.int64
        assert reader.has_tensor("a") and not reader.has_tensor("c")
        assert (reader.get_tensor("b"), reader.get_tensor("s")) == (4, b"x")
        assert reader.debug_string() == b"a (DT_DOUBLE) [3]\nb (DT_INT64) []\ns (DT_STRING) []\n"
        assert tf.train.load_variable(f"{folder}/m", "a:0").tolist() == [0, 1, 2]
        with pytest.raises(tf.errors.NotFoundError):
            tf.train.NewCheckpointReader(f"{folder}/none")
        with pytest.raises(ValueError, match="Couldn't find 'checkpoint'"):
            tf.train.load_checkpoint(folder)

    def test_state_files(self, folder: str):
        assert tf.train.get_checkpoint_state(folder) is None and tf.train.latest_checkpoint(folder) is None
        tf.train.update_checkpoint_state(folder, "m-2", ["m-1", "m-2"], all_model_checkpoint_timestamps=[1.0, 2.0])
        state = tf.train.get_checkpoint_state(folder)
        assert list(state.all_model_checkpoint_paths) == [f"{folder}/m-1", f"{folder}/m-2"]
        assert list(state.all_model_checkpoint_timestamps) == [1, 2]
        with pytest.warns(UserWarning, match="Couldn't match files"):
            assert tf.train.latest_checkpoint(folder) is None
        Path(folder, "checkpoint").write_bytes(b"\xff not this")
        with pytest.warns(UserWarning, match="cannot be read"):
            assert tf.train.get_checkpoint_state(folder) is None
        Path(folder, "checkpoint").write_bytes(b"")
        with pytest.raises(ValueError, match="Invalid checkpoint state"):
            tf.train.get_checkpoint_state(folder)
        with pytest.raises(RuntimeError, match="conflicts"):
            tf.train.update_checkpoint_state(folder, f"{folder}/checkpoint")
        with pytest.raises(ValueError, match="timestamps"):
            tf.train.generate_checkpoint_state_proto(folder, "m", all_model_checkpoint_timestamps=[1.0, 2.0])

    def test_new_checkpoints_come_one_by_one(self, folder: str):
        write_bundle(f"{folder}/m-1", {"a": np.ones(1)})
        tf.train.update_checkpoint_state(folder, f"{folder}/m-1")
        coming = tf.train.checkpoints_iterator(folder, timeout=0)
        assert next(coming) == f"{folder}/m-1"
        assert list(coming) == []

    def test_removing(self, folder: str):
        write_bundle(f"{folder}/m", {"a": np.ones(1)})
        Path(folder, "m.meta").write_bytes(b"")
        tf.train.remove_checkpoint(f"{folder}/m")
        assert os.listdir(folder) == []


class TestStartingFromACheckpoint:
    @pytest.fixture
    def path(self, folder: str) -> str:
        write_bundle(f"{folder}/m", {"old/w": np.full((2, 3), 7, np.float32), "old/b": np.arange(3, dtype=np.float32)})
        return f"{folder}/m"

    @pytest.mark.parametrize("by", ["scope", "name", "variable", "pairs"])
    def test_initialisers_restore(self, path: str, by: str):
        with tf.variable_scope("new"):
            w, b = tf.get_variable("w", [2, 3]), tf.get_variable("b", [3])
        given = {
            "scope": {"old/": "new/"},
            "name": {"old/w": "new/w", "old/b": "new/b"},
            "variable": {"old/w": w, "old/b": b},
            "pairs": [("old/b", b), ("old/w", w)],
        }[by]
        tf.train.init_from_checkpoint(path, given)
        with started() as session:
            assert session.run(w).tolist() == [[7] * 3] * 2 and session.run(b).tolist() == [0, 1, 2]

    def test_refused(self, path: str):
        w = tf.get_variable("w", [3, 3])
        for given, words in (
            ({"old/w": w}, "Shape of variable w"),
            ({"old/x": w}, "Tensor old/x is not found"),
            ({"old/w": "v"}, "Variable v in the assignment map"),
            ({"old/": "new"}, "should map to scope"),
            ({"/": "/"}, "Tensor w .* is not found"),
            ({"old/w": [w]}, "partitioned"),
        ):
            with pytest.raises(ValueError, match=words):
                tf.train.init_from_checkpoint(path, given)

    def test_warm_start(self, path: str):
        w, b = tf.get_variable("old/w", [2, 3]), tf.get_variable("bias", [3])
        tf.train.warm_start(path, "old|bias", var_name_to_prev_var_name={"bias": "old/b"})
        with started() as session:
            assert session.run(w)[0, 0] == 7 and session.run(b)[2] == 2
        with pytest.raises(ValueError, match="not used"):
            tf.train.warm_start(path, "old", var_name_to_prev_var_name={"bias": "old/b"})
        with pytest.raises(ValueError, match="vocab"):
            tf.train.warm_start(path, var_name_to_vocab_info={"w": 1})


class TestPartsOfTensors:
    def test_restoring_a_slice(self, folder: str):
        from pullback.io.checkpoint_ops import RestoreV2

        whole = np.arange(35, dtype=np.float32).reshape(7, 5)
        write_bundle(f"{folder}/m", {"w": whole})

        def restored(part: str) -> Any:
            words = [np.array([x.encode()], object) for x in (f"{folder}/m", "w", part)]
            return RestoreV2((tf2.float32,))(words[0].reshape(()), words[1], words[2])

        with tf.Session() as session:
            assert np.array_equal(session.run(restored("7 5 2,3:-")), whole[2:5])
            with pytest.raises(tf.errors.InvalidArgumentError, match="slice '7 4"):
                session.run(restored("7 4 2,3:-"))

    def test_merging(self, folder: str):
        from pullback.io.checkpoint_ops import MergeV2Checkpoints, ShardedFilename

        write_bundle(f"{folder}/p1", {"a": np.ones(1)})
        write_bundle(f"{folder}/p2", {"b": np.ones(2)})
        parts = np.array([f"{folder}/p1".encode(), f"{folder}/p2".encode()], object)
        merged = MergeV2Checkpoints(False)(parts, np.array(f"{folder}/m".encode(), object))
        with tf.Session() as session:
            session.run(merged)
            assert session.run(ShardedFilename()("x", 1, 4)) == b"x-00001-of-00004"
        assert BundleReader(f"{folder}/m").names() == ["a", "b"] and not tf.train.checkpoint_exists(f"{folder}/p1")


def test_saver_messages():
    w, _, _ = model()
    with tf.name_scope("outer"):
        saver = tf.train.Saver([w], name="own")
    said = saver.to_proto("outer")
    assert isinstance(said, messages.SaverDef) and said.restore_op_name == "own/restore_all"
    again = tf.train.Saver.from_proto(said, "outer")
    assert again.as_saver_def().restore_op_name == saver.as_saver_def().restore_op_name
    assert saver.to_proto("elsewhere") is None
