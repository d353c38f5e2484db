"""Functions of elements: map, filter, flat_map, interleave, scan, reduce, and grouping by a key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pullback.autograph.calls import callee
from pullback.core import dtypes, interpreter, nest
from pullback.core.errors import InvalidArgumentError, OpError
from pullback.core.tensor import Tensor
from pullback.data import structure
from pullback.data.dataset import Recipe, calls_allowed, symbolic, unknown_size, whole
from pullback.data.structure import DatasetSpec, Leaves
from pullback.data.traced import Bound, Run, Traced
from pullback.modes.function import TensorSpec


class Mapping(Recipe):
    """The transformations that call a function of elements.

    num_parallel_calls, deterministic and the like say how TensorFlow's runtime may schedule the calls. Here elements
    come in order always, which every setting allows.
    """

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        synchronous: Any = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Any:
        """map_func of each element; it is traced once, a tuple is given as arguments.

        An error in the function is raised when its element is asked for; the iteration can go on after it.
        """
        calls_allowed(num_parallel_calls, "map: num_parallel_calls")
        f = self._function(map_func)

        def elements(run: Run) -> Iterator[Leaves]:
            call = f.bound(run)
            return map(lambda leaves: call(*leaves), self._elements(run))

        return self._then(elements, f.spec, f.reads)

    def map_with_legacy_function(
        self, map_func: Callable[..., Any], num_parallel_calls: Any = None, deterministic: Any = None
    ) -> Any:
        """The same as `map`."""
        return self.map(map_func, num_parallel_calls, deterministic)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Any:
        """The elements for which the predicate, a scalar bool, holds.

        Raises:
          ValueError: the predicate returns something else.
        """
        f = self._predicate(predicate, "filter")

        def elements(run: Run) -> Iterator[Leaves]:
            call = f.bound(run)
            return filter(lambda leaves: bool(call(*leaves)[0]), self._elements(run))

        return self._then(elements, None, f.reads, unknown_size)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Any:
        """The elements before the first for which the predicate does not hold."""
        f = self._predicate(predicate, "take_while")

        def elements(run: Run) -> Iterator[Leaves]:
            call = f.bound(run)
            for leaves in self._elements(run):
                if not bool(call(*leaves)[0]):
                    return
                yield leaves

        return self._then(elements, None, f.reads, unknown_size)

    def _predicate(self, predicate: Callable[..., Any], what: str) -> Traced:
        f = self._function(predicate)
        if not structure.is_scalar(f.spec, dtypes.bool_):
            raise ValueError(f"{what}: the predicate must return a scalar bool, but returned {f.spec}")
        return f

    def _datasets(self, map_func: Callable[..., Any], what: str) -> Traced:
        f = self._function(map_func)
        if not isinstance(f.spec, DatasetSpec):
            raise TypeError(f"{what}: `map_func` must return a `tf.data.Dataset` object, but returned {f.spec}")
        return f

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Any:
        """The elements of the datasets that map_func makes, one dataset after another.

        Raises:
          TypeError: map_func returns no dataset.
        """
        f = self._datasets(map_func, "flat_map")

        def elements(run: Run) -> Iterator[Leaves]:
            call = f.bound(run)
            for leaves in self._elements(run):
                yield from call(*leaves)[0].elements()

        return self._then(elements, f.spec.element_spec, f.reads, unknown_size)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Any:
        """The elements of the datasets that map_func makes, from `cycle_length` of them in turn, `block_length` at a
        time. A dataset that ends gives its place to the next one.

        cycle_length: by default (and as AUTOTUNE) the number of processors. block_length: by default 1.
        """
        f = self._datasets(map_func, "interleave")
        calls_allowed(num_parallel_calls, "interleave: num_parallel_calls")
        calls_allowed(cycle_length, "interleave: cycle_length")
        cycle = whole(-1 if cycle_length is None else cycle_length, "interleave: cycle_length", -1)
        block = whole(1 if block_length is None else block_length, "interleave: block_length", 1)

        def elements(run: Run) -> Iterator[Leaves]:
            call = f.bound(run)
            inner = (call(*leaves)[0].elements() for leaves in self._elements(run))
            width = int(run.of(cycle))
            return interleaved(inner, (os.cpu_count() or 1) if width < 1 else width, int(run.of(block)))

        return self._then(elements, f.spec.element_spec, [*f.reads, *symbolic(cycle, block)], unknown_size)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None) -> Any:
        """(state, element) -> (new state, what comes out), from an initial state.

        Raises:
          TypeError: scan_func gives no pair, or the new state has another structure or other types.
        """
        from pullback.data.making import held

        spec, _, read, reads = held(initial_state)

        def state_of(returned: Any) -> Any:
            if type(returned) is not tuple or len(returned) != 2:
                raise TypeError(f"scan: `scan_func` must return a pair (new state, what comes out), not {returned}")
            return returned[0]

        f, spec = self._stepping(scan_func, spec, state_of, "scan")
        count = len(nest.leaves_of(spec))

        def elements(run: Run) -> Iterator[Leaves]:
            call, state = f.bound(run), read(run)
            for leaves in self._elements(run):
                made = call(*state, *leaves)
                state = made[:count]
                yield made[count:]

        return self._then(elements, f.spec[1], [*reads, *f.reads])

    def _stepping(self, func: Any, spec: Any, state_of: Callable[[Any], Any], what: str) -> tuple[Traced, Any]:
        """A function of (state, element), traced until the state's shapes hold for every step."""
        while True:
            f = self._traced(func, spec, self._spec)
            new = state_of(f.spec)
            if not structure.alike(new, spec):
                raise TypeError(f"{what}: the new state {new} has another structure than the initial state {spec}")
            wider = nest.mapped(structure.relaxed, spec, new)
            if wider == spec:
                return f, spec
            spec = wider

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """The last state of (state, element) -> state over all elements. In a graph it is a tensor that each run makes
        anew.

        Raises:
          TypeError: the new state has another structure or other types.
        """
        from pullback.data.iterators import reduced
        from pullback.data.making import held

        spec, _, read, reads = held(initial_state)
        f, spec = self._stepping(reduce_func, spec, lambda returned: returned, "reduce")

        def final(run: Run) -> Leaves:
            call, state = f.bound(run), read(run)
            for leaves in self._elements(run):
                state = call(*state, *leaves)
            return state

        return reduced(self, spec, final, [*self._reads, *reads, *f.reads], name)

    def unique(self, name: str | None = None) -> Any:
        """The different elements, each where it first comes. Elements are single tensors."""

        def elements(run: Run) -> Iterator[Leaves]:
            seen: set[Any] = set()
            for leaves in self._elements(run):
                (leaf,) = leaves
                key = (leaf.shape, tuple(leaf.ravel()) if leaf.dtype == object else leaf.tobytes())
                if key not in seen:
                    seen.add(key)
                    yield leaves

        if not isinstance(self._spec, TensorSpec):
            raise TypeError(f"unique: elements must be single tensors, but are {self._spec}")
        return self._then(elements, None, (), unknown_size)

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Any:
        """Leaves out the elements that cannot be made; log_warning: says so on standard error."""

        def elements(run: Run) -> Iterator[Leaves]:
            source = self._elements(run)
            while True:
                try:
                    leaves = next(source)
                except StopIteration:
                    return
                except OpError as error:
                    if log_warning:
                        import warnings

                        warnings.warn(f"ignore_errors: an element was left out: {error}", stacklevel=2)
                    continue
                yield leaves

        return self._then(elements, None, (), unknown_size)

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[..., Any],
        window_size: Any = None,
        window_size_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Any:
        """Collects elements of equal key until there are window_size of them; reduce_func(key, dataset of them) gives a
        dataset, whose elements come out. What is left at the end forms smaller windows, in order of the keys.

        Raises:
          ValueError: both or none of window_size and window_size_func are given.
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError("Must pass either `window_size` or `window_size_func`, but not both.")
        key = self._function(key_func)
        sizes = window_size_func or (lambda _: np.int64(window_size))
        size_of = self._traced(lambda k: as_int64(callee(sizes)(k)), TensorSpec((), dtypes.int64))
        fold = self._traced(reduce_func, TensorSpec((), dtypes.int64), DatasetSpec(self._spec))
        if not isinstance(fold.spec, DatasetSpec):
            raise TypeError("group_by_window: `reduce_func` must return a `Dataset` object.")

        def elements(run: Run) -> Iterator[Leaves]:
            key_of, count_of, call = key.bound(run), size_of.bound(run), fold.bound(run)
            groups: dict[int, list[Leaves]] = {}
            for leaves in self._elements(run):
                k = int(key_of(*leaves)[0])
                group = groups.setdefault(k, [])
                group.append(leaves)
                wanted = int(count_of(np.asarray(k, np.int64))[0])
                if wanted < 1:
                    raise InvalidArgumentError(f"group_by_window: window sizes must be positive, but one is {wanted}")
                if len(group) >= wanted:
                    yield from call(np.asarray(k, np.int64), listed(self, groups.pop(k), run))[0].elements()
            for k in sorted(groups):
                yield from call(np.asarray(k, np.int64), listed(self, groups[k], run))[0].elements()

        reads = [*key.reads, *size_of.reads, *fold.reads]
        return self._then(elements, fold.spec.element_spec, reads, unknown_size)


def as_int64(value: Any) -> Tensor:
    """A tensor of integers, int64."""
    from pullback.ops.math.select import Cast

    tensor = interpreter.as_tensor(value)
    return tensor if tensor.dtype is dtypes.int64 else Cast(dtypes.int64)(tensor)


def interleaved(inner: Iterator[Iterator[Leaves]], cycle: int, block: int) -> Iterator[Leaves]:
    """Elements of iterators in turn, `block` at a time from each of `cycle` places."""
    places: list[Any] = [None] * cycle
    at, exhausted = 0, False
    while True:
        if places[at] is None and not exhausted:
            places[at] = next(inner, None)
            exhausted = places[at] is None
        if places[at] is None:
            if exhausted and not any(places):
                return
            at = (at + 1) % cycle
            continue
        for _ in range(block):
            try:
                yield next(places[at])
            except StopIteration:
                places[at] = None
                break
        at = (at + 1) % cycle


def listed(dataset: Any, elements: list[Leaves], run: Run) -> Bound:
    """A dataset of elements that are there already."""
    made = dataset._new(dataset._spec, lambda _: iter(elements), (), lambda _: len(elements))
    return Bound(made, run)
