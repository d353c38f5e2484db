"""How much disk a distribution takes, with all that it requires. Text of a program: it runs in each environment."""

import importlib.metadata
import importlib.util
import os
import re


def required(words: str, seen: set[str]) -> None:
    """Adds the distribution that a requirement names and those that it requires, extras left out."""
    name = re.split(r"[\s<>=!~\[(]", words.strip(), maxsplit=1)[0]
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name in seen:
        return
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return  # required on other platforms
    seen.add(name)
    for line in found.requires or ():
        words, _, condition = line.partition(";")
        if "extra" not in condition:
            required(words, seen)


def tree(folder: str) -> int:
    """Bytes below a folder."""
    files = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return sum(os.path.getsize(file) for file in files if os.path.exists(file))


def megabytes(name: str, requires: tuple[str, ...] = ()) -> float:
    """Of a distribution with what it requires; files counted once.

    requires: what it requires where it runs from its source and is not installed.
    """
    seen: set[str] = set()
    for each in (name, *requires):
        required(each, seen)
    files = {str(f.locate()) for each in seen for f in importlib.metadata.distribution(each).files or ()}
    total = sum(os.path.getsize(file) for file in files if os.path.exists(file))
    package = importlib.util.find_spec(name)
    for folder in (package and package.submodule_search_locations) or ():
        if not any(file.startswith(folder + os.sep) for file in files):  # installed editable, or run from its source
            total += tree(folder)
    return total / 1e6
