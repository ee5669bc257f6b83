"""The keys of `hub`: other pldns follow this one."""

from pydantic import Field

from resolver.config.admin import AdminTlsSection
from resolver.config.section import Section
from resolver.config.values import Count, Listen


class HubSection(Section):
    """A listener at which other pldns, the spokes, receive everything that this one reads (docs/hub.md)."""

    listen: Listen = Field(
        description="An address and port. An address that is not loopback needs `tls`, and each spoke needs a token "
        "(`pldns token new NAME --role read`) or a client certificate."
    )
    tls: AdminTlsSection | None = Field(default=None, description="Default: plain HTTP, on loopback only.")
    followers: Count = Field(default=1000, ge=1, le=20_000, description="The most spokes at the same time.")
