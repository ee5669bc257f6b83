"""The keys of `query_log`: which queries are logged, and where the lines go."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from resolver.config.section import Section
from resolver.config.values import AnyNetwork, Invalid, Size, Text
from resolver.host_port import parse
from resolver.query_log_settings import AnswerClass, DnstapMessage, LineFormat


def _file(text: str) -> str:
    if text.endswith("/"):
        raise Invalid(f"`{text}` is a directory")
    return text


def _collector(text: str) -> str:
    if text.startswith("unix:///") and not text.endswith("/"):
        return text
    if text.startswith("tcp://"):
        return f"tcp://{parse(text.removeprefix('tcp://'))}"
    raise Invalid(f"`{text}` is not unix:///PATH or tcp://ADDRESS:PORT")


class MaskSection(Section):
    """How many bits of a client's address are logged. The others are 0."""

    ipv4: int = Field(default=32, ge=0, le=32, description="Of IPv4 addresses; `24` hides the last number.")
    ipv6: int = Field(default=128, ge=0, le=128, description="Of IPv6 addresses; `64` hides the interface.")


class DnstapSection(Section):
    """A collector of dnstap messages. It gets the queries that `classes`, `networks` and `sample` select."""

    to: Annotated[Text, AfterValidator(_collector)] = Field(
        description="Where the collector listens: `unix:///PATH` or `tcp://ADDRESS:PORT`."
    )
    messages: tuple[DnstapMessage, ...] = Field(
        default=("client_response",),
        min_length=1,
        description="`client_query`: a message with each query. `client_response`: a message with each reply.",
    )
    identity: Text | None = Field(
        default=None, description="The name of this server in messages. Default: `dns.identity`."
    )


class QueryLogSection(Section):
    """A log of the queries that clients ask (docs/query-log.md). Without this section, queries are not logged."""

    to: Annotated[Text, AfterValidator(_file)] | None = Field(
        default=None,
        description="`stdout`, or the path of a file. Default: `stdout`; with `dnstap`, no lines. The directory of the "
        "file is created if missing, and must be writable for the user of pldns.",
    )
    format: LineFormat = Field(
        default="json", description="`json`: an object on each line. `coredns`: the lines of CoreDNS's plugin `log`."
    )
    size: Size = Field(default=100 << 20, ge=1 << 16, description="Octets of a file, after which a new one begins.")
    files: int = Field(
        default=5, ge=0, le=1000, description="How many earlier files are kept, with the suffixes `.1`, `.2` and so on."
    )
    classes: tuple[AnswerClass | Literal["all"], ...] = Field(
        default=("all",),
        min_length=1,
        description="Kinds of replies whose queries are logged. `denial`: NXDOMAIN, or no record of the type. `error`: "
        "every other rcode than NOERROR.",
    )
    networks: tuple[AnyNetwork, ...] = Field(
        default=(), description="Networks whose queries are logged; `none`: clients in no network. Default: all."
    )
    sample: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="Of so many queries that match `classes` and `networks`, one is logged.",
    )
    mask: MaskSection = MaskSection()
    dnstap: DnstapSection | None = Field(default=None, description="Default: no dnstap messages.")
