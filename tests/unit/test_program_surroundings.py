"""Flags, logs, files, versions, devices: what programs need around their mathematics."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pullback as tf
import pullback.v1 as tf1
from pullback.app import flags as own_flags


@pytest.fixture
def flags() -> Iterator[Any]:
    """absl's flags, which are the process's; those that a test defines go away with it."""
    from absl import flags as absl

    yield absl.FLAGS
    for name in {"steps", "loud", "quiet", "rate", "name", "kind", "sizes"} & set(absl.FLAGS):
        delattr(absl.FLAGS, name)
    absl.FLAGS.unparse_flags()


class TestFlags:
    def define(self) -> None:
        tf1.flags.DEFINE_integer("steps", 3, "how many")
        tf1.flags.DEFINE_bool("loud", False, "say more")
        tf1.app.flags.DEFINE_boolean("quiet", True, "say less")
        tf1.flags.DEFINE_float(flag_name="rate", default_value=0.5, docstring="a rate")
        tf1.flags.DEFINE_string("name", None, "who")
        tf1.flags.DEFINE_enum("kind", "a", ["a", "b"], "which")
        tf1.flags.DEFINE_list("sizes", "1,2", "sizes")

    def test_parsed_on_first_use(self, flags: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.define()
        monkeypatch.setattr(sys, "argv", ["p.py", "--steps=5", "--noquiet", "--rate", "0.25", "--kind=b"])
        found = own_flags.FLAGS
        assert (found.steps, found.quiet, found.rate, found.name, found.kind) == (5, False, 0.25, None, "b")
        assert found.sizes == ["1", "2"] and found.flag_values_dict()["steps"] == 5
        assert "steps" in found and found["steps"].value == 5 and "steps" in dir(found)
        found.steps = 7
        assert found.steps == 7 and getattr(found, "__flags")["steps"] == 7

    def test_parsed_by_hand(self, flags: Any) -> None:
        self.define()
        assert own_flags.FLAGS(["p.py", "--steps", "4", "rest"]) == ["p.py", "rest"]
        assert own_flags.FLAGS.steps == 4

    def test_as_before_1_5(self, flags: Any) -> None:
        self.define()
        own_flags.FLAGS._parse_flags(["--steps=9"])
        assert own_flags.FLAGS.steps == 9

    def test_app_run(self, flags: Any) -> None:
        self.define()
        seen: list[Any] = []
        with pytest.raises(SystemExit) as stop:
            tf1.app.run(lambda argv: seen.append(argv) or 4, ["p.py", "--steps=2", "word", "--unknown=1"])
        assert stop.value.code == 4 and flags.steps == 2
        assert seen == [["p.py", "word", "--unknown=1"]]

    def test_a_wrong_value_ends_the_process(self, flags: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.define()
        with pytest.raises(SystemExit) as stop:
            tf1.app.run(lambda argv: 0, ["p.py", "--steps=many"])
        assert stop.value.code == 1 and "flag --steps=many" in capsys.readouterr().err

    def test_required(self, flags: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.define()
        tf1.flags.mark_flag_as_required("name")
        with pytest.raises(SystemExit):
            tf1.app.run(lambda argv: 0, ["p.py"])
        assert "--name must have a value other than None" in capsys.readouterr().err


class TestLogging:
    def test_levels(self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
        logger = tf.get_logger()
        monkeypatch.setattr(logger, "propagate", True)
        before = tf1.logging.get_verbosity()
        try:
            tf1.logging.set_verbosity(tf1.logging.INFO)
            assert tf1.logging.get_verbosity() == tf1.logging.INFO == logging.INFO
            tf1.logging.debug("not shown")
            tf1.logging.info("%s %d", "rate", 3)
            tf1.logging.warn("careful")
            tf1.logging.warning("careful")
            tf1.logging.error("wrong")
            tf1.logging.fatal("very")
            tf1.logging.log(tf1.logging.WARN, "at %s", "level")
            tf1.logging.log_if(tf1.logging.ERROR, "if", False)
            for i in range(5):
                tf1.logging.log_every_n(tf1.logging.INFO, "every %d", 2, i)
                tf1.logging.log_first_n(tf1.logging.INFO, "first %d", 2, i)
        finally:
            tf1.logging.set_verbosity(before)
        said = [r.getMessage() for r in caplog.records]
        assert said[:6] == ["rate 3", "careful", "careful", "wrong", "very", "at level"]
        assert said[6:] == ["every 0", "first 0", "first 1", "every 2", "every 4"]
        assert {r.filename for r in caplog.records} == {Path(__file__).name}


class TestFiles:
    def test_writing_and_reading(self, tmp_path: Path) -> None:
        name = str(tmp_path / "a" / "b.txt")
        tf1.gfile.MakeDirs(str(tmp_path / "a"))
        tf1.gfile.MakeDirs(str(tmp_path / "a"))
        with tf1.gfile.Open(name, "w") as file:
            file.write("one\nzwei ä\n")
        with tf1.gfile.GFile(name) as file:
            assert file.readline() == "one\n" and file.tell() == 4 and file.read() == "zwei ä\n"
            file.seek(0)
            assert list(file) == ["one\n", "zwei ä\n"] and file.size() == 12
        assert tf.io.gfile.GFile(name, "rb").read(3) == b"one"
        with tf1.gfile.FastGFile(name, "a") as file:
            file.write(b"three")
        assert tf1.gfile.GFile(name).readlines()[-1] == "three"

    def test_folders(self, tmp_path: Path) -> None:
        root = str(tmp_path / "r")
        tf.io.gfile.mkdir(root)
        for name in ("x.txt", "y.txt"):
            tf1.gfile.GFile(f"{root}/{name}", "w").close()
        assert tf1.gfile.Exists(root) and tf1.gfile.IsDirectory(root) and tf1.gfile.Exists(f"{root}/x.txt")
        assert sorted(tf1.gfile.ListDirectory(root)) == ["x.txt", "y.txt"]
        assert tf1.gfile.Glob(f"{root}/*.txt") == [f"{root}/x.txt", f"{root}/y.txt"]
        assert [(a, b, sorted(c)) for a, b, c in tf1.gfile.Walk(root)] == [(root, [], ["x.txt", "y.txt"])]
        tf1.gfile.Copy(f"{root}/x.txt", f"{root}/z.txt")
        tf1.gfile.Rename(f"{root}/z.txt", f"{root}/w.txt")
        tf1.gfile.Remove(f"{root}/w.txt")
        assert tf1.gfile.Stat(f"{root}/x.txt").length == 0
        assert tf.io.gfile.join(root, "q") == f"{root}/q"
        tf1.gfile.MkDir(f"{root}/d")
        assert tf.io.gfile.glob([f"{root}/*.txt", f"{root}/d"]) == [f"{root}/x.txt", f"{root}/y.txt", f"{root}/d"]
        tf1.gfile.DeleteRecursively(root)
        assert not tf.io.gfile.exists(root)
        tf.io.gfile.makedirs(f"{root}/a/b")
        tf.io.gfile.rmtree(root)
        assert not tf.io.gfile.isdir(root)

    def test_errors_are_tensorflows_and_pythons(self, tmp_path: Path) -> None:
        with pytest.raises(tf.errors.NotFoundError) as caught:
            tf1.gfile.GFile(str(tmp_path / "gone")).read()
        assert isinstance(caught.value, FileNotFoundError) and "gone" in str(caught.value)
        (tmp_path / "there").touch()
        with pytest.raises(tf.errors.AlreadyExistsError, match="overwrite=True"):
            tf1.gfile.Copy(str(tmp_path / "there"), str(tmp_path / "there"))
        with pytest.raises(tf.errors.NotFoundError, match="Could not find directory"):
            tf.io.gfile.listdir(str(tmp_path / "gone"))
        with pytest.raises(tf.errors.PermissionDeniedError, match="not to write"):
            tf1.gfile.GFile(str(tmp_path / "there")).write("x")
        with pytest.raises(tf.errors.UnimplementedError, match="gs:// is elsewhere"):
            tf1.gfile.Exists("gs://bucket/x")
        with pytest.raises(ValueError, match="mode must be"):
            tf1.gfile.GFile("x", "q")


class TestVersionsAndText:
    def test_versions_are_those_of_the_names(self) -> None:
        assert tf1.VERSION == tf1.__version__ == tf1.version.VERSION and tf1.VERSION.startswith("1.15")
        assert tf.version.VERSION.startswith("2.")
        assert tf1.GIT_VERSION.endswith("pullback")
        assert (tf1.keras.__version__, tf.keras.__version__) == ("2.2.4-tf", "2.15.0")
        assert not hasattr(tf.nn, "__version__")

    def test_text(self) -> None:
        assert tf.compat.as_bytes("ä") == b"\xc3\xa4" and tf.compat.as_text(b"\xc3\xa4") == "ä"
        assert tf.compat.as_str("x") == tf.compat.as_str_any(b"x") == "x" and tf.compat.as_str_any(3) == "3"
        assert tf.compat.path_to_str(Path("a")) == "a"
        assert isinstance(b"", tf.compat.bytes_or_text_types) and isinstance(3, tf.compat.integral_types)
        with pytest.raises(TypeError, match="Expected binary or unicode"):
            tf.compat.as_bytes(3)

    def test_dimensions(self) -> None:
        assert tf1.dimension_value(tf1.Dimension(3)) == tf.compat.dimension_value(3) == 3
        assert tf.compat.dimension_at_index(tf1.TensorShape([2, None]), 0).value == 2


class TestDevices:
    def test_there_is_a_cpu(self) -> None:
        (device,) = tf.config.list_physical_devices()
        assert device == tf.config.experimental.list_physical_devices("CPU")[0]
        assert tf.config.list_physical_devices("GPU") == [] == tf.config.list_logical_devices("GPU")
        assert tf.test.gpu_device_name() == "" and not tf.test.is_gpu_available() and not tf.test.is_built_with_cuda()
        for gpu in tf.config.experimental.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        with pytest.raises(ValueError, match="is no GPU"):
            tf.config.experimental.set_memory_growth(device, True)

    def test_what_cannot_be_had_is_refused(self) -> None:
        (device,) = tf.config.list_physical_devices()
        tf.config.set_visible_devices([device])
        tf.config.set_visible_devices([], "GPU")
        with pytest.raises(ValueError, match="cannot be hidden"):
            tf.config.set_visible_devices([], "CPU")
        part = tf.config.experimental.VirtualDeviceConfiguration()
        tf.config.experimental.set_virtual_device_configuration(device, [part])
        with pytest.raises(ValueError, match="one device here"):
            tf.config.experimental.set_virtual_device_configuration(device, [part, part])

    def test_threads(self) -> None:
        before = tf.config.threading.get_intra_op_parallelism_threads()
        tf.config.threading.set_intra_op_parallelism_threads(2)
        assert tf.config.threading.get_intra_op_parallelism_threads() == 2
        tf.config.threading.set_intra_op_parallelism_threads(before)


class TestDistribution:
    """Strategies of one replica change no number."""

    def test_run_and_reduce(self) -> None:
        for strategy in (tf.distribute.MirroredStrategy(), tf.distribute.OneDeviceStrategy("/cpu:0")):
            with strategy.scope():
                assert tf.distribute.get_strategy() is strategy and tf.distribute.in_cross_replica_context()
                v = tf.Variable(2.0)
            found = strategy.run(lambda x, v=v: tf.distribute.get_replica_context().all_reduce("SUM", x * v), (3.0,))
            assert float(strategy.reduce(tf.distribute.ReduceOp.SUM, found, axis=None)) == 6
            assert float(strategy.reduce("MEAN", tf.constant([1.0, 3.0]), axis=0)) == 2
            assert strategy.num_replicas_in_sync == 1
        assert not tf.distribute.has_strategy()

    def test_more_devices_are_an_error(self) -> None:
        with pytest.raises(ValueError, match="there is one device"):
            tf.distribute.MirroredStrategy(["/gpu:0", "/gpu:1"])
