"""How many endpoints there are and what they say, counted as they come and go: nobody has to walk them to know."""

from collections import Counter

from zones.azure.endpoint import ConnectionState, Endpoint


class Census:
    """Counts of endpoints and of their NIC records."""

    def __init__(self) -> None:
        self.states: Counter[ConnectionState] = Counter()
        self.served = 0
        self.records = 0

    def move(self, old: Endpoint | None, new: Endpoint | None) -> None:
        """An endpoint has become another one; None: it was not there, or is gone."""
        for endpoint, by in ((old, -1), (new, 1)):
            if endpoint is not None:
                self.states[endpoint.state] += by
                self.served += by * endpoint.served
                self.records += by * len(endpoint.records)
