"""Statements and expressions become functions that are given to operators.

    if c: A else: B        def ag__then(): A        def ag__else(): B        ag__.branch(c, ag__then, ag__else, names)
    while c: A             def ag__test(): return c        def ag__body(): A        ag__.loop(ag__test, ag__body, names)
    for t in xs: A         def ag__body(item): t = item; A        ag__.each(xs, ag__body, names)
    a if c else b          ag__.either(c, lambda: a, lambda: b)
    a and b, a or b        ag__.both(a, lambda: b), ag__.any_of(a, lambda: b)
    not a                  ag__.negated(a)
    a < b < c              a < b and b < c, each evaluated once
    assert c, m            ag__.asserted(c, lambda: m)
    f(x)                   ag__.callee(f)(x)

Every new node has the place of the one it stands for.
"""

from __future__ import annotations

import ast
from typing import Any

from pullback.autograph.jumps import generates, lower
from pullback.autograph.names import Names, Scope
from pullback.autograph.source import statements_of

OPERATORS = "ag__"
GENERATED = frozenset(["ag__then", "ag__else", "ag__test", "ag__body", "ag__goes_on"])
_LOOKS_AROUND = frozenset(["locals", "globals", "vars", "dir", "eval", "exec", "super"])


def convert(function: ast.FunctionDef | ast.Lambda) -> bool:
    """Rewrites a definition in place. False: there is nothing in it to convert."""
    if generates(function) or not any(isinstance(n, _CONVERTED) for n in ast.walk(function)):
        return False
    if isinstance(function, ast.Lambda):
        function.body = _Expressions(None).visit(function.body)
    else:
        function.decorator_list = []
        lower(function)
        _converted(function)
    return True


_CONVERTED = (ast.If, ast.While, ast.For, ast.IfExp, ast.BoolOp, ast.Not, ast.Assert, ast.Call)


def _converted(function: ast.FunctionDef) -> None:
    """Converts a body whose jumps are lowered."""
    first = function.args.posonlyargs + function.args.args
    own = first[0].arg if first else None
    if not any(isinstance(s, (ast.If, ast.While, ast.For)) for s in statements_of(function.body)):
        function.body = _Statements(None, own).block(function.body)
        return
    statements = _Statements(Scope(function), own)
    body = statements.block(function.body)
    declared = [_declared(name) for name in sorted(statements.declared)]
    docstring = ast.get_docstring(function, clean=False) is not None
    function.body = [*body[:docstring], *[ast.copy_location(d, function) for d in declared], *body[docstring:]]


def _declared(name: str) -> ast.stmt:
    """`name: ag__` makes a name the function's own; nothing runs."""
    return ast.AnnAssign(ast.Name(name, ast.Store()), ast.Name(OPERATORS, ast.Load()), None, 1)


class _Expressions(ast.NodeTransformer):
    """The expressions. own: the name of the function's first parameter, which `super()` means."""

    def __init__(self, own: str | None) -> None:
        self.own = own

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        if not generates(node):
            node.body = _Expressions(None).visit(node.body)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        if _binds(node.body) or _binds(node.orelse):
            return self.generic_visit(node)
        shown = ast.Constant(ast.unparse(node.test))
        self.generic_visit(node)
        return _call("either", node, node.test, _later(node.body), _later(node.orelse), shown)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        binds = any(_binds(v) for v in node.values)
        self.generic_visit(node)
        if binds:
            return node
        operator = "both" if isinstance(node.op, ast.And) else "any_of"
        made = node.values[-1]
        for value in reversed(node.values[:-1]):
            made = _call(operator, node, value, _later(made))
        return made

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        return _call("negated", node, node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> Any:
        binds = any(_binds(v) for v in node.comparators)
        self.generic_visit(node)
        return node if binds or len(node.ops) == 1 else _chain(node.left, node.ops, node.comparators, node)

    def visit_Call(self, node: ast.Call) -> Any:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        self.generic_visit(node)
        if name == "super" and not node.args and self.own is not None:
            node.args = [ast.Name("__class__", ast.Load()), ast.Name(self.own, ast.Load())]
        if name not in _LOOKS_AROUND:
            node.func = _call("callee", node.func, node.func)
        return node


class _Statements(_Expressions):
    """The statements of one function. declared: the names that must be its own."""

    def __init__(self, scope: Any, own: str | None) -> None:
        super().__init__(own)
        self.scope: Scope = scope  # None where no statement asks for it
        self.declared: set[str] = set()

    def block(self, stmts: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for s in stmts:
            made = self.visit(s)
            out += made if isinstance(made, list) else [made]
        return out

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if not generates(node):
            _converted(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node  # its methods are converted when they are called

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        self.generic_visit(node)
        message = [] if node.msg is None else [_later(node.msg)]
        return ast.copy_location(ast.Expr(_call("asserted", node, node.test, *message)), node)

    def visit_If(self, node: ast.If) -> list[ast.stmt]:
        shared, state = self._shared(node), self._state(node)
        test = self.visit(node.test)
        then = _function("ag__then", [*shared, *self.block(node.body)], node)
        otherwise = _function("ag__else", [*shared, *self.block(node.orelse or [ast.Pass()])], node)
        return [then, otherwise, _run("branch", node.test, test, _name("ag__then"), _name("ag__else"), state)]

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        shared, state = self._shared(node), self._state(node)
        options, body = self._options(node)
        test = _function("ag__test", [ast.Return(self.visit(node.test))], node.test)
        step = _function("ag__body", [*shared, *self.block(body)], node)
        return [test, step, _run("loop", node.test, _name("ag__test"), _name("ag__body"), state, options)]

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        shared, state = self._shared(node), self._state(node)
        options, body = self._options(node)
        goes_on = getattr(node, "goes_on", None)
        out: list[ast.stmt] = []
        more: ast.expr = ast.Constant(None)
        if goes_on is not None:
            out, more = [_function("ag__goes_on", [ast.Return(self.visit(goes_on))], node)], _name("ag__goes_on")
        over, target = self.visit(node.iter), self.visit(node.target)
        taken = ast.copy_location(ast.Assign([target], _name("ag__item")), node.target)
        step = _function("ag__body", [*shared, taken, *self.block(body)], node, "ag__item")
        return [*out, step, _run("each", node.iter, over, _name("ag__body"), state, options, more)]

    def _options(self, loop: ast.While | ast.For) -> tuple[ast.expr, list[ast.stmt]]:
        """What set_loop_options says in a loop's body, evaluated before the loop; and the rest of the body."""
        found = [s for s in loop.body if _sets_options(s)]
        if not found:
            return ast.Constant(None), loop.body
        said: Any = found[-1].value  # type: ignore[attr-defined]
        made = _call("loop_options", said, *[self.visit(a) for a in said.args])
        made.keywords = [self.visit(k) for k in said.keywords]
        return _later(made), [s for s in loop.body if s not in found] or [ast.Pass()]

    def _shared(self, node: ast.stmt) -> list[ast.stmt]:
        """The declarations by which a block's function writes the variables of the function around it."""
        modified = self.scope.modified[node]
        self.declared |= modified & self.scope.bound - self.scope.parameters - self.scope.nonlocals
        sets = {ast.Nonlocal: modified - self.scope.globals, ast.Global: modified & self.scope.globals}
        return [ast.copy_location(kind(sorted(names)), node) for kind, names in sets.items() if names]

    def _state(self, node: ast.stmt) -> ast.expr:
        names: Names = self.scope.state[node]
        return ast.Tuple([ast.Constant(n) for n in sorted(names)], ast.Load())


def _sets_options(stmt: ast.stmt) -> bool:
    f = stmt.value.func if isinstance(stmt, ast.Expr) and isinstance(stmt.value, ast.Call) else None
    return "set_loop_options" in (getattr(f, "attr", ""), getattr(f, "id", ""))


def _chain(left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr], near: ast.AST) -> ast.expr:
    """a < b < c as (lambda l, r: l < r and r < c)(a, b)."""
    first = ast.Compare(_name("ag__l"), [ops[0]], [_name("ag__r")])
    rest = (
        ast.Compare(_name("ag__r"), ops[1:], others[1:])
        if len(ops) == 2
        else _chain(_name("ag__r"), ops[1:], others[1:], near)
    )
    both = ast.Lambda(_arguments("ag__l", "ag__r"), _call("both", near, first, _later(rest)))
    return _placed(ast.Call(both, [left, others[0]], []), near)


def _binds(node: ast.AST) -> bool:
    """Whether an expression binds names, so that it cannot become a function."""
    return any(isinstance(n, ast.NamedExpr) for n in ast.walk(node))


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _arguments(*names: str) -> ast.arguments:
    return ast.arguments([], [ast.arg(n) for n in names], None, [], [], None, [])


def _later(value: ast.expr) -> ast.Lambda:
    return ast.copy_location(ast.Lambda(_arguments(), value), value)


def _call(operator: str, near: ast.AST, *args: ast.expr) -> ast.Call:
    made = ast.Call(ast.Attribute(_name(OPERATORS), operator, ast.Load()), list(args), [])
    return _placed(made, near)


def _run(operator: str, near: ast.expr, *args: ast.expr) -> ast.stmt:
    """A statement that calls an operator, on the line of a block's head."""
    return ast.copy_location(ast.Expr(_call(operator, near, *args)), near)


def _function(name: str, body: list[ast.stmt], near: ast.AST, *parameters: str) -> ast.stmt:
    made = ast.FunctionDef(name, _arguments(*parameters), body, [], None, None)
    if "type_params" in ast.FunctionDef._fields:  # Python 3.12
        made.type_params = []  # type: ignore[attr-defined]
    return _placed(made, near)


def _placed(made: Any, near: ast.AST) -> Any:
    """A new node at the place of an old one; its new parts too."""
    waiting = [made]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.expr, ast.stmt, ast.arg)):
            if hasattr(node, "lineno"):
                continue  # the user's own
            ast.copy_location(node, near)
        waiting.extend(ast.iter_child_nodes(node))
    return made
