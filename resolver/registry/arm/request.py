"""A request to the Resource Manager, as the handlers read it. Does not know sockets and tokens."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from yarl import URL

from resolver.registry.arm.reply import Reply
from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.body import Body, decoded
from resolver.registry.service.resources import Precondition
from resolver.registry.store.row import Json


class Asked(NamedTuple):
    """A request with a valid token and version.

    `origin` is where the client reaches the registry. `path` has the parts of the path that the route names.
    """

    method: str
    url: URL
    origin: str
    path: Mapping[str, str]
    version: str
    precondition: Precondition
    octets: bytes

    @property
    def body(self) -> Body:
        """The body. Raises `ArmFailure` 400."""
        return decoded(self.octets)

    @property
    def subscription(self) -> str:
        """The subscription, folded."""
        return self.path["subscription"].casefold()

    @property
    def scope(self) -> ArmId:
        """The subscription, or the resource group where the path has one."""
        return ArmId(self.path["subscription"], self.path.get("group") or "")

    @property
    def resource(self) -> ArmId:
        """The resource that the path names. Raises `ArmFailure` 400 `InvalidResourceName`."""
        try:
            return ArmId.parse(self.path["id"])
        except ArmFailure:
            raise bad_request(
                "InvalidResourceName",
                f"{self.path['id'][:200]!r} cannot be the path of a resource: a name in it is too long, or has a "
                "character that no name can have.",
            ) from None


def of_resource(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Reply:
    """Return the response that has a resource, with its ETag."""
    tagged: dict[str, Any] = {"ETag": body["etag"], **(headers or {})}
    return Reply(status, body, tagged)
