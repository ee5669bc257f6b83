"""Patterns of paths: `*`, `?` and `[…]` within a name, and `**` for any folders. A path without wildcards is one too.

A pattern is absolute. Hidden files match only a pattern that has the dot. Does not know what the files are for.
"""

import fnmatch
import glob
import os
from collections.abc import Iterator
from pathlib import Path


def absolute(folder: Path, pattern: str) -> str:
    """Return the absolute form of a pattern below a folder, whose name has no wildcards even if it looks so."""
    return str(Path(glob.escape(os.path.abspath(folder))) / pattern)  # noqa: PTH100 - resolve() follows links


def matches(pattern: str) -> list[str]:
    """Return the files that match, in order. Folders do not. A folder that cannot be read has no files."""
    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return sorted(os.path.abspath(path) for path in found if not os.path.isdir(path))  # noqa: PTH100, PTH112 - there may be thousands


def has_match(pattern: str, path: str) -> bool:
    """Return whether a path matches, whether or not there is such a file."""
    return _match(Path(os.path.normpath(pattern)).parts, Path(path).parts)


def _match(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        visible = next((index for index, name in enumerate(path) if name.startswith(".")), len(path))
        return any(_match(pattern[1:], path[skipped:]) for skipped in range(visible + 1))
    return bool(path) and _match_name(pattern[0], path[0]) and _match(pattern[1:], path[1:])


def _match_name(pattern: str, name: str) -> bool:
    """Return whether one name matches. As in `glob`, the dot of a hidden name must be in the pattern."""
    is_hidden = name.startswith(".") and not pattern.startswith(".")
    return not is_hidden and fnmatch.fnmatchcase(name, pattern)


def folders(pattern: str) -> Iterator[str]:
    """Yield the folders whose entries decide what matches: one of them changes when a file comes or goes."""
    parts = Path(pattern).parts
    for index, part in enumerate(parts):
        if glob.has_magic(part):
            outer = parts[: index + 1] if part == "**" else parts[:index]
            yield from glob.iglob(f"{Path(*outer)}/", recursive=True)  # noqa: PTH207 - as above


def base(pattern: str) -> str:
    """Return the folder of all files that can match: the part before the first wildcard."""
    parts = Path(pattern).parts[:-1]
    named = [_named(part) for part in parts]
    first = named.index(None) if None in named else len(named)
    return os.path.abspath(Path(*filter(None, named[:first])))  # noqa: PTH100 - as above


def plain(pattern: str) -> str | None:
    """Return the path that a pattern without wildcards means; None for a pattern with wildcards."""
    named = [_named(part) for part in Path(pattern).parts]
    return None if None in named else os.path.abspath(Path(*filter(None, named)))  # noqa: PTH100 - as above


def _named(part: str) -> str | None:
    """Return the name that a part of a pattern means; None where it has wildcards."""
    left = part
    for escaped in ("[*]", "[?]", "[[]"):
        left = left.replace(escaped, "")
    if glob.has_magic(left):
        return None
    return part.replace("[*]", "*").replace("[?]", "?").replace("[[]", "[")
