"""Which TensorFlow names a program uses, read from its syntax trees without running it.

    import tensorflow as tf          tf is ""
    slim = tf.contrib.slim           slim is "contrib.slim"
    from tensorflow.python.ops import nn_ops
    slim.conv2d(x, 64, [3, 3])       a use of "contrib.slim.conv2d"

Names are followed through imports and plain assignments, wherever they stand in the file; attributes of what a name
gives (`tf.float32.name`, `FLAGS.batch_size`) are no names of TensorFlow.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pullback.alias import source
from pullback.alias.finder import below

Paths = set[str]


class Use(NamedTuple):
    """One use: the dotted name below `tensorflow`, as far as it was written, and where."""

    path: str
    file: str
    line: int


class Scan(NamedTuple):
    """What a program uses. unread: files that could not be read, and why."""

    uses: list[Use]
    files: list[Path]
    unread: list[str]

    def counts(self) -> Counter[str]:
        return Counter(use.path for use in self.uses)


def scan(program: source.Source, follow: bool = True) -> Scan:
    """The uses of a program, and (follow) of the modules beside it that it imports.

    Raises:
      SyntaxError: the program itself is no Python 3. Modules that cannot be read are listed in `unread`.
    """
    found = Scan([], [program.path], [])
    waiting = [program]
    seen = {program.path.resolve()}
    while waiting:
        here = waiting.pop()
        try:
            trees = here.trees()
        except SyntaxError as error:
            if here is program:
                raise
            found.unread.append(f"{here.path}: {error}")
            continue
        for piece, tree in _sharing_names(trees):
            found.uses.extend(Use(path, piece, line) for path, line in tree)
        if not follow:
            continue
        for path in _beside(here.path, [tree for _, tree in trees]):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            try:
                waiting.append(source.read(path))
                found.files.append(path)
            except source.SourceError as error:
                found.unread.append(str(error))
    return found


def _sharing_names(
    trees: list[tuple[source.Piece, ast.Module]],
) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Each piece's uses. The cells of a notebook share their names."""
    whole = [tree for _, tree in trees]
    bound = bindings(whole)
    for piece, tree in trees:
        yield piece.name, list(uses_in(tree, bound))


def bindings(trees: Iterable[ast.AST]) -> dict[str, Paths]:
    """For each Python name, what below `tensorflow` it may stand for."""
    bound: dict[str, Paths] = {}
    assigned: list[tuple[str, ast.expr]] = []
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for name, path in imported(node):
                    bound.setdefault(name, set()).add(path)
            elif isinstance(node, ast.Assign):
                assigned.extend(pair for target in node.targets for pair in _assigned(target, node.value))
    # `K = tf.keras.backend`, then `r = K.relu`: two rounds reach what is written in practice, more cost little.
    for _ in range(4):
        for name, value in assigned:
            for path in chain(value, bound)[0]:
                if path:
                    bound.setdefault(name, set()).add(path)
    return bound


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of an assignment, also of `a, b = x, y`."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        for part, own in zip(target.elts, value.elts, strict=False):
            yield from _assigned(part, own)


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """(Python name, path below `tensorflow`) that an import binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            path = below(alias.name if alias.asname else name)
            if path is not None:
                yield name, path
    elif not node.level and node.module and (space := below(node.module)) is not None:
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, f"{space}.{alias.name}" if space else alias.name


def chain(node: ast.expr, bound: dict[str, Paths]) -> tuple[list[str], bool]:
    """(the paths `a.b.c` may mean, whether it stands alone as a name)."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in bound:
        return [], False
    below = ".".join(reversed(words))
    return [".".join(filter(None, (path, below))) for path in sorted(bound[node.id])], not words


def uses_in(tree: ast.AST, bound: dict[str, Paths]) -> Iterator[tuple[str, int]]:
    """(path, line) of each use: attribute chains on bound names, bound names by themselves, and what is imported."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for _, path in imported(node):
                yield path, node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if path := below(alias.name):
                    yield path, node.lineno
        elif isinstance(node, ast.Attribute) and id(node) not in inner:
            step: ast.expr = node
            while isinstance(step, ast.Attribute):
                step = step.value
                inner.add(id(step))
            for path in chain(node, bound)[0]:
                yield path, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inner:
            for path in chain(node, bound)[0]:
                if path:
                    yield path, node.lineno


def _beside(path: Path, trees: list[ast.Module]) -> Iterator[Path]:
    """The files in the program's folder that it imports."""
    folder = path.parent
    for tree in trees:
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                names = [base, *(f"{base}.{alias.name}".lstrip(".") for alias in node.names)]
            for name in names:
                if name and below(name) is None:
                    yield from _files(folder, name)


def _files(folder: Path, module: str) -> Iterator[Path]:
    below = folder.joinpath(*module.split("."))
    for candidate in (below.with_suffix(".py"), below / "__init__.py"):
        if candidate.is_file():
            yield candidate


def file_of_module(module: str) -> Path:
    """The file that `-m module` runs.

    Raises:
      SourceError: there is no such module, or it is no Python file.
    """
    for name in (f"{module}.__main__", module):
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, AttributeError, ValueError):
            spec = None
        if spec is not None and spec.origin and spec.origin.endswith(".py"):
            if spec.submodule_search_locations is not None and name == module:
                break  # a package without __main__
            return Path(spec.origin)
    raise source.SourceError(
        f"{Path(sys.executable).name}: No module named {module}, or it is a package without __main__"
    )
