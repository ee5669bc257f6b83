"""A query on its way to an upstream server, as the code that carries it sees it.

Does not know which question it belongs to, nor what its reply means: a subclass (`tries.Try`) does. Pure.
"""

from zones.clocks import SteadyTime


class Carrier:
    """Carries queries to one server over one transport, and gives each its message id. Abstract."""

    __slots__ = ()

    def send(self, query: "OutstandingQuery") -> None:
        """Send a query now, or when a connection has room for it. Raises OSError."""
        raise NotImplementedError  # a compiled class cannot have the metaclass of `abc`

    def finish(self, query: "OutstandingQuery") -> None:
        """Forget a query that has its reply."""
        raise NotImplementedError

    def stop(self, query: "OutstandingQuery") -> None:
        """Forget a query without a reply. One may still come."""
        raise NotImplementedError

    def timed_out(self, query: "OutstandingQuery") -> None:
        """Take note that there was no reply in time. A late reply is still wanted."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all sockets and forget all queries."""
        raise NotImplementedError


class OutstandingQuery:
    """One query. `packet` is the query without its id, which the carrier chooses."""

    __slots__ = ("carrier", "channel", "number", "packet", "resent", "sent")

    def begin(self, sent: SteadyTime) -> None:
        """Set the attributes, for a subclass: `super().__init__()` takes longer than the rest."""
        self.packet = b""
        self.number = 0
        """The message id."""
        self.sent: SteadyTime | None = sent
        """None while the query waits in a queue: that time is not the server's."""
        self.carrier: Carrier | None = None
        """The carrier that waits for the reply."""
        self.channel: object = None
        """The socket or connection of the query. Only the carrier uses it."""
        self.resent = False
        """The query was sent before, on a connection that ended without an answer to any query."""

    def finish(self) -> None:
        """Stop waiting: the reply has come."""
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            carrier.finish(self)

    def stop(self) -> None:
        """Stop waiting, without a reply."""
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            carrier.stop(self)

    # -- what the carrier reports. Abstract.

    def arrived(self, packet: bytes) -> None:
        """Take a packet from the server with the id of this query. Its first two octets have no meaning."""
        raise NotImplementedError

    def failed(self, error: OSError | EOFError) -> None:
        """Take an error. The carrier does not wait for the reply any more."""
        raise NotImplementedError

    def left_queue(self) -> None:
        """Take note that the query has been sent only now."""
        raise NotImplementedError
