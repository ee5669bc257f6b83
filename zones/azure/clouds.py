"""Azure's clouds by name: the hosts of Microsoft Entra ID and of the Resource Manager, and the scope of tokens."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Cloud(NamedTuple):
    """One cloud. `authority` is the host of Microsoft Entra ID, `management` is the origin of the Resource Manager."""

    authority: str
    management: str
    scope: str
    """Scope of tokens for the Resource Manager. It does not change where the configuration names another origin."""


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
