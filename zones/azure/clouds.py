"""Azure's clouds by name: who gives tokens, who answers, and what the tokens are for. Nothing else is known of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Cloud(NamedTuple):
    """One cloud. `authority` is the host of Microsoft Entra ID, `management` the origin of the Resource Manager."""

    authority: str
    management: str
    scope: str
    """Of tokens for the Resource Manager; it stays the cloud's where the configuration names another origin."""


CLOUDS: Final[Mapping[str, Cloud]] = MappingProxyType(
    {
        "public": Cloud(
            "login.microsoftonline.com",
            "https://management.azure.com",
            "https://management.azure.com/.default",
        ),
        "usgovernment": Cloud(
            "login.microsoftonline.us",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/.default",
        ),
        "china": Cloud(
            "login.chinacloudapi.cn",
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
        ),
    }
)
