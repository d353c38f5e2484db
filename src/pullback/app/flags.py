"""`tf.flags` and `tf.app`: command-line flags, by absl-py, as in TensorFlow 1.15 itself.

absl-py is small, pure Python and needs nothing else; programs mix `from absl import flags` with `tf.flags` and expect
one set of flags, which an implementation of our own could not give. It is loaded when a flag is first used.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core.names import public, public_value


def _words(text: str) -> list[str]:
    """The words of a table that is written as prose."""
    return text.split()


_OLD_KEYWORDS = {"flag_name": "name", "default_value": "default", "docstring": "help"}
_WITH_OLD_KEYWORDS = ("DEFINE_string", "DEFINE_boolean", "DEFINE_bool", "DEFINE_float", "DEFINE_integer")
NAMES = _words(
    """
    ArgumentParser ArgumentSerializer BaseListParser BooleanFlag BooleanParser CantOpenFlagFileError
    CsvListSerializer DEFINE DEFINE_alias DEFINE_bool DEFINE_boolean DEFINE_enum DEFINE_enum_class DEFINE_flag
    DEFINE_float DEFINE_integer DEFINE_list DEFINE_multi DEFINE_multi_enum DEFINE_multi_enum_class
    DEFINE_multi_float DEFINE_multi_integer DEFINE_multi_string DEFINE_spaceseplist DEFINE_string
    DuplicateFlagError EnumClassFlag EnumClassParser EnumFlag EnumParser Error FLAGS Flag
    FlagNameConflictsWithMethodError FlagValues FloatParser IllegalFlagValueError IntegerParser ListParser
    ListSerializer MultiEnumClassFlag MultiFlag UnparsedFlagAccessError UnrecognizedFlagError ValidationError
    WhitespaceSeparatedListParser adopt_module_key_flags declare_key_flag disclaim_key_flags doc_to_help
    flag_dict_to_args get_help_width mark_bool_flags_as_mutual_exclusive mark_flag_as_required
    mark_flags_as_mutual_exclusive mark_flags_as_required multi_flags_validator register_multi_flags_validator
    register_validator text_wrap validator
    """
)
for _name in NAMES:
    public_value(_name, v1=(f"flags.{_name}", f"app.flags.{_name}"))


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    absl = importlib.import_module("absl.flags")
    absl.disclaim_key_flags()  # a flag belongs to the module that defines it, not to this one on the way
    value = getattr(absl, name)
    if name == "FLAGS":
        value = ParsedOnUse(value)
    elif name in _WITH_OLD_KEYWORDS:
        value = _with_old_keywords(value)
    globals()[name] = value
    return value


def _with_old_keywords(define: Callable[..., Any]) -> Callable[..., Any]:
    """DEFINE_*, whose arguments TensorFlow once called flag_name, default_value and docstring."""

    @functools.wraps(define)
    def call(*args: Any, **kwargs: Any) -> Any:
        return define(*args, **{_OLD_KEYWORDS.get(name, name): value for name, value in kwargs.items()})

    return call


class ParsedOnUse:
    """absl's FLAGS; the command line is parsed when a flag is first read, for programs without `app.run`."""

    def __init__(self, flags: Any) -> None:
        self.__dict__["_flags"] = flags

    def _parse_flags(self, args: Any = None) -> None:
        """Parses the command line now, as programs of before 1.5 ask."""
        self._flags([sys.argv[0], *args] if args is not None else sys.argv)

    def __getattr__(self, name: str) -> Any:
        flags = self.__dict__["_flags"]
        if name == "__flags":  # what programs of before 1.5 list: {flag: value}
            return self.flag_values_dict()
        if name in flags and not flags.is_parsed():
            flags(sys.argv)
        return getattr(flags, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._flags, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._flags, name)

    def __call__(self, argv: Any, known_only: bool = False) -> list[str]:
        return self._flags(argv, known_only=known_only)

    def flag_values_dict(self) -> dict[str, Any]:
        """{flag: value} of all flags."""
        if not self._flags.is_parsed():
            self._flags(sys.argv)
        return self._flags.flag_values_dict()

    def __getitem__(self, name: str) -> Any:
        return self._flags[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        self._flags[name] = flag

    def __contains__(self, name: str) -> bool:
        return name in self._flags

    def __iter__(self) -> Iterator[str]:
        return iter(self._flags)

    def __len__(self) -> int:
        return len(self._flags)

    def __dir__(self) -> list[str]:
        return dir(self._flags)

    def __str__(self) -> str:
        return str(self._flags)


@public(v1="app.run")
def run(main: Any = None, argv: Any = None) -> None:
    """Parses the flags and runs `main(arguments that are no flags)`; ends the process with what main returns.

    Args:
      main: by default the function `main` of the program's own module.
      argv: the program's name and its arguments; by default `sys.argv`. Flags that nobody defined are left in.
    """
    main = main or sys.modules["__main__"].main  # type: ignore[attr-defined]
    importlib.import_module("absl.app").run(main, sys.argv if argv is None else argv, _parse)


def _parse(argv: list[str]) -> list[str]:
    """Parses the flags that are defined; a value that a flag does not take ends the process, with how to see help."""
    absl = importlib.import_module("absl.flags")
    try:
        return absl.FLAGS(argv, known_only=True)
    except absl.Error as error:
        print(
            f"FATAL Flags parsing error: {error}\nPass --helpshort or --helpfull to see help on flags.", file=sys.stderr
        )
        sys.exit(1)
