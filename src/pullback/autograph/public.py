"""The public names: `tf.autograph`."""

from __future__ import annotations

import ast
import enum
import functools
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from pullback.autograph import cache, calls, convert, source
from pullback.core.errors import ArgumentError
from pullback.core.names import public

_UNSAID: Any = object()


@public("autograph.experimental.Feature")
class Feature(enum.Enum):
    """Optional parts of conversion.

    BUILTIN_FUNCTIONS: print becomes tf.print. NAME_SCOPES: operations are named under the functions that make them.
    ASSERT_STATEMENTS, AUTO_CONTROL_DEPS: assert and the order of effects; always on here.
    EQUALITY_OPERATORS: == compares values, as it does wherever tensors are TensorFlow 2's; TensorFlow 1's compare by
      identity, and converted functions leave that so: write tf.equal.
    LISTS: is refused, see `optional`. ALL: all but LISTS.
    """

    ALL = "ALL"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple[Feature, ...]:
        """All features."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple[Feature, ...]:
        """All features but one, or but those of a list."""
        left_out = exclude if isinstance(exclude, (list, tuple, set)) else (exclude,)
        return tuple(f for f in cls if f not in left_out and f is not cls.ALL)


def optional(features: Any) -> frozenset[str]:
    """The names of the features that are asked for: None, one Feature or several.

    Raises:
      ArgumentError: one is none, or is LISTS: a Python list stays a list; what grows in a loop is a tf.TensorArray.
    """
    given = () if features is None else features if isinstance(features, (list, tuple, set)) else (features,)
    for f in given:
        if not isinstance(f, Feature):
            raise ArgumentError(f"{f!r} is no tf.autograph.experimental.Feature").locate()
    if Feature.LISTS in given and len(given) < len(Feature) - 1:
        raise ArgumentError(
            "Feature.LISTS: lists are not converted; use a tf.TensorArray for a list that grows in a loop over tensors"
        ).locate()
    return frozenset(f.name for f in (Feature if Feature.ALL in given else given))


@public("autograph.experimental.do_not_convert")
def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Decorator: the function runs as it stands also where tf.function would convert it, with all it calls."""
    return do_not_convert if func is None else calls.unconverted(func)


@public("autograph.experimental.set_loop_options")
def set_loop_options(
    parallel_iterations: Any = _UNSAID,
    swap_memory: Any = _UNSAID,
    maximum_iterations: Any = _UNSAID,
    shape_invariants: Any = _UNSAID,
) -> None:
    """Written in the body of a loop, says what holds for that loop, where it is a loop on tensors.

    Args:
      maximum_iterations: the loop ends after so many trips.
      shape_invariants: list of pairs (variable, TensorShape): the shape that it keeps at every trip.
      parallel_iterations, swap_memory: choose speed and memory, never results.
    The statement is read when the loop is converted; called elsewhere it does nothing.
    """


@public("autograph.to_graph", v1=None)
def to_graph(entity: Any, recursive: bool = True, experimental_optional_features: Any = None) -> Callable[..., Any]:
    """The converted function of a Python function or method: its control flow can be on symbolic tensors.

    Args:
      recursive: converts the functions it calls, too.
      experimental_optional_features: a Feature, or several.
    Raises:
      ArgumentError: it is no Python function, or has no source.
    """
    features = optional(experimental_optional_features)
    made = _converted(entity)

    @functools.wraps(made)
    def call(*args: Any, **kwargs: Any) -> Any:
        with calls.converting(recursive, features):
            return made(*args, **kwargs)

    call.__name__ = f"tf__{made.__name__}"
    return call


@public(v1="autograph.to_graph")
def to_graph_v1(
    entity: Any,
    recursive: bool = True,
    arg_values: Any = None,
    arg_types: Any = None,
    experimental_optional_features: Any = None,
) -> Callable[..., Any]:
    """As in TensorFlow 2. arg_values, arg_types: what TensorFlow once used to foresee types; results do not hang on
    them.

    Raises:
      ArgumentError: also where Feature.EQUALITY_OPERATORS is asked for: TensorFlow 1's tensors compare by identity.
    """
    if "EQUALITY_OPERATORS" in optional(experimental_optional_features):
        raise ArgumentError(
            "to_graph: Feature.EQUALITY_OPERATORS: == stays a comparison by identity in TensorFlow 1; write tf.equal"
        ).locate()
    return to_graph(entity, recursive, experimental_optional_features)


@public("autograph.to_code", v1=None)
def to_code(entity: Any, recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """The source of what a function is converted to, for reading. Arguments and errors as of `to_graph`; what it calls
    is not shown."""
    optional(experimental_optional_features)
    function = _function(entity)
    definition = _source(function)
    convert.convert(definition)
    return ast.unparse(definition) + "\n"


@public(v1="autograph.to_code")
def to_code_v1(
    entity: Any,
    recursive: bool = True,
    arg_values: Any = None,
    arg_types: Any = None,
    indentation: str = "  ",
    experimental_optional_features: Any = None,
) -> str:
    """As in TensorFlow 2. indentation: what a block is indented by. arg_values, arg_types: as of `to_graph`."""
    lines = to_code(entity, recursive, experimental_optional_features).splitlines()
    widths = [len(line) - len(line.lstrip(" ")) for line in lines]
    return "".join(indentation * (n // 4) + line.lstrip(" ") + "\n" for n, line in zip(widths, lines, strict=True))


def _function(entity: Any) -> FunctionType:
    function = entity.__func__ if isinstance(entity, MethodType) else entity
    if not isinstance(function, FunctionType):
        raise ArgumentError(
            f"converting {entity!r}: Cannot apply autograph to a function that doesn't expose a __code__ object. If "
            "this is a @tf.function, try passing f.python_function instead."
        ).locate()
    return function


def _source(function: FunctionType) -> ast.FunctionDef | ast.Lambda:
    found = source.tree_of(function.__code__)
    if found is None:
        raise ArgumentError(
            f"converting {function.__qualname__}: its source is not to be had; write it in a file, one lambda a line"
        ).locate()
    return found


def _converted(entity: Any) -> Any:
    function = _function(entity)
    made = cache.converted(function)
    if made is function:
        _source(function)
    return MethodType(made, entity.__self__) if isinstance(entity, MethodType) else made
