"""`python -m bench.flood PORT RATE`: sends malformed packets to a local port at a fixed rate for two minutes."""

import random
import socket
import sys
import time
from typing import Final

SECONDS: Final = 120
SLICE: Final = 0.01


def main() -> None:
    """Send truncated packets, packets with compression pointers and random octets. Replies are discarded."""
    port, rate = int(sys.argv[1]), int(sys.argv[2])
    dice = random.Random(1)
    good = b"\x12\x34\1\0\0\1\0\0\0\0\0\1\3www\7example\0\0\1\0\1\0\0\x29\4\xd0\0\0\0\0\0\0"
    packets = [good[: dice.randrange(12, len(good))] for _ in range(50)]
    packets += [good[:12] + dice.randbytes(dice.randrange(200)) for _ in range(50)]
    packets += [dice.randbytes(dice.randrange(12, 500)) for _ in range(50)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        began, sent = time.monotonic(), 0
        while (now := time.monotonic()) < began + SECONDS:
            while sent < (now - began) * rate:
                sock.send(packets[sent % len(packets)])
                sent += 1
            time.sleep(SLICE)  # paces the load at `rate`; a wake-up for each packet would occupy a core


if __name__ == "__main__":
    main()
