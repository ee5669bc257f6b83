"""What the ledger reports to the board: the findings that depend on claims, endpoints, networks and zone files."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

from zones.azure.catalogue import Catalogue
from zones.azure.endpoint import Endpoint, ResourceId, VirtualNetwork
from zones.claims.contest import Claim, Contender, Verdict
from zones.claims.policy import Pin
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.findings import checks, companions, contested, limits, overlaps, private_names
from zones.findings.board import Board, Topic
from zones.findings.endpoint_evidence import UsedLimit
from zones.findings.faults import Reporter
from zones.findings.finding import Finding
from zones.ledger.azure_names import MOST, AzureNames
from zones.ledger.excepted import UnmatchedItems
from zones.ledger.limit_use import Use
from zones.networks.network import NetworkMask, Networks


class LedgerReports:
    """The findings of the ledger's topics.

    `holders` has every endpoint by key, also those that are gone and whose claims linger.
    """

    def __init__(
        self, board: Board, networks: Networks, catalogue: Catalogue, holders: Mapping[ResourceId, Endpoint]
    ) -> None:
        self.now = WallTime(0.0)
        """Time of the current change, in seconds since the epoch."""
        self.contested: set[Name] = set()
        """Names with more than one contender. Nearness can matter to these only."""
        self._board = board
        self._networks = networks
        self._catalogue = catalogue
        self._holders = holders

    def endpoint(self, key: ResourceId, endpoint: Endpoint | None, vnet: VirtualNetwork | None) -> None:
        """Report what one endpoint shows by itself. `vnet` is its VNet, if known."""
        found: tuple[Finding, ...] = ()
        if endpoint is not None:
            found = (*checks.of_endpoint(endpoint, vnet), *checks.of_wildcards(endpoint, self._catalogue))
        self._replace(Topic.ENDPOINT, key, found)

    def moved(self, key: ResourceId, old: Endpoint | None, new: Endpoint | None) -> None:
        """Report a changed address. The finding stays until the address changes again or is not served any more."""
        if new is None or not new.served:
            self._replace(Topic.MOVED, key, ())
        elif old is not None and (moved := tuple(checks.of_moved(new, old))):
            self._replace(Topic.MOVED, key, moved)

    def faults(self, key: ResourceId, endpoint: Endpoint | None) -> None:
        """Report the faults of an endpoint's data."""
        faults = checks.faults_of(endpoint, self._networks) if endpoint else ()
        self._board.replace_faults(Reporter("endpoint", key), faults, self.now)

    def address(self, address: bytes, holders: Sequence[Endpoint]) -> None:
        """Report an address that several served endpoints have."""
        clash = checks.of_address(address, holders, self._networks) if len(holders) > 1 else ()
        self._replace(Topic.ADDRESS, address, clash)

    def companions(self, key: str, endpoints: Iterable[Endpoint]) -> None:
        """Report companions that the endpoints with one `Companions.key` lack."""
        found = companions.of_companions(endpoints, self._networks, self._catalogue.companions)
        self._replace(Topic.COMPANIONS, key, found)

    def limits(self, subject: str, uses: Iterable[Use]) -> None:
        """Report Azure's limits of which a VNet, a subscription or a target uses much; none to close the finding."""
        used = tuple(UsedLimit(limit.what, limit.where, used, limit.maximum) for limit, used in uses)
        self._replace(Topic.LIMIT, subject, limits.of_limits(subject, used))

    def overlaps(self, vnets: Iterable[VirtualNetwork]) -> None:
        """Report address space that several VNets share."""
        self._replace(Topic.OVERLAP, "", overlaps.of_overlaps(vnets, self._networks))

    def pins(self, name: Name, pins: Sequence[Pin], claims: Iterable[Claim], hidden: NetworkMask) -> None:
        """Report pins of a name that decide nothing.

        `claims` are all claims on the name. `hidden` are the networks that except the name.
        """
        claimants = {claim.endpoint: self._holders[claim.endpoint] for claim in claims}
        self._replace(Topic.PIN, name, checks.of_pins(name, pins, claimants, self._networks, hidden))

    def excepted(self, unmatched: UnmatchedItems) -> None:
        """Report the items of a network's `except` that match nothing."""
        network, items = unmatched
        self._replace(Topic.EXCEPTED, network, checks.of_excepted(network, items, self._networks))

    def shadow(self, name: Name, zone: Name | None, claims: Iterable[Claim]) -> None:
        """Report claims of served endpoints on a name in the zone file of `zone`; None: no zone file has the name."""
        owners = [endpoint for claim in claims if (endpoint := self._holders[claim.endpoint]).served]
        self._replace(Topic.SHADOW, name, checks.of_shadow(name, zone, owners) if zone and owners else ())

    def contest(self, name: Name, contenders: Sequence[Contender], verdicts: Sequence[Verdict]) -> None:
        """Report the contest for a name."""
        if len(contenders) > 1:
            self.contested.add(name)
            findings = contested.of_name(name, verdicts, contenders, self._holders, self._networks, self._catalogue)
            self._replace(Topic.CONTEST, name, findings)
        elif name in self.contested:
            self.contested.remove(name)
            self._replace(Topic.CONTEST, name, ())

    def public_contest(self, public: Name, contenders: Sequence[Contender], verdicts: Sequence[Verdict]) -> None:
        """Report the contest for a public FQDN whose claims lead to several private names; none without contenders."""
        found = contested.of_name(public, verdicts, contenders, self._holders, self._networks, self._catalogue)
        self._replace(Topic.PUBLIC_CONTEST, public, found)

    def unknown_zone(self, name: Name, keys: Sequence[ResourceId]) -> None:
        """Report endpoints that claim a name in no private zone, unless the configuration gives it to them."""
        holders = [holder for key in keys if not (holder := self._holders[key]).has_configured(name)]
        self._replace(
            Topic.ZONE, name, (checks.of_unknown_zone(name, holders, self._catalogue),) if holders else ()
        )  # fmt: skip

    def azure_names(self, names: AzureNames, fqdns: Iterable[Name]) -> None:
        """Report the private names that Azure has for these FQDNs and that the catalogue does not derive."""
        for fqdn in fqdns:
            holders = [
                (self._holders[key].id, each.azure, each.derived) for key, each in sorted(names.listed(fqdn).items())
            ]
            self._replace(Topic.PRIVATE_NAME, fqdn, private_names.of_private_name(fqdn, holders))
        self._replace(Topic.PRIVATE_NAME, "", private_names.more_private_names(len(names), MOST))

    def _replace(self, topic: Topic, about: Hashable, findings: Iterable[Finding]) -> None:
        self._board.replace(topic, about, findings, self.now)
