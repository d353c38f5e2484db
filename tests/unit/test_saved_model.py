"""Saved models: written and read by both dialects; signatures; what is damaged, unknown or harmful is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pullback as tf2
import pullback.v1 as tf
from pullback.io import messages
from pullback.io.farmhash import fingerprint64

ROWS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2) / 10


def exported(folder: Path) -> str:
    """A model of TensorFlow 1 in a folder: y = x w + local, with an asset."""
    (folder / "words.txt").write_text("a\nb\n")
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.get_variable("w", initializer=WEIGHTS)
        local = tf.get_variable("local", initializer=3.0, collections=["local_variables"])
        y = tf.add(tf.matmul(x, w), local, name="y")
        asset = tf.constant(str(folder / "words.txt"), name="asset")
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        builder = tf.saved_model.Builder(str(folder / "model"))
        signature = tf.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(
            session,
            [tf.saved_model.tag_constants.SERVING],
            {"serving_default": signature},
            assets_collection=[asset],
            main_op=tf.local_variables_initializer(),
        )
        builder.add_meta_graph(["serve", "gpu"], {"other": signature})
        assert builder.save() == str(folder / "model" / "saved_model.pb").encode()
    return str(folder / "model")


class Scaled(tf2.Module):
    """Variables in attributes, lists and dicts; functions of them."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf2.Variable(WEIGHTS)
        self.parts = [tf2.Variable(1.0), tf2.Variable(2, trainable=False)]
        self.named = {"k": tf2.Variable([3.0])}
        self.five = tf2.constant(5.0)

    @tf2.function(input_signature=[tf2.TensorSpec([None, 3], tf2.float32, name="x")])
    def __call__(self, x: Any) -> Any:
        return {"y": tf2.matmul(x, self.w) + self.parts[0], "more": (tf2.reduce_sum(x), self.five)}

    @tf2.function
    def power(self, x: Any, n: int = 2, flag: bool = True) -> Any:
        return x**n if flag else x

    @tf2.function(input_signature=[tf2.TensorSpec([], tf2.int32)])
    def loop(self, n: Any) -> Any:
        def step(i: Any, a: Any) -> Any:
            return i + 1, tf2.cond(tf2.equal(i % 2, 0), lambda: a * 2.0, lambda: a + self.parts[0])

        return tf2.while_loop(lambda i, a: i < n, step, [0, 1.0])[1]

    @tf2.function(input_signature=[tf2.TensorSpec([], tf2.float32)])
    def bump(self, by: Any) -> Any:
        self.parts[0].assign_add(by)
        return self.parts[0] + 0.0

    @tf2.function(input_signature=[tf2.TensorSpec([None, 3], tf2.float32, name="rows")])
    def product(self, x: Any) -> Any:
        return tf2.matmul(x, self.w)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a saved Scaled."""
    folder = tmp_path_factory.mktemp("models") / "scaled"
    scaled = Scaled()
    scaled.power(tf2.constant(3.0))
    scaled.power(tf2.constant([1.0, 2.0]), n=3, flag=False)
    tf2.saved_model.save(scaled, str(folder), signatures=scaled.product)
    return folder


class TestTensorFlow1:
    def test_what_is_saved_is_loaded(self, tmp_path: Path):
        folder = exported(tmp_path)
        assert tf.saved_model.contains_saved_model(folder)
        assert not tf.saved_model.loader.maybe_saved_model_directory(str(tmp_path))
        with tf.Graph().as_default(), tf.Session() as session:
            meta = tf.saved_model.load(session, ["serve"], folder)
            signature = meta.signature_def["serving_default"]
            y = session.run(signature.outputs["y"].name, {signature.inputs["x"].name: ROWS})
        np.testing.assert_allclose(y, ROWS @ WEIGHTS + 3, rtol=1e-6)
        assert (tmp_path / "model" / "assets" / "words.txt").read_text() == "a\nb\n"

    def test_scopes_and_tags(self, tmp_path: Path):
        folder = exported(tmp_path)
        with tf.Graph().as_default(), tf.Session() as session:
            meta = tf.saved_model.loader.load(session, {"gpu", "serve"}, folder, import_scope="here")
            assert list(meta.signature_def) == ["other"]
            found = tf.saved_model.get_tensor_from_tensor_info(
                meta.signature_def["other"].outputs["y"], import_scope="here"
            )
            np.testing.assert_allclose(session.run(found, {"here/x:0": ROWS}), ROWS @ WEIGHTS + 3, rtol=1e-6)
            with pytest.raises(RuntimeError, match="'tpu' could not be found in SavedModel"):
                tf.saved_model.load(session, ["tpu"], folder)

    def test_simple_save_with_random_initialisers_and_branches(self, tmp_path: Path):
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [None, 3], name="x")
            w = tf.get_variable("w", [3, 2], initializer=tf.random_normal_initializer(seed=1))
            y = tf.cond(tf.reduce_sum(x) > 1e9, lambda: tf.matmul(x, w), lambda: tf.matmul(x, w) * 2.0)
            session.run(tf.global_variables_initializer())
            tf.saved_model.simple_save(session, str(tmp_path / "m"), {"x": x}, {"y": y})
            wanted = session.run(w)
        loaded = tf2.saved_model.load(str(tmp_path / "m"))
        found = loaded.signatures["serving_default"](x=tf2.constant(ROWS))["y"]
        np.testing.assert_allclose(found.numpy(), ROWS @ wanted * 2, rtol=1e-5)
        assert [v.shape.as_list() for v in loaded.variables] == [[3, 2]]
        cut = loaded.prune("x:0", y.name)
        np.testing.assert_allclose(cut(tf2.constant(ROWS)).numpy(), ROWS @ wanted * 2, rtol=1e-5)

    def test_mistakes(self, tmp_path: Path):
        folder = exported(tmp_path)
        with pytest.raises(AssertionError, match="already exists, and isn't empty"):
            tf.saved_model.Builder(folder)
        builder = tf.saved_model.Builder(str(tmp_path / "new"))
        with pytest.raises(AssertionError, match="has not been saved yet"):
            builder.add_meta_graph(["serve"])
        with tf.Graph().as_default(), tf.Session() as session:
            with pytest.raises(TypeError, match="to be an Operation"):
                builder.add_meta_graph_and_variables(session, ["serve"], main_op=3)
            with pytest.raises(OSError, match="its writing was not completed"):
                tf.saved_model.load(session, ["serve"], str(tmp_path / "new"))
        with pytest.raises(RuntimeError, match="experimental_image_format"):
            builder.save(experimental_image_format=True)

    def test_method_names_change(self, tmp_path: Path):
        folder = exported(tmp_path)
        updater = tf.saved_model.signature_def_utils.MethodNameUpdater(folder)
        updater.replace_method_name("other", "classify")
        updater.save()
        with pytest.raises(ValueError, match="has no signature 'absent'"):
            updater.replace_method_name("absent", "classify", tags="serve")
        with tf.Graph().as_default(), tf.Session() as session:
            meta = tf.saved_model.load(session, ["serve", "gpu"], folder)
        assert meta.signature_def["other"].method_name == "classify"


def test_signatures_of_every_kind():
    with tf.Graph().as_default():
        words = tf.placeholder(tf.string, [None], name="words")
        scores = tf.placeholder(tf.float32, [None], name="scores")
        sparse = tf.sparse_placeholder(tf.float32, name="sparse")
        kinds = tf.saved_model.signature_def_utils
        assert tf.saved_model.is_valid_signature(kinds.classification_signature_def(words, words, scores))
        regression = kinds.regression_signature_def(words, scores)
        assert kinds.is_valid_signature(regression) and regression.inputs["inputs"].name == "words:0"
        info = tf.saved_model.utils.build_tensor_info(sparse)
        assert tf.saved_model.utils.get_tensor_from_tensor_info(info).values is sparse.values
        assert not tf.saved_model.is_valid_signature(kinds.build_signature_def({"a": info}, {"b": info}, "other"))
        for wrong in (
            lambda: kinds.predict_signature_def({}, {"y": scores}),
            lambda: kinds.regression_signature_def(scores, scores),
            lambda: kinds.classification_signature_def(words, None, None),
            lambda: kinds.build_signature_def(defaults={"x": 3}),
        ):
            with pytest.raises(ValueError, match=r"cannot|must|no such input"):
                wrong()


class TestTensorFlow2:
    def test_functions_variables_and_structure(self, model: Path):
        found = tf2.saved_model.load(str(model))
        result = found(ROWS)
        np.testing.assert_allclose(result["y"].numpy(), ROWS @ WEIGHTS + 1, rtol=1e-6)
        assert result["more"][1].numpy() == 5 and found.parts[1].numpy() == 2 and not found.parts[1].trainable
        assert found.named["k"].numpy().tolist() == [3] and found.power(tf2.constant(3.0)).numpy() == 9
        assert found.power(tf2.constant([1.0, 2.0]), 3, False).numpy().tolist() == [1, 2]
        assert found.loop(5).numpy() == ((1 * 2 + 1) * 2 + 1) * 2
        assert found.bump(2.0).numpy() == found.parts[0].numpy() == 3

    def test_signatures(self, model: Path):
        signature = tf2.saved_model.load(str(model)).signatures["serving_default"]
        np.testing.assert_allclose(signature(rows=ROWS)["output_0"].numpy(), ROWS @ WEIGHTS, rtol=1e-6)
        with pytest.raises(TypeError, match="it needs \\['rows'\\]"):
            signature(other=ROWS)

    def test_loaded_functions_are_differentiated_and_traced(self, model: Path):
        found = tf2.saved_model.load(str(model))
        with tf2.GradientTape() as tape:
            total = tf2.reduce_sum(found(ROWS)["y"])
        expected = np.repeat(ROWS.sum(0)[:, None], 2, 1)
        np.testing.assert_allclose(tape.gradient(total, found.w).numpy(), expected, rtol=1e-5)
        traced = tf2.function(lambda x: found.product(x) * 2.0)
        np.testing.assert_allclose(traced(tf2.constant(ROWS)).numpy(), ROWS @ WEIGHTS * 2, rtol=1e-6)

    def test_what_was_loaded_is_saved_again(self, model: Path, tmp_path: Path):
        found = tf2.saved_model.load(str(model))
        found.w.assign(found.w * 2.0)
        tf2.saved_model.save(found, str(tmp_path / "again"))
        again = tf2.saved_model.load(str(tmp_path / "again"))
        np.testing.assert_allclose(again.product(ROWS).numpy(), ROWS @ WEIGHTS * 2, rtol=1e-6)

    def test_no_trace_fits(self, model: Path):
        found = tf2.saved_model.load(str(model))
        with pytest.raises(ValueError, match="Could not find matching concrete function") as said:
            found.power(tf2.constant([1, 2]))
        assert "Option 2" in str(said.value)

    def test_a_session_loads_it_too(self, model: Path):
        with tf.Graph().as_default(), tf.Session() as session:
            signature = tf.saved_model.load(session, ["serve"], str(model)).signature_def["serving_default"]
            y = session.run(signature.outputs["output_0"].name, {signature.inputs["rows"].name: ROWS})
        np.testing.assert_allclose(y, ROWS @ WEIGHTS, rtol=1e-6)

    def test_assets_move_with_the_model(self, tmp_path: Path):
        (tmp_path / "words.txt").write_text("hello")
        module = tf2.Module()
        module.file = tf2.saved_model.Asset(str(tmp_path / "words.txt"))
        module.read = tf2.function(lambda: tf2.io.read_file(module.file.asset_path), input_signature=[])
        tf2.saved_model.save(module, str(tmp_path / "m"))
        (tmp_path / "words.txt").unlink()
        (tmp_path / "m").rename(tmp_path / "moved")
        assert tf2.saved_model.load(str(tmp_path / "moved")).read().numpy() == b"hello"

    def test_keras_models(self, tmp_path: Path):
        layers = tf2.keras.layers
        network = tf2.keras.Sequential(
            [layers.Dense(4, activation="relu", input_shape=(3,)), layers.BatchNormalization()]
        )
        wanted = network(ROWS).numpy()
        tf2.saved_model.save(network, str(tmp_path / "m"))
        found = tf2.saved_model.load(str(tmp_path / "m"))
        np.testing.assert_allclose(found(ROWS).numpy(), wanted, rtol=1e-6)
        (name,) = found.signatures["serving_default"].structured_input_signature[1]
        (result,) = found.signatures["serving_default"](**{name: ROWS}).values()
        np.testing.assert_allclose(result.numpy(), wanted, rtol=1e-6)
        assert found(ROWS, training=True).shape == (4, 4)

    def test_mistakes(self, tmp_path: Path):
        outside = tf2.Variable(1.0)
        module = tf2.Module()
        module.f = tf2.function(lambda: outside + 1.0, input_signature=[])
        with pytest.raises(AssertionError, match="'untracked' resource"):
            tf2.saved_model.save(module, str(tmp_path / "m"))
        with pytest.raises(ValueError, match=r"Only `tf.functions` with an input signature"):
            tf2.saved_model.save(Scaled(), str(tmp_path / "m"), signatures=lambda x: x)
        with pytest.raises(ValueError, match="has 0 traces"):
            scaled = Scaled()
            tf2.saved_model.save(scaled, str(tmp_path / "m"), signatures=scaled.power)
        with pytest.raises(ValueError, match="save_debug_info"):
            tf2.saved_model.SaveOptions(save_debug_info=True)


class TestRefused:
    def test_every_altered_byte_is_noticed(self, model: Path, tmp_path: Path):
        data = (model / "saved_model.pb").read_bytes()
        folder = self.copied(model, tmp_path)
        for at in range(0, len(data), max(1, len(data) // 40)):
            (folder / "saved_model.pb").write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            with pytest.raises(OSError, match="checksum"):
                tf2.saved_model.load(str(folder))

    def test_variables_of_another_export(self, model: Path, tmp_path: Path):
        folder = self.copied(model, tmp_path)
        index = folder / "variables" / "variables.index"
        index.write_bytes(index.read_bytes()[:-1] + b"x")
        with pytest.raises(OSError, match=r"variables\.index"):
            tf2.saved_model.load(str(folder))

    @pytest.mark.parametrize("lost", ["saved_model.pb", "variables/variables.index"])
    def test_files_that_are_lost(self, model: Path, tmp_path: Path, lost: str):
        folder = self.copied(model, tmp_path)
        (folder / lost).unlink()
        with pytest.raises(OSError, match=r"saved model|SavedModel"):
            tf2.saved_model.load(str(folder))

    @pytest.mark.parametrize("seed", range(3))
    def test_damage_without_checksums_gives_clear_errors(self, model: Path, tmp_path: Path, seed: int):
        folder = self.copied(model, tmp_path)
        (folder / "fingerprint.pb").unlink()
        data = (model / "saved_model.pb").read_bytes()
        rng = np.random.default_rng(seed)
        for _ in range(12):
            changed = bytearray(data)
            for at in rng.integers(0, len(data), 3):
                changed[at] = rng.integers(256)
            cut = len(changed) if rng.random() < 0.7 else int(rng.integers(len(changed)))
            (folder / "saved_model.pb").write_bytes(bytes(changed[:cut]))
            try:
                tf2.saved_model.load(str(folder))
            except (tf2.errors.OpError, ValueError, RuntimeError) as error:
                assert str(error)

    def test_unknown_ops_are_listed(self, model: Path, tmp_path: Path):
        def spoil(meta: Any) -> None:
            meta.graph_def.library.function[0].node_def[0].op = "Frobnicate"

        with pytest.raises(ValueError, match=r"1 op types are not known here: Frobnicate"):
            tf2.saved_model.load(str(self.spoiled(model, tmp_path, spoil)))

    @pytest.mark.parametrize("kind", ["PyFunc", "EagerPyFunc", "PyFuncStateless"])
    def test_python_code_is_refused_by_name(self, model: Path, tmp_path: Path, kind: str):
        def spoil(meta: Any) -> None:
            meta.graph_def.library.function[0].node_def[0].op = kind

        with pytest.raises(ValueError, match=f"Python functions .*{kind}"):
            tf2.saved_model.load(str(self.spoiled(model, tmp_path, spoil)))

    def test_loading_writes_no_files(self, tmp_path: Path):
        folder = Path(exported(tmp_path))

        def spoil(meta: Any) -> None:
            meta.graph_def.node.add(name="evil", op="WriteFile", input=["asset", "asset"])
            for node in meta.graph_def.node:
                if node.name.startswith("init"):
                    node.input.append("^evil")

        self.spoil(folder, spoil)
        with (
            tf.Graph().as_default(),
            tf.Session() as session,
            pytest.raises(tf.errors.InvalidArgumentError, match="WriteFile, which writes files"),
        ):
            tf.saved_model.load(session, ["serve"], str(folder))

    @pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "a/../../b"])
    def test_assets_stay_in_their_folder(self, tmp_path: Path, name: str):
        folder = Path(exported(tmp_path))

        def spoil(meta: Any) -> None:
            meta.asset_file_def.add(filename=name).tensor_info.name = "asset:0"

        self.spoil(folder, spoil)
        with (
            tf.Graph().as_default(),
            tf.Session() as session,
            pytest.raises(OSError, match="does not lie in its folder"),
        ):
            tf.saved_model.load(session, ["serve"], str(folder))

    def copied(self, model: Path, tmp_path: Path) -> Path:
        import shutil

        return Path(shutil.copytree(model, tmp_path / "copy"))

    def spoiled(self, model: Path, tmp_path: Path, spoil: Any) -> Path:
        folder = self.copied(model, tmp_path)
        self.spoil(folder, spoil)
        return folder

    def spoil(self, folder: Path, change: Any) -> None:
        found = messages.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        change(found.meta_graphs[0])
        (folder / "saved_model.pb").write_bytes(found.SerializeToString())
        (folder / "fingerprint.pb").unlink()


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (0, 11160318154034397263), (3, 10709908609026466970), (4, 9421527712639018304), (8, 12491318377461660568),
        (16, 1080060857502750420), (17, 13526182118996909852), (32, 1917831512995979081), (33, 16750416167695635022),
        (64, 17691551913807367243), (65, 14313328211205373374), (128, 2037963038260878803),
        (1000, 11230386716523351969),
    ],
)  # fmt: skip
def test_fingerprints_are_tensorflows(size: int, wanted: int):
    assert fingerprint64(bytes(i % 251 for i in range(size))) == wanted


class Growing(tf2.Module):
    """Grows a number five times and keeps every step: a loop with a branch and a list inside."""

    def __init__(self) -> None:
        self.rate = tf2.Variable(2.0)

    @tf2.function
    def __call__(self, x: Any) -> Any:
        steps = tf2.TensorArray(tf2.float32, size=0, dynamic_size=True)
        for i in tf2.range(5):
            x = x - self.rate if x > 20.0 else x * self.rate
            steps = steps.write(i, x)
        return steps.stack()


def test_a_function_whose_loop_holds_a_branch_comes_back_after_its_gradient_was_taken(tmp_path: Path):
    model = Growing()
    with tf2.GradientTape() as tape:
        tape.gradient(model(tf2.constant(3.0)), model.rate)
    tf2.saved_model.save(model, str(tmp_path))
    loaded = tf2.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded(tf2.constant(3.0)), [6.0, 12.0, 24.0, 22.0, 20.0])


def test_an_error_of_an_error_names_the_line_once():
    inner = tf2.errors.InvalidArgumentError("inner").locate()
    outer = tf2.errors.InvalidArgumentError(f"outer: {inner}").locate(str(inner).partition("(")[2][:-1])
    assert str(outer).count(__file__.rpartition("/")[2]) == 1 and str(outer).startswith("outer: inner (")
