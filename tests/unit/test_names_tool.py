"""The list of public names is sorted, stable, and refuses what contradicts itself."""

from __future__ import annotations

import ast
import types
from pathlib import Path

import pytest

from tools import names

TABLES = {
    "V2": {"nn.conv2d": "pullback.ops.nn.conv:conv2d", "add": "pullback.ops.math:add", "in": "pullback.ops.math:in_"},
    "V1": {},
    "OPS": {"Conv2D": "pullback.ops.nn.conv", "AddV2": "pullback.ops.math"},
}


def test_what_is_written_reads_back_sorted() -> None:
    tree = ast.parse(names.written(TABLES))
    found = {
        statement.target.id: ast.literal_eval(statement.value)
        for statement in tree.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value
    }
    assert found == TABLES
    assert list(found["V2"]) == ["add", "in", "nn.conv2d"]


def test_order_of_declaration_does_not_show() -> None:
    turned = {table: dict(reversed(rows.items())) for table, rows in TABLES.items()}
    assert names.written(turned) == names.written(TABLES)
    assert names.stub(turned["V2"]) == names.stub(TABLES["V2"])


def test_stubs_hold_top_level_names_that_python_can_spell() -> None:
    text = names.stub(TABLES["V2"])
    ast.parse(text)
    assert "from pullback.ops.math import add as add\n" in text
    assert "conv2d" not in text and "in_" not in text


def test_a_name_declared_in_two_places_is_refused() -> None:
    declared = names.Declared()
    declared["add"] = ("pullback.ops.math", "add")
    declared["add"] = ("pullback.ops.math", "add")
    with pytest.raises(names.NamesError, match=r"'add'.*pullback\.ops\.math:add.*pullback\.ops\.other:plus"):
        declared["add"] = ("pullback.ops.other", "plus")


def test_lowerings_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "house" / "room"
    room.mkdir(parents=True)
    for module in (tmp_path / "house" / "__init__.py", room / "__init__.py", room / "rules.py"):
        module.write_text("")
    (room / "native.py").write_text("raise ImportError('a compiler was loaded')")
    monkeypatch.syspath_prepend(tmp_path)
    house = types.ModuleType("house")
    house.__path__ = [str(tmp_path / "house")]
    assert list(names.modules(house)) == ["house.room", "house.room.rules"]
