"""Makes the remote sources of a configuration, for as long as they are used."""

import contextlib
from collections.abc import AsyncIterator

from resolver.settings import ControlSettings
from resolver.sources.reading import RemoteSource


@contextlib.asynccontextmanager
async def opened(config: ControlSettings) -> AsyncIterator[dict[str, RemoteSource]]:
    """Open the remote sources, by name. They share one HTTP session, which asks the configured upstreams for names."""
    asked = [source for source in config.sources if source.azure]
    if not asked:
        yield {}
        return
    # Loading the HTTP client takes 250 ms, so only configurations with a remote source load it.
    from resolver.sources.azure import hosts  # noqa: PLC0415
    from resolver.sources.azure.sync import AzureSource  # noqa: PLC0415

    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(hosts.session(config.upstreams))
        remotes: dict[str, RemoteSource] = {}
        for source in asked:
            azure = remotes[source.name] = AzureSource(source, http)
            stack.push_async_callback(azure.close)
        yield remotes
