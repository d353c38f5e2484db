"""Reads the `.proto` files beside it into message classes, in a pool of their own.

The files hold the part of proto3 that they need: messages, enums, oneofs, maps and fields, types named from the
package (`Summary.Value`). The pool is private, so another library's classes of the same names can live in the process.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILES = ("error", "graph", "session", "event", "example", "checkpoint", "saved_model", "projector")
_TOKEN = re.compile(r'//[^\n]*|"[^"]*"|[\w.]+|[{}<>=;,]')
_SCALARS = {
    "double", "float", "int32", "int64", "uint32", "uint64", "sint64", "fixed32", "fixed64", "bool", "string", "bytes",
}  # fmt: skip
_GOOGLE = {"google.protobuf.Any": "any", "google.protobuf.BoolValue": "wrappers"}


@functools.cache
def pool() -> Any:
    """The pool with all files in it.

    Raises:
      ImportError: the protobuf package is not installed.
    """
    from google.protobuf import any_pb2, descriptor_pool, wrappers_pb2

    made = descriptor_pool.DescriptorPool()
    for module in (any_pb2, wrappers_pb2):
        made.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    texts = {name: Path(__file__).with_name(f"{name}.proto").read_text(encoding="utf-8") for name in FILES}
    enums = {name for text in texts.values() for name in _enum_names(text)}
    for i, (name, text) in enumerate(texts.items()):
        made.Add(_Reader(text, enums).file(f"pullback/{name}.proto", [f"pullback/{f}.proto" for f in FILES[:i]]))
    return made


def message_class(name: str) -> Any:
    """The class of a message by its name in the package.

    Raises:
      KeyError: the files have no such message.
    """
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(pool().FindMessageTypeByName(f"tensorflow.{name}"))


def enum_of(name: str) -> Any:
    """An enum of the package: `Name(number)`, `Value(name)`, `items()`.

    Raises:
      KeyError: the files have no such enum.
    """
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

    return EnumTypeWrapper(pool().FindEnumTypeByName(f"tensorflow.{name}"))


def _tokens(text: str) -> list[str]:
    return [token for token in _TOKEN.findall(text) if not token.startswith("//")]


def _enum_names(text: str) -> Iterator[str]:
    """Names of a file's enums as fields say them: what a field's type is hangs on it."""
    tokens = _tokens(text)
    package = tokens[tokens.index("package") + 1]
    scope = package.split(".")[1:]
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if token == "{":
            scope.append(before)
        elif token == "}":
            scope.pop()
        elif token == "enum" and before in ("{", "}", ";"):
            yield ".".join([*scope, after])


class _Reader:
    """A recursive descent over one file's tokens."""

    def __init__(self, text: str, enums: set[str]) -> None:
        from google.protobuf.descriptor_pb2 import FieldDescriptorProto

        self._rest = iter(_tokens(text))
        self._enums, self._field_type = enums, FieldDescriptorProto
        self._imports: set[str] = set()

    def file(self, name: str, earlier: list[str]) -> Any:
        """The file's descriptor; it may use the `earlier` files."""
        from google.protobuf.descriptor_pb2 import FileDescriptorProto

        made = FileDescriptorProto(name=name, dependency=earlier)
        for word in self._rest:
            if word in ("syntax", "package"):
                setattr(made, word, self._until(";")[-1].strip('"'))
            elif word == "enum":
                self._enum(made.enum_type.add())
            else:
                self._message(made.message_type.add(), "")
        made.dependency.extend(sorted(self._imports))
        return made

    def _until(self, end: str) -> list[str]:
        return list(iter(lambda: next(self._rest), end))

    def _enum(self, made: Any) -> None:
        made.name, _ = next(self._rest), next(self._rest)
        while (word := next(self._rest)) != "}":
            words = self._until(";")
            if word == "option":
                made.options.allow_alias = True
            else:
                made.value.add(name=word, number=int(words[1]))

    def _message(self, made: Any, scope: str) -> None:
        made.name, _ = next(self._rest), next(self._rest)
        scope = f"{scope}.{made.name}" if scope else made.name
        oneof = None
        while (word := next(self._rest)) != "}" or oneof is not None:
            if word == "}":
                oneof = None
            elif word == "message":
                self._message(made.nested_type.add(), scope)
            elif word == "enum":
                self._enum(made.enum_type.add())
            elif word == "oneof":
                made.oneof_decl.add(name=next(self._rest))
                oneof, _ = len(made.oneof_decl) - 1, next(self._rest)
            else:
                self._field(made, scope, [word, *self._until(";")], oneof)

    def _field(self, message: Any, scope: str, words: list[str], oneof: int | None) -> None:
        """One field: `[repeated] type name = 3` or `map<key, value> name = 3`."""
        name, number = words[-3], int(words[-1])
        made = message.field.add(name=name, number=number, label=3 if words[0] in ("repeated", "map") else 1)
        if words[0] == "map":
            entry = message.nested_type.add(name="".join(part.capitalize() for part in name.split("_")) + "Entry")
            entry.options.map_entry = True
            for i, (part, kind) in enumerate((("key", words[2]), ("value", words[4])), 1):
                self._set_type(entry.field.add(name=part, number=i, label=1), kind)
            self._set_type(made, f"{scope}.{entry.name}")
        else:
            self._set_type(made, words[-4])
        if oneof is not None:
            made.oneof_index = oneof

    def _set_type(self, field: Any, kind: str) -> None:
        if kind in _SCALARS:
            field.type = self._field_type.Type.Value(f"TYPE_{kind.upper()}")
        elif kind in _GOOGLE:
            self._imports.add(f"google/protobuf/{_GOOGLE[kind]}.proto")
            field.type, field.type_name = self._field_type.TYPE_MESSAGE, f".{kind}"
        else:
            field.type = self._field_type.TYPE_ENUM if kind in self._enums else self._field_type.TYPE_MESSAGE
            field.type_name = f".tensorflow.{kind}"
