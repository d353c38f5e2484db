"""`tf.contrib.eager`: gradients of Python functions, and iterators, in eager mode."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import pullback as tf2
import pullback.v1 as tf
from pullback.contrib.arg_scope import contrib
from pullback.contrib.inner import eager_mode
from pullback.core.names import public
from pullback.modes.default import enable_eager_execution, executing_eagerly_v1
from pullback.modes.variable import VariableV1

public(v1=("contrib.eager.Variable",))(VariableV1)
public(v1=("contrib.eager.enable_eager_execution",))(enable_eager_execution)
public(v1=("contrib.eager.executing_eagerly", "contrib.eager.in_eager_mode"))(executing_eagerly_v1)


def _chosen(f: Callable[..., Any], args: tuple[Any, ...], params: Any) -> list[int]:
    """Which arguments to differentiate by: all, or those of `params`, by number or name.

    Raises:
      ValueError: a parameter is none of f's.
    """
    if params is None:
        return list(range(len(args)))
    names = list(inspect.signature(f).parameters)
    out = []
    for p in params:
        if (not isinstance(p, int) and p not in names) or (isinstance(p, int) and not 0 <= p < len(args)):
            raise ValueError(f"{p!r} is no parameter of {f.__name__}, which has {names}")
        out.append(p if isinstance(p, int) else names.index(p))
    return out


@contrib("eager", "value_and_gradients_function")
def value_and_gradients_function(f: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """A function of f's arguments that answers (f's value, [gradient by each]).

    Args:
      params: which arguments, by number or name; all by default.
    Raises:
      ValueError: f answers None.
    """

    def value_and_gradients(*args: Any, **kwargs: Any) -> Any:
        dy = kwargs.pop("dy", None)
        places = _chosen(f, args, params)
        given = [tf.convert_to_tensor(a) if i in places else a for i, a in enumerate(args)]
        with tf2.GradientTape() as tape:
            for i in places:
                tape.watch(given[i])
            value = f(*given, **kwargs)
        if value is None:
            raise ValueError(
                f"Cannot differentiate a function that returns None; did you forget to return from {f.__name__}?"
            )
        return value, tape.gradient(value, [given[i] for i in places], dy)

    return value_and_gradients


@contrib("eager", "gradients_function")
def gradients_function(f: Callable[..., Any], params: Any = None) -> Callable[..., Any]:
    """A function of f's arguments that answers [gradient by each]. It can be differentiated again."""
    both = value_and_gradients_function(f, params)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


@contrib("eager", "implicit_value_and_gradients")
def implicit_value_and_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of f's arguments that answers (f's value, [(gradient, variable)]) for the trainable variables f reads.

    Raises:
      ValueError: f answers None, or reads no trainable variable.
    """

    def value_and_gradients(*args: Any, **kwargs: Any) -> Any:
        with tf2.GradientTape() as tape:
            value = f(*args, **kwargs)
        if value is None:
            raise ValueError(
                f"Cannot differentiate a function that returns None; did you forget to return from {f.__name__}?"
            )
        variables = list(tape.watched_variables())
        if not variables:
            raise ValueError("No trainable variables were accessed while the function was being computed.")
        return value, list(zip(tape.gradient(value, variables), variables, strict=True))

    return value_and_gradients


@contrib("eager", "implicit_gradients")
def implicit_gradients(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of f's arguments that answers [(gradient, variable)] for the trainable variables f reads."""
    both = implicit_value_and_gradients(f)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


@contrib("eager", "make_vjp")
def make_vjp(f: Callable[..., Any], params: Any = None, persistent: bool = True) -> Callable[..., Any]:
    """A function of f's arguments that answers (f's value, the function from a cotangent to gradients)."""

    def value_and_pullback(*args: Any, **kwargs: Any) -> Any:
        places = _chosen(f, args, params)
        given = [tf.convert_to_tensor(a) if i in places else a for i, a in enumerate(args)]
        with tf2.GradientTape(persistent=persistent) as tape:
            for i in places:
                tape.watch(given[i])
            value = f(*given, **kwargs)
        return value, lambda dy=None: tape.gradient(value, [given[i] for i in places], dy)

    return value_and_pullback


@contrib("eager", "Iterator")
class Iterator:
    """The elements of a dataset, one after the other, in eager mode.

    Raises:
      RuntimeError: eager execution is not enabled.
    """

    def __init__(self, dataset: Any) -> None:
        if not executing_eagerly_v1():
            raise RuntimeError(
                f"{type(dataset).__name__} iteration is only supported when eager execution is enabled; "
                "call tf.enable_eager_execution() first, or use make_one_shot_iterator()"
            )
        self._dataset, self._iterator = dataset, iter(dataset)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        return next(self._iterator)

    next = __next__

    def get_next(self, name: str | None = None) -> Any:
        """The next element.

        Raises:
          OutOfRangeError: there is none.
        """
        try:
            return next(self._iterator)
        except StopIteration:
            raise tf.errors.OutOfRangeError(None, None, "End of sequence") from None

    @property
    def output_types(self) -> Any:
        return self._dataset.output_types

    @property
    def output_shapes(self) -> Any:
        return self._dataset.output_shapes


@contrib("eager", "num_gpus")
def num_gpus() -> int:
    """0: operations run on the CPU."""
    return 0


@contrib("eager", "list_devices")
def list_devices() -> list[str]:
    """The device names there are."""
    return ["/job:localhost/replica:0/task:0/device:CPU:0"]


@contrib("eager", "run_all_tests_in_graph_and_eager_modes")
def run_all_tests_in_graph_and_eager_modes(cls: type) -> type:
    """Each test of a test case, in a graph and then in eager mode."""
    for name, method in list(vars(cls).items()):
        if callable(method) and name.startswith("test") and name != "test_session":
            setattr(cls, name, run_test_in_graph_and_eager_modes(method))
    return cls


@contrib("eager", "run_test_in_graph_and_eager_modes")
def run_test_in_graph_and_eager_modes(func: Callable[..., Any]) -> Callable[..., Any]:
    """A test, run in a graph and then in eager mode."""

    @functools.wraps(func)
    def both(self: Any, *args: Any, **kwargs: Any) -> None:
        with tf.Graph().as_default(), self.session():
            func(self, *args, **kwargs)
        self.tearDown()
        self.setUp()
        with eager_mode():
            func(self, *args, **kwargs)

    return both
