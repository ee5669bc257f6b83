"""`pldns serve`: checks what the daemon needs, binds its sockets, and runs the supervisor around them."""

import contextlib
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final

from resolver import settings_change
from resolver.process import local_address, log, log_output
from resolver.process.sandbox import limits, profiles
from resolver.process.sandbox.confine import NotConfined, confine, harden
from resolver.process.sandbox.identity import group_number
from resolver.process.sandbox.level import SandboxLevel
from resolver.process.socket_role import SocketRole
from resolver.query_log_settings import log_directory
from resolver.settings import Accepted
from resolver.supervisor import listen, owner, preflight, takeover
from resolver.supervisor.admin_socket import AdminSocket
from resolver.supervisor.children import ChildCommands, ControlSockets
from resolver.supervisor.reload import Configuration
from resolver.supervisor.signals import Signals
from resolver.supervisor.supervisor import Supervisor

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Commands:
    """The command of each kind of child, without its options. `-P`: never import from the current directory."""

    accept: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.check")
    control: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.control")
    worker: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.worker")
    query_log: Sequence[str] = (sys.executable, "-P", "-m", "resolver.main.query_log")


_COMMANDS: Final = Commands()


class Start(Enum):
    """How `serve` gets its sockets."""

    FRESH = auto()
    """It binds them, or has them from systemd."""
    TAKEOVER = auto()
    """From the pldns that has the state directory; as `FRESH` where none has it."""


def serve(
    config_path: Path, flags: Mapping[str, str], start: Start = Start.FRESH, commands: Commands = _COMMANDS
) -> int:
    """Run until SIGTERM or SIGINT, or until another pldns has taken over, and return the exit status.

    The status is 1 when the configuration is refused, when another instance holds the state directory, or when an
    address cannot be bound. One line on stderr gives the reason. Call it from the main thread.
    """
    for each in (log_output.STDOUT, log_output.STDERR):
        log_output.detach(each)
    log.setup("supervisor")
    harden()
    with contextlib.ExitStack() as stack:
        try:
            signals = stack.enter_context(Signals())
            accepted, zones = preflight.accept(config_path, flags, commands.accept)
            stack.enter_context(zones)
            log.setup("supervisor", accepted.log)
            state, runtime = accepted.control.state_directory, os.environ.get("RUNTIME_DIRECTORY", "")
            admin = accepted.control.admin
            group = group_number(admin.group) if admin.group else None
            public = os.path.dirname(admin.socket)  # noqa: PTH120 - empty where there is no path
            user = owner.meant(accepted.user)
            preflight.raise_open_files()
            # Asked before the state directory is given away: the predecessor may refuse because of the user.
            predecessor = takeover.claim(state, user) if start is Start.TAKEOVER else None
            log_at = log_directory(accepted.query_log)
            owner.become(accepted.user, state, runtime.partition(":")[0], public=public, query_log=log_at, group=group)
            if predecessor:
                accepted = settings_change.continued(predecessor.lasting, accepted)
                lock = predecessor.lock
                stack.callback(os.close, lock)
                listening = listen.taken_over(accepted.worker, accepted.workers, predecessor.listening)
            else:
                lock = stack.enter_context(preflight.held(state))
                listening = listen.listen(accepted.worker, accepted.workers, os.environ)
            stack.callback(listening.close)
            channel = stack.enter_context(preflight.channel(runtime, state))
            admin_socket = AdminSocket(admin.socket, admin.group)
            stack.callback(admin_socket.close)
            admin_socket.open()
            preflight.check_open_files(accepted.workers)
            sandbox = confine(accepted.control.sandbox, profiles.supervisor(), access=None, kept=None)
        except (preflight.CannotStart, listen.CannotListen, takeover.TakeoverRefused, NotConfined) as error:
            if line := str(error):
                _log.error(line, extra={"code": "cannot-start"})
            return 1
        limits.hide_environment()
        _announce(accepted, listening, sandbox)
        ends = (takeover.Offer(state, lock, user), predecessor)
        children = ChildCommands(commands.control, commands.worker, commands.query_log)
        configuration = Configuration(accepted, config_path, flags, commands.accept)
        control_sockets = ControlSockets(*channel, admin_socket)
        return Supervisor(configuration, zones, listening, control_sockets, children, signals, sandbox, ends).run()


def _announce(accepted: Accepted, listening: listen.Listening, sandbox: SandboxLevel) -> None:
    for warning in accepted.warnings:
        _log.warning(warning, extra={"code": "configuration-warning"})
    if sandbox.lacks:
        _log.warning("the sandbox is not complete: %s", "; ".join(sandbox.lacks))
    _log.info("running as user %d%s", os.geteuid(), ", which is root" if os.geteuid() == 0 else "")
    for role, address in listening.addresses:
        protocol = "" if role == SocketRole.DNS else f" ({role})"
        if accepted.worker.bind == "wait" and local_address.is_absent(address.host):
            _log.warning("listening on %s%s, which this machine does not have yet", address, protocol)
        else:
            origin = f" (from {listening.origin})" if listening.origin else ""
            _log.info("listening on %s%s%s", address, protocol, origin)
