"""The part of Resource Graph's query language that an inventory needs, row by row. Everything else is refused.

`resources`, `where` on types and on a NIC's endpoint, `extend`, `project`, one `join` of NICs to their endpoints,
`order by`. Columns are names, paths into JSON, and `tolower` or `tostring` of them.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from tests.fake_azure.estate import NICS, Resource
from tests.fake_azure.replies import Refusal
from tests.fake_azure.shapes import TENANT, Json

Value = object
Row = dict[str, Value]
Column = tuple[str, Callable[[Row], Value]]

COLUMNS: Final = (
    "id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy", "sku", "plan",
    "properties", "tags", "identity", "zones", "extendedLocation",
)  # fmt: skip
DYNAMIC: Final = {"sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"}
NOTHING: Final[Row] = {name: None if name in DYNAMIC else "" for name in COLUMNS}
"""The result of a join without a match: strings are never null in Kusto."""
_TYPE = re.compile(r"type\s*(?P<how>=~|==|in~|in)\s*\(?(?P<types>(?:\s*,?\s*'[^']*')+)\s*\)?", re.IGNORECASE)
_OWNED = re.compile(r"isnotempty\(\s*properties\.privateEndpoint\.id\s*\)", re.IGNORECASE)
_ASSIGNED = re.compile(r"(?:(?P<name>\w+)\s*=\s*)?(?P<expression>.+)", re.DOTALL)
_CALL = re.compile(r"(?P<function>tolower|tostring)\s*\((?P<inner>.+)\)", re.DOTALL)
_JOIN = re.compile(r"kind\s*=\s*(?P<kind>leftouter|inner)\s*\((?P<inner>.+)\)\s*on\s+(?P<key>\w+)", re.DOTALL)


class KqlQuery(NamedTuple):
    """Which rows a query selects, and the columns that it makes of each."""

    types: frozenset[str]
    owned: bool
    """True to select only the NICs of endpoints."""
    join: Literal["", "leftouter", "inner"]
    ordered: bool
    columns: tuple[str, ...]
    steps: tuple[Callable[[Row, Row | None], Row], ...]

    def row(self, resource: Resource, nic: Resource | None = None) -> Row:
        """Return the columns of a resource, joined with a NIC or without one."""
        row, joined = base(resource), base(nic) if nic else None
        for step in self.steps:
            row = step(row, joined)
        return row


def base(resource: Resource) -> Row:
    """Return a resource in the columns of Resource Graph."""
    parts = resource.id.split("/")
    return {
        **NOTHING,
        "id": resource.id, "name": resource.name, "type": resource.type.lower(), "tenantId": TENANT,
        "location": resource.location.lower(), "resourceGroup": parts[4].lower(), "subscriptionId": parts[2],
        "properties": resource.properties, "tags": resource.tags,
    }  # fmt: skip


def parse(text: str) -> KqlQuery:
    """Parse a query. Raises for a query that the fake does not implement."""
    table, *stages = _split(text, "|")
    if table.casefold() != "resources":
        raise invalid(f"The table '{table}' is not known.")
    query = KqlQuery(frozenset(), owned=False, join="", ordered=False, columns=COLUMNS, steps=())
    for stage in stages:
        verb, _, rest = stage.partition(" ")
        read = {"where": _where, "extend": _extend, "project": _project, "join": _join, "order": _order, "sort": _order}
        if verb.casefold() not in read:
            raise invalid(f"The fake does not know the operator '{verb}'.")
        query = read[verb.casefold()](query, rest.strip())
    if not query.types:
        raise invalid("The fake wants a query that names the types of resources.")
    return query


def invalid(message: str) -> Refusal:
    """Return the refusal of an invalid query."""
    refusal = Refusal(400, "BadRequest", "Please provide below info when asking for support: correlationId = fake.")
    refusal.details = [{"code": "InvalidQuery", "message": f"Query is invalid. {message}"}]
    return refusal


def _where(query: KqlQuery, text: str) -> KqlQuery:
    for condition in re.split(r"\s+and\s+", text):
        if found := _TYPE.fullmatch(condition.strip()):
            named = re.findall(r"'([^']*)'", found["types"])
            if found["how"] in {"==", "in"}:  # types are stored in lower case
                named = [name for name in named if name == name.lower()]
            query = query._replace(types=frozenset(name.lower() for name in named) or frozenset({"none"}))
        elif _OWNED.fullmatch(condition.strip()):
            query = query._replace(owned=True)
        else:
            raise invalid(f"The fake does not know the condition '{condition}'.")
    return query


def _extend(query: KqlQuery, text: str) -> KqlQuery:
    columns = list(_columns(text, query.columns))

    def step(row: Row, joined: Row | None) -> Row:
        return row | {name: value(row) for name, value in columns}

    names = (*query.columns, *(name for name, _ in columns if name not in query.columns))
    return query._replace(columns=names, steps=(*query.steps, step))


def _project(query: KqlQuery, text: str) -> KqlQuery:
    columns = list(_columns(text, query.columns))

    def step(row: Row, joined: Row | None) -> Row:
        return {name: value(row) for name, value in columns}

    return query._replace(columns=tuple(name for name, _ in columns), steps=(*query.steps, step))


def _join(query: KqlQuery, text: str) -> KqlQuery:
    found = _JOIN.fullmatch(text)
    inner = parse(found["inner"]) if found else None
    if found is None or inner is None or inner.types != {NICS} or query.join:
        raise invalid("The fake joins NICs once, with kind=leftouter or inner, on one column.")
    if found["key"] not in inner.columns or found["key"] not in query.columns:
        raise invalid(f"join: failed to resolve column named '{found['key']}'.")
    names = {name: f"{name}1" if name in query.columns else name for name in inner.columns}

    def step(row: Row, joined: Row | None) -> Row:
        joined = joined or NOTHING
        for inner_step in inner.steps:
            joined = inner_step(joined, None)
        return row | {names[name]: joined[name] for name in inner.columns}

    kind: Literal["leftouter", "inner"] = "inner" if found["kind"] == "inner" else "leftouter"
    return query._replace(join=kind, columns=(*query.columns, *names.values()), steps=(*query.steps, step))


def _order(query: KqlQuery, text: str) -> KqlQuery:
    if not re.fullmatch(r"by\s+id(\s+asc)?", text):
        raise invalid("The fake orders by id asc alone.")
    if "asc" not in text:
        raise invalid("The fake orders by id asc alone; without a word it would be desc.")
    return query._replace(ordered=True)


def _columns(text: str, known: tuple[str, ...]) -> Iterator[Column]:
    for part in _split(text, ","):
        found = _ASSIGNED.fullmatch(part)
        if not found:
            raise invalid(f"Syntax error at '{part}'.")
        name = found["name"] or found["expression"]
        if not re.fullmatch(r"\w+", name):
            raise invalid(f"The fake wants a name for '{part}'.")
        yield name, _expression(found["expression"].strip(), known)


def _expression(text: str, known: tuple[str, ...]) -> Callable[[Row], Value]:
    if found := _CALL.fullmatch(text):
        inner, fold = _expression(found["inner"].strip(), known), found["function"] == "tolower"

        def called(row: Row) -> Value:
            value = inner(row)
            written = "" if value is None else str(value)
            return written.lower() if fold else written

        return called
    head, *path = text.split(".")
    if head not in known:
        raise invalid(f"Failed to resolve column named '{head}'.")
    if not path:
        return lambda row: row[head]
    return lambda row: _walk(row[head], path)


def _walk(value: Value, path: list[str]) -> Value:
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    for key in path:
        found: Json = value if isinstance(value, dict) else {}
        value = found.get(key)
    return value


def _split(text: str, separator: str) -> list[str]:
    """Split outside brackets and strings."""
    parts, depth, quoted = [""], 0, False
    for letter in text.strip():
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == separator and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [" ".join(part.split()) for part in parts]
