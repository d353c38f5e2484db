"""Sample: an op with arguments, from which its tests are made."""

from __future__ import annotations

from typing import Any


class Sample:
    """One call of an op.

    Args:
      op: the op.
      args: arrays, or tuples of ints for static inputs.
      wrt: positions of the inputs to differentiate by; by default all floating ones.
      order: the highest order of derivative that is checked.
      smooth: whether finite differences mean anything here (not at a kink or a tie).
      tolerance: factor on the usual tolerances, for ill-conditioned ones.
      name: what the test is called; by default the op's fields.
    """

    __slots__ = ("args", "name", "op", "order", "smooth", "tolerance", "wrt")

    def __init__(
        self,
        op: Any,
        args: tuple[Any, ...],
        wrt: tuple[int, ...] | None = None,
        order: int = 3,
        smooth: bool = True,
        tolerance: float = 1.0,
        name: str = "",
    ) -> None:
        self.op, self.args, self.order, self.smooth, self.tolerance, self.name = (
            op,
            args,
            order,
            smooth,
            tolerance,
            name,
        )
        self.wrt = wrt if wrt is not None else tuple(i for i, a in enumerate(args) if _floating(a))

    def __repr__(self) -> str:
        shapes = ", ".join(str(getattr(a, "shape", a)) for a in self.args)
        return f"{self.op!r} on {shapes}"


def _floating(a: Any) -> bool:
    dtype = getattr(a, "dtype", None)
    return dtype is not None and (dtype.kind in "fc" or dtype.name == "bfloat16")
