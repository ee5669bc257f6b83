"""One worker's position in the feed: what the worker has, and the frames that bring it up to date.

Frames are made one at a time, as the reader of these iterators takes them: nothing is queued. Does not know how frames
travel (`worker_link` sends them, `state.writer` writes them to a file). Pure.
"""

from collections.abc import Callable, Iterable, Iterator

from resolver.channel.frames import Begin, Clientele, Down, Hello, Rows
from resolver.control.feed.feed import Feed
from zones.dns.name import Name


class FeedSession:
    """Frames for the worker that sent this greeting, over one connection. `notify` is called at each change."""

    def __init__(self, feed: Feed, hello: Hello, notify: Callable[[], None]) -> None:
        self.dirty: set[Name] = set()
        """Names that changed since the worker was last sent them."""
        self._feed = feed
        self._notify = notify
        self._has_table = bool(hello.epoch)
        self._since = hello.epoch, hello.serial
        self._generation = hello.generation
        """Stamp of the last snapshot. The next snapshot has another stamp, from 1 to 255, so that the worker can tell
        the rows of the two apart; 0 is the stamp of changes."""
        self._partial = False
        self._sent_masks = self._sent_bits = 0
        self._sent_clientele = 0
        """Version of the networks that the worker has."""

    @property
    def has_table(self) -> bool:
        """True if the worker answers from a table already, perhaps one from another life of control."""
        return self._has_table

    def mark(self, names: Iterable[Name]) -> None:
        """Record that these names changed. An empty set still notifies: the next commit may carry something new."""
        self.dirty.update(names)
        self._notify()

    def resume(self) -> bool:
        """Mark the names that the worker missed while it was away. False: it needs a snapshot instead."""
        missed = self._feed.since(*self._since)
        if missed is None:
            return False
        self.mark(missed)
        return True

    def snapshot(self, *, partial: bool) -> Iterator[Down]:
        """Yield the whole state, from `Begin` to `Commit`.

        `partial`: some source has no data. The snapshot, and the changes after it, add to what the worker has and
        remove nothing, until the next snapshot.
        """
        self.dirty.clear()
        self._partial = partial
        commit, clientele = self._feed.commit(), self._feed.clientele()
        self._generation = self._generation % 255 + 1
        yield Begin(self._feed.epoch, self._generation, partial)
        if not self._has_table:
            yield from self._new_clientele(*clientele)  # the worker has no client to move, so no row must come first
        yield from self._with_masks(self._feed.snapshot(self._generation))
        yield from self._new_clientele(*clientele)
        yield commit

    def changes(self) -> Iterator[Down]:
        """Yield the names that changed since the last call, as they are now, then `Commit`."""
        names, self.dirty = self.dirty, set()
        commit, clientele = self._feed.commit(), self._feed.clientele()
        yield from self._with_masks(self._feed.changes(names))
        yield from self._new_clientele(*clientele)
        yield commit

    def _with_masks(self, frames: Iterable[Down]) -> Iterator[Down]:
        """Put the visibility classes that a row needs before that row."""
        for frame in frames:
            if isinstance(frame, Rows):
                for masks in self._feed.masks(self._sent_masks, self._sent_bits):
                    self._sent_masks += len(masks.masks)
                    self._sent_bits += len(masks.networks)
                    yield masks
            yield frame

    def _new_clientele(self, version: int, frames: list[Clientele]) -> Iterator[Clientele]:
        """Yield the clients of each network if they changed: after the rows, so that a moved client finds its names.

        Nothing while a snapshot is partial: the virtual networks of a source without data are unknown, and their
        clients keep their networks.
        """
        if version != self._sent_clientele and not self._partial:
            self._sent_clientele = version
            yield from frames
