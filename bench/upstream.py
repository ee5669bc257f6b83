"""A public resolver that answers every A question at once with a documentation address and TTL 300 (seconds).

`python -m bench.upstream PORT` listens on 127.0.0.1.
"""

import asyncio
import sys
from typing import Any, Final

_FLAGS: Final = b"\x81\x80"  # QR RD RA, NOERROR
_COUNTS: Final = b"\x00\x01\x00\x01\x00\x00\x00\x00"
_ANSWER: Final = b"\xc0\x0c\x00\x01\x00\x01" + (300).to_bytes(4, "big") + b"\x00\x04\xc0\x00\x02\x01"


def reply(query: bytes) -> bytes:
    """Return a reply with the id and question of `query` and one A record."""
    end = 12
    while query[end]:
        end += 1 + query[end]
    return query[:2] + _FLAGS + _COUNTS + query[12 : end + 5] + _ANSWER


class Upstream(asyncio.DatagramProtocol):
    """Answers datagrams."""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own type is wider than UDP's
        """Store the transport for replies."""
        self._transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer one query."""
        self._transport.sendto(reply(data), addr)


async def serve(port: int) -> None:
    """Answer until the process ends."""
    await asyncio.get_running_loop().create_datagram_endpoint(Upstream, local_addr=("127.0.0.1", port))
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
