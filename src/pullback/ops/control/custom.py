"""The node that carries a custom gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core.op import Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec


@op
class CustomGradient(Op):
    """Hands on its last inputs; the first `arguments` are there so that cotangents reach them. The rule is the node's
    mark; without one it is the identity."""

    type = "IdentityN"
    arguments: int = 0
    any_rank = True

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        return inputs[self.arguments :]

    def reference(self, *inputs: Any) -> Any:
        return inputs[self.arguments :]

    def grad(self, node: Any, *dys: Any) -> Any:
        return (None,) * self.arguments + dys

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        outputs = self(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return outputs, tuple(axes[self.arguments :])

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        yield Sample(cls(), (rng.normal(size=(2, 3)), np.arange(3)))
        yield Sample(cls(1), (rng.normal(size=2), rng.normal(size=(2, 3))), wrt=(1,))
