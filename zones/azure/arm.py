"""Parses Azure's JSON and the short form: the bytes of one file or page in, its resources out.

Accepts Microsoft.Network REST bodies, the output of `az … -o json` (`properties` flattened, nulls), rows of Resource
Graph and the short form; one of them, arrays of them, pages, batch responses, and several documents in one file. A row
that cannot be read is a `Fault`, and the other rows are kept. Does not validate names and addresses, and does not know
which resources belong together.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from zones.azure.arm_json import ENDPOINT, TYPES, ArmJson, HeadJson, RowJson, ShortJson
from zones.azure.arm_rows import RowReader, normalised, type_of
from zones.azure.encoding import Document, Form, Node, TypeMismatch, UnreadableDocument
from zones.azure.file_pages import FilePage
from zones.azure.page_size import PageSize, page_size
from zones.azure.resource import Resources


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


def contents(data: bytes, where: str, *, form: Form) -> FileContents:
    """Return the contents of one file or page. `where` names the file or page in faults.

    Raises `UnreadableDocument`, with line and column, for invalid JSON or YAML, for a document of another shape, and
    for a file with nothing but resources that name no private endpoint.
    """
    document = Document(data, form)
    reading = _Reading(document, where)
    reading.documents()
    return reading.contents()


_R = TypeVar("_R", bound=ArmJson)
_DEEPEST: Final = 8
"""Pages and batches inside each other."""
_PAGE: Final = {"value", "data", "endpoints"}


class _Reading:
    """Reads the documents of one file."""

    def __init__(self, document: Document, where: str) -> None:
        self._document, self._where = document, where
        self._reader = RowReader(where)
        self._pages: list[FilePage] = []
        self._gaps: list[str] = []
        self._depth = 0

    def documents(self) -> None:
        """Read all documents. Raises `UnreadableDocument` where none can be read."""
        roots = self._document.roots
        problems = []
        for i, root in enumerate(roots, 1):
            try:
                self._value(root, self._where if len(roots) == 1 else f"{self._where}: document {i}")
            except TypeMismatch as error:
                problems.append(f"document {i} is no list of resources: {_described(error)}")
                if len(problems) == len(roots):
                    raise UnreadableDocument(_described(error)) from None
        self._gaps += problems

    def contents(self) -> FileContents:
        """Return what was read. Raises `UnreadableDocument` where only resources that pldns cannot use were there."""
        reader = self._reader
        resources = reader.resources()
        useless = _useless(reader)
        if useless and not (resources.endpoints or resources.nics or resources.vnets):
            raise UnreadableDocument(useless)
        if reader.bare:
            reader.fault(self._where, "", useless)
            resources = reader.resources()
        return FileContents(resources, tuple(self._pages), tuple(self._gaps), reader.passed_over)

    def _value(self, node: Node, label: str) -> None:
        """Read an array, a page, a batch, the short form, one resource, or any of these under `body`.

        Raises `TypeMismatch`.
        """
        if self._depth == _DEEPEST:
            raise TypeMismatch("pages are nested too deeply")
        self._depth += 1
        try:
            top = self._document.split(node)
            if isinstance(top, list):
                self._rows(node, RowJson, self._reader.row, label)
            else:
                self._object(node, top, label)
        finally:
            self._depth -= 1

    def _object(self, node: Node, members: dict[str, Node], label: str) -> None:
        if "body" in members:
            self._value(members["body"], label)
        elif "responses" in members:
            self._batch(members["responses"], label)
        elif members.keys() & _PAGE:
            self._page(members, label)
        else:
            row = self._one(node, RowJson, label)
            if row and not self._reader.row(row, label):
                raise TypeMismatch(
                    self._error(members)
                    or "neither a resource nor an array, a page (value, data) or the short form (endpoints)"
                )

    def _error(self, members: dict[str, Node]) -> str:
        """Return the error that Azure answered with; empty where it did not."""
        if "error" not in members:
            return ""
        try:
            code = self._document.decode(members["error"], dict[str, object]).get("code")
        except TypeMismatch:
            code = None
        return f"Azure answered with an error: {str(code)[:80]}" if code else "Azure answered with an error"

    def _page(self, members: dict[str, Node], label: str) -> None:
        names: list[str] = []
        self._rows(members.get("value"), RowJson, self._reader.row, label, names)
        self._rows(members.get("data"), RowJson, self._reader.row, label, names)
        self._rows(members.get("endpoints"), ShortJson, self._reader.short, label)
        size = page_size(members, self._document)
        for path, message in size.faults(len(names)):
            self._reader.fault(label, path, message)
        self._place(size, names, label)

    def _place(self, size: PageSize, names: list[str], label: str) -> None:
        """Note a page that is, or may be, a part of a longer list."""
        if size.page_rows is not None and len(names) < size.page_rows:
            self._gaps.append(f"{len(names)} of {size.page_rows} rows of a page{self._place_of(label)}")
        if size.total is None or size.link or size.is_cut or len(names) < size.total:
            self._pages.append(FilePage.of(names, size.total, size.link, is_cut=size.is_cut))

    def _place_of(self, label: str) -> str:
        """Return the place of a page or response in the file, after a comma; empty for the only one."""
        return label.replace(self._where, "", 1).replace(":", ",", 1)

    def _batch(self, responses: Node, label: str) -> None:
        """Read the responses of a batch request to the Resource Manager."""
        items = self._document.split(responses)
        if isinstance(items, dict):
            raise TypeMismatch("an object where an array of responses should be")
        for i, item in enumerate(items):
            place = f"{label}: responses[{i}]"
            try:
                self._value(self._content(item), place)
            except TypeMismatch as error:
                self._gaps.append(f"{_described(error)}{self._place_of(place)}")

    def _content(self, item: Node) -> Node:
        """Return the content of a response. Raises `TypeMismatch` for a request that failed."""
        response = self._document.split(item)
        if isinstance(response, list):
            raise TypeMismatch("an array where a response should be")
        status = self._document.decode(response.get("httpStatusCode", response.get("status")), object)
        content = response.get("content", response.get("body"))
        if not isinstance(status, int) or not 200 <= status < 300:
            raise TypeMismatch(f"status {str(status)[:80]}")
        if content is None:
            raise TypeMismatch("no content")
        return content

    def _rows(
        self, node: Node, kind: type[_R], take: Callable[[_R, str], bool], label: str, names: list[str] | None = None
    ) -> None:
        """Read an array of rows. `names` receives the ids of each row and its NIC, for a page."""
        items: list[Node] = []
        for i, row in enumerate(self._decoded(node, kind, label) if node is not None else ()):
            if names is not None and isinstance(row, RowJson):
                names.append(f"{row.id or ''} {row.nic_id or ''}".strip().casefold())
            place = f"{label}: item {i}"
            if row is None or take(row, place):
                continue
            items = items or self._items(node)
            self._nested(items[i], place)

    def _nested(self, node: Node, label: str) -> None:
        """Read an item that is no resource: an array or a page, from a loop that collects pages, or a fault."""
        top = self._document.split(node)
        if isinstance(top, dict) and not top.keys() & {*_PAGE, "body", "responses"}:
            self._reader.fault(label, "", "nothing says what it is: no type, no id, no field of a network resource")
            return
        try:
            self._value(node, label)
        except TypeMismatch as error:
            self._reader.fault(label, error.path, str(error))

    def _items(self, node: Node) -> list[Node]:
        items = self._document.split(node)
        if isinstance(items, dict):
            raise TypeMismatch("an object where an array of resources should be")
        return items

    def _decoded(self, node: Node, kind: type[_R], label: str) -> Iterator[_R | None]:
        """Decode all rows at once; where that fails, decode each row by itself."""
        try:
            rows: list[_R] | None = self._document.decode(node, list[kind] | None)  # type: ignore[valid-type]
            yield from rows or ()
        except TypeMismatch:
            for i, item in enumerate(self._items(node)):
                yield self._one(item, kind, f"{label}: item {i}")

    def _one(self, node: Node, kind: type[_R], label: str) -> _R | None:
        """Decode one row. Return None where that fails, with a fault if pldns reads resources of its type."""
        try:
            row: _R = self._document.decode(node, kind)
        except TypeMismatch as error:
            if self._is_array(node):
                self._nested(node, label)
            else:
                self._unreadable(node, kind, label, error)
            return None
        return row

    def _is_array(self, node: Node) -> bool:
        try:
            return isinstance(self._document.split(node), list)
        except TypeMismatch:
            return False

    def _unreadable(self, node: Node, kind: type[_R], label: str, error: TypeMismatch) -> None:
        head = self._head(node)
        type_name = type_of(head.type, normalised(head.id)[0])
        if kind is ShortJson or type_name in ("", *TYPES):
            subject = next((text for text in (head.id, head.name) if text and isinstance(text, str)), label)
            self._reader.fault(subject, error.path, str(error))
        else:
            self._reader.pass_over(type_name)

    def _head(self, node: Node) -> HeadJson:
        try:
            head: HeadJson = self._document.decode(node, HeadJson)
        except TypeMismatch:
            return HeadJson()
        return head


def _described(error: TypeMismatch) -> str:
    return f"{error} at {error.path}" if error.path else str(error)


def _useless(reader: RowReader) -> str:
    """Return why resources of the file cannot be used, and what to export instead; empty where all can be used."""
    if reader.bare:
        endpoints = f" ({reader.bare[ENDPOINT]} of them private endpoints)" if reader.bare[ENDPOINT] else ""
        return (
            f"{reader.bare.total()} network resources{endpoints} have no properties, as `az resource list` prints "
            f"them: {_EXPORT}"
        )
    if reader.targets:
        return f"{reader.targets} resources that private endpoints connect to, but no private endpoint: {_EXPORT}"
    return ""


_EXPORT: Final = "export them with `az network private-endpoint list`, `az network nic list` and `az network vnet list`"
