"""Minimal filtering at a stride: along an axis, every s-th tap meets every s-th pixel, so a convolution at stride s is
a sum of s convolutions at stride 1, each with its own form F(m, taps of the phase).

    y[p] = sum over phases a, over j, of w[a + s j] x[s p + a + s j]

    F(2,3) at stride 2:     (x0 - x2) w0    x2 (w0 + w2)    (x4 - x2) w2    x1 w1    x3 w1
                            y0 = 1st + 2nd + 4th            y1 = 2nd + 3rd + 5th

These are 5 products where the definition takes 6; in two dimensions 25 and 36.
The phases' matrices, put together, are one form; its gradients are the same products with the matrices exchanged.
"""

from __future__ import annotations

from fractions import Fraction

from pullback.native.minimal import Matrix, Minimal, minimal

_ONE, _ZERO = Fraction(1), Fraction(0)


def _phase(outputs: int, taps: int) -> Minimal:
    """F(outputs, taps); one tap takes a product for each output."""
    if taps > 1:
        return minimal(outputs, taps)
    same = tuple([tuple([Fraction(int(i == j)) for j in range(outputs)]) for i in range(outputs)])
    return Minimal(outputs, 1, same, tuple([(_ONE,)] * outputs), same)


def _spread(matrix: Matrix, places: range, width: int) -> Matrix:
    """Columns moved to their places in rows of a width."""
    rows = []
    for row in matrix:
        wide = [_ZERO] * width
        for value, place in zip(row, places, strict=True):
            wide[place] = value
        rows.append(tuple(wide))
    return tuple(rows)


def turned(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def forward(outputs: int, taps: int, stride: int) -> Minimal:
    """F(outputs, taps) at a stride of at most taps: outputs from (outputs - 1) stride + taps inputs."""
    width = (outputs - 1) * stride + taps
    to_outputs: Matrix = ((),) * outputs
    of_filter: Matrix = ()
    of_inputs: Matrix = ()
    for a in range(stride):
        own = range(a, taps, stride)
        form = _phase(outputs, len(own))
        of_filter += _spread(form.of_filter, own, taps)
        of_inputs += _spread(form.of_inputs, range(a, a + stride * form.size, stride), width)
        to_outputs = tuple([left + right for left, right in zip(to_outputs, form.to_outputs, strict=True)])
    return Minimal(outputs, taps, to_outputs, of_filter, of_inputs)


def to_filter(outputs: int, taps: int, stride: int) -> Minimal:
    """The gradient to the filter from so many pixels of dy, which take the filter's part."""
    form = forward(outputs, taps, stride)
    return Minimal(taps, outputs, turned(form.of_filter), turned(form.to_outputs), form.of_inputs)


def first_reached(phase: int, taps: int, stride: int) -> int:
    """The first pixel of dy that a run of dx hangs on, counted from the pixel whose first tap meets the run's beginning
    or has passed it last. phase: the tap by which that is, the place of dx's beginning modulo the stride."""
    return min((phase + n) // stride - (len(range((phase + n) % stride, taps, stride)) - 1) for n in range(stride))


def to_input(outputs: int, taps: int, stride: int, phase: int) -> Minimal:
    """The gradient to stride * outputs pixels of dx, for a filter turned round.

    Pixel n is phase + n = s i + a from its first tap's pixel: it hangs on dy[i - j] by the taps a + s j.
    """
    first = first_reached(phase, taps, stride)
    width = max((phase + n) // stride for n in range(stride)) + outputs - first
    rows: list[tuple[Fraction, ...]] = [()] * (stride * outputs)
    of_filter: Matrix = ()
    of_inputs: Matrix = ()
    size = 0
    for n in range(stride):
        i, a = divmod(phase + n, stride)
        own = range(taps - 1 - a, -1, -stride)[::-1]  # its taps in the turned filter, the last first
        form = _phase(outputs, len(own))
        begin = i - (len(own) - 1) - first
        of_filter += _spread(form.of_filter, own, taps)
        of_inputs += _spread(form.of_inputs, range(begin, begin + form.size), width)
        for k, row in enumerate(form.to_outputs):
            rows[n + stride * k] = (_ZERO,) * size + row
        size += form.size
    to_outputs = tuple([(*row, *[_ZERO] * (size - len(row))) for row in rows])
    return Minimal(stride * outputs, taps, to_outputs, of_filter, of_inputs)


def form_of(outputs: int, taps: int, stride: int = 1, phase: int | None = None) -> Minimal:
    """The form of a pass: forward, or where a phase is given to the input."""
    if phase is not None:
        return to_input(outputs, taps, stride, phase)
    return minimal(outputs, taps) if stride == 1 else forward(outputs, taps, stride)
