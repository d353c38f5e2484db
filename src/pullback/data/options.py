"""Options of datasets. They say how TensorFlow's runtime may schedule work; none changes elements or their order."""

from __future__ import annotations

import enum
from typing import Any

from pullback.core.names import public


class _Options:
    """Named settings, each None until it is set. A name that is none of them cannot be set.

    Raises:
      AttributeError: there is no such option.
    """

    _names: tuple[str, ...] = ()
    _parts: dict[str, type] = {}

    def __init__(self) -> None:
        for name in self._names:
            object.__setattr__(self, name, None)
        for name, kind in self._parts.items():
            object.__setattr__(self, name, kind())

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._names and name not in self._parts:
            known = sorted([*self._names, *self._parts])
            raise AttributeError(f"Cannot set the property {name} on {type(self).__name__}; its options are {known}")
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    def merge(self, options: Any) -> Any:
        """These options, and those that the others set in their place."""
        out = type(self)()
        for name in self._names:
            theirs = getattr(options, name)
            setattr(out, name, getattr(self, name) if theirs is None else theirs)
        for name in self._parts:
            setattr(out, name, getattr(self, name).merge(getattr(options, name)))
        return out


@public("data.experimental.AutotuneOptions")
class AutotuneOptions(_Options):
    """Settings of TensorFlow's tuning of buffers."""

    _names = ("enabled", "cpu_budget", "ram_budget", "autotune_algorithm", "initial_parallelism", "min_parallelism")


@public("data.ThreadingOptions", "data.experimental.ThreadingOptions")
class ThreadingOptions(_Options):
    """Settings of TensorFlow's threads."""

    _names = ("max_intra_op_parallelism", "private_threadpool_size")


@public("data.experimental.OptimizationOptions")
class OptimizationOptions(_Options):
    """Settings of TensorFlow's rewriting of pipelines."""

    _names = (
        "apply_default_optimizations",
        "autotune",
        "autotune_buffers",
        "autotune_cpu_budget",
        "filter_fusion",
        "filter_parallelization",
        "inject_prefetch",
        "map_and_batch_fusion",
        "map_and_filter_fusion",
        "map_fusion",
        "map_parallelization",
        "map_vectorization",
        "noop_elimination",
        "parallel_batch",
        "seq_interleave_prefetch",
        "shuffle_and_repeat_fusion",
    )


@public("data.experimental.AutoShardPolicy")
class AutoShardPolicy(enum.IntEnum):
    """How a pipeline is divided among workers."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


@public("data.experimental.DistributeOptions")
class DistributeOptions(_Options):
    """Settings of distribution among workers."""

    _names = ("auto_shard_policy", "num_devices")


@public("data.Options")
class Options(_Options):
    """Options of a dataset, for `with_options`."""

    _names = (
        "deterministic",
        "experimental_deterministic",
        "experimental_external_state_policy",
        "experimental_slack",
        "experimental_symbolic_checkpoint",
        "experimental_warm_start",
        "dataset_name",
        "framework_type",
    )
    _parts = {
        "autotune": AutotuneOptions,
        "threading": ThreadingOptions,
        "experimental_threading": ThreadingOptions,
        "experimental_optimization": OptimizationOptions,
        "experimental_distribute": DistributeOptions,
    }
