"""Decodes rows of Azure's JSON and of the short form. A bad row does not affect the other rows.

A row that cannot be read is a fault if pldns reads resources of its type. Rows in PowerShell's form are made into
Azure's form. Does not know how rows are arranged in a file, or what they say.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

from zones.azure.arm_json import TYPES, ArmJson, HeadJson, RowJson, ShortJson
from zones.azure.arm_rows import RowReader, normalised, type_of
from zones.azure.encoding import Document, Node, TypeMismatch
from zones.azure.powershell import TOO_SHALLOW, azure_form, is_too_shallow

R = TypeVar("R", bound=ArmJson)


class RowDecoder:
    """Decodes the rows of one file. Faults go to the reader."""

    def __init__(self, document: Document, reader: RowReader) -> None:
        self._document, self._reader = document, reader

    def all(self, node: Node, kind: type[R], label: str) -> Iterator[R | Node]:
        """Yield the rows of an array, or the node of a row that is an array itself; None for a row that is bad.

        All rows are decoded at once; where that fails, each by itself. Raises `TypeMismatch` for an object.
        """
        try:
            rows: list[R] | None = self._document.decode(node, list[kind] | None)  # type: ignore[valid-type]
            yield from rows or ()
        except TypeMismatch:
            for i, item in enumerate(self.items(node)):
                yield item if self._document.is_array(item) else self.one(item, kind, f"{label}: item {i}")

    def one(self, node: Node, kind: type[R], label: str) -> R | None:
        """Return one row. Return None where it cannot be read, with a fault if pldns reads resources of its type."""
        try:
            row: R = self._document.decode(node, kind)
        except TypeMismatch as error:
            if kind is RowJson and (changed := self.in_azure_form(node)) is not None:
                return self.one(changed, kind, label)
            self._unreadable(node, kind, label, error)
            return None
        return row

    def items(self, node: Node) -> list[Node]:
        """Return the items of an array. Raises `TypeMismatch` for an object."""
        items = self._document.split(node)
        if isinstance(items, dict):
            raise TypeMismatch("an object where an array of resources should be")
        return items

    def plain(self, node: Node) -> Any:  # noqa: ANN401 - any value
        """Return a value as Python values. Raises `TypeMismatch`."""
        return self._document.decode(node, Any)

    def in_azure_form(self, node: Node) -> dict[str, Any] | None:
        """Return an object in Azure's form; None where it is in that form already, or is no object."""
        try:
            value = self.plain(node)
            changed = azure_form(value)
        except TypeMismatch:
            return None
        return changed if isinstance(changed, dict) and changed != value else None

    def _unreadable(self, node: Node, kind: type[R], label: str, error: TypeMismatch) -> None:
        head = self._head(node)
        type_name = type_of(head.type, normalised(head.id)[0])
        if kind is ShortJson or type_name in ("", *TYPES):
            subject = next((text for text in (head.id, head.name) if text and isinstance(text, str)), label)
            message = str(error)
            if "got `str`" in message and self._is_too_shallow(node):
                message = f"{message}; {TOO_SHALLOW}"
            self._reader.fault(subject, error.path, message)
        else:
            self._reader.pass_over(type_name)

    def _is_too_shallow(self, node: Node) -> bool:
        try:
            return is_too_shallow(self.plain(node))
        except TypeMismatch:
            return False

    def _head(self, node: Node) -> HeadJson:
        try:
            head: HeadJson = self._document.decode(node, HeadJson)
        except TypeMismatch:
            return HeadJson()
        return head
