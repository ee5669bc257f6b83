"""Collects the replies of a responder."""

from resolver.worker.answer.compiled import Compiled


class Replies(list[bytes]):
    """Replies in the order in which they were sent; `take` is the function that a responder sends them with."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Compiled | None] = []
        """The answer of each reply; None for an error and for a truncated reply."""

    def take(self, reply: bytes, answer: Compiled | None) -> None:
        """Collect one reply."""
        self.append(reply)
        self.answers.append(answer)
