"""An upstream server inside the test, on UDP, that answers every query as the test says."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def answering(reply: Callable[[bytes], bytes]) -> Iterator[int]:
    """Answer every query with `reply` of its packet while the block runs. Yields the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                packet, sender = sock.recvfrom(4096)
                if not packet:
                    return
                sock.sendto(reply(packet), sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", sock.getsockname())
            thread.join()
