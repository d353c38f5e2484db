"""Einstein's sums: one op, whose gradients are sums of the same kind.

    y = einsum("ij,jk->ik", a, b)      da = einsum("ik,jk->ij", dy, conj b)

A label that only one factor has is summed there alone: its gradient gets ones of that factor's shape as another factor.
A label twice in one factor takes a diagonal: its gradient gets an identity matrix as another factor. What an ellipsis
broadcast is summed back. So Einsum alone is enough for every order.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import dtypes, interpreter, shape
from pullback.core.backprop import asked
from pullback.core.basics import OnesLike, Shape_, SumTo, shape_of
from pullback.core.errors import ArgumentError, ShapeError
from pullback.core.names import public
from pullback.core.op import REGISTRY, Op, op
from pullback.core.sample import Sample
from pullback.core.spec import Spec
from pullback.core.tensor import Tensor
from pullback.ops.math.arithmetic import Equal
from pullback.ops.math.elementwise import conj
from pullback.ops.math.scopes import scope
from pullback.ops.math.select import Cast

ELLIPSIS = "..."


def _letters(term: str) -> str:
    return term.replace(ELLIPSIS, "")


@op
class Einsum(Op):
    """The product of all factors, summed over the labels that the result lacks; labels as in the equation."""

    signature = "*inputs: T -> output: T"
    T = dtypes.NUMBERS
    equation: str

    def check(self) -> None:
        if self.equation.count("->") != 1:
            raise ArgumentError(f"Einsum: the equation must have one '->', but is {self.equation!r}")
        *terms, result = self._terms()
        for term in (*terms, result):
            rest = _letters(term)
            if not all(c in string.ascii_letters for c in rest) or term.count(ELLIPSIS) > 1:
                raise ArgumentError(
                    f"Einsum: labels are letters, and '...' at most once a term, but {term!r} stands in "
                    f"{self.equation!r}"
                )
        used = set("".join(map(_letters, terms)))
        if len(set(_letters(result))) < len(_letters(result)) or not set(_letters(result)) <= used:
            raise ArgumentError(
                f"Einsum: the result's labels {result!r} must each stand in a factor, and once, in {self.equation!r}"
            )

    def _terms(self) -> list[str]:
        """The factors' labels, and last the result's."""
        factors, _, result = self.equation.partition("->")
        return [*factors.split(","), result]

    def labels(self, ranks: list[int]) -> list[list[Any]]:
        """Labels of every axis of each factor, last the result's. Of an ellipsis: ("...", axis from the right).

        Raises:
          ShapeError: a factor has another number of axes.
        """
        *terms, result = self._terms()
        if len(terms) != len(ranks):
            raise ArgumentError(f"Einsum: {self.equation!r} is of {len(terms)} factors, but {len(ranks)} were given")
        widest = 0
        made = []
        for term, rank in zip(terms, ranks, strict=True):
            extra = rank - len(_letters(term))
            if extra < 0 or (extra and ELLIPSIS not in term):
                raise ShapeError(
                    f"Einsum: a factor of {rank} axes does not fit its labels {term!r} in {self.equation!r}"
                )
            made.append(self._spelt(term, extra))
            widest = max(widest, extra)
        return [*made, self._spelt(result, widest)]

    def _spelt(self, term: str, extra: int) -> list[Any]:
        before, found, after = term.partition(ELLIPSIS)
        middle = [(ELLIPSIS, k) for k in range(extra, 0, -1)] if found else []
        return [*before, *middle, *after]

    def infer(self, *inputs: Spec) -> Spec:
        *terms, result = self.labels([len(x.shape or ()) for x in inputs])
        sizes: dict[Any, Any] = {}
        for labels, x in zip(terms, inputs, strict=True):
            for label, n in zip(labels, x.shape or (), strict=True):
                have = (sizes.get(label),)
                if label not in sizes:
                    sizes[label] = n
                elif isinstance(label, tuple):
                    (sizes[label],) = shape.broadcast(have, (n,))  # type: ignore[misc]
                elif not shape.compatible(have, (n,)):
                    raise ShapeError(
                        f"Einsum: label {label!r} of {self.equation!r} is {have[0]} in one factor and {n} in another"
                    )
                else:
                    sizes[label] = n if have[0] is None else have[0]
        return inputs[0].with_shape(tuple(sizes[label] for label in result))

    def reference(self, *inputs: Any) -> Any:
        numbers: dict[Any, int] = {}
        *terms, result = [
            [numbers.setdefault(label, len(numbers)) for label in labels]
            for labels in self.labels([np.ndim(x) for x in inputs])
        ]
        narrow = inputs[0].dtype.itemsize == 2 and inputs[0].dtype.kind not in "iu"
        factors = [x.astype(np.float32) if narrow else x for x in inputs]
        pairs = [part for pair in zip(factors, terms, strict=True) for part in pair]
        self.infer(*[interpreter.spec_of(x) for x in inputs])
        return np.asarray(np.einsum(*pairs, result, optimize=len(inputs) > 1)).astype(inputs[0].dtype)

    def grad(self, node: Any, dy: Any) -> Any:
        *terms, result = self._terms()
        wanted = asked(node)
        return tuple([self._to(k, node.inputs, terms, result, dy) if wanted[k] else None for k in range(len(terms))])

    def _to(self, k: int, xs: Any, terms: list[str], result: str, dy: Any) -> Any:
        """The cotangent of factor k."""
        x, term = xs[k], terms[k]
        factors = [dy, *(conj(other) for i, other in enumerate(xs) if i != k)]
        labels = [result, *(other for i, other in enumerate(terms) if i != k)]
        free = iter(c for c in string.ascii_letters if c not in self.equation)
        target, rest = "", list(_letters(term))
        for i, c in enumerate(rest):
            if c in rest[:i]:
                twin = next(free)
                factors.append(_identity(x, term, i))
                labels.append(c + twin)
                c = twin
            target += c
        if not set(rest) <= set("".join(map(_letters, labels))) or (
            ELLIPSIS in term and not any(ELLIPSIS in other for other in labels)
        ):
            factors.append(OnesLike()(x))
            labels.append(term)
        if ELLIPSIS not in term:
            return Einsum(f"{','.join(labels)}->{target}")(*factors)
        wide = Einsum(f"{','.join(labels)}->{ELLIPSIS}{target}")(*factors)
        front = x if term.startswith(ELLIPSIS) else Einsum(f"{_plain(term, target)}->{ELLIPSIS}{target}")(x)
        dx = SumTo()(wide, shape_of(front))
        return dx if term.startswith(ELLIPSIS) else Einsum(f"{ELLIPSIS}{target}->{_plain(term, target)}")(dx)

    def batch(self, size: Any, inputs: Any, axes: Any) -> Any:
        *terms, result = self._terms()
        new = next((c for c in string.ascii_letters if c not in self.equation), None)
        if new is None:
            return NotImplemented
        stacked = [new + term if a is not None else term for term, a in zip(terms, axes, strict=True)]
        return Einsum(f"{','.join(stacked)}->{new}{result}")(*inputs), 0

    @classmethod
    def samples(cls, rng: np.random.Generator) -> Iterator[Sample]:
        def of(equation: str, *shapes: tuple[int, ...], **more: Any) -> Sample:
            return Sample(cls(equation), tuple(rng.normal(size=s) for s in shapes), name=equation, **more)

        yield of("ij,jk->ik", (2, 3), (3, 2))
        yield of("ij->ji", (2, 3))
        yield of("ij->", (2, 3))
        yield of("ii->i", (3, 3))
        yield of("iji->j", (2, 3, 2))
        yield of("i,j->ij", (2,), (3,))
        yield of("ij,k->i", (2, 3), (2,))
        yield of("ij,jk,kl->il", (2, 3), (3, 2), (2, 2))
        yield of("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2), order=2)
        yield of("i...j,...j->j...", (2, 1, 3), (2, 3), order=2)
        yield of("...i->i", (2, 2, 3), order=2)
        yield of("...i,ij->j", (2, 3), (3, 2), order=2)
        yield of("ij,jk->ik", (0, 3), (3, 2))
        z = rng.normal(size=(2, 2, 2))
        yield Sample(cls("ij,jk->ik"), (z[0] + 1j * z[1], z[1] - 1j * z[0]), order=2, name="complex")
        for t in cls.T:
            args = tuple(rng.integers(0, 4, s).astype(t.numpy) for s in ((2, 3), (3, 2)))
            yield Sample(cls("ij,jk->k"), args, order=1, name=t.name)

    @classmethod
    def mistakes(cls) -> Iterator[tuple[Any, type[Exception], str]]:
        yield lambda: cls("ij,jk->ik")(np.ones((2, 3)), np.ones((2, 3))), ShapeError, "label 'j'"
        yield lambda: cls("ij->i")(np.ones(3)), ShapeError, "does not fit its labels 'ij'"
        yield lambda: cls("ij->i")(np.ones((2, 2)), np.ones(2)), ArgumentError, "of 1 factors"
        yield lambda: cls("ij"), ArgumentError, "->"
        yield lambda: cls("ij->k"), ArgumentError, "must each stand in a factor"
        yield lambda: cls("i1->i"), ArgumentError, "labels are letters"


def _plain(term: str, letters: str) -> str:
    """The term with other letters for its own, in order."""
    rest = iter(letters)
    before, _, after = term.partition(ELLIPSIS)
    return "".join(next(rest) for _ in before) + ELLIPSIS + "".join(next(rest) for _ in after)


def _identity(x: Tensor, term: str, position: int) -> Tensor:
    """An identity matrix of the size of the letter at a position of the term."""
    before, _, after = term.partition(ELLIPSIS)
    axis = position if position < len(before) else position - len(before) - len(after)
    n = None if x.spec.shape is None else x.spec.shape[axis]
    along = REGISTRY["Range"]()(0, Shape_()(x)[axis] if n is None else n, 1)
    same = Equal()(REGISTRY["ExpandDims"]()(along, 1), along)
    return Cast(x.dtype)(same)


@public("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """The sum of products that an equation of labels says: "ij,jk->ik" is a product of matrices.

    Args:
      equation: labels of each factor's axes, letters, with commas between; after "->" the result's. Labels the result
        lacks are summed over. "..." stands for axes without labels, which broadcast. Without "->" the result has the
        labels that stand once, in alphabetical order.
      inputs: Tensors of one type.
      optimize, name: `optimize` changes no result; factors are always multiplied in a good order.
    Raises:
      ValueError: the equation means nothing, or is of another number of factors. ShapeError: sizes do not fit.
    Gradient: sums of the same kind, of every order.
    """
    name = kwargs.pop("name", None)
    kwargs.pop("optimize", None)
    if kwargs:
        raise TypeError(f"einsum has no argument {next(iter(kwargs))!r}; it has optimize and name")
    with scope(name, "einsum", *inputs):
        first = next((x for x in inputs if isinstance(x, Tensor)), None)
        xs = [interpreter.as_tensor(x, None if first is None else first.dtype) for x in inputs]
        return Einsum(_resolved(equation))(*xs)


def _resolved(equation: str) -> str:
    """The equation without spaces, its result said."""
    equation = equation.replace(" ", "")
    if "->" in equation:
        return equation
    letters = _letters(equation).replace(",", "")
    once = sorted(c for c in set(letters) if letters.count(c) == 1)
    return f"{equation}->{ELLIPSIS if ELLIPSIS in equation else ''}{''.join(once)}"
