"""Addresses of one subnet: which one an endpoint gets, and why a request for one is refused.

An address is used by one endpoint from its creation to its deletion. Then it is held: for a while nobody gets it, so
that clients with an old DNS answer do not reach another service.

Does not know where addresses are stored, and takes none: the caller stores the address that it gets.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NamedTuple, Protocol

from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.model.subnet import Address, Subnet
from zones.clocks import WallTime

IpVersion = Literal[4, 6]


class AddressRow(NamedTuple):
    """A stored address. `holder` is the key of the endpoint or service that has it, or had it.

    `released` is the time at which the holder gave the address back; None while it is in use.
    """

    holder: str
    released: WallTime | None = None


class StoredAddresses(Protocol):
    """The addresses of one subnet that are in use or held. Those whose hold has ended are not among them."""

    def row(self, address: Address) -> AddressRow | None:
        """Return the row of an address; None where it is free."""

    def count(self, first: Address, last: Address) -> int:
        """Return the number of rows from an address to another one, both included."""

    def count_held(self, first: Address, last: Address) -> int:
        """Return the number of these rows that are held."""


class AddressPool:
    """The free addresses of a subnet. `hold` is how long a released address is held, in seconds.

    Nothing is kept between two calls, so the pool is right after another process has changed the rows. Finding the
    lowest free address takes two counts of the rows, and where there is a gap, further counts of half, a quarter and
    so on of them.
    """

    def __init__(self, subnet: Subnet, hold: float, stored: StoredAddresses) -> None:
        self.subnet = subnet
        self._hold = hold
        self._stored = stored

    def lowest(self, version: IpVersion = 4) -> Address:
        """Return the lowest free address of the subnet. Raises `ArmFailure` 400 `SubnetIsFull`."""
        for usable in sorted(self.subnet.usable(version), key=lambda each: each.start):
            taken = self._taken(version, usable.start, usable[-1])
            if taken < usable.stop - usable.start:  # the size of an IPv6 prefix is too large for `len`
                return _address(version, self._first_gap(version, usable.start, taken))
        raise self._full(version)

    def _first_gap(self, version: IpVersion, start: int, taken: int) -> int:
        """Return the lowest number without a row: one of the first `taken` + 1 numbers from `start` on is free."""
        low, high = start, start + taken
        if taken and self._taken(version, low, high - 1) == taken:
            return high  # the usual case: no gap between the addresses that are taken
        while low < high:
            middle = (low + high) // 2
            if self._taken(version, low, middle) == middle - low + 1:
                low = middle + 1
            else:
                high = middle
        return low

    def _taken(self, version: IpVersion, first: int, last: int) -> int:
        return self._stored.count(_address(version, first), _address(version, last))

    def static(self, text: str, now: WallTime) -> Address:
        """Return the address that a request names, if it is free.

        Raises `ArmFailure` 400: those of `Subnet.check_static`, and `PrivateIPAddressInUse` for an address that is
        in use or held.
        """
        address = self.subnet.check_static(text)
        row = self._stored.row(address)
        if row is None:
            return address
        if row.released is None:
            raise bad_request(
                "PrivateIPAddressInUse",
                f"{address} in the subnet {self.subnet.id} is in use by {row.holder}. Choose another address.",
                self.subnet.id,
            )
        left = max(1, round(row.released + self._hold - now))
        raise bad_request(
            "PrivateIPAddressInUse",
            f"{address} in the subnet {self.subnet.id} belonged to an endpoint that was deleted. It is held for "
            f"{left} more seconds, because clients may still have it from DNS. Wait, or choose another address.",
            self.subnet.id,
        )

    def _full(self, version: IpVersion) -> ArmFailure:
        prefixes = ", ".join(str(each) for each in self.subnet.prefixes if each.version == version)
        ends = [(_address(version, each.start), _address(version, each[-1])) for each in self.subnet.usable(version)]
        held = sum(self._stored.count_held(first, last) for first, last in ends)
        used = sum(self._stored.count(first, last) for first, last in ends) - held
        if not prefixes:
            message = f"The subnet {self.subnet.id} has no IPv{version} prefix."
        elif held:
            message = (
                f"The subnet {self.subnet.id} with {prefixes} has no free address: {used:,} are in use, "
                f"and {held:,} are held after the deletion of their endpoints. Use another subnet, or wait "
                "until held addresses are free."
            )
        else:
            message = (
                f"The subnet {self.subnet.id} with {prefixes} has no free address: all {used:,} are in "
                "use. Use another subnet, or delete endpoints."
            )
        return bad_request("SubnetIsFull", message, self.subnet.id)


def _address(version: IpVersion, number: int) -> Address:
    return IPv4Address(number) if version == 4 else IPv6Address(number)
