"""What a room owes besides numbers: samples, a docstring, errors that help, values that print and pickle."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from generated.cases import BROKEN, CASES, CLASSES, Case, every_case, every_class, every_op

from pullback.core import dtypes, interpreter
from pullback.core.errors import OpError
from pullback.core.graph import Graph
from pullback.core.op import REGISTRY, Op
from pullback.core.tensor import Tensor

HERE = "test_rooms.py"
PLAIN = (bool, int, float, str, type(None), dtypes.DType, Op)


def test_every_room_loads() -> None:
    assert not BROKEN, "\n".join(f"{name}: {error!r}" for name, error in BROKEN.items())


@every_class()
def test_has_samples(cls: type[Op]) -> None:
    """At least one, or a class attribute `untestable` that says why none."""
    count = sum(case.cls is cls for case in CASES)
    reason = getattr(cls, "untestable", "")
    assert count or reason, f'{cls.__name__}.samples yields nothing; yield one, or say `untestable = "why"`'
    assert not (count and reason), f"{cls.__name__} says that it is untestable ({reason}) and has samples"


@every_class()
def test_has_docstring(cls: type[Op]) -> None:
    assert cls.__dict__.get("__doc__"), f"{cls.__name__} in {cls.__module__} has no docstring of its own"


@every_class()
def test_has_gradient_rule(cls: type[Op]) -> None:
    """Gradient sets are closed: every op answers, if only with None."""
    assert cls.grad is not Op.grad, f"{cls.__name__} in {cls.__module__} has no `grad`"


MISTAKES = [(cls, n) for cls in CLASSES for n in range(len(list(cls.mistakes())))]


@pytest.mark.parametrize(("cls", "n"), [pytest.param(cls, n, id=f"{cls.type}-{n}") for cls, n in MISTAKES])
def test_mistake_is_explained(cls: type[Op], n: int) -> None:
    """The class promised, its words, and the user's file and line."""
    call, expected, words = list(cls.mistakes())[n]
    with pytest.raises(expected) as caught:
        call()
    message = str(caught.value)
    assert words.lower() in message.lower(), f"{cls.type}: {words!r} is not in {message!r}"
    if isinstance(caught.value, OpError):
        assert re.search(rf"\({HERE}:\d+\)$", message), f"{cls.type}: no line of the user's in {message!r}"


@pytest.mark.parametrize(("cls", "n"), [pytest.param(cls, n, id=f"{cls.type}-{n}") for cls, n in MISTAKES])
def test_mistake_in_a_graph(cls: type[Op], n: int) -> None:
    """While a graph is built the same class is raised, or nothing: what hangs on values shows when it is run."""
    call, expected, words = list(cls.mistakes())[n]
    with interpreter.entered(Graph()):
        try:
            call()
        except expected as error:
            assert words.lower() in str(error).lower(), f"{cls.type}: {words!r} is not in {error}"


def readable(value: Any) -> bool:
    """Whether a field's value can be written down: no array, graph or function in it."""
    return all(map(readable, value)) if isinstance(value, tuple) else isinstance(value, PLAIN)


def fields(op: Op) -> list[Any]:
    return [getattr(op, f) for f in op.fields]


@every_op()
def test_op_prints(case: Case) -> None:
    """`repr` names the class; where fields can be written down, evaluating it gives the op back."""
    shown = repr(case.op)
    assert shown.startswith(case.cls.__name__ + "("), case.differs("repr", shown, case.cls.__name__)
    if all(map(readable, fields(case.op))):
        names = {cls.__name__: cls for cls in REGISTRY.values()}
        names |= {"tf": type("tf", (), {t.name: t for t in (*dtypes.ANY, dtypes.resource, dtypes.variant)})}
        names |= {"inf": float("inf"), "nan": float("nan")}
        assert eval(shown, names) is case.op, case.differs("repr does not evaluate to the op", shown, case.op)


@every_op()
def test_equal_fields_are_one_object(case: Case) -> None:
    """Also given by name, and as lists where the op holds tuples."""
    op, values = case.op, fields(case.op)
    assert type(op)(*values) is op
    assert type(op)(**dict(zip(op.fields, values, strict=True))) is op
    assert type(op)(*[list(v) if isinstance(v, tuple) else v for v in values]) is op


@every_op(lambda case: all(map(readable, fields(case.op))))
def test_pickle_gives_the_same_object(case: Case) -> None:
    assert pickle.loads(pickle.dumps(case.op)) is case.op


@every_op()
def test_op_is_frozen(case: Case) -> None:
    for field in case.op.fields:
        with pytest.raises(AttributeError, match="frozen"):
            setattr(case.op, field, None)


@every_op()
def test_attributes_are_named(case: Case) -> None:
    """`attrs` answers with TensorFlow's names; words are bytes."""
    attrs = case.op.attrs()
    assert all(isinstance(name, str) and name for name in attrs)
    assert not [name for name, value in attrs.items() if isinstance(value, str)], case.differs("words", attrs, "bytes")


@every_case(lambda case: not case.cls.effect)
def test_results_print(case: Case) -> None:
    """Eager results show shape, type and value; symbolic ones their name."""
    for t in interpreter.eager().run(case.op, case.tensors, None):
        assert repr(t) and str(t)
        if t.dtype.is_numpy_compatible:
            assert repr(t).startswith("<tf.Tensor: shape=") and f"dtype={t.dtype.name}" in repr(t)
    graph = Graph()
    with interpreter.entered(graph):
        inputs = tuple(t if i in case.constants else graph.parameter(t.spec) for i, t in enumerate(case.tensors))
        node = graph.append(case.op, inputs, "here")
    assert repr(node) == f"<tf.Operation 'here' type={case.cls.type}>"
    for t in node.results:
        assert "here:" in repr(t) and "here:" in str(t)


@every_case(lambda case: not case.stateful)
def test_door_answers_as_promised(case: Case) -> None:
    """One visible output comes bare, several as a tuple, none as the Node."""
    results = interpreter.eager().run(case.op, case.tensors, None)
    count = case.op.visible(len(results))
    answer = case.op(*case.tensors)
    if count == 1:
        assert isinstance(answer, Tensor)
    elif count:
        assert isinstance(answer, tuple) and len(answer) == count
    else:
        assert not isinstance(answer, (Tensor, tuple))


def test_samples_are_small() -> None:
    """Tests are made of them by the thousand."""
    large = [
        case.name for case in CASES if any(np.size(a) > 2000 for a in case.sample.args if isinstance(a, np.ndarray))
    ]
    assert not large, large
