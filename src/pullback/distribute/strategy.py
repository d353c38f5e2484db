"""Strategies of one replica."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import interpreter, nest
from pullback.core.errors import ArgumentError
from pullback.core.names import public
from pullback.ops.math.reduce_functions import reduce_mean, reduce_sum


@public("distribute.ReduceOp")
class ReduceOp(enum.Enum):
    """How values of replicas become one."""

    SUM = "SUM"
    MEAN = "MEAN"


class _Here(threading.local):
    def __init__(self) -> None:
        self.strategies: list[Any] = []
        self.in_replica = False


_here = _Here()


@public("distribute.ReplicaContext")
class ReplicaContext:
    """Where a function stands that `Strategy.run` calls."""

    def __init__(self, strategy: Any, replica_id_in_sync_group: Any) -> None:
        self._strategy, self._id = strategy, replica_id_in_sync_group

    @property
    def strategy(self) -> Any:
        return self._strategy

    @property
    def num_replicas_in_sync(self) -> int:
        return 1

    @property
    def replica_id_in_sync_group(self) -> Any:
        return self._id

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The sum or mean over replicas: the value."""
        _reduction(reduce_op)
        return nest.mapped(interpreter.as_tensor, value)

    def merge_call(self, merge_fn: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        """merge_fn(strategy, *args) outside of the replica."""
        before, _here.in_replica = _here.in_replica, False
        try:
            return merge_fn(self._strategy, *args, **(kwargs or {}))
        finally:
            _here.in_replica = before


def _reduction(op: Any) -> ReduceOp:
    try:
        return op if isinstance(op, ReduceOp) else ReduceOp(str(op).upper())
    except ValueError:
        raise ArgumentError(f"reduce_op must be SUM or MEAN, not {op!r}") from None


@public("distribute.Strategy")
class Strategy:
    """Base of strategies: here always of one replica.

    Raises:
      ArgumentError: made by itself, from an `extended` of the program's own.
    """

    def __init__(self, extended: Any) -> None:
        raise ArgumentError(
            "Strategy: strategies of one's own are not supported; use OneDeviceStrategy or MirroredStrategy"
        )

    @property
    def num_replicas_in_sync(self) -> int:
        return 1

    @property
    def extended(self) -> Any:
        return self

    @contextlib.contextmanager
    def _scope(self) -> Iterator[Any]:
        _here.strategies.append(self)
        try:
            yield self
        finally:
            _here.strategies.pop()

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """Makes this the current strategy."""
        return self._scope()

    def run(self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None) -> Any:
        """fn(*args, **kwargs) on the replica."""
        with self._scope():
            before, _here.in_replica = _here.in_replica, True
            try:
                return fn(*args, **(kwargs or {}))
            finally:
                _here.in_replica = before

    experimental_run_v2 = run

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """The sum or mean of the replicas' values (there is one), and over `axis` of it."""
        reduced = reduce_sum if _reduction(reduce_op) is ReduceOp.SUM else reduce_mean
        if axis is None:
            return nest.mapped(interpreter.as_tensor, value)
        return nest.mapped(lambda v: reduced(v, axis), value)

    def gather(self, value: Any, axis: int) -> Any:
        """The replicas' values, one behind the other: the one there is."""
        return interpreter.as_tensor(value)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """The dataset for the replicas: itself, the global batch being the replica's."""
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable[..., Any], options: Any = None) -> Any:
        """dataset_fn's dataset for the one input pipeline."""
        return dataset_fn(InputContext())

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    def make_dataset_iterator(self, dataset: Any) -> Any:
        """An initializable iterator of the dataset."""
        return dataset.make_initializable_iterator()

    def experimental_make_numpy_dataset(self, numpy_input: Any) -> Any:
        """A dataset of the rows of arrays."""
        from pullback.namespace import find

        return find("v2", "data.Dataset").from_tensor_slices(numpy_input)

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The replicas' values, one each."""
        return (value,)

    def unwrap(self, value: Any) -> list[Any]:
        """The replicas' values, one each."""
        return [value]

    def update(self, var: Any, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, group: bool = True) -> Any:
        """fn(var, *args) for the variable on each device."""
        return fn(var, *args, **(kwargs or {}))


@public("distribute.InputContext")
class InputContext:
    """Which part of the input a pipeline is for."""

    def __init__(self, num_input_pipelines: int = 1, input_pipeline_id: int = 0, num_replicas_in_sync: int = 1) -> None:
        self.num_input_pipelines, self.input_pipeline_id = num_input_pipelines, input_pipeline_id
        self.num_replicas_in_sync = num_replicas_in_sync

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The replica's share of a global batch.

        Raises:
          ValueError: it does not divide.
        """
        if global_batch_size % self.num_replicas_in_sync:
            raise ValueError(
                f"global batch {global_batch_size} does not divide among {self.num_replicas_in_sync} replicas"
            )
        return global_batch_size // self.num_replicas_in_sync


def _one(devices: Any, what: str) -> None:
    """There is one device.

    Raises:
      ArgumentError: more are asked for, or another.
    """
    for device in devices:
        if "cpu:0" not in str(device).lower() and str(device) not in ("", "/cpu", "cpu"):
            raise ArgumentError(f'{what}: there is one device, "/cpu:0"; {device!r} is not there')
    if len(devices) > 1:
        raise ArgumentError(f"{what}: there is one device, but {len(devices)} were named")


@public("distribute.OneDeviceStrategy")
class OneDeviceStrategy(Strategy):
    """One replica on the device named.

    Raises:
      ValueError: the device is not there.
    """

    def __init__(self, device: Any) -> None:
        _one([device], "OneDeviceStrategy")
        self.device = device


@public("distribute.MirroredStrategy")
class MirroredStrategy(Strategy):
    """One replica on each of the machine's devices: one.

    Args:
      devices: their names; all by default.
      cross_device_ops: how devices exchange values; with one they have none to exchange.
    Raises:
      ValueError: a device is not there.
    """

    def __init__(self, devices: Any = None, cross_device_ops: Any = None) -> None:
        _one(list(devices or ()), "MirroredStrategy")
        self.cross_device_ops = cross_device_ops


@public("distribute.CrossDeviceOps")
class CrossDeviceOps:
    """How devices exchange values."""


@public("distribute.ReductionToOneDevice")
class ReductionToOneDevice(CrossDeviceOps):
    """Values are added on one device."""

    def __init__(self, reduce_to_device: Any = None, accumulation_fn: Any = None) -> None:
        self.reduce_to_device, self.accumulation_fn = reduce_to_device, accumulation_fn


@public("distribute.NcclAllReduce")
class NcclAllReduce(CrossDeviceOps):
    """Values are added by NCCL, between GPUs."""

    def __init__(self, num_packs: int = 1) -> None:
        self.num_packs = num_packs


@public("distribute.HierarchicalCopyAllReduce")
class HierarchicalCopyAllReduce(CrossDeviceOps):
    """Values are added in groups of devices."""

    def __init__(self, num_packs: int = 1) -> None:
        self.num_packs = num_packs


_default = OneDeviceStrategy("/cpu:0")


@public("distribute.get_strategy")
def get_strategy() -> Strategy:
    """The current strategy; outside of any a strategy of one replica."""
    return _here.strategies[-1] if _here.strategies else _default


@public("distribute.has_strategy")
def has_strategy() -> bool:
    """Whether a strategy's scope is open."""
    return bool(_here.strategies)


@public("distribute.in_cross_replica_context")
def in_cross_replica_context() -> bool:
    """Whether a strategy's scope is open and this is not a function it runs."""
    return bool(_here.strategies) and not _here.in_replica


@public("distribute.get_replica_context")
def get_replica_context() -> ReplicaContext | None:
    """The replica's context; None in a strategy's scope outside of `run`."""
    return None if in_cross_replica_context() else ReplicaContext(get_strategy(), 0)


@public(v1="distribute.get_loss_reduction")
def get_loss_reduction() -> ReduceOp:
    """How losses of replicas are to be combined: their mean."""
    return ReduceOp.MEAN
