"""The syntax tree of a function, with the lines and columns it has in its file; and how trees are walked."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from collections.abc import Iterator
from types import CodeType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def tree_of(code: CodeType) -> ast.FunctionDef | ast.Lambda | None:
    """The definition that a code object was compiled from; None when its source is not to be had, is not what was
    compiled, or leaves it open which of several lambdas is meant."""
    lines = linecache.getlines(code.co_filename)
    if not 0 < code.co_firstlineno <= len(lines):
        return None
    if code.co_name == "<lambda>":
        return _lambda(code, tuple(lines))
    return _definition(code, lines)


def _definition(code: CodeType, lines: list[str]) -> ast.FunctionDef | None:
    block = inspect.getblock(lines[code.co_firstlineno - 1 :])
    indented = block[0][:1].isspace()
    try:
        tree = ast.parse("".join(["if 1:\n", *block] if indented else block), code.co_filename)
    except SyntaxError:
        return None
    found = tree.body[0].body[0] if indented else tree.body[0]  # type: ignore[attr-defined]
    ast.increment_lineno(tree, code.co_firstlineno - (2 if indented else 1))
    return found if isinstance(found, ast.FunctionDef) and _matches(found, code) else None


def _lambda(code: CodeType, lines: tuple[str, ...]) -> ast.Lambda | None:
    fitting = [found for found in _lambdas(code.co_filename, lines) if _matches(found, code)]
    return fitting[0] if len(fitting) == 1 else None


def _matches(found: Function, code: CodeType) -> bool:
    """Whether a definition has the name, the arguments and the place of a code object."""
    if isinstance(found, ast.Lambda):
        if found.lineno != code.co_firstlineno or not all(_covers(found.body, *at) for at in _columns(code)):
            return False
    elif found.name != code.co_name:
        return False
    named = [a.arg for a in arguments(found)]
    count = code.co_argcount + code.co_kwonlyargcount
    return len(named) >= count and [_plain(n) for n in named[:count]] == [_plain(n) for n in code.co_varnames[:count]]


def _plain(name: str) -> str:
    """A parameter's name without the class name that Python puts before private ones."""
    return "__" + name.split("__", 1)[1] if name.startswith("_") and "__" in name[1:] else name


def arguments(function: Function) -> list[ast.arg]:
    """All parameters, those with stars last, in the order of a code object's variables."""
    args = function.args
    starred = [a for a in (args.vararg, args.kwarg) if a is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *starred]


def blocks(stmt: ast.AST) -> list[list[ast.stmt]]:
    """The blocks of a compound statement, those that are not empty."""
    parts: list[Any] = [getattr(stmt, field, None) for field in ("body", "orelse", "finalbody")]
    parts += [h.body for h in getattr(stmt, "handlers", ())] + [c.body for c in getattr(stmt, "cases", ())]
    return [block for block in parts if type(block) is list and block]


def statements_of(stmts: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a block and of those within, other functions' left out."""
    for s in stmts:
        yield s
        if not isinstance(s, SCOPES):
            for block in blocks(s):
                yield from statements_of(block)


def children(node: ast.AST) -> list[ast.AST]:
    """The parts of a node that are nodes, in order."""
    out: list[ast.AST] = []
    for field in node._fields:
        part = getattr(node, field, None)
        if type(part) is list:
            out += [p for p in part if isinstance(p, ast.AST)]
        elif isinstance(part, ast.AST) and field != "ctx":
            out.append(part)
    return out


@functools.lru_cache(maxsize=8)
def _lambdas(filename: str, lines: tuple[str, ...]) -> list[ast.Lambda]:
    """All lambdas of a file: one may begin on any line of a statement, so the file is read as a whole."""
    try:
        return [node for node in ast.walk(ast.parse("".join(lines), filename)) if isinstance(node, ast.Lambda)]
    except SyntaxError:
        return []


def _columns(code: CodeType) -> Iterator[tuple[int, int]]:
    """Line and column of each instruction that has its own."""
    for line, _, column, end in code.co_positions():
        if line is not None and column is not None and end:
            yield line, column


def _covers(node: ast.expr, line: int, column: int) -> bool:
    first, last = (node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return first <= (line, column) < last
