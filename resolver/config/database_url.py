"""The URL of a PostgreSQL database, as a value of the configuration. Its password is in no text that people see.

Does not know what the database is for.
"""

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import PlainValidator, WithJsonSchema

from resolver.config.values import Invalid

_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "passfile")
"""Parameters that name a file."""
_SECRET: Final = ("password", "sslpassword")
_PASSWORD: Final = re.compile(r"(://[^\s:/@]*:)[^\s@]*@")
_HIDDEN: Final = "***"


class DatabaseUrl(str):
    """The text of the URL with `***` for its password."""

    __slots__ = ("password", "url")

    url: str
    """The URL without its password."""
    password: str
    """The password; empty where the URL has none."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the URL names."""
        return tuple(value for key, value in self._parameters.items() if key in _FILES)

    @property
    def is_unix(self) -> bool:
        """True if the server is reached over a Unix socket."""
        return self._host.startswith("/") or not self._host

    @property
    def is_open(self) -> bool:
        """True if the connection leaves the machine and the server need not prove who it is."""
        if self.is_unix or self._host == "localhost":
            return False
        try:
            if ipaddress.ip_address(self._host).is_loopback:
                return False
        except ValueError:
            pass
        return not self._parameters.get("sslmode", "").startswith("verify-")

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or self._parameters.get("host", "")

    @property
    def _parameters(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query))


def hidden(text: str) -> str:
    """Return a text without the passwords of the URLs in it."""
    return _PASSWORD.sub(rf"\1{_HIDDEN}@", text)


def _database(value: object) -> DatabaseUrl:
    """Return the URL of a database. The messages do not repeat the value, which may have a password."""
    example = "a URL such as postgresql://pldns@db.example/pldns"
    if not isinstance(value, str):
        raise Invalid(f"must be {example}")
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        raise Invalid(f"must be {example}") from None
    if parts.scheme not in {"postgresql", "postgres"} or not value.startswith(f"{parts.scheme}://"):
        raise Invalid(f"must be {example}")
    given = dict(parse_qsl(parts.query))
    if secret := next((each for each in _SECRET if each in given), ""):
        raise Invalid(
            f"must not have `{secret}` after the `?`: a password is before the `@`, or in `database_password`"
        )
    for each in _FILES:
        if each in given and not given[each].startswith("/"):
            raise Invalid(f"`{each}` must be an absolute path")
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    made = DatabaseUrl(hidden(value))
    made.url = parts._replace(netloc=f"{name}@{host}" if user else host).geturl()
    made.password = unquote(password)
    return made


Database = Annotated[
    DatabaseUrl, PlainValidator(_database), WithJsonSchema({"title": "URL", "type": "string", "format": "uri"})
]
