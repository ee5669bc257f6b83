"""Parses Azure's JSON and the short form: the bytes of one file or page in, its resources out.

Accepts Microsoft.Network REST bodies, the output of `az … -o json` (`properties` flattened, nulls) and of PowerShell's
`ConvertTo-Json`, rows of Resource Graph, the output of `terraform show -json`, and the short form. A row that cannot be
read is a `Fault`, and the other rows are kept. Does not validate names and addresses, and does not know which resources
belong together.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from zones.azure.arm_json import ENDPOINT, RowJson
from zones.azure.arm_rows import RowReader
from zones.azure.arm_shapes import EXPORT, ShapeReader
from zones.azure.encoding import Document, Form, TypeMismatch, UnreadableDocument
from zones.azure.file_pages import FilePage
from zones.azure.resource import Resources

_ROW: Final = msgspec.json.Decoder(RowJson)


class FileContents(NamedTuple):
    """The contents of one file."""

    resources: Resources
    pages: tuple[FilePage, ...] = ()
    """The pages that are, or may be, a part of a longer list."""
    gaps: tuple[str, ...] = ()
    """What the file says that it lacks, and no other file can add."""
    passed_over: Mapping[str, int] = {}
    """Number of rows that pldns does not need, by type."""


def read(data: bytes, where: str, *, form: Form) -> Resources:
    """Return the resources of one file or page (`contents`)."""
    return contents(data, where, form=form).resources


def rows(bodies: Iterable[str | bytes], where: str) -> Resources:
    """Return the resources of JSON objects that are a resource each, in the form of REST bodies.

    For bodies that this program has written: much faster than `read`. Raises `msgspec.DecodeError` for any others.
    """
    reader = RowReader(where)
    for body in bodies:
        reader.row(_ROW.decode(body), where)
    return reader.resources()


def contents(data: bytes, where: str, *, form: Form) -> FileContents:
    """Return the contents of one file or page. `where` names the file or page in faults.

    Raises `UnreadableDocument`, with line and column, for invalid JSON or YAML, for a document of another shape, and
    for a file with nothing but resources that name no private endpoint.
    """
    document, reader = Document(data, form), RowReader(where)
    shapes = ShapeReader(document, reader, where)
    problems = []
    for i, root in enumerate(document.roots, 1):
        try:
            shapes.value(root, where if len(document.roots) == 1 else f"{where}: document {i}")
        except TypeMismatch as error:
            problems.append(f"document {i} is no list of resources: {error.described}")
            if len(problems) == len(document.roots):
                raise UnreadableDocument(error.described) from None
    useless = _useless(reader)
    if useless and not reader.has_resources:
        raise UnreadableDocument(useless)
    if reader.bare:
        reader.fault(where, "", useless)
    return FileContents(
        reader.resources(), tuple(shapes.pages), (*shapes.gaps, *problems), dict(reader.passed_over.most_common())
    )


def _useless(reader: RowReader) -> str:
    """Return why resources of the file cannot be used, and what to export instead; empty where all can be used."""
    if reader.bare:
        endpoints = f" ({reader.bare[ENDPOINT]} of them private endpoints)" if reader.bare[ENDPOINT] else ""
        return (
            f"{reader.bare.total()} network resources{endpoints} have no properties, as `az resource list` prints "
            f"them: {EXPORT}"
        )
    if reader.targets:
        return f"{reader.targets} resources that private endpoints connect to, but no private endpoint: {EXPORT}"
    return ""
