"""return, break and continue become variables that are tested, so that blocks have one way in and one way out.

    while c:                    break_ = False
        if d: break      -->    while not break_ and c:
        rest                        if d: break_ = True
                                    else: rest

An `if` that always jumps takes what follows it into its other branch. Elsewhere what follows a jump is under
`if not break_:`. A function's result is in `retval_`.
"""

from __future__ import annotations

import ast
from typing import Any

from pullback.autograph.source import SCOPES, blocks, children, statements_of

RESULT, RETURNED = "retval_", "do_return"
_CONTROL = (ast.If, ast.While, ast.For)


def lower(function: ast.FunctionDef) -> None:
    """Rewrites a function's body."""
    jumps = _Jumps()
    if any(isinstance(s, _CONTROL) and _returns(s) for s in statements_of(function.body)):
        body = [*function.body, ast.copy_location(ast.Return(ast.Constant(None)), function.body[-1])]
        lowered = jumps.block(body, _Where(returned=True))
        last = lowered[-1]
        result = ast.copy_location(ast.Return(_name(RESULT)), last)
        function.body = [_assigned(RETURNED, False, function.body[0]), *lowered, result]
    else:
        function.body = jumps.block(function.body, _Where())


class _Where:
    """What a jump sets: the variables of the innermost loop, and whether returns are lowered."""

    def __init__(self, returned: bool = False, loop: int | None = None) -> None:
        self.returned, self.loop = returned, loop

    def inside(self, loop: int) -> _Where:
        return _Where(self.returned, loop)


class _Jumps:
    """Numbers loops, so that each has variables of its own."""

    def __init__(self) -> None:
        self.loops = 0

    def block(self, stmts: list[ast.stmt], where: _Where) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for i, stmt in enumerate(stmts):
            rest = stmts[i + 1 :]
            if isinstance(stmt, (ast.Return, ast.Break, ast.Continue)):
                return [*out, *self._jump(stmt, where)]
            flags = _flags(stmt, where)
            if isinstance(stmt, ast.If) and flags and (_always(stmt.body) or _always(stmt.orelse)):
                (stmt.orelse if _always(stmt.body) else stmt.body).extend(rest)
                return [*out, *self._statement(stmt, where)]
            endless = _always([stmt])
            out += self._statement(stmt, where)
            if endless:
                return out
            if flags and rest:
                guarded = self.block(rest, where)
                return [*out, _located(ast.If(_none_of(flags), guarded, []), rest[0])]
        return out

    def _jump(self, stmt: ast.stmt, where: _Where) -> list[ast.stmt]:
        if isinstance(stmt, ast.Return):
            if not where.returned:
                return [stmt]
            value = stmt.value or _located(ast.Constant(None), stmt)
            kept = ast.Assign([ast.Name(RESULT, ast.Store())], value)
            return [_assigned(RETURNED, True, stmt), _located(kept, stmt)]
        return [_assigned(_flag(stmt, where), True, stmt)]

    def _statement(self, stmt: ast.stmt, where: _Where) -> list[ast.stmt]:
        if isinstance(stmt, (ast.While, ast.For)):
            return self._loop(stmt, where)
        if isinstance(stmt, ast.FunctionDef):
            if not generates(stmt):
                lower(stmt)
        elif isinstance(stmt, (ast.Try, ast.TryStar)):
            stmt.orelse = self._after(stmt.body, stmt.orelse, where)
        if not isinstance(stmt, SCOPES):
            for block in blocks(stmt):
                block[:] = self.block(block, where) or [_located(ast.Pass(), stmt)]
        return [stmt]

    def _after(self, before: list[ast.stmt], rest: list[ast.stmt], where: _Where) -> list[ast.stmt]:
        """What runs after a block unless the block jumps."""
        flags = [f for s in before for f in _flags(s, where)]
        return [_located(ast.If(_none_of(flags), rest, []), rest[0])] if flags and rest else rest

    def _loop(self, loop: ast.While | ast.For, where: _Where) -> list[ast.stmt]:
        self.loops += 1
        inner = where.inside(self.loops)
        if isinstance(loop, ast.While) and any(isinstance(n, ast.NamedExpr) for n in ast.walk(loop.test)):
            stop = _located(ast.If(ast.UnaryOp(ast.Not(), loop.test), [ast.Break()], []), loop.test)
            loop.test, loop.body = _located(ast.Constant(True), loop.test), [stop, *loop.body]  # it binds names
        flags = [f for s in loop.body for f in _flags(s, inner)]
        breaks, continues = f"break_{self.loops}", f"continue_{self.loops}"
        ends = [f for f in (breaks, RETURNED) if f in flags]
        body = self.block(loop.body, inner)
        loop.body = [_assigned(continues, False, loop.body[0]), *body] if continues in flags else body
        loop.body = loop.body or [_located(ast.Pass(), loop)]
        goes_on = _none_of(ends) if ends else None
        if isinstance(loop, ast.For):
            loop.goes_on = goes_on  # type: ignore[union-attr]
        elif goes_on is not None:
            loop.test = _located(ast.BoolOp(ast.And(), [goes_on, loop.test]), loop.test)
        out: list[ast.stmt] = [_assigned(breaks, False, loop)] if breaks in flags else []
        out.append(loop)
        if loop.orelse:
            orelse = self.block(loop.orelse, where)
            out += [_located(ast.If(_none_of(ends), orelse, []), orelse[0])] if ends else orelse
            loop.orelse = []
        return out


def _flag(stmt: ast.stmt, where: _Where) -> str:
    return f"{'break' if isinstance(stmt, ast.Break) else 'continue'}_{where.loop}"


def _flags(stmt: ast.stmt, where: _Where) -> list[str]:
    """The variables that a statement may set by jumping, in order, each once."""
    found: dict[str, None] = {}

    def search(s: ast.stmt, loop: bool) -> None:
        if isinstance(s, ast.Return) and where.returned:
            found[RETURNED] = None
        elif isinstance(s, (ast.Break, ast.Continue)) and loop:
            found[_flag(s, where)] = None
        elif not isinstance(s, SCOPES):
            repeats = isinstance(s, (ast.While, ast.For))
            for block in blocks(s):
                own = loop and not (repeats and block is s.body)  # type: ignore[attr-defined]
                for inside in block:
                    search(inside, own)

    search(stmt, where.loop is not None)
    return list(found)


def _always(stmts: list[ast.stmt]) -> bool:
    """Whether a block cannot be left but by a jump or an error."""
    for s in stmts:
        if isinstance(s, (ast.Return, ast.Break, ast.Continue, ast.Raise)):
            return True
        if isinstance(s, ast.If) and _always(s.body) and _always(s.orelse):
            return True
        if isinstance(s, ast.While) and isinstance(s.test, ast.Constant) and s.test.value and not _breaks(s.body):
            return True
    return False


def _breaks(stmts: list[ast.stmt]) -> bool:
    """Whether the loop that these are the body of is left by a break."""
    return any("break_0" in _flags(s, _Where(loop=0)) for s in stmts)


def _returns(stmt: ast.stmt) -> bool:
    return isinstance(stmt, ast.Return) or any(
        _returns(s) for block in blocks(stmt) for s in block if not isinstance(s, SCOPES)
    )


def generates(function: ast.AST) -> bool:
    """Whether it is a generator or a coroutine, whose frame must stay its own."""
    waiting = children(function)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await, ast.AsyncFor, ast.AsyncWith)):
            return True
        if not isinstance(node, SCOPES):
            waiting.extend(children(node))
    return isinstance(function, ast.AsyncFunctionDef)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _none_of(flags: list[str]) -> ast.expr:
    tests: list[ast.expr] = [ast.UnaryOp(ast.Not(), _name(f)) for f in dict.fromkeys(flags)]
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def _assigned(name: str, value: bool, near: ast.AST) -> ast.stmt:
    return _located(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value)), near)


def _located(new: Any, near: ast.AST) -> Any:
    """A new node at the place of an old one, its parts too where they have none."""
    for node in ast.walk(new):
        if isinstance(node, (ast.expr, ast.stmt)) and not hasattr(node, "lineno"):
            ast.copy_location(node, near)
    return new
