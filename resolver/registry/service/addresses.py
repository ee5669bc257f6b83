"""The addresses of a subnet, as the database has them."""

from resolver.registry.model.address_pool import AddressPool, AddressRow, IpVersion
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.subnet import Address
from resolver.registry.service.call import Call
from resolver.registry.service.virtual_networks import subnet_of
from resolver.registry.store.row import Row
from resolver.registry.store.transaction import Transaction


class _Stored:
    """The rows of one subnet, by its key."""

    def __init__(self, tx: Transaction, subnet: str) -> None:
        self._tx = tx
        self._subnet = subnet

    def row(self, address: Address) -> AddressRow | None:
        found = self._tx.address(self._subnet, address)
        return AddressRow(*found) if found else None

    def count(self, first: Address, last: Address) -> int:
        return self._tx.count_addresses(self._subnet, first, last)

    def count_held(self, first: Address, last: Address) -> int:
        return self._tx.count_released(self._subnet, first, last)


class SubnetAddresses:
    """Gives the addresses of one subnet. Those that were released long enough ago are free."""

    def __init__(self, call: Call, subnet: Row) -> None:
        call.tx.forget_released(call.now - call.settings.hold)
        self._call = call
        self._subnet = subnet.key
        self._pool = AddressPool(subnet_of(subnet), call.settings.hold, _Stored(call.tx, subnet.key))

    def take(self, holder: ArmId, static: str = "", version: IpVersion = 4) -> Address:
        """Give an endpoint or a service an address: the static one, or the lowest of the version that is free.

        Raises `ArmFailure` 400.
        """
        address = self._pool.static(static, self._call.now) if static else self._pool.lowest(version)
        self._call.tx.take(self._subnet, address, holder.key)
        return address
