"""Values, gradients and second order against TensorFlow's, with its conventions at kinks, ties and infinities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from closeness import close
from conformance.grid import CASES, FOLDER, TOTAL, GridCase

import pullback as tf
import pullback.v1 as tf1
from pullback.core.config import config
from pullback.engines.base import ENGINES

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
# Case and role -> why TensorFlow's number is not the derivative. Ours is: the generated tests hold it to finite
# differences (test_gradient_of_gradient[Prod-zeros] and the dilated samples of DepthwiseConv2dNative). An entry that is
# no longer needed fails. That 011 is wrong shows without ours: a bilinear op must have <input, second/input> +
# <filter, second/filter> = <cotangent, second/cotangent>, and there it is 1.20 against -17.06.
_UNDILATED = "TensorFlow's second order ignores the dilation"
OURS_IS_EXACT = {
    ("reduce_070", "second/x"): "TensorFlow differentiates cumulative products by dividing, which loses terms at zeros",
    ("depthwise_conv2d_011", "second/input"): _UNDILATED,
    ("depthwise_conv2d_011", "second/filter"): _UNDILATED,
}


class Made:
    """What one way of running a case gave, as arrays."""

    def __init__(self, results: Any, grads: Any, second: Any) -> None:
        self.results, self.grads, self.second = results, grads, second


def every(where: Callable[[GridCase], bool] = lambda case: True) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES if where(case)])


def differentiate(case: GridCase, args: list[Any], cotangents: list[Any], vectors: list[Any]) -> tuple[Any, Any, Any]:
    """Results, gradients and, where the case has vectors, the second order, by two tapes."""
    xs = [args[case.inputs.index(name)] for name in case.wrt]
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([*xs, *cotangents])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(xs)
            results = case.call(args)
        floats = [y for y in results if y.dtype.is_floating]
        grads = tape.gradient(floats, xs, output_gradients=cotangents) if cotangents else [None] * len(xs)
        dense = [None if g is None else tf.convert_to_tensor(g) for g in grads]
    pairs = [(g, v) for g, v in zip(dense, vectors, strict=True) if g is not None and v is not None]
    second = [None] * (len(xs) + len(cotangents))
    if pairs:
        targets, seeds = zip(*pairs, strict=True)
        second = outer.gradient(list(targets), [*xs, *cotangents], output_gradients=list(seeds))
    return results, dense, second


def arrays(case: GridCase, precision: str) -> tuple[list[Any], list[Any], list[Any]]:
    args = [case.input(name, precision) for name in case.inputs]
    vectors = [case.vector(name, precision) for name in case.wrt]
    return args, list(case.cotangents(precision).values()), vectors


def numpy_of(tensors: Any) -> list[Any]:
    return [None if t is None else tf.convert_to_tensor(t).numpy() for t in tensors]


def eagerly(case: GridCase, precision: str) -> Made:
    args, cotangents, vectors = arrays(case, precision)
    made = differentiate(case, list(map(tf.constant, args)), list(map(tf.constant, cotangents)), constants(vectors))
    return Made(*map(numpy_of, made))


def constants(rows: list[Any]) -> list[Any]:
    return [None if v is None else tf.constant(v) for v in rows]


def by_function(case: GridCase, precision: str) -> Made:
    args, cotangents, vectors = arrays(case, precision)

    @tf.function
    def traced(args: list[Any], cotangents: list[Any]) -> Any:
        return differentiate(case, list(args), list(cotangents), constants(vectors))

    made = traced(list(map(tf.constant, args)), list(map(tf.constant, cotangents)))
    return Made(*map(numpy_of, made))


def by_session(case: GridCase, precision: str) -> Made:
    args, cotangents, vectors = arrays(case, precision)
    with tf1.Graph().as_default():
        fed = [tf1.placeholder(a.dtype, a.shape) for a in (*args, *cotangents)]
        inputs, seeds = fed[: len(args)], fed[len(args) :]
        xs = [inputs[case.inputs.index(name)] for name in case.wrt]
        results = case.call(inputs)
        floats = [y for y in results if y.dtype.is_floating]
        grads = tf1.gradients(floats, xs, grad_ys=seeds) if seeds else [None] * len(xs)
        dense = [None if g is None else tf1.convert_to_tensor(g) for g in grads]
        pairs = [(g, v) for g, v in zip(dense, vectors, strict=True) if g is not None and v is not None]
        second: list[Any] = [None] * (len(xs) + len(seeds))
        if pairs:
            second = tf1.gradients([g for g, _ in pairs], [*xs, *seeds], grad_ys=[tf1.constant(v) for _, v in pairs])
            second = [None if g is None else tf1.convert_to_tensor(g) for g in second]
        nested = [results, dense, second]
        flat = [t for row in nested for t in row if t is not None]
        with tf1.Session() as session:
            values = iter(session.run(flat, dict(zip(fed, [*args, *cotangents], strict=True))))
        return Made(*[[None if t is None else np.asarray(next(values)) for t in row] for row in nested])


def check(case: GridCase, run: Callable[[GridCase, str], Made]) -> None:
    for precision in case.precisions:
        made = run(case, precision)
        for n, (ours, theirs) in enumerate(zip(made.results, case.results(precision), strict=True)):
            compare(case, f"result {n}", precision, ours, theirs)
        if "grad_error" in case.data:
            continue  # TensorFlow has no gradient to compare with
        for name, dx in zip(case.wrt, made.grads, strict=True):
            if name in case.data.get("no_gradient", ()):
                assert dx is None, f"{case.says('gradient to ' + name, precision)}\n  should be None, is {dx}"
            else:
                compare(case, f"grad/{name}", precision, dx, case.role(f"grad/{name}", precision))
        if "second_none" not in case.data or any(r.startswith("second/") for r in case.data["arrays"]):
            for name, dx in zip([*case.wrt, *case.cotangents(precision)], made.second, strict=True):
                check_second(case, name, precision, dx)


def check_second(case: GridCase, name: str, precision: str, dx: Any) -> None:
    """None and zero are one answer here: which of them a rule finds is not part of the result."""
    theirs = case.role(f"second/{name}", precision)
    if theirs is None:
        none = name in case.data.get("second_none", ()) and not precision
        assert not none or dx is None or not np.any(dx), (
            f"{case.says('second/' + name, precision)}\n  should be None or 0: {dx}"
        )
    elif dx is None:
        assert not np.any(theirs), f"{case.says('second/' + name, precision)}\n  is None, should be {theirs}"
    elif (case.id, f"second/{name}") in OURS_IS_EXACT:
        agrees = close(dx, theirs, TOLERANCE[theirs.dtype.name])
        assert not agrees, f"{case.id} agrees now: take it out of OURS_IS_EXACT"
    else:
        compare(case, f"second/{name}", precision, dx, theirs)


def compare(case: GridCase, what: str, precision: str, ours: Any, theirs: Any) -> None:
    if theirs is None:
        return
    says = f"{case.says(what, precision)}\n  ours   {ours!r}\n  theirs {theirs!r}"
    assert ours is not None, says
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), says
    if theirs.dtype.name in TOLERANCE:
        assert close(ours, theirs, TOLERANCE[theirs.dtype.name]), says
    else:
        assert np.array_equal(ours, theirs), says


@every()
def test_grid(case: GridCase) -> None:
    check(case, eagerly)


@every(lambda case: "indexed_slices" in case.data)
def test_sparse_gradients_stay_sparse(case: GridCase) -> None:
    args, cotangents, _ = arrays(case, "")
    inputs = list(map(tf.constant, args))
    for name in case.data["indexed_slices"]:
        x = inputs[case.inputs.index(name)]
        with tf.GradientTape() as tape:
            tape.watch(x)
            results = case.call(inputs)
        dx = tape.gradient(results, x, output_gradients=list(map(tf.constant, cotangents)))
        assert isinstance(dx, tf.IndexedSlices), case.says(f"grad/{name} should be IndexedSlices, is {dx!r}", "")


@every(lambda case: case.position % 3 == 0)
def test_grid_by_function(case: GridCase) -> None:
    check(case, by_function)


@every(lambda case: case.position % 3 == 0)
def test_grid_by_session(case: GridCase) -> None:
    check(case, by_session)


@pytest.mark.parametrize("run", [eagerly, by_function])
@pytest.mark.parametrize("engine", sorted(ENGINES))
@every(lambda case: case.id.startswith(("conv", "depthwise", "pool")))
def test_windows_on_every_engine(case: GridCase, engine: str, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned at first sight, where the engine plans."""
    monkeypatch.setattr(config, "plan_after", 0)
    with tf.engine(engine):
        check(case, run)


@pytest.mark.skipif(not FOLDER.exists(), reason=f"the grid lies beside the checkout, and {FOLDER} is not there")
def test_grid_is_served(record_property: Callable[[str, object], None]) -> None:
    record_property("say", f"grid: {len(CASES)} of {TOTAL}")
    assert TOTAL == 813
