"""Fills the placeholders in the texts of `name_rules` and of the catalogue's public suffixes.

`name_rules` lists the placeholders. Those of the catalogue are `{regionName}`, `{region}`, `{regionCode}`,
`{dnsPrefix}` (the DNS zone of a managed instance), `{partitionId}` and `{subzone}`.
"""

import re
from collections.abc import Sequence
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


class Placeholders:
    """The values of the placeholders for one resource and one of its group ids.

    `region` and `code` are the folded name and the short code of the region, `slot` is the deployment slot of an app
    with a hyphen before it or empty, and `suffixes` are the public suffixes of the group id. `host` is set later.
    """

    def __init__(
        self, *, name: str, group: str, guid: str, region: str, code: str, slot: str, suffixes: Sequence[str], zone: str
    ) -> None:
        self.region = region
        self.host = ""
        self._suffixes = suffixes
        hexadecimal = guid.replace("-", "").casefold()
        number = int.from_bytes(hexadecimal.encode())
        self._fixed = {
            "name": name.casefold(),
            "guid": guid.casefold(),
            "hex": hexadecimal,
            "hash": hexadecimal[:12],
            "number": str(number % 10**16),
            "digit": str(number % 20),
            "group": group,
            "slot": slot,
            "dnsPrefix": zone or hexadecimal[:12],
            "regionCode": code,
            "code": code,
            "partitionId": "1",
            "subzone": name.casefold(),
        }

    def fill(self, text: str) -> str:
        """Return the text with all placeholders replaced; empty where the cloud has no such suffix."""
        try:
            return self.fill_placeholders(text)
        except IndexError:
            return ""

    def fill_placeholders(self, text: str) -> str:
        """Return the text with all placeholders replaced. Raises `IndexError` where a suffix is missing."""
        return _PLACEHOLDER.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        name = found[1]
        if (value := self._fixed.get(name)) is not None:
            return value
        if name in ("region", "regionName"):
            return self.region
        if name == "host":
            return self.host
        if name in ("hostname", "domain"):
            first, _, rest = self.host.partition(".")
            return first if name == "hostname" else rest
        suffix = self._suffixes[-1 if name == "plast" else int(name[1:])]
        return self.fill_placeholders(suffix.partition(".")[2] if name.startswith("p") else suffix)
