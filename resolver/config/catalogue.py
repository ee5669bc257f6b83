"""The keys of `catalogue`: public suffixes of private-link services that pldns does not know yet.

Rules between suffixes are in `catalogue_rules`.
"""

import difflib
import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from resolver.config.section import Section
from resolver.config.values import Invalid, Text
from zones.azure.suffix_trie import is_placeholder, is_private_label, pattern
from zones.dns.name import InvalidName

PLACEHOLDERS: Final = (
    "regionName", "regionCode", "region", "subzone", "partitionId", "dnsPrefix", "dnsZone", "workspaceName",
)  # fmt: skip
"""The placeholders of the catalogue. Each is one label of any text; `partitionId` is a number."""
_BRACES: Final = re.compile(r"[{}]")
_TYPE: Final = re.compile(r"[A-Za-z0-9.]+(/[A-Za-z0-9]+)+", re.ASCII)


def _suffix(text: str) -> str:
    """Return a name that may have placeholders, without a dot at the end. Raises `Invalid`."""
    try:
        pattern(text)
    except InvalidName as error:
        raise Invalid(f"not a domain name: {error}") from None
    bare = text.removesuffix(".")
    if not bare:
        raise Invalid("the root is above every name; it cannot be configured here")
    for label in bare.split("."):
        _check_placeholder(label)
    if "*" in bare.split("."):
        raise Invalid(f"`{text}`: a suffix covers all names below itself; write no `*`")
    return bare


def _check_placeholder(label: str) -> None:
    if not _BRACES.search(label):
        return
    known = {each.casefold(): each for each in PLACEHOLDERS}
    if label[1:-1].casefold() not in known or label != f"{{{label[1:-1]}}}":
        nearest = difflib.get_close_matches(label.strip("{}").casefold(), known, n=1)
        words = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
        hint = f"{{{known[nearest[0]]}}}" if nearest else ""
        raise Invalid(f"`{label}` is no placeholder; a placeholder is a whole label, one of {words}", hint)


def _public(text: str) -> str:
    bare = _suffix(text)
    labels = pattern(bare)
    if any(map(is_private_label, labels)):
        raise Invalid(f"`{text}` has a label `privatelink`, so names below are private already; this is for `private`")
    if len(labels) < 2 or _BRACES.search(".".join(bare.split(".")[-2:])):
        raise Invalid(f"`{text}` covers names of many owners; the last two labels of a public suffix must be literal")
    if repeated := [label for label in dict.fromkeys(labels) if is_placeholder(label) and labels.count(label) > 1]:
        raise Invalid(f"`{text}` has `{repeated[0].decode()}` more than once; a placeholder is one label of a name")
    return bare


def _resource_type(text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise Invalid(f"`{text}` is not a resource type such as Microsoft.Storage/storageAccounts")
    return text


def _true_is_service(value: object) -> object:
    return {True: "service", False: None}[value] if isinstance(value, bool) else value


def _name(title: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"title": title, "type": "string", "examples": list(examples)})


PublicSuffix = Annotated[str, AfterValidator(_public), _name("domain name", "service.azure.net")]
PrivateZone = Annotated[str, AfterValidator(_suffix), _name("domain name", "privatelink.service.azure.net")]
ResourceType = Annotated[
    str, AfterValidator(_resource_type), _name("resource type", "Microsoft.Storage/storageAccounts")
]
Sharing = Annotated[Literal["service", "tenant", "region"] | None, BeforeValidator(_true_is_service)]


class SuffixSection(Section):
    """A public suffix, and the private zone for the names below it.

    A label may be one of the placeholders `{regionName}`, `{regionCode}`, `{region}`, `{subzone}`, `{partitionId}` (a
    number), `{dnsPrefix}`, `{dnsZone}` and `{workspaceName}`; each is any one label.
    """

    public: PublicSuffix = Field(description="The public suffix, for example `service.azure.net`.")
    private: PrivateZone = Field(
        description="The private zone; one of its labels is `privatelink` or `privatelink-…`. Placeholders are those "
        "of `public`."
    )
    types: tuple[ResourceType, ...] = Field(
        default=(), description="Only for endpoints of these resource types. Default: all."
    )
    groups: tuple[Text, ...] = Field(default=(), description="Only for endpoints with these group ids. Default: all.")
    shared: Sharing = Field(
        default=None,
        description="Whose resources all have the same names below the suffix: those of the `service`, a `tenant` or a "
        "`region`; `true` is `service`. A contest for such a name is `shared-global-name`. Default: each name belongs "
        "to one resource.",
    )


class CatalogueSection(Section):
    """Additions to the catalogue of private-link zones (`pldns catalogue`)."""

    suffixes: tuple[SuffixSection, ...] = Field(
        default=(),
        description="Public suffixes with their private zones. They take precedence over the same suffixes of the "
        "built-in catalogue.",
    )
