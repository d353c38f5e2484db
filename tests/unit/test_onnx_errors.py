"""What ONNX models may not hold or be given, what the errors say, and how models are read from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the package onnx is not installed")
import onnx
from onnx import TensorProto, helper
from unit.onnx_models import FLOAT, classifier, model, node, run

from pullback.core.errors import ArgumentError, DTypeError, UnimplementedError
from pullback.interop import onnx as ours


def test_all_that_is_not_translated_is_said_at_once() -> None:
    proto = model([node("NonMaxSuppression", "x x", "a"), node("RoiAlign", "x x a", "y")], {"x": [1]}, {"y": [1]})
    with pytest.raises(UnimplementedError, match="operator NonMaxSuppression, operator RoiAlign"):
        ours.Graph(proto)
    assert not ours.is_compatible(proto)


def test_types_that_pullback_lacks_are_said() -> None:
    proto = model([node("Identity", "x", "y")], {"x": [1]}, {"y": [1]}, element=TensorProto.FLOAT8E5M2)
    with pytest.raises(UnimplementedError, match="FLOAT8E5M2 as the type of 'x'"):
        ours.Graph(proto)
    with pytest.raises(DTypeError, match="FLOAT8E5M2"):
        run("Cast", np.ones(1, np.float32), to=TensorProto.FLOAT8E5M2)


def test_errors_of_an_operator_name_its_node() -> None:
    proto = model(
        [helper.make_node("Conv", ["x", "w"], ["y"], "first")],
        {"x": [1, 3, 4, 4], "w": [1, 2, 3, 3]},
        {"y": [1, 1, 2, 2]},
        element=FLOAT,
    )
    network = ours.Graph(proto)
    with pytest.raises(ValueError, match="there are 3") as caught:
        network(np.ones((1, 3, 4, 4)), np.ones((1, 2, 3, 3)))
    assert caught.value.__notes__ == ["in ONNX node 'first': Conv['x', 'w'] -> ['y']"]


@pytest.mark.parametrize(
    ("operator", "inputs", "attributes", "words"),
    [
        ("Conv", 2, {"kernel_shape": [2, 2]}, "kernel_shape"),
        ("Conv", 2, {"strides": [1]}, "strides must be 2 numbers"),
        ("Conv", 2, {"pads": [1, 1]}, "pads must be 4 numbers"),
        ("Conv", 2, {"auto_pad": "SAME"}, '"SAME_UPPER"'),
        ("MaxPool", 1, {"kernel_shape": [9, 9]}, "does not fit"),
        ("AveragePool", 1, {"kernel_shape": [1, 1], "pads": [1, 1, 1, 1]}, "hold no"),
        ("DepthToSpace", 1, {"blocksize": 1, "mode": "RGB"}, '"DCR" or "CRD"'),
        ("Pad", 1, {"mode": "mirror", "pads": [0] * 8}, '"reflect"'),
    ],
)
def test_attributes_that_mean_nothing_are_refused(operator: str, inputs: int, attributes: Any, words: str) -> None:
    x = np.ones((3, 3, 3, 3), np.float32)
    version = 10 if operator == "Pad" else 22
    with pytest.raises(ArgumentError, match=words):
        run(operator, *[x] * inputs, version=version, **attributes)


def test_inputs_are_checked_by_name() -> None:
    network = ours.Graph(classifier())
    x = np.ones((1, 1, 6, 6), np.float32)
    for inputs, named, words in (
        ([], {}, r"missing: \['x'\]"),
        ([x], {"x": x}, r"given twice: \['x'\]"),
        ([x], {"z": x}, r"unknown: \['z'\]"),
        ([x, x], {}, r"too many: \[1\]"),
    ):
        with pytest.raises(ArgumentError, match=words):
            network(*inputs, **named)


def test_the_backend_has_one_device_and_no_options() -> None:
    proto = classifier()
    assert ours.supports_device("CPU") and not ours.supports_device("CUDA")
    with pytest.raises(ArgumentError, match="not on 'CUDA'"):
        ours.prepare(proto, "CUDA")
    with pytest.raises(ArgumentError, match="no options"):
        ours.prepare(proto, threads=2)
    with pytest.raises(ArgumentError, match="outputs_info says float64"):
        ours.run_node(node("Relu", "x", "y"), [np.ones(2, np.float32)], outputs_info=[(np.float64, (2,))])


def test_outputs_are_known_by_name_and_by_place() -> None:
    made = ours.run_model(classifier(), {"x": np.ones((2, 1, 6, 6), np.float32)})
    assert made["y"] is made[0] and made.y.shape == (2, 10)


# --- files ----------------------------------------------------------------------------------------


def test_a_model_is_read_from_a_file_with_its_weights_beside_it(tmp_path: Path) -> None:
    proto = classifier()
    x = np.ones((2, 1, 6, 6), np.float32)
    expected = ours.run_model(proto, [x])[0]
    path = tmp_path / "network.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    np.testing.assert_array_equal(ours.load(path)(x)[0].numpy(), expected)
    with pytest.raises(ArgumentError, match="in another file"):
        ours.Graph(onnx.load(path, load_external_data=False))


def test_without_onnx_the_extra_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("pullback.interop.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'pullback\[onnx\]'"):
        import pullback.interop.onnx  # noqa: F401
