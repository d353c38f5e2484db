"""Running tests: `tf.test.main`, and what tests ask of their surroundings."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
import unittest
from typing import Any
from unittest import mock

from pullback.core.errors import ArgumentError
from pullback.core.names import public, public_value

public_value("mock", v1="test.mock")


@public("test.main")
def main(argv: Any = None) -> None:
    """Runs all tests of the program's own module and ends the process: status 0 when all passed.

    Args:
      argv: the program's name and its arguments; by default `sys.argv`. Flags that the program defined are taken out.
    """
    given = list(sys.argv if argv is None else argv)
    absl = sys.modules.get("absl.flags")
    if absl is not None:
        given = absl.FLAGS(given, known_only=True)
    unittest.main(module="__main__", argv=given)


@public(v1="test.get_temp_dir")
@functools.cache
def get_temp_dir() -> str:
    """A folder for the tests of this process, gone when it ends."""
    made = tempfile.mkdtemp(prefix="pullback-test-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@public(v1="test.test_src_dir_path")
def src_dir_path(relative_path: str) -> str:
    """A path beside the program."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), relative_path)


def _same_graph(actual: Any, expected: Any) -> None:
    """Two GraphDefs hold equal nodes, in whichever order.

    Raises:
      AssertionError: a node is in one only, or differs.
    """
    a, b = ({node.name: node for node in graph.node} for graph in (actual, expected))
    if a.keys() != b.keys():
        apart = f"only in actual {sorted(a.keys() - b.keys())}, only in expected {sorted(b.keys() - a.keys())}"
        raise AssertionError(f"graphs differ: {apart}")
    for name, node in a.items():
        if node != b[name]:
            raise AssertionError(f"node {name!r} differs:\nactual:\n{node}\nexpected:\n{b[name]}")


@public(v1="test.assert_equal_graph_def")
def assert_equal_graph_def_v1(
    actual: Any, expected: Any, checkpoint_v2: bool = False, hash_table_shared_name: bool = False
) -> None:
    """Two GraphDefs hold equal nodes, in whichever order.

    Args:
      checkpoint_v2, hash_table_shared_name: False. They are about names that TensorFlow makes up anew in each run.
    Raises:
      AssertionError: a node is in one only, or differs.
    """
    if checkpoint_v2 or hash_table_shared_name:
        raise ArgumentError("assert_equal_graph_def: no name is made up anew here; leave the last two arguments False")
    _same_graph(actual, expected)


@public("test.assert_equal_graph_def", v1=None)
def assert_equal_graph_def(expected: Any, actual: Any) -> None:
    """Two GraphDefs hold equal nodes, in whichever order.

    Raises:
      AssertionError: a node is in one only, or differs.
    """
    _same_graph(actual, expected)


__all__ = ["mock"]
