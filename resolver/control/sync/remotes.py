"""The sources that are asked, made from the configuration, for as long as somebody uses them."""

import contextlib
from collections.abc import AsyncIterator

from resolver import settings
from resolver.sources.reading import RemoteSource


@contextlib.asynccontextmanager
async def opened(config: settings.ControlSettings) -> AsyncIterator[dict[str, RemoteSource]]:
    """By name. They share one HTTP session, which finds hosts by the configured upstream servers."""
    asked = [source for source in config.sources if source.azure]
    if not asked:
        yield {}
        return
    from resolver.sources.azure import hosts  # noqa: PLC0415 - a HTTP client and 250 ms, for those who use it
    from resolver.sources.azure.sync import AzureSource  # noqa: PLC0415 - as above

    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(hosts.session(config.upstreams))
        remotes: dict[str, RemoteSource] = {}
        for source in asked:
            azure = remotes[source.name] = AzureSource(source, http)
            stack.push_async_callback(azure.close)
        yield remotes
