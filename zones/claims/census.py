"""Counts of endpoints and their records, kept as endpoints change, so that nobody has to walk all endpoints."""

from collections import Counter

from zones.azure.endpoint import ConnectionState, Endpoint


class Census:
    """The numbers of endpoints by state, of served endpoints, and of NIC records."""

    def __init__(self) -> None:
        self.states: Counter[ConnectionState] = Counter()
        self.served = 0
        self.records = 0

    def move(self, old: Endpoint | None, new: Endpoint | None) -> None:
        """Replace an endpoint in the counts. None: the endpoint did not exist, or is gone."""
        for endpoint, by in ((old, -1), (new, 1)):
            if endpoint is not None:
                self.states[endpoint.state] += by
                self.served += by * endpoint.served
                self.records += by * len(endpoint.records)
