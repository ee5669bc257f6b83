"""What all types of resources share: read, list, write, tag and delete one, with its ETag.

`types` says what a type does besides. Does not know HTTP.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.resource_name import check_group_name, check_name
from resolver.registry.service import registrations
from resolver.registry.service.body import Body
from resolver.registry.service.call import Call, missing
from resolver.registry.store.row import Json, Row

_MAX_TAGS: Final = 50
_MAX_TAG_NAME: Final = 512
_MAX_TAG_VALUE: Final = 256
_RESERVED_IN_TAGS: Final = re.compile(r"[<>%&\\?/\x00-\x1f]")


class ResourceType(NamedTuple):
    """One type of resource, by its full name.

    `check_changeable` raises `ArmFailure` for a body whose tags cannot change any more.

    `put` writes a resource and returns its row; `was` is the row before, None for a new one. `delete` removes a row
    with all that belongs to it. Either is None where clients may not do this. `shown` returns the body as clients see
    it. `has_parent`: the resource is the child of another one, and has no location of its own.
    """

    name: str
    put: Callable[[Call, ArmId, Body, Row | None], Row] | None
    delete: Callable[[Call, Row], None] | None
    shown: Callable[[Call, Row], Json] = lambda _call, row: row.json
    has_parent: bool = False
    check_changeable: Callable[[Json], None] = lambda _body: None


class Precondition(NamedTuple):
    """The headers `If-Match` and `If-None-Match` of a request; empty where there is none."""

    match: str = ""
    none_match: str = ""


class Written(NamedTuple):
    """A resource that was written."""

    body: Json
    created: bool


class Page(NamedTuple):
    """A part of a list, and the key after which the next page begins; empty for the last one."""

    items: list[Json]
    next: str = ""


def get(call: Call, kind: ResourceType, found: ArmId) -> Json:
    """Return a resource. Raises `ArmFailure` 404."""
    check_group(call, found)
    return kind.shown(call, call.row(found))


def listed(call: Call, kind: ResourceType, scope: ArmId, after: str, size: int) -> Page:
    """Return a page of the resources of a type in a subscription, a group, or of a parent resource."""
    folded = kind.name.casefold()
    if scope.namespace:
        call.row(scope)
        rows = call.tx.children(scope.key, folded, after, size + 1)
    else:
        if scope.group:
            call.row(scope)
        rows = call.tx.listed(folded, scope.subscription.casefold(), scope.group.casefold(), after, size + 1)
    items = [kind.shown(call, row) for row in rows[:size]]
    return Page(items, rows[size - 1].key if len(rows) > size else "")


def put(call: Call, kind: ResourceType, found: ArmId, body: Body, given: Precondition) -> Written:
    """Write a resource. Raises `ArmFailure`."""
    if kind.put is None:
        raise not_allowed(found, "PUT")
    check_group(call, found)
    was = call.tx.get(found.key)
    if was is None:
        (check_name if found.namespace else check_group_name)(found.name)
    _check_precondition(was, given, found)
    if was is None:
        registrations.check(call, found.subscription, found.namespace)
    else:
        found = ArmId.parse(was.id)  # the case of the first request stays
    row = kind.put(call, found, body, was)
    return Written(kind.shown(call, row), was is None)


def tag(call: Call, kind: ResourceType, found: ArmId, body: Body, given: Precondition) -> Json:
    """Replace the tags of a resource. Raises `ArmFailure`."""
    if kind.put is None or kind.has_parent:
        raise not_allowed(found, "PATCH")
    row = call.row(found)
    _check_precondition(row, given, found)
    changed = row.json
    kind.check_changeable(changed)
    if "tags" in body:
        changed["tags"] = tags_of(body)
    return kind.shown(call, call.tx.put(ArmId.parse(row.id), changed, parent=row.parent))


def delete(call: Call, kind: ResourceType, found: ArmId, given: Precondition) -> bool:
    """Delete a resource. Return False where there is none. Raises `ArmFailure`."""
    if kind.delete is None:
        raise not_allowed(found, "DELETE")
    check_group(call, found)
    row = call.tx.get(found.key)
    if row is None:
        return False
    _check_precondition(row, given, found)
    kind.delete(call, row)
    return True


def check_group(call: Call, found: ArmId) -> None:
    """Check that the group of a resource exists. Raises `ArmFailure` 404."""
    group = ArmId(found.subscription, found.group)
    if found.namespace and call.tx.get(group.key) is None:
        raise missing(group)


def tags_of(body: Body) -> Json:
    """Return the tags of a body. Raises `ArmFailure` 400."""
    tags = body.object("tags")
    if len(tags.given) > _MAX_TAGS:
        raise bad_request("TooManyTags", f"A resource has at most {_MAX_TAGS} tags.", "tags")
    found = {name: tags.text(name) for name in tags.given}
    for name, value in found.items():
        _check_tag(name, value)
    return found


def _check_tag(name: str, value: str) -> None:
    if not name or len(name) > _MAX_TAG_NAME or _RESERVED_IN_TAGS.search(name):
        raise bad_request(
            "InvalidTagNameCharacters",
            f"The tag name {name[:40]!r} is invalid. It has 1 to {_MAX_TAG_NAME} characters, and none of <>%&\\?/ and "
            "no control character.",
            "tags",
        )
    if len(value) > _MAX_TAG_VALUE:
        raise bad_request(
            "InvalidTagValueLength",
            f"The value of the tag {name[:40]!r} has {len(value)} characters. It can have {_MAX_TAG_VALUE} at most.",
            "tags",
        )


def head_of(call: Call, found: ArmId, body: Body, was: Row | None) -> Json:
    """Return the body of a resource without its properties. Raises `ArmFailure` for its location or tags."""
    location = call.location(body.text("location"), found)
    if was is not None and (before := was.json.get("location")) != location:
        raise ArmFailure(
            409,
            "InvalidResourceLocation",
            f"The resource '{found.name}' already exists in location '{before}' in resource group '{found.group}'. A "
            f"resource with the same name cannot be created in location '{location}'.",
            "location",
        )
    head: Json = {"name": found.name, "id": str(found), "type": found.type, "location": location}
    return head | ({"tags": tags_of(body)} if "tags" in body else {})


def child_of(found: ArmId) -> Json:
    """Return the body of a child resource without its properties."""
    return {"name": found.name, "id": str(found), "type": found.type}


def not_allowed(found: ArmId, method: str) -> ArmFailure:
    """Return the failure for a method that a type does not have."""
    return ArmFailure(
        405, "MethodNotAllowed", f"The resource type {found.type!r} does not support {method} in this registry."
    )


def _check_precondition(row: Row | None, given: Precondition, found: ArmId) -> None:
    if given.match and (row is None or (given.match != "*" and _weak(row.etag) != _weak(given.match))):
        raise ArmFailure(
            412,
            "PreconditionFailed",
            f"{found} has another ETag than the request says: it was changed meanwhile. Read the resource again.",
        )
    if given.none_match and row is not None and given.none_match in {"*", row.etag}:
        raise ArmFailure(412, "PreconditionFailed", f"{found} exists already.")


def _weak(etag: str) -> str:
    return etag.strip().removeprefix("W/")
