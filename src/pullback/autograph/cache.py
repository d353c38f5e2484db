"""The converted function, compiled once for each code object, on the user's own lines."""

from __future__ import annotations
import __future__

import ast
import functools
import weakref
from types import CellType, CodeType, FunctionType
from typing import Any

from pullback.autograph import convert, source, verbosity

_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_ITSELF = "ag__function"  # a name of its own, as the function may read the one it has
_found: dict[int, tuple[weakref.ref[CodeType], CodeType | None]] = {}


def converted(function: FunctionType) -> FunctionType:
    """The function with its control flow in operators: of the same globals, cells and defaults. The function itself
    where there is nothing to convert, no source, or where it is converted already."""
    code = converted_code(function.__code__)
    if code is None:
        return function
    from pullback.autograph import operators

    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells[convert.OPERATORS] = CellType(operators)
    closure = tuple([cells[name] for name in code.co_freevars])
    made = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__, made.__dict__ = function.__kwdefaults__, dict(function.__dict__)
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    made.__annotations__ = function.__annotations__
    return made


def converted_code(code: CodeType) -> CodeType | None:
    """What a function's code is converted to, or None."""
    held = _found.get(id(code))
    if held is None or held[0]() is not code:
        key = id(code)
        made = None if convert.OPERATORS in code.co_freevars else _compiled(code)
        forget = functools.partial(_forget, _found, key)
        held = _found[key] = weakref.ref(code, forget), made
    return held[1]


def _forget(found: dict[int, Any], key: int, _: Any) -> None:
    found.pop(key, None)


def _compiled(code: CodeType) -> CodeType | None:
    definition = source.tree_of(code)
    if definition is None:
        verbosity.tell(1, lambda: f"AutoGraph: {_place(code)} runs as it stands: its source is not to be had")
        return None
    if not convert.convert(definition):
        return None
    verbosity.tell(3, lambda: f"AutoGraph: {_place(code)} is converted to\n{ast.unparse(definition)}")
    args = definition.args
    args.defaults, args.kw_defaults = [ast.Constant(None)] * len(args.defaults), [None] * len(args.kw_defaults)
    names: list[ast.expr] = [ast.Name(n, ast.Store()) for n in (*code.co_freevars, convert.OPERATORS)]
    free = ast.Assign(names, ast.Constant(None))  # what the definition finds around it
    if isinstance(definition, ast.FunctionDef):
        definition.name = _ITSELF
    inside: ast.stmt = definition if isinstance(definition, ast.FunctionDef) else ast.Expr(definition)
    private = _class_of(code)
    if private is not None:
        inside = _defined(ast.ClassDef, name=private, bases=[], keywords=[], body=[inside], decorator_list=[])
    outer = _defined(
        ast.FunctionDef, name="outer", args=ast.arguments([], [], None, [], [], None, []), body=[free, inside],
        decorator_list=[], returns=None, type_comment=None,
    )  # fmt: skip
    module = ast.Module([outer], [])
    for node in (outer, free, inside, *names):
        ast.copy_location(node, definition)
    ast.fix_missing_locations(module)
    made = compile(module, code.co_filename, "exec", code.co_flags & _FUTURES, dont_inherit=True)
    return _named(_code_in(made, _ITSELF if isinstance(definition, ast.FunctionDef) else "<lambda>"), code)


def _place(code: CodeType) -> str:
    return f"{code.co_qualname} ({code.co_filename}:{code.co_firstlineno})"


def _defined(kind: Any, **fields: Any) -> Any:
    if "type_params" in kind._fields:  # Python 3.12
        fields["type_params"] = []
    return kind(**fields)


def _class_of(code: CodeType) -> str | None:
    """A class whose name Python puts before private names as it does in the method's own class; it leaves out leading
    underscores, and so the name is not one that the method reads."""
    parts = code.co_qualname.split(".")
    return f"____{parts[-2]}" if len(parts) > 1 and parts[-2] != "<locals>" else None


def _code_in(code: CodeType, name: str) -> CodeType:
    """The code object of this name, the outermost."""
    waiting = [code]
    for found in waiting:
        inner = [c for c in found.co_consts if isinstance(c, CodeType)]
        for c in inner:
            if c.co_name == name and found is not code:
                return c
        waiting += inner
    raise AssertionError(f"{name} is not in its own module")


def _named(made: CodeType, original: CodeType) -> CodeType:
    """Blocks that became functions bear the name of the function they were in, as tracebacks show it."""

    def renamed(code: CodeType, name: str, qualified: str) -> CodeType:
        inner = []
        for c in code.co_consts:
            if isinstance(c, CodeType):
                own = c.co_name not in convert.GENERATED
                c = renamed(c, c.co_name if own else name, f"{qualified}.<locals>.{c.co_name}" if own else qualified)
            inner.append(c)
        return code.replace(co_consts=tuple(inner), co_name=name, co_qualname=qualified)

    return renamed(made, original.co_name, original.co_qualname)
