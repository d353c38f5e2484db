"""`tf.contrib.training.HParams`: named settings with fixed types, changed by name, text or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from numbers import Integral, Number
from typing import Any

from pullback.contrib.arg_scope import contrib

# "name=value", "name[3]=value", "name=[value, value]"; then a comma or the end.
_SETTING = re.compile(
    r"""\s* (?P<name>\w[\w.]*) \s* (\[\s* (?P<index>\d+) \s*\])? \s* = \s*
    (?: \[(?P<list>[^\]]*)\] | (?P<value>[^,\[]*) ) \s* (?:,|$)""",
    re.VERBOSE,
)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def _typed(name: str, kind: Any, value: Any) -> Any:
    """A value as the type of its setting.

    Raises:
      ValueError: it cannot be one; a float that is not whole for an int; a truth for a number.
    """
    what = f"Could not cast hparam '{name}' of type '{getattr(kind, '__name__', kind)}' from value {value!r}"
    if kind is None or value is None or (isinstance(value, kind) and type(value) is not bool):
        return value
    if any(issubclass(kind, t) != isinstance(value, t) for t in (str, bool)):
        raise ValueError(what)
    if issubclass(kind, int) and not isinstance(value, Integral):
        raise ValueError(what)
    return kind(value)


def _read(name: str, kind: type | None, text: str) -> Any:
    """The value that a text says.

    Raises:
      ValueError: it is none of the setting's type.
    """
    text = text.strip()
    if kind is None or kind is str:
        return text
    try:
        return _TRUTHS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{text}'") from None


@contrib("training", "parse_values")
def parse_values(values: str, type_map: dict[str, type], ignore_unknown: bool = False) -> dict[str, Any]:
    """Settings of a text: "rate=0.1,layers=[3, 4],units[1]=5" -> {"rate": 0.1, "layers": [3, 4], "units": {1: 5}}.

    Args:
      type_map: {name: type of the setting, or of its entries}. ignore_unknown: skip other names.
    Raises:
      ValueError: the text is not so written, a name is unknown or set twice, a value is not of its type.
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(values):
        match = _SETTING.match(values, at)
        if match is None:
            raise ValueError(f"Malformed hyperparameter value: {values[at:]}: write name=value, or name=[value, value]")
        at, name = match.end(), match["name"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter: {name}: there are {', '.join(sorted(type_map)) or 'none'}")
        kind, again = type_map[name], f"Multiple assignments to variable '{name}' in {values}"
        if match["index"] is not None:
            if match["list"] is not None or not isinstance(found.setdefault(name, {}), dict):
                raise ValueError(again)
            if int(match["index"]) in found[name]:
                raise ValueError(again)
            found[name][int(match["index"])] = _read(name, kind, match["value"])
        elif name in found:
            raise ValueError(again)
        elif match["list"] is not None:
            found[name] = [_read(name, kind, item) for item in match["list"].split(",") if item.strip()]
        else:
            found[name] = _read(name, kind, match["value"])
    return found


@contrib("training", "HParams")
class HParams:
    """Settings, as attributes: `HParams(rate=0.1, layers=[3, 4]).rate`.

    The type of a setting is that of its first value; of a list, that of its first entry. None takes any type.

    Raises:
      ValueError: a name is taken by a method; a list is empty.
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        if hparam_def is not None:
            raise ValueError("HParams: hparam_def, a message, is not read; give the settings by name")
        self._hparam_types: dict[str, tuple[type | None, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a setting.

        Raises:
          ValueError: the name is taken, or a list is empty.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        several = isinstance(value, (list, tuple))
        if several and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        example = value[0] if several else value
        self._hparam_types[name] = (None if example is None else type(example)), several
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Changes a setting.

        Raises:
          KeyError: there is none of the name. ValueError: the value is not of its type.
        """
        setattr(self, name, self._fitted(name, value))

    def _fitted(self, name: str, value: Any) -> Any:
        """A value as the setting's type; {index: value} as its list with those entries."""
        kind, several = self._hparam_types[name]
        if isinstance(value, dict):
            entries = list(getattr(self, name)) if several else []
            beyond = [index for index in value if index >= len(entries)]
            if beyond:
                raise ValueError(f"hparam '{name}' has {len(entries)} entries, so none with index {beyond[0]}")
            value = [value.get(i, entry) for i, entry in enumerate(entries)]
        if isinstance(value, (list, tuple)) != several:
            need = "a list" if several else "no list"
            raise ValueError(
                f"Must pass {need} for {'multi-valued' if several else 'single-valued'} parameter: {name}."
            )
        return [_typed(name, kind, v) for v in value] if several else _typed(name, kind, value)

    def del_hparam(self, name: str) -> None:
        """Removes a setting, if it is there."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Changes settings as a text says; see `parse_values`. Nothing is changed where it is wrong."""
        kinds = {name: kind for name, (kind, _) in self._hparam_types.items()}
        return self.override_from_dict(parse_values(values, kinds))  # type: ignore[arg-type]

    def override_from_dict(self, values_dict: dict[str, Any]) -> HParams:
        """Changes settings; of {index: value} single entries of a list. Nothing is changed where one is wrong."""
        fitted = {name: self._fitted(name, value) for name, value in values_dict.items()}
        for name, value in fitted.items():
            setattr(self, name, value)
        return self

    def parse_json(self, values_json: str) -> HParams:
        """Changes settings as a JSON object says."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(
        self, indent: Any = None, separators: Any = None, sort_keys: bool = False, ignore_unsupported: bool = False
    ) -> str:
        """The settings as JSON. ignore_unsupported: leave functions out instead of failing."""
        given = self.values()
        if ignore_unsupported:
            plain = (str, Number, list, tuple, dict, type(None))
            given = {name: value for name, value in given.items() if isinstance(value, plain)}
        return json.dumps(given, indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """A setting, or the default, which must be of its type.

        Raises:
          ValueError: it is not.
        """
        if key not in self._hparam_types:
            return default
        kind, several = self._hparam_types[key]
        if default is not None and kind is not None:
            if isinstance(default, list) != several:
                raise ValueError(f"HParams.get: default for {key!r} must be {'a list' if several else 'no list'}")
            for value in default if several else [default]:
                _typed(key, kind, value)
        return getattr(self, key)

    def set_model_structure(self, model_structure: Any) -> None:
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        return self._model_structure

    def __contains__(self, key: str) -> bool:
        return key in self._hparam_types

    def __iter__(self) -> Iterator[str]:
        return iter(self._hparam_types)

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"
