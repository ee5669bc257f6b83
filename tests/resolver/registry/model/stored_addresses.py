"""The rows of one subnet in memory."""

from resolver.registry.model.address_pool import AddressPool, AddressRow, IpVersion
from resolver.registry.model.subnet import Address, Subnet
from zones.clocks import WallTime


class Stored:
    """The addresses in use and those that are held, with a pool that finds free ones."""

    def __init__(self, subnet: Subnet, hold: float) -> None:
        self.rows: dict[Address, AddressRow] = {}
        self.pool = AddressPool(subnet, hold, self)
        self._hold = hold

    # -- what the pool asks

    def row(self, address: Address) -> AddressRow | None:
        return self.rows.get(address)

    def count(self, first: Address, last: Address) -> int:
        return len(self._between(first, last))

    def count_held(self, first: Address, last: Address) -> int:
        return sum(row.released is not None for row in self._between(first, last))

    def _between(self, first: Address, last: Address) -> list[AddressRow]:
        return [
            row
            for address, row in self.rows.items()
            if address.version == first.version and int(first) <= int(address) <= int(last)
        ]

    # -- what a database does

    def take(self, holder: str, now: WallTime, version: IpVersion = 4) -> Address:
        self._forget(now)
        address = self.pool.lowest(version)
        self.rows[address] = AddressRow(holder)
        return address

    def take_static(self, holder: str, text: str, now: WallTime) -> Address:
        self._forget(now)
        address = self.pool.static(text, now)
        self.rows[address] = AddressRow(holder)
        return address

    def release(self, address: Address, now: WallTime) -> None:
        self.rows[address] = self.rows[address]._replace(released=now)

    def _forget(self, now: WallTime) -> None:
        over = [
            each for each, row in self.rows.items() if row.released is not None and row.released <= now - self._hold
        ]
        for address in over:
            del self.rows[address]
