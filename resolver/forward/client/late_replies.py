"""Failed questions that still listen for a late reply, which the cache can use.

Knows how many of them there may be. Does not know when their time is over: the forwarder keeps the deadlines.
"""

from collections.abc import Collection

from resolver.forward.cache import Key
from resolver.forward.exchange import Exchange


class LateReplies:
    """The exchanges of failed questions, oldest first; at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._listening: dict[Key, Exchange] = {}

    def __len__(self) -> int:
        return len(self._listening)

    def __contains__(self, exchange: Exchange) -> bool:
        return self._listening.get(exchange.key) is exchange

    def listen(self, exchange: Exchange) -> Exchange | None:
        """Add an exchange. Return the one that has to make room for it, after closing it."""
        self._listening[exchange.key] = exchange
        return self.stop(next(iter(self._listening))) if len(self._listening) > self._limit else None

    def stop(self, key: Key) -> Exchange | None:
        """Stop listening for the reply to a question, for example because it is asked again. Return its exchange."""
        exchange = self._listening.pop(key, None)
        if exchange is not None:
            exchange.close()
        return exchange

    def of_groups(self, groups: Collection[str]) -> list[Key]:
        """Return the questions to some groups."""
        return [key for key in self._listening if key.group in groups]

    def close(self) -> None:
        """Stop listening for all replies."""
        for key in list(self._listening):
            self.stop(key)
