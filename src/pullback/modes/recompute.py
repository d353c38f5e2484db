"""tf.recompute_grad: forgets what a function computed on the way, and computes it again for the gradient."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.graph import Graph
from pullback.core.names import public
from pullback.core.tensor import Tensor
from pullback.modes.custom import Listens, custom_gradient
from pullback.modes.tape import GradientTape


@public("recompute_grad")
def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, whose gradient runs f once more instead of keeping what it computed: less memory, one more run.

    f takes tensors (and nests of them) by position, anything by keyword, and may read variables. It must give the same
    each time: it must not draw random numbers or change state. Derivatives of every order exist.
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        flat, structure = nest.flatten(args)

        @custom_gradient
        def again(*leaves: Any) -> Any:
            with _only_listening():
                result = f(*nest.unflatten(structure, list(leaves)), **kwargs)
            return result, functools.partial(_pulled, f, leaves, structure, kwargs)

        return again(*flat)

    return call


@contextlib.contextmanager
def _only_listening() -> Iterator[None]:
    """No tape keeps what runs inside; which variables are read is still heard."""
    here = interpreter.current()
    tapes = here.tapes
    here.tapes = tuple(t for t in tapes if isinstance(t, Listens))
    try:
        yield
    finally:
        here.tapes = tapes


def _pulled(f: Callable[..., Any], leaves: Any, structure: Any, kwargs: Any, *dys: Any, variables: Any = None) -> Any:
    """The cotangents of f's arguments, and of the variables it reads, from a second run."""
    here = interpreter.current()
    arguments = [here.adopt(x) if isinstance(x, Tensor) else x for x in leaves]
    sources = [x for x in arguments if isinstance(x, Tensor)]
    # In graphs the second run waits for dys, so that it is not done beforehand and merged with the first.
    waits = here.control_dependencies(list(dys)) if isinstance(here, Graph) else contextlib.nullcontext()
    with waits, GradientTape() as tape:
        tape.watch(sources)
        ys = nest.leaves_of(f(*nest.unflatten(structure, arguments), **kwargs))
    read = variables or []
    found = tape.gradient(ys, [*sources, *read], output_gradients=list(dys))
    dxs, dvs = found[: len(sources)], found[len(sources) :]
    return (dxs, dvs) if variables else dxs
