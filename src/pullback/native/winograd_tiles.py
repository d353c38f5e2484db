"""Where minimal filtering cuts results into tiles, and their squares transformed and kept in memory.

Along an axis tiles have m results or, so that none hangs over, m - 1: these need no product at the last point, which
only the last result hangs on. Tiles are numbered kind by kind, so that those which take part in a product lie together:

    rows, columns     m, m-1     m, m     m-1, m     m-1, m-1
                      |-- last row of products --|
                                 |-- last column --|
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pullback.native.ir import I64, Function, Module, Type, Value
from pullback.native.machine import host
from pullback.native.minimal import Minimal, transform

WORDS = ("first", "second", "third", "tiles", "down", "less_down", "over", "less_over")


class Grid(NamedTuple):
    """The tiles of N results of P by Q pixels: along each axis so many of m and so many of m - 1.

    Fields are the words that a kernel is given: where the kinds end, how many tiles there are, how many of m and of
    m - 1 down and over.
    """

    first: int
    second: int
    third: int
    tiles: int
    down: int
    less_down: int
    over: int
    less_over: int

    @property
    def less(self) -> bool:
        """Whether there are tiles of m - 1."""
        return self.tiles > self.second - self.first

    def taking_part(self) -> tuple[int, int, int, int]:
        """How many tiles have a product that is in neither the last row nor column, in one, in the other, in both."""
        return self.tiles, self.second, self.third - self.first, self.second - self.first


def grid(N: int, P: int, Q: int, outputs: int, stride: int = 1) -> Grid:
    """Tiles of `outputs` by `outputs`; at a stride all of them, whatever hangs over."""
    counts = []
    for size in (P, Q):
        tiles = -(-size // outputs)
        less = min(tiles, tiles * outputs - size) if stride == 1 and outputs > 1 else 0
        counts.append((tiles - less, less))
    (down, less_down), (over, less_over) = counts
    first = N * down * less_over
    second = first + N * down * over
    third = second + N * less_down * over
    return Grid(first, second, third, third + N * less_down * less_over, down, less_down, over, less_over)


class At(NamedTuple):
    """A tile: its image, its first row and column, how many rows and columns it has."""

    image: Value
    row: Value
    column: Value
    rows: Value
    columns: Value


def place(f: Function, n: dict[str, Value], m: int, t: Value, less: bool) -> At:
    """Where a tile lies; n holds the grid's words. less: whether there are tiles of m - 1."""
    if not less:
        line, column = t // n["over"], t % n["over"]
        whole = f.constant(m, I64)
        return At(line // n["down"], line % n["down"] * m, column * m, whole, whole)
    short, narrow = t >= n["second"], (t < n["first"]) | (t >= n["third"])
    begin = f.select(t >= n["third"], n["third"], f.select(short, n["second"], f.select(narrow, 0, n["first"])))
    across, rank = f.select(narrow, n["less_over"], n["over"]), t - begin
    each = f.select(short, n["less_down"], n["down"])
    line, column = rank // across, rank % across
    row = line % each
    return At(
        line // each,
        f.select(short, n["down"] * m + row * (m - 1), row * m),
        f.select(narrow, n["over"] * m + column * (m - 1), column * m),
        f.select(short, f.constant(m - 1, I64), m),
        f.select(narrow, f.constant(m - 1, I64), m),
    )


def products_of(size: int, less: bool, n: dict[str, Value]) -> list[Any]:
    """The squares of so many rows and columns, in kinds that the same tiles take part in: (rows, columns, tiles), each
    from .. to. less: whether there are tiles of m - 1; kinds are in the order of `Grid.taking_part`."""
    if not less:
        return [((0, size), (0, size), (0, n["tiles"]))]
    inner, last = (0, size - 1), (size - 1, size)
    return [
        (inner, inner, (0, n["tiles"])),
        (last, inner, (0, n["second"])),
        (inner, last, (n["first"], n["third"])),
        (last, last, (n["first"], n["second"])),
    ]


# --- from the image to V ---------------------------------------------------------------------------------------------


def row_of(channels: int, lanes: int) -> int:
    """Whole vectors, and one more where rows would fall on the same places of the first cache."""
    whole = -(-channels // lanes) * lanes
    return whole + lanes if whole % (lanes * 16) == 0 else whole


def spread(module: Module, kind: Type, form: Minimal, matrix: str, channels: int, pixel: int) -> Function:
    """The function that transforms a square of pixels, so many channels of each: (source, elements between its rows,
    V, elements between V's squares). `matrix` names the one of the form; the square has as many rows as it has columns,
    `pixel` elements from one to the next."""
    lanes, factors = host().lanes(kind), getattr(form, matrix)
    name = f"spread_{matrix}_{channels}_{pixel}"
    if name in module:
        return module[name]
    whole = channels // lanes * lanes
    with module.function(name, kind.pointer, I64, kind.pointer, I64) as (f, source, row, to, apart):
        rows = [source.at(row * i) for i in range(len(factors[0]))]
        steps = [apart * j for j in range(len(factors))]

        def some(c: Any, mask: Value | None) -> None:
            transform(
                f,
                factors,
                lambda i, j: rows[i].at(c).load(pixel * j, lanes, mask),
                lambda i, j, value: to.at(apart * (i * len(factors)) + c).store(value, steps[j]),
            )

        if whole:
            with f.loop(0, whole, lanes) as c:
                some(c, None)
        if channels > whole:
            some(whole, f.lanes_below(channels - whole, lanes))
    return module[name]


class Spread(NamedTuple):
    """Images whose squares are transformed: `channels` of `pixel` to a pixel; by which matrix of a form."""

    kind: Type
    form: Minimal
    matrix: str
    channels: int
    pixel: int

    @property
    def size(self) -> int:
        return len(getattr(self.form, self.matrix)[0])

    @property
    def patch(self) -> int:
        """Numbers of a square with zeros around."""
        return self.size**2 * self.channels

    def emit(
        self,
        f: Function,
        image: Value,
        place: Any,
        inside: Any,
        patch: Value,
        to: Value,
        apart: Any,
        across: Any = None,
    ) -> None:
        """Transforms the square whose first pixel is at place (row, column) of an image of inside (H, W) pixels; by way
        of the patch where it hangs over. across: the image's width where W is less."""
        (row, column), (H, W), size, count, C = place, inside, self.size, self.channels, self.pixel
        across = W if across is None else across
        whole = (row >= 0) & (column >= 0) & (row + size <= H) & (column + size <= W)
        with f.when(whole):
            step = spread(f.module, self.kind, self.form, self.matrix, count, C)
            f.call(step, image.at((row * across + column) * C), across * C, to, apart)
        with f.when(~whole):
            f.clear(patch, self.patch)
            left, right = f.maximum(0 - column, 0), f.minimum(W - column, size)
            with f.when(left < right), f.loop(f.maximum(0 - row, 0), f.minimum(H - row, size)) as i:
                source = image.at(((row + i) * across + column) * C)
                if count == C:
                    f.copy(patch.at((i * size + left) * C), source.at(left * C), (right - left) * C)
                else:
                    with f.loop(left, right) as j:
                        f.copy(patch.at((i * size + j) * count), source.at(j * C), count)
            step = spread(f.module, self.kind, self.form, self.matrix, count, count)
            f.call(step, patch, size * count, to, apart)


# --- V that is kept --------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """What is baked into `spread_tiles`.

    form, matrix: by which matrix squares are transformed. channels, some: of a pixel, of a block. outputs: m, of a
    tile; less: whether some have fewer. step: (pixels, for so many results). own: a square ends where its tile does.
    """

    kind: Type
    form: Minimal
    matrix: str
    channels: int
    some: int
    outputs: int
    less: bool
    step: tuple[int, int] = (1, 1)
    own: bool = False

    @property
    def row(self) -> int:
        return row_of(self.some, host().lanes(self.kind))


_SPREAD = ("H", "W", "top", "left", "apart", "blocks", *WORDS)


def spread_tiles(module: Module, s: Kept) -> None:
    """Kernel: V [block of channels][T T][tile][channels] of the tiles' squares. Items are (tile, block)."""
    words = dict.fromkeys(("x", "v"), s.kind.pointer) | dict.fromkeys(_SPREAD, I64)
    with module.kernel("spread_tiles", **words) as (f, x, v, *numbers):
        n: dict[str, Value] = dict(zip(_SPREAD, numbers, strict=True))
        size, squares, rest = len(getattr(s.form, s.matrix)[0]), s.form.size**2, s.channels % s.some
        up, per = s.step
        patch = f.buffer(s.kind, size**2 * s.some)
        with f.loop(f.begin, f.end) as item:
            t, block = item // n["blocks"], item % n["blocks"]
            at = place(f, n, s.outputs, t, s.less)
            source = x.at(at.image * n["H"] * n["W"] * s.channels + block * s.some)
            to = v.at(block * n["apart"] * squares + t * s.row)
            where = at.row * up // per - n["top"], at.column * up // per - n["left"]
            inside = n["H"], n["W"]
            if s.own:
                inside = f.minimum(at.row + at.rows, n["H"]), f.minimum(at.column + at.columns, n["W"])
            last = block.equals(n["blocks"] - 1)
            for count, here in ((s.some, ~last), (rest, last)) if rest else ((s.some, True),):
                with f.when(here):
                    step = Spread(s.kind, s.form, s.matrix, count, s.channels)
                    step.emit(f, source, where, inside, patch, to, n["apart"], n["W"])


def add_spread_tiles(task: Any, x: Any, s: Kept, before: tuple[int, ...], of: Grid, spare: int) -> tuple[Any, int]:
    """Adds the job that transforms x [N,H,W,C]: V, and the numbers from one square to the next. spare: rows that may be
    read behind the last tile's."""
    _, H, W, C = x.shape
    blocks, apart = -(-C // s.some), of.tiles * s.row + host().lanes(s.kind)
    v = task.scratch((blocks * s.form.size**2 * apart + spare * s.row,), x.dtype)
    task.job(spread_tiles, (s,), [x, v, H, W, *before, apart, blocks, *of], items=of.tiles * blocks, cost=v.bytes / 8)
    return v, apart
