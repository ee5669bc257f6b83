"""The remote sources of the present configuration. They share one HTTP session."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from resolver.settings import ControlSettings, SourceSettings
from resolver.sources.reading import RemoteSource

if TYPE_CHECKING:
    import aiohttp

    from resolver.sources.azure.hosts import Hosts
    from resolver.sources.hub.client import HubClient


class Remotes:
    """The remote sources by name (`sources`). Names in their URLs are asked of the configured upstreams."""

    def __init__(self, sources: Mapping[str, RemoteSource] | None = None) -> None:
        self.sources = dict(sources or {})
        self.hubs: dict[str, HubClient] = {}
        """The hubs of sources of type `hub`, by name of the source."""
        self._settings: dict[str, SourceSettings] = {}
        self._closers: dict[str, Callable[[], Awaitable[None]]] = {}
        self._stack = contextlib.AsyncExitStack()
        self._session: tuple[Hosts, aiohttp.ClientSession] | None = None

    async def configure(self, config: ControlSettings) -> None:
        """Make these the remote sources. A source with the same settings as before stays, and so do its connections."""
        wanted = {source.name: source for source in config.sources if source.remote}
        for name in [name for name, settings in self._settings.items() if wanted.get(name) != settings]:
            del self._settings[name]
            self.sources.pop(name, None)
            self.hubs.pop(name, None)
            if close := self._closers.pop(name, None):
                await close()
        if not wanted:
            return
        # Loading the HTTP client takes 250 ms, so only configurations with a remote source load it.
        from resolver.sources.azure import hosts  # noqa: PLC0415
        from resolver.sources.azure.sync import AzureSource  # noqa: PLC0415
        from resolver.sources.hub.client import HubClient  # noqa: PLC0415

        if self._session is None:
            resolver = hosts.Hosts(config.upstreams)
            self._session = resolver, await self._stack.enter_async_context(hosts.session_of(resolver))
        resolver, http = self._session
        resolver.configure(config.upstreams)
        for name in wanted.keys() - self._settings.keys() - self.sources.keys():
            self._settings[name] = source = wanted[name]
            if source.hub:
                self.hubs[name] = HubClient(source.hub, http)
            else:
                azure = self.sources[name] = AzureSource(source, http)
                self._closers[name] = azure.close

    async def close(self) -> None:
        """Close all sources and the session."""
        for close in self._closers.values():
            await close()
        await self._stack.aclose()


@contextlib.asynccontextmanager
async def opened(config: ControlSettings) -> AsyncIterator[Remotes]:
    """Open the remote sources of a configuration."""
    remotes = Remotes()
    try:
        await remotes.configure(config)
        yield remotes
    finally:
        await remotes.close()
