"""The addresses of a subnet, as the database has them."""

from ipaddress import ip_address

from resolver.registry.model.address_pool import AddressPool, AddressRow
from resolver.registry.service.call import Call
from resolver.registry.service.virtual_networks import subnet_of
from resolver.registry.store.row import Row


def pool_of(call: Call, subnet: Row) -> AddressPool:
    """Return the addresses of a subnet as they are now. Those that were released long enough ago are free."""
    call.tx.forget_released(call.now - call.settings.hold)
    rows = (AddressRow(ip_address(address), holder, at) for address, holder, at in call.tx.addresses(subnet.key))
    return AddressPool(subnet_of(subnet), call.settings.hold, rows)
