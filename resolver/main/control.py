"""Entry point of the control process: `python -m resolver.main.control`, started by the supervisor.

Composes control with the remote sources that it reads and the admin interface that shows its state.
"""

import asyncio
import os
import sys
from dataclasses import replace
from typing import NoReturn

from resolver.admin import app
from resolver.admin.access import registry_callers
from resolver.admin.access.certificate import Certificate
from resolver.admin_settings import AdminTls
from resolver.control.control import Control
from resolver.control.sync import remotes
from resolver.dashboard import dashboard
from resolver.process import bootstrap, heap
from resolver.process.leave import leave
from resolver.process.sandbox import files, profiles
from resolver.process.sandbox.capabilities import Capability
from resolver.process.sandbox.confine import confine
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import ControlSettings


async def _run(begun: bootstrap.ControlStart) -> None:
    async with remotes.opened(begun.settings) as asked:
        settings = begun.settings
        if settings.registry is None:
            control = Control(begun, asked)
            context = app.context_of(control.view)
            await control.run(*app.listeners(context, settings.admin, begun.admin, dashboard.pages))
            return
        # Loading the registry takes 100 ms and some MB, so only a configuration with one loads it.
        from resolver.registry.arm.app import Access, listener  # noqa: PLC0415
        from resolver.registry.arm.signed_tokens import SignedTokens  # noqa: PLC0415
        from resolver.registry.portal import Portal  # noqa: PLC0415
        from resolver.registry.registry import Registry  # noqa: PLC0415

        present = settings.registry
        registry = Registry(
            settings.state_directory, lambda: control.estate.settings.registry or present, present.database
        )
        control = Control(begun, asked, registry)
        signed = SignedTokens(registry)
        control.view.registry = Portal(registry, signed.caller)
        context = app.context_of(control.view)
        access = Access(
            signed,
            lambda token, remote: registry_callers.of_token(context.bearer, registry.settings(), token, remote),
            context.audit_log.record,
        )
        tls = Certificate(AdminTls(present.tls.certificate, present.tls.key)).context if present.tls else None
        async with registry.opened():
            admin = app.listeners(context, settings.admin, begun.admin, dashboard.pages)
            await control.run(*admin, listener(registry, access, tls))


def main() -> NoReturn:
    """Run control until SIGTERM. `sys.argv` has the options that `resolver.process.bootstrap` reads."""
    heap.collect_seldom()
    begun = bootstrap.begin_control(sys.argv[1:])
    own = _confine(begun.settings, begun.accepted.path)
    asyncio.run(_run(replace(begun, sandboxes={**begun.sandboxes, "control": own})))
    leave()


def _confine(settings: ControlSettings, configuration: str) -> SandboxLevel:
    """Enter the sandbox, before any source is read and while there is one thread."""
    database = settings.registry.database if settings.registry else None
    unix = database is not None and database.unix
    allowed = profiles.control(programs=files.needs_programs(settings, os.environ), unix=unix)
    return confine(
        settings.sandbox, allowed, files.control(settings, os.environ, configuration), kept=tuple(Capability)
    )


if __name__ == "__main__":
    main()
