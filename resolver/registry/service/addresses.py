"""The addresses of a subnet, as the database has them."""

from functools import lru_cache
from ipaddress import ip_address

from resolver.registry.model.address_pool import AddressPool, AddressRow
from resolver.registry.service.call import Call
from resolver.registry.service.virtual_networks import subnet_of
from resolver.registry.store.row import Row

_address = lru_cache(100_000)(ip_address)
"""Parses an address. Cached: each new endpoint in a subnet reads the addresses of all others."""


def pool_of(call: Call, subnet: Row) -> AddressPool:
    """Return the addresses of a subnet as they are now. Those that were released long enough ago are free."""
    call.tx.forget_released(call.now - call.settings.hold)
    rows = (AddressRow(_address(address), holder, at) for address, holder, at in call.tx.addresses(subnet.key))
    return AddressPool(subnet_of(subnet), call.settings.hold, rows)
