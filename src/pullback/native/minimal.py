"""Minimal filtering: a convolution with fewer products (Toom and Cook; Winograd 1980; Lavin and Gray 2016).

    F(m, r):   m outputs of a filter of r taps from T = m + r - 1 inputs with T products, where the definition takes m r

    y = A^T [(G w) * (B^T x)]      A^T [m,T]   G [T,r]   B^T [T,T]

T - 1 of the products are the values of polynomials at points of our choice, the last one is at infinity. In two
dimensions the matrices act on columns and on rows. The points settle the rounding: large powers of a point cancel
against each other in A^T. Pairs of points of opposite sign share half of their work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from pullback.native.ir import Function, Value

Matrix = tuple[tuple[Fraction, ...], ...]

# Points by the number of products.
_POINTS = {
    3: (Fraction(0), Fraction(1)),
    4: (Fraction(0), Fraction(1), Fraction(-1)),
    6: (Fraction(0), Fraction(3, 4), Fraction(-3, 4), Fraction(3, 2), Fraction(-3, 2)),
}


class Minimal(NamedTuple):
    """F(m, r). outputs: m; taps: r; the matrices A^T, G and B^T."""

    outputs: int
    taps: int
    to_outputs: Matrix
    of_filter: Matrix
    of_inputs: Matrix

    @property
    def size(self) -> int:
        """T: products, of as many inputs."""
        return len(self.of_filter)


def _polynomial(roots: Sequence[Fraction]) -> list[Fraction]:
    """Coefficients of the product of (x - root), from the constant on."""
    found = [Fraction(1)]
    for root in roots:
        found = [Fraction(0), *found]
        for i in range(len(found) - 1):
            found[i] -= root * found[i + 1]
    return found


def minimal(outputs: int, taps: int) -> Minimal:
    """F(outputs, taps), outputs + taps - 1 being 3, 4 or 6.

    Row j of B^T holds the polynomial that vanishes at all points but the j-th; what it is there divides row j of G.
    """
    points = _POINTS[outputs + taps - 1]
    of_inputs, of_filter = [], []
    for point in points:
        others = [p for p in points if p != point]
        value = Fraction(1)
        for p in others:
            value *= point - p
        of_inputs.append((*_polynomial(others), Fraction(0)))
        of_filter.append(tuple([point**k / value for k in range(taps)]))
    of_inputs.append(tuple(_polynomial(points)))
    of_filter.append((*[Fraction(0)] * (taps - 1), Fraction(1)))
    to_outputs = [(*[p**i for p in points], Fraction(int(i == outputs - 1))) for i in range(outputs)]
    return Minimal(outputs, taps, tuple(to_outputs), tuple(of_filter), tuple(of_inputs))


def transform(
    f: Function, matrix: Matrix, load: Callable[[int, int], Value], put: Callable[[int, int, Value], None]
) -> None:
    """matrix @ grid @ matrix^T of a square grid of vectors, entry by entry from `load` and into `put`.

    Rows that share work go together, and what they are made of is loaded for them: all of the grid at once would not
    fit into the registers.
    """
    for rows in _groups(matrix):
        part = tuple([matrix[i] for i in rows])
        used = [any(row[i] for row in part) for i in range(len(matrix[0]))]
        columns = [
            applied(f, part, [load(i, j) if used[i] else None for i in range(len(used))]) for j in range(len(used))
        ]
        for n, i in enumerate(rows):
            for j, value in enumerate(applied(f, matrix, [column[n] for column in columns])):
                put(i, j, value)


def _groups(matrix: Matrix) -> list[list[int]]:
    """Rows that share work."""
    columns = tuple(zip(*matrix, strict=True))
    if any(_twins(a, b) for n, a in enumerate(columns) for b in columns[n + 1 :]):
        return [list(range(len(matrix)))]
    left, found = list(range(len(matrix))), []
    while left:
        first = left.pop(0)
        found.append([first, *[i for i in left if _twins(matrix[first], matrix[i])]])
        left = [i for i in left if i not in found[-1]]
    return found


def applied(f: Function, matrix: Matrix, values: Sequence[Any]) -> list[Value]:
    """matrix @ values. Columns that differ only in signs are added and subtracted first; rows that do share what they
    have in common. A value whose column is zero may be None."""
    columns, terms = list(zip(*matrix, strict=True)), list(values)
    for i, column in enumerate(columns):
        for j in range(i + 1, len(columns)):
            if _twins(column, columns[j]):
                terms[i], terms[j] = terms[i] + terms[j], terms[i] - terms[j]
                same = [c == d for c, d in zip(column, columns[j], strict=True)]
                columns[i] = tuple([c if s else Fraction(0) for c, s in zip(column, same, strict=True)])
                columns[j] = tuple([Fraction(0) if s else c for c, s in zip(column, same, strict=True)])
                break
    return _rows(f, tuple(zip(*columns, strict=True)), terms)


def _rows(f: Function, matrix: Matrix, values: Sequence[Any]) -> list[Value]:
    made: dict[int, Value] = {}
    for i, row in enumerate(matrix):
        for j in range(i + 1, len(matrix)):
            if i not in made and _twins(row, matrix[j]):
                same = [c if c == d else Fraction(0) for c, d in zip(row, matrix[j], strict=True)]
                turned = [c if c != d else Fraction(0) for c, d in zip(row, matrix[j], strict=True)]
                scale = next(c for c in turned if c)
                common = _sum(f, same, values)
                part = _sum(f, [c / scale for c in turned], values)
                made[i], made[j] = _plus(f, common, scale, part), _plus(f, common, -scale, part)
        if i not in made:
            made[i] = _sum(f, row, values)
    return [made[i] for i in range(len(matrix))]


def _twins(a: Sequence[Fraction], b: Sequence[Fraction]) -> bool:
    """Whether some coefficients are the same, the others opposite, and none other."""
    same = any(c == d != 0 for c, d in zip(a, b, strict=True))
    return a != b and same and all(abs(c) == abs(d) for c, d in zip(a, b, strict=True))


def _sum(f: Function, coefficients: Sequence[Any], values: Sequence[Any]) -> Value:
    """The sum of coefficients times values, from a value that needs no product on."""
    terms = [(c, v) for c, v in zip(coefficients, values, strict=True) if c]
    start = next((i for i, (c, _) in enumerate(terms) if c == 1), 0)
    coefficient, total = terms.pop(start)
    if coefficient != 1:
        total = total * float(coefficient)
    for c, v in terms:
        total = _plus(f, total, c, v)
    return total


def _plus(f: Function, total: Value, coefficient: Fraction, value: Value) -> Value:
    if abs(coefficient) == 1:
        return total + value if coefficient == 1 else total - value
    return f.fma(value, float(coefficient), total)
