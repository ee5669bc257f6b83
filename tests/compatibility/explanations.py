"""Differences that are right or unavoidable, by resolver and question, with the reason."""

from typing import Final

Explanations = dict[tuple[str, str], str]

_ANY: Final = "Knot Resolver answers ANY with SERVFAIL, whichever server it asks."
_KEPT: Final = "The resolver answers ANY from the records that it has in its cache (RFC 8482 lets it)."
_ALIAS: Final = (
    "Rebinding protection exempts by the name of the question, and `example.org` is not exempted. Without the "
    "protection the answer has the private address. Add the domain with `pldns suffixes --also`."
)
_DS: Final = "dnsmasq with DNSSEC answers DS queries in unsigned zones with SERVFAIL, whichever server it asks."
_SOA: Final = (
    "BIND takes an answer without records only if its SOA is at the forwarded domain or below. Here the zone in public "
    "DNS, `windows.net`, begins above the forwarded `queue.core.windows.net`. Only names without an endpoint and "
    "without the wanted type are affected: the SOA that pldns itself sends is below the domain."
)

_ALIASES: Final = ("public alias to storage", "public alias to Key Vault", "public alias to storage, DO bit")

IN_FRONT: Final[Explanations] = {
    ("Knot Resolver", "storage, ANY"): _ANY,
    ("Knot Resolver", "public, ANY"): _ANY,
    ("Unbound", "public, ANY"): _KEPT,
    ("BIND", "public, ANY"): _KEPT,
    ("BIND", "public, no endpoint, SOA above suffix"): _SOA,
    ("dnsmasq", "private zone, DS"): _DS,
    **{(name, alias): _ALIAS for name in ("dnsmasq", "Knot Resolver") for alias in _ALIASES},
}
"""Resolvers that ask pldns, where the reply differs from that of pldns."""

BEHIND: Final[Explanations] = {}
"""Resolvers that pldns asks, where the reply of pldns differs from theirs."""
