"""Addresses of one subnet: which one an endpoint gets, and why a request for one is refused.

An address is used by one endpoint from its creation to its deletion. Then it is held: for a while nobody gets it, so
that clients with an old DNS answer do not reach another service.

Does not know storage and transactions. `AddressPool` is in memory: one for each subnet that is in use, made from the
stored rows. A caller whose transaction fails calls `undo`, or makes a new pool.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal, NamedTuple

from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.subnet import Address, Subnet
from zones.clocks import WallTime

IpVersion = Literal[4, 6]


class AddressRow(NamedTuple):
    """A stored address. `owner` is the id of its endpoint, or what the caller chooses; a held one needs none.

    `released` is the time at which the endpoint gave the address back; None while it is in use.
    """

    address: Address
    owner: str
    released: WallTime | None = None


class AddressPool:
    """The addresses of a subnet that are in use, held, and free.

    `hold` is how long a released address is held, in seconds. `rows` are the stored addresses. Those outside the
    subnet's prefixes, which a change of the prefixes can leave, are kept and never given again. Each call costs
    O(log n) of the addresses in use.
    """

    def __init__(self, subnet: Subnet, hold: float, rows: Iterable[AddressRow] = ()) -> None:
        self.subnet = subnet
        self._hold = hold
        self._families = {version: _Family(subnet.usable(version)) for version in (4, 6)}
        for row in rows:
            family, number = self._families[row.address.version], int(row.address)
            if row.released is None:
                family.used[number] = row.owner
            else:
                family.hold(number, row.released)

    @property
    def used(self) -> int:
        """The number of addresses in use."""
        return sum(len(family.used) for family in self._families.values())

    def owner(self, address: Address) -> str | None:
        """Return who uses an address; None where nobody does."""
        return self._families[address.version].used.get(int(address))

    def take(self, owner: str, now: WallTime, version: IpVersion = 4) -> Address:
        """Give the lowest free address of the subnet to `owner`, the id of an endpoint, and return the address.

        Raises `ArmFailure` 400 `SubnetIsFull`.
        """
        family = self._families[version]
        family.end_holds(now - self._hold)
        number = family.lowest()
        if number is None:
            raise self._full(family, version)
        family.used[number] = owner
        return IPv4Address(number) if version == 4 else IPv6Address(number)

    def take_static(self, owner: str, text: str, now: WallTime) -> Address:
        """Give the address that a request names to `owner`, and return the address.

        Raises `ArmFailure` 400: those of `Subnet.check_static`, and `PrivateIPAddressInUse` for an address that is
        in use or held.
        """
        address = self.subnet.check_static(text)
        family, number = self._families[address.version], int(address)
        family.end_holds(now - self._hold)
        if (holder := family.used.get(number)) is not None:
            raise bad_request(
                "PrivateIPAddressInUse",
                f"{address} in the subnet {self.subnet.id} is in use by {holder}. Choose another address.",
                self.subnet.id,
            )
        if (released := family.held.get(number)) is not None:
            left = max(1, round(released + self._hold - now))
            raise bad_request(
                "PrivateIPAddressInUse",
                f"{address} in the subnet {self.subnet.id} belonged to an endpoint that was deleted. It is held for "
                f"{left} more seconds, because clients may still have it from DNS. Wait, or choose another address.",
                self.subnet.id,
            )
        family.used[number] = owner
        return address

    def release(self, address: Address, now: WallTime) -> None:
        """Take an address back because its endpoint is deleted. It is held from `now` on."""
        family, number = self._families[address.version], int(address)
        if family.used.pop(number, None) is not None:
            family.hold(number, now)

    def undo(self, address: Address) -> None:
        """Take an address back that was given out and never served: it is free at once."""
        family, number = self._families[address.version], int(address)
        if family.used.pop(number, None) is not None:
            family.free(number)

    def _full(self, family: "_Family", version: IpVersion) -> ArmFailure:
        prefixes = ", ".join(str(each) for each in self.subnet.prefixes if each.version == version)
        if not prefixes:
            message = f"The subnet {self.subnet.id} has no IPv{version} prefix."
        elif family.held:
            message = (
                f"The subnet {self.subnet.id} with {prefixes} has no free address: {len(family.used):,} are in use, "
                f"and {len(family.held):,} are held after the deletion of their endpoints. Use another subnet, or wait "
                "until held addresses are free."
            )
        else:
            message = (
                f"The subnet {self.subnet.id} with {prefixes} has no free address: all {len(family.used):,} are in "
                "use. Use another subnet, or delete endpoints."
            )
        return bad_request("SubnetIsFull", message, self.subnet.id)


class _Family:
    """The addresses of one IP version, as numbers."""

    def __init__(self, usable: list[range]) -> None:
        self.ranges: Final = usable
        self.used: dict[int, str] = {}
        """The owner of each address in use."""
        self.held: dict[int, WallTime] = {}
        """When each held address was released."""
        self._ends: list[tuple[WallTime, int]] = []
        """A heap of releases. One that `held` does not have any more is skipped."""
        self._fresh: list[range] = sorted(usable, key=lambda each: each.start, reverse=True)
        """Addresses that no search has passed yet, the lowest range last."""
        self._returned: list[int] = []
        """A heap of the free addresses that a search has passed. One that is in use again is skipped."""
        self._in_returned: set[int] = set()

    def hold(self, number: int, released: WallTime) -> None:
        self.held[number] = released
        heappush(self._ends, (released, number))

    def end_holds(self, before: float) -> None:
        """Free the addresses that were released at `before` or earlier."""
        while self._ends and self._ends[0][0] <= before:
            released, number = heappop(self._ends)
            if self.held.get(number) == released:
                del self.held[number]
                self.free(number)

    def free(self, number: int) -> None:
        """Make an address available that is neither in use nor held any more."""
        is_fresh = any(number in each for each in self._fresh)
        if not is_fresh and number not in self._in_returned and any(number in each for each in self.ranges):
            heappush(self._returned, number)
            self._in_returned.add(number)

    def lowest(self) -> int | None:
        """Return the lowest address that is free, and pass it; None where there is none."""
        while self._returned:
            number = heappop(self._returned)
            self._in_returned.discard(number)
            if number not in self.used and number not in self.held:
                return number
        while self._fresh:
            here = self._fresh[-1]
            if not here:
                self._fresh.pop()
                continue
            number = here.start
            self._fresh[-1] = range(number + 1, here.stop)
            if number not in self.used and number not in self.held:
                return number
        return None
