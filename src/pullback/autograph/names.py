"""Which names blocks read and write, and which are read after them.

A function is read backwards: `live` are the names that what follows may still read. Jumps are lowered before, so
blocks nest and a loop is the only way back.

    names        x, and also places of objects: self.x, d['k'], d[k]; these are live always
    modified     what a block may write
    state        what of it matters outside: live after the block, or at the loop's next trip
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from pullback.autograph.source import arguments, children, statements_of

Names = frozenset[str]
_NONE: Names = frozenset()
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Scope:
    """The names of one function, and for its `if`, `while` and `for` what they modify.

    parameters, bound, shared: names of arguments, those that the function binds, those declared nonlocal or global.
    modified, state: {statement: names}.
    """

    def __init__(self, function: ast.FunctionDef) -> None:
        self.parameters = frozenset(a.arg for a in arguments(function))
        self.nonlocals = frozenset(
            n for s in statements_of(function.body) if isinstance(s, ast.Nonlocal) for n in s.names
        )
        self.globals = frozenset(n for s in statements_of(function.body) if isinstance(s, ast.Global) for n in s.names)
        self._inner = _functions(function.body)
        self.bound = frozenset(n for n in self._writes(function.body) if n.isidentifier()) - self.globals
        self.modified: dict[ast.stmt, Names] = {}
        self.state: dict[ast.stmt, Names] = {}
        self._held = _NONE  # what is live wherever an error may arise
        self._before(function.body, self.nonlocals | self.globals)

    # --- what is live ----------------------------------------------------------------------------------------------

    def _before(self, stmts: list[ast.stmt], live: Names) -> Names:
        """The names live before a block, of those live after it."""
        for stmt in reversed(stmts):
            live = self._live(stmt, live)
        return live

    def _live(self, stmt: ast.stmt, live: Names) -> Names:
        if isinstance(stmt, ast.If):
            self._note(stmt, [stmt], live)
            return self._reads(stmt.test) | self._before(stmt.body, live) | self._before(stmt.orelse, live)
        if isinstance(stmt, (ast.While, ast.For)):
            return self._loop(stmt, live)
        if isinstance(stmt, ast.With):
            held = _names_of([i.optional_vars for i in stmt.items if i.optional_vars is not None])
            return (self._before(stmt.body, live) - held).union(*[self._reads(i.context_expr) for i in stmt.items])
        if isinstance(stmt, (ast.Try, ast.TryStar)):
            return self._try(stmt, live)
        if isinstance(stmt, ast.Match):
            patterns = [self._reads(part) for c in stmt.cases for part in (c.pattern, c.guard)]
            return live.union(self._reads(stmt.subject), *patterns, *[self._before(c.body, live) for c in stmt.cases])
        return (live - self._writes([stmt])) | self._reads(stmt)

    def _try(self, stmt: ast.Try | ast.TryStar, after: Names) -> Names:
        """An error may lead from anywhere in the body to what handles it, and on to `finally`."""
        last = self._before(stmt.finalbody, after)
        caught = last.union(*[self._before(h.body, last) | self._reads(h.type) for h in stmt.handlers])
        held, self._held = self._held, self._held | caught
        live = self._before(stmt.body, self._before(stmt.orelse, last)) | caught
        self._held = held
        return live

    def _loop(self, loop: ast.While | ast.For, after: Names) -> Names:
        over = isinstance(loop, ast.For)
        head = after | (self._reads(getattr(loop, "goes_on", None)) if over else self._reads(loop.test))
        target = _names_of([loop.target]) if over else _NONE
        while True:
            grown = head | (self._before(loop.body, head) - target)
            if grown == head:
                break
            head = grown
        self._note(loop, [loop], head)
        return head | self._reads(loop.iter) if over else head

    def _note(self, stmt: ast.stmt, block: list[ast.stmt], live: Names) -> None:
        modified = self._writes(block)
        roots = {n for n in modified if n.isidentifier()}
        places = {n for n in modified if not n.isidentifier() and not _mentioned(n) & roots}
        self.modified[stmt] = frozenset(roots)
        self.state[stmt] = frozenset((roots & (live | self._held | self.nonlocals | self.globals)) | places)

    # --- reads and writes ------------------------------------------------------------------------------------------

    def _reads(self, node: Any) -> Names:
        """The names that a statement or expression may read; to name a function is to read what the function reads."""
        if node is None or not self._inner:
            return _NONE if node is None else _reads(node)
        found = set(_reads(node))
        waiting = list(found)
        while waiting:
            more = self._inner.get(waiting.pop(), (_NONE, _NONE))[0] - found
            found |= more
            waiting.extend(more)
        return frozenset(found)

    def _writes(self, stmts: list[ast.stmt]) -> Names:
        """The names that statements may write, also through functions they name that declare them nonlocal."""
        found = _names_of(stmts)
        if self._inner:
            found = found.union(*[self._inner[n][1] for s in stmts for n in self._reads(s) if n in self._inner])
        return found


def _functions(stmts: list[ast.stmt]) -> dict[str, tuple[Names, Names]]:
    """For each name that is bound to a function: what it reads from outside, and what it declares nonlocal."""
    found: dict[str, tuple[Names, Names]] = {}
    for s in statements_of(stmts):
        if isinstance(s, ast.FunctionDef):
            declared = frozenset(n for x in ast.walk(s) if isinstance(x, ast.Nonlocal) for n in x.names)
            found[s.name] = _free(s), declared
        elif isinstance(s, ast.Assign) and isinstance(s.value, ast.Lambda):
            found.update((t.id, (_free(s.value), _NONE)) for t in s.targets if isinstance(t, ast.Name))
    return found


def _free(function: Any) -> Names:
    """The names that a function, class or comprehension reads of what is around it."""
    if isinstance(function, ast.ClassDef):
        return frozenset().union(*[_reads(s) for s in function.body])
    if isinstance(function, ast.Lambda):
        return _reads(function.body) - {a.arg for a in arguments(function)}
    shared = {n for s in statements_of(function.body) if isinstance(s, (ast.Nonlocal, ast.Global)) for n in s.names}
    own = {a.arg for a in arguments(function)} | {n for n in _names_of(function.body) if n.isidentifier()}
    return (frozenset().union(*[_reads(s) for s in function.body]) - (own - shared)) | shared


def _reads(node: Any) -> Names:
    """The names that are read when a statement or expression runs, or by functions that it makes."""
    if isinstance(node, ast.Name):
        return frozenset((node.id,)) if isinstance(node.ctx, ast.Load) else _NONE
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        args = getattr(node, "args", None)
        outside = [*getattr(node, "decorator_list", []), *getattr(node, "bases", [])]
        outside += [d for d in (*args.defaults, *args.kw_defaults) if d is not None] if args else []
        return _free(node).union(*[_reads(x) for x in outside])
    inside = frozenset[str]().union(*[_reads(child) for child in children(node)])
    if isinstance(node, _COMPREHENSIONS):
        return (inside - _names_of([g.target for g in node.generators])) | _reads(node.generators[0].iter)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return inside | {node.target.id}
    return inside


def _names_of(nodes: Iterable[ast.AST]) -> Names:
    """The names and places that statements (or targets) write themselves."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                found.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            if _is_place(node):
                found.add(ast.unparse(node))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        elif isinstance(node, ast.Lambda):
            continue
        elif isinstance(node, _COMPREHENSIONS):
            found |= {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}
            continue
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            found.add(node.rest)
        waiting.extend(children(node))
    return frozenset(found)


def _is_place(node: ast.expr) -> bool:
    """Whether it is a name, or an attribute or an item (by a constant or a name) of such."""
    if isinstance(node, ast.Attribute):
        return _is_place(node.value)
    if isinstance(node, ast.Subscript):
        return _is_place(node.value) and isinstance(node.slice, (ast.Name, ast.Constant))
    return isinstance(node, ast.Name)


def _mentioned(place: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(place, mode="eval")) if isinstance(n, ast.Name)}
