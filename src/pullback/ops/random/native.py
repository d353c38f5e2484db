"""Random numbers as machine code, the same to the last bit as NumPy's: native/philox.py. Normals of float64 hang on the
last bit of NumPy's logarithm, so they stay there."""

from __future__ import annotations

from typing import Any

from pullback.core.op import lowering
from pullback.native import philox
from pullback.native.ir import F32
from pullback.native.tiles import runs_on
from pullback.ops.random.draws import (
    RandomStandardNormal,
    RandomUniform,
    StatelessRandomNormalV2,
    StatelessRandomUniformV2,
    StatelessTruncatedNormalV2,
    TruncatedNormal,
)


@lowering("native", RandomUniform, StatelessRandomUniformV2)
def uniform(op: Any, task: Any) -> Any:
    (_, key, counter), (y,) = task.inputs, task.outputs
    if not runs_on(y):
        return NotImplemented
    philox.add_draws(task, philox.uniform, (y.kind,), key, counter, y, 1.0)
    return None


@lowering("native", RandomStandardNormal, StatelessRandomNormalV2, TruncatedNormal, StatelessTruncatedNormalV2)
def normal(op: Any, task: Any) -> Any:
    (_, key, counter), (y,) = task.inputs, task.outputs
    if y.kind != F32:
        return NotImplemented
    draws = philox.truncated if "Truncated" in op.type else philox.normal
    philox.add_draws(task, draws, (), key, counter, y, 8.0)
    return None
