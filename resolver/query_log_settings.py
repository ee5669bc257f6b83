"""The accepted settings of the query log: which queries it has, and where they go. Pure."""

from typing import Final, Literal

import msgspec

from resolver.host_port import bracketed

AnswerClass = Literal["success", "denial", "error"]
"""The classes of CoreDNS's plugin `log`."""
DnstapMessage = Literal["client_query", "client_response"]
LineFormat = Literal["json", "coredns"]

CLASSES: Final[tuple[AnswerClass, ...]] = ("success", "denial", "error")
STDOUT: Final = "stdout"
"""In place of the path of a file."""


class QuerySelection(msgspec.Struct, frozen=True):
    """Which queries are logged: those that have all of this."""

    classes: tuple[AnswerClass, ...] = CLASSES
    """In the order of `CLASSES`."""
    networks: tuple[str, ...] = ()
    """Names of networks, and `none`. Empty: all."""
    sample: int = 1
    """Of so many queries that match the rest, one is logged."""


class AddressMask(msgspec.Struct, frozen=True):
    """How many bits of a client's address are logged. The other bits are 0."""

    ipv4: int = 32
    ipv6: int = 128


class LineSettings(msgspec.Struct, frozen=True):
    """A line for each query. `to`: an absolute path, or `stdout`."""

    to: str
    format: LineFormat = "json"
    size: int = 100 << 20
    """Octets of a file, after which another one is begun."""
    files: int = 5
    """Earlier files that are kept."""


class DnstapSettings(msgspec.Struct, frozen=True):
    """A collector of dnstap messages: at `path`, a Unix socket, or at `host` and `port` over TCP."""

    messages: tuple[DnstapMessage, ...]
    identity: str
    version: str
    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def to(self) -> str:
        """The address as text."""
        return f"unix://{self.path}" if self.path else f"tcp://{bracketed(self.host)}:{self.port}"


class QueryLogSettings(msgspec.Struct, frozen=True):
    """Where the query log goes. Workers have the selection of queries."""

    mask: AddressMask = AddressMask()
    lines: LineSettings | None = None
    dnstap: DnstapSettings | None = None


def log_directory(settings: QueryLogSettings | None) -> str:
    """Return the directory of the file; empty without a file."""
    lines = settings.lines if settings else None
    return "" if lines is None or lines.to == STDOUT else lines.to.rpartition("/")[0] or "/"
