"""The files of the page that `make page` has built: scripts, styles and icons, each also compressed.

The name of each file has a digest of its content, so that browsers keep it without asking again. Does not know what
the files do.

The files are kept in memory (less than 1 MiB): an upgrade that replaces them does not break the page of a daemon that
still runs.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).with_name("assets")
MANIFEST: Final = "manifest.json"
_TYPES: Final[Mapping[str, str]] = {
    ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8", ".json": "application/json",
}  # fmt: skip
_CODINGS: Final[Mapping[str, str]] = {"br": ".br", "gzip": ".gz"}
"""The extension of a compressed file, by content coding, the best first."""


class Stored(NamedTuple):
    """The octets of a file in a content coding; `coding` is None for the file itself. `tag`: for the header `ETag`."""

    octets: bytes
    coding: str | None
    tag: str


class Asset(NamedTuple):
    """A file of the page. `stored`: the compressed forms, the best first, then the file itself."""

    media: str
    stored: tuple[Stored, ...]

    def best(self, accepted: str) -> Stored:
        """Return what to send. `accepted`: the header `Accept-Encoding`."""
        wanted = {part.partition(";")[0].strip() for part in accepted.lower().split(",") if not _is_refused(part)}
        return next(each for each in self.stored if each.coding is None or each.coding in wanted)


class Built(NamedTuple):
    """The page. Without a built page, `scripts` and `styles` are empty."""

    scripts: tuple[str, ...]
    """Names of the scripts that start the page."""
    preloads: tuple[str, ...]
    """Names of the files that these import."""
    styles: tuple[str, ...]
    icon: str
    licences: str
    """Name of the file with the licences of the libraries."""
    assets: Mapping[str, Asset]
    """Every file by its name."""


def read(folder: Path) -> Built:
    """Return what was built; nothing where it was not."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return Built((), (), (), "", "", {})
    assets = {name: _asset(folder / name) for name in manifest["files"]}
    scripts, preloads, styles = (tuple(manifest[key]) for key in ("scripts", "preloads", "styles"))
    return Built(scripts, preloads, styles, manifest["icon"], manifest["licences"], assets)


def _asset(path: Path) -> Asset:
    compressed = [(path.with_name(path.name + end), coding) for coding, end in _CODINGS.items()]
    stored = [_stored(each, coding) for each, coding in compressed if each.exists()]
    return Asset(_TYPES[path.suffix], (*stored, _stored(path, None)))


def _stored(path: Path, coding: str | None) -> Stored:
    octets = path.read_bytes()
    return Stored(octets, coding, hashlib.blake2b(octets, digest_size=10).hexdigest())


def _is_refused(part: str) -> bool:
    """Return whether an item of `Accept-Encoding` has the weight 0 (RFC 9110 §12.5.3)."""
    weight = part.replace(" ", "").partition(";q=")[2]
    return bool(weight) and not weight.strip("0.")
