"""Finds the rows in a file: in arrays, pages, tables, batch responses and Terraform states, inside each other.

Notes the pages that are, or may be, a part of a longer list, and what a file says that it lacks. Does not know what a
row says.
"""

from typing import Any, Final

from msgspec import Struct

from zones.azure import terraform
from zones.azure.arm_decode import RowDecoder
from zones.azure.arm_json import RowJson, ShortJson
from zones.azure.arm_rows import RowReader
from zones.azure.encoding import Document, Node, TypeMismatch
from zones.azure.file_pages import FilePage
from zones.azure.page_size import PageSize, page_size
from zones.azure.powershell import camel_keys

_DEEPEST: Final = 8
"""Pages and batches inside each other."""
_ENVELOPE: Final = {"value", "data", "endpoints", "body", "responses", "rows", "format_version"}
"""Keys of objects that are not a resource."""

Members = dict[str, Node]


class _ColumnJson(Struct):
    """A column of Resource Graph's table format."""

    name: str


class ShapeReader:
    """Reads the documents of one file. `where` names it; resources and faults go to the reader."""

    def __init__(self, document: Document, reader: RowReader, where: str) -> None:
        self._document, self._reader, self._where = document, reader, where
        self._decoder = RowDecoder(document, reader)
        self._depth = 0
        self.pages: list[FilePage] = []
        """The pages that are, or may be, a part of a longer list."""
        self.gaps: list[str] = []
        """What the file says that it lacks, and no other file can add."""

    def value(self, node: Node, label: str) -> None:
        """Read an array, an object that holds rows, or one resource. Raises `TypeMismatch`."""
        if self._depth == _DEEPEST:
            raise TypeMismatch("pages are nested too deeply")
        self._depth += 1
        try:
            if self._document.is_array(node):
                self._rows(node, label, [])
            else:
                self._object(node, label)
        finally:
            self._depth -= 1

    def _object(self, node: Node, label: str) -> None:
        top = self._document.split(node)
        members = camel_keys(top) if isinstance(top, dict) else {}
        if "body" in members:
            self.value(members["body"], label)
        elif "responses" in members:
            self._batch(members["responses"], label)
        elif "format_version" in members or members.keys() >= {"terraform_version", "resources"}:
            self._terraform(members, label)
        elif members.keys() >= {"columns", "rows"} or members.keys() & {"value", "data", "endpoints"}:
            self._page(members, label)
        elif table := self._table_inside(members):
            self._page(table, label)
        else:
            self._resource(node, members, label)

    def _resource(self, node: Node, members: Members, label: str) -> None:
        row = self._decoder.one(node, RowJson, label)
        if row is not None and not self._reader.row(row, label) and self._in_azure_form(node, label) is None:
            raise TypeMismatch(
                self._error(members)
                or (_TEMPLATE if members.keys() >= {"$schema", "resources"} else "")
                or "neither a resource nor an array, a page (value, data) or the short form (endpoints)"
            )

    def _in_azure_form(self, node: Node, label: str) -> str | None:
        """Read a row in PowerShell's form, and return its name; empty for a bad one, None for any other object."""
        changed = self._decoder.in_azure_form(node)
        if changed is None:
            return None
        row = self._decoder.one(changed, RowJson, label)
        if row is None:
            return ""
        return _name(row) if self._reader.row(row, label) else None

    def _error(self, members: Members) -> str:
        """Return the error that Azure answered with; empty where it did not."""
        if "error" not in members:
            return ""
        try:
            code = self._document.decode(members["error"], dict[str, object]).get("code")
        except TypeMismatch:
            code = None
        return f"Azure answered with an error: {str(code)[:80]}" if code else "Azure answered with an error"

    # -- pages

    def _page(self, members: Members, label: str) -> None:
        names: list[str] = []
        sizes = dict(members)
        for key in ("value", "data"):
            if table := self._table_inside(members, key):
                sizes |= table
                self._table(table, label, names)
            elif key in members:
                self._rows(members[key], label, names)
        if members.keys() >= {"columns", "rows"}:
            self._table(members, label, names)
        if "endpoints" in members:
            self._short(members["endpoints"], label)
        size = page_size(sizes, self._document)
        for path, message in size.faults(len(names)):
            self._reader.fault(label, path, message)
        self._note(size, names, label)

    def _note(self, size: PageSize, names: list[str], label: str) -> None:
        """Note a page that is, or may be, a part of a longer list. `names`: as `FilePage.of` takes them."""
        if size.page_rows is not None and len(names) < size.page_rows:
            self.gaps.append(f"{len(names)} of {size.page_rows} rows of a page{self._place(label)}")
        if size.total is None or size.link or size.is_cut or len(names) < size.total:
            self.pages.append(FilePage.of(names, size.total, size.link, is_cut=size.is_cut))

    def _place(self, label: str) -> str:
        """Return the place of a page or response in the file, after a comma; empty for the only one."""
        return label.replace(self._where, "", 1).replace(":", ",", 1)

    def _rows(self, node: Node, label: str, names: list[str]) -> None:
        """Read an array of rows, and add the ids of each row and its NIC to `names`."""
        items: list[Node] = []
        for i, row in enumerate(self._decoder.all(node, RowJson, label)):
            place = f"{label}: item {i}"
            names.append(_name(row) if isinstance(row, RowJson) else "")
            if not isinstance(row, RowJson):
                if row is not None:
                    self._nested(row, place)
            elif not self._reader.row(row, place):
                items = items or self._decoder.items(node)
                names[-1] = self._nested(items[i], place)

    def _nested(self, node: Node, label: str) -> str:
        """Read an item that is not a resource in Azure's form. Return its name where it is a resource.

        It is one in PowerShell's form, or an array or a page, from a loop that collects them.
        """
        try:
            top = self._document.split(node)
            if isinstance(top, list) or camel_keys(top).keys() & _ENVELOPE:
                self.value(node, label)
                return ""
        except TypeMismatch as error:
            self._reader.fault(label, error.path, str(error))
            return ""
        name = self._in_azure_form(node, label)
        if name is None:
            self._reader.fault(label, "", "nothing says what it is: no type, no id, no field of a network resource")
        return name or ""

    def _short(self, node: Node, label: str) -> None:
        for i, row in enumerate(self._decoder.all(node, ShortJson, label)):
            if isinstance(row, ShortJson):
                self._reader.short(row, f"{label}: item {i}")
            elif row is not None:
                self._decoder.one(row, ShortJson, f"{label}: item {i}")  # an array: a fault

    # -- tables, batches, states

    def _table_inside(self, members: Members, key: str = "properties") -> Members:
        """Return the table that a member is; empty where it is none."""
        node = members.get(key)
        if node is None or self._document.is_array(node):
            return {}
        try:
            top = self._document.split(node)
        except TypeMismatch:
            return {}
        return top if isinstance(top, dict) and top.keys() >= {"columns", "rows"} else {}

    def _table(self, members: Members, label: str, names: list[str]) -> None:
        """Read Resource Graph's table format: `columns` with a name each, and `rows` of values."""
        columns = [column.name for column in self._document.decode(members["columns"], list[_ColumnJson])]
        for i, item in enumerate(self._decoder.items(members["rows"])):
            place = f"{label}: row {i}"
            names.append("")
            try:
                values = self._document.decode(item, list[Any])
            except TypeMismatch as error:
                self._reader.fault(place, error.path, str(error))
                continue
            if len(values) != len(columns):
                self._reader.fault(place, "", f"{len(values)} values for {len(columns)} columns")
                continue
            value = dict(zip(columns, values, strict=True))
            row = self._decoder.one(value, RowJson, place)
            if row is not None:
                names[-1] = _name(row) if self._reader.row(row, place) else self._nested(value, place)

    def _batch(self, responses: Node, label: str) -> None:
        """Read the responses of a batch request to the Resource Manager."""
        for i, item in enumerate(self._decoder.items(responses)):
            place = f"{label}: responses[{i}]"
            try:
                self.value(self._content(item), place)
            except TypeMismatch as error:
                self.gaps.append(f"{self._place(place).removeprefix(', ')}: {error.described}")

    def _content(self, item: Node) -> Node:
        """Return the content of a response. Raises `TypeMismatch` for a request that failed."""
        response = self._document.split(item)
        if isinstance(response, list):
            raise TypeMismatch("an array where a response should be")
        status = self._document.decode(response.get("httpStatusCode", response.get("status")), object)
        content = response.get("content", response.get("body"))
        if not isinstance(status, int) or not 200 <= status < 300:
            raise TypeMismatch(f"failed with status {str(status)[:80]}")
        if content is None:
            raise TypeMismatch("no content")
        return content

    def _terraform(self, members: Members, label: str) -> None:
        if "values" not in members:
            raise TypeMismatch(
                _NO_STATE if members.keys() & {"planned_values", "resources"} else "an empty Terraform state"
            )
        state = self._document.decode(members["values"], terraform.StateJson)
        for address, value in terraform.rows(state):
            place = f"{label}: {address}"
            row = self._decoder.one(value, RowJson, place)
            if row is not None:
                self._reader.row(row, place)


EXPORT: Final = "export `az network private-endpoint list`, `az network nic list` and `az network vnet list`"
_TEMPLATE: Final = f"an ARM template, which does not say what exists: {EXPORT}"
_NO_STATE: Final = (
    "a Terraform plan, or a state as it is stored; `terraform show -json` without a file name writes the state"
)


def _name(row: RowJson) -> str:
    return f"{row.id or ''} {row.nic_id or ''}".strip().casefold()
