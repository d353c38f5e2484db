"""An op is a frozen value: its fields are its attributes, its methods are its rules.

    @op
    class Conv2D(Op):
        signature = "x: T, w: T -> y: T"
        T = FLOATS
        strides: tuple[int, int] = (1, 1)

Equal fields are one object (`Conv2D((2, 2)) is Conv2D([2, 2])`), so ops hash and compare by identity and
kernels hang on them. The key holds each value's type and a float's bits: 1, 1.0 and True are three.
Arrays, graphs and functions are told apart by identity.
"""

from __future__ import annotations

import importlib
import inspect
import struct
import weakref
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from pullback.core import interpreter
from pullback.core.dtypes import DType
from pullback.core.errors import OpError
from pullback.core.shape import TensorShape, as_shape
from pullback.core.signature import Signature
from pullback.core.spec import Spec


class _Registry(dict[str, Any]):
    """Op type -> class. The room of a type that is not loaded yet is found in `_names.OPS` and loaded."""

    def __missing__(self, name: str) -> Any:
        from pullback._names import OPS

        if name not in OPS:
            raise KeyError(name)
        importlib.import_module(OPS[name])
        return dict.__getitem__(self, name)


REGISTRY = _Registry()
_PLAIN = frozenset((int, str, bool, type(None), DType))
# Kernels and inferences kept on one op, a cache entry each; beyond it the cache starts anew.
MOST_KEPT = 1024
MOST_LATELY = 64  # ops of a class that live on although nobody holds them


class NoRule(NotImplementedError):
    """A room has no rule of the name asked for. Says where to write it."""

    def __init__(self, cls: type, rule: str) -> None:
        path = cls.__module__.replace(".", "/")
        super().__init__(
            f"{cls.__name__} has no `{rule}` rule. Add a method `{rule}` to class {cls.__name__} in {path}.py"
        )


class NotDifferentiable:
    """A gradient rule's answer for an input that mathematics gives no derivative by. Counts as None."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"NotDifferentiable({self.why!r})"


class NoGradientYet(NotDifferentiable):
    """A gradient rule's answer where a derivative exists and nobody has written it. Asking for it raises."""


def frozen(value: Any) -> tuple[Any, Any]:
    """(value as a field holds it, its part of the interning key). Lists become tuples, NumPy numbers Python's."""
    kind = type(value)
    if kind in _PLAIN:
        return value, (kind, value)
    if kind is float:
        return value, struct.pack("d", value)
    if kind is tuple or kind is list:
        pairs = [frozen(v) for v in value]
        return tuple([v for v, _ in pairs]), tuple([k for _, k in pairs])
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return frozen(value.item())
    return value, (kind, id(value))


class Op:
    """Base of all ops. A room fills in the rules it has; each rule's contract is its docstring here.

    Class attributes a room may set:
      signature: "x: T, axis: int32|int64 -> y: T; at: int64". What follows ";" are residuals: outputs that
        `grad` may use and `Operation.outputs` does not show. "*values: T" takes any number of tensors.
      static: positions of the inputs whose value settles the outputs' shapes (reshape's shape, ...).
      broadcasts: cotangents may be larger than the inputs; `backprop` sums them.
      effect: running it changes or reads state, so it is neither dropped, merged nor reordered.
      takes_store: its kernel takes the Store as first argument.
      takes_slices: its `grad` takes cotangents that are IndexedSlices as they are.
      random: draws are saved, never made again, when a body is differentiated.
      untestable: why the op has no samples.
    """

    signature: ClassVar[str] = ""
    static: ClassVar[tuple[int, ...]] = ()
    broadcasts: ClassVar[bool] = False
    effect: ClassVar[bool] = False
    takes_store: ClassVar[bool] = False
    random: ClassVar[bool] = False
    takes_slices: ClassVar[bool] = False
    any_rank: ClassVar[bool] = False  # `infer` copes with inputs of unknown rank
    type: ClassVar[str]
    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    parsed: ClassVar[Signature]
    interned: ClassVar[Any]
    lately: ClassVar[dict[Any, Any]]  # by arguments as they were given, so that most calls bind nothing
    lowerings: ClassVar[dict[str, Any]] = {}  # engine -> kernel(op, *arrays), see `lowering`
    kernels: dict[Any, Any]
    beside: dict[Any, Any]  # of calls with Python numbers, see Eager
    inferred: dict[Any, tuple[Spec, ...]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if kwargs or (args and not {*map(type, args)} <= _PLAIN):
            return cls._interned(args, kwargs)
        key = (args, *map(type, args)) if args else ()
        found = cls.lately.get(key)
        if found is None:
            if len(cls.lately) >= MOST_LATELY:
                cls.lately.clear()
            found = cls.lately[key] = cls._interned(args, kwargs)
        return found

    @classmethod
    def _interned(cls, args: Any, kwargs: Any) -> Any:
        """The one object with these fields."""
        if args or kwargs or cls.fields:
            values, key = _bind_fields(cls, args, kwargs)
        else:
            values, key = (), ()
        found = cls.interned.get(key)
        if found is not None:
            return found
        self = object.__new__(cls)
        state = self.__dict__
        for field, value in zip(cls.fields, values, strict=True):
            state[field] = value
        state["kernels"], state["beside"], state["inferred"] = {}, {}, {}
        try:
            self.check()
        except OpError as error:
            raise error.locate() from None
        return cls.interned.setdefault(key, self)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{type(self).__name__} is a frozen value; make another: {type(self).__name__}({name}={value!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, f) for f in self.fields)

    def __repr__(self) -> str:
        unset = {f: frozen(v)[1] for f, v in self.defaults.items()}
        shown = (f"{f}={v!r}" for f in self.fields if frozen(v := getattr(self, f))[1] != unset.get(f))
        return f"{type(self).__name__}({', '.join(shown)})"

    def __call__(self, *inputs: Any, name: str | None = None) -> Any:
        """Runs or records the op, whichever the current interpreter does. One output comes bare, several as a tuple,
        none as the Node."""
        return interpreter.current().bind(self, inputs, name)

    # --- the rules of a room ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises ArgumentError where fields mean nothing (an unknown padding word). Called once a value."""

    def infer(self, *inputs: Spec) -> Spec | tuple[Spec, ...]:
        """Specs of the outputs, residuals included, from those of the inputs. Dimensions may be None; a static
        input's Spec carries its value as far as known.

        Raises:
          ShapeError: the inputs do not fit.
        """
        raise NoRule(type(self), "infer")

    def reference(self, *inputs: Any) -> Any:
        """The outputs as NumPy arrays; follows the formula line by line. The truth that engines are held to."""
        raise NoRule(type(self), "reference")

    def grad(self, node: Any, *dys: Any) -> Any:
        """Cotangents of `node.inputs` from those of `node.results` (None: zero), made of ordinary ops. For each input a
        tensor, None (no dependence), NotDifferentiable or NoGradientYet."""
        raise NoRule(type(self), "grad")

    def batch(self, size: Any, inputs: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        """The op over a leading axis that some inputs have (axes 0) and some lack (None): (outputs, axes of them).
        Absent means a loop, never an error."""
        raise NoRule(type(self), "batch")

    def units(self, at: int, inputs: tuple[Any, ...]) -> Any:
        """Of an op that is linear in input `at`: what it makes of every unit vector there, [x.shape, z.shape], or
        NotImplemented. inputs[at] is that input's Spec, of known shape. Absent means that they are made and batched."""
        raise NoRule(type(self), "units")

    def expand(self, *inputs: Any) -> Any:
        """The same as other ops, for engines that have no lowering: results as the door gives them, or NotImplemented
        for fields and inputs that it is not meant for."""
        raise NoRule(type(self), "expand")

    def attrs(self) -> dict[str, Any]:
        """Fields as TensorFlow's attributes."""
        return {f: v.encode() if isinstance(v := getattr(self, f), str) else v for f in self.fields}

    @classmethod
    def from_attrs(cls, attrs: dict[str, Any]) -> Any:
        """The op that has these attributes, the inverse of `attrs`. What is absent takes the field's default; what is
        no field's is left alone.

        Raises:
          TypeError: a field without a default is absent. ArgumentError: a value means nothing.
        """
        return cls(**{f: attribute_as_field(attrs[f]) for f in cls.fields if f in attrs})

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Any]:
        """Small test data: Samples over every field, dtype, empty and zero-batch input; none where `untestable`."""
        if getattr(cls, "untestable", ""):
            return iter(())
        raise NoRule(cls, "samples")

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        """(call without arguments, error type, words its message must hold)."""
        return iter(())

    # --- what the door asks ----------------------------------------------------------------------------------------

    def has(self, rule: str) -> bool:
        """Whether the room has written this rule."""
        return getattr(type(self), rule) is not getattr(Op, rule)

    def specs(self, inputs: tuple[Spec, ...]) -> tuple[Spec, ...]:
        """Specs of all results, checked by the signature; cached.

        Raises:
          DTypeError, ShapeError: the inputs do not fit.
        """
        found = self.inferred.get(inputs)
        if found is not None:
            return found
        try:
            dtypes = self.parsed.outputs(self, inputs)
            if not self.any_rank and any(
                s.shape is None and s.dtype.name not in ("resource", "variant") for s in inputs
            ):
                out = tuple(Spec(None, dtype) for dtype in dtypes)
            else:
                inferred = self.infer(*inputs)
                out = inferred if isinstance(inferred, tuple) else (inferred,)
        except OpError as error:
            raise error.locate() from None
        if len(self.inferred) >= MOST_KEPT:
            self.inferred.clear()
        self.inferred[inputs] = out
        return out

    def visible(self, results: int) -> int:
        """How many of so many results are outputs; the rest are residuals."""
        return results - self.parsed.residuals


def attribute_as_field(value: Any) -> Any:
    """A value of `attrs` as fields hold it: words as str, shapes and lists as tuples."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, TensorShape):
        return as_shape(value)
    return tuple([attribute_as_field(v) for v in value]) if isinstance(value, (list, tuple)) else value


def _bind_fields(cls: type[Op], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
    if len(args) > len(cls.fields):
        raise TypeError(f"{cls.__name__} has {len(cls.fields)} fields {cls.fields}, but {len(args)} were given")
    values, key = [], []
    for i, field in enumerate(cls.fields):
        if i < len(args):
            given = args[i]
        elif field in kwargs:
            given = kwargs.pop(field)
        elif field in cls.defaults:
            given = cls.defaults[field]
        else:
            raise TypeError(f"{cls.__name__} needs field {field!r}")
        value, part = frozen(given)
        values.append(value)
        key.append(part)
    if kwargs:
        raise TypeError(f"{cls.__name__} has no field {next(iter(kwargs))!r}; its fields are {cls.fields}")
    return values, tuple(key)


def op(cls: type[Op]) -> type[Any]:
    """Class decorator: annotations become interned fields, the signature is parsed, the type is registered."""
    inherited = [f for base in reversed(cls.__mro__[1:]) for f in base.__dict__.get("own_fields", ())]
    own = [f for f, kind in inspect.get_annotations(cls).items() if not str(kind).startswith("ClassVar")]
    cls.own_fields = tuple(own)  # type: ignore[attr-defined]
    cls.fields = tuple(dict.fromkeys([*inherited, *own]))
    cls.defaults = {f: frozen(getattr(cls, f))[0] for f in cls.fields if hasattr(cls, f)}
    cls.type = cls.__dict__.get("type", cls.__name__)
    cls.parsed = Signature(cls)
    cls.lately = {}
    cls.interned = weakref.WeakValueDictionary() if cls.fields else {}
    cls.lowerings = {}
    other = REGISTRY.get(cls.type)
    if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"two ops are named {cls.type!r}: in {other.__module__} and in {cls.__module__}")
    REGISTRY[cls.type] = cls
    return cls


def lowering(engine: str, *classes: type[Op]) -> Any:
    """Declares a function `kernel(op, *arrays)` to be how an engine computes these ops. Stands in the room, in a file
    named after the engine."""

    def declare(kernel: Any) -> Any:
        for cls in classes:
            cls.lowerings[engine] = kernel
        return kernel

    return declare
