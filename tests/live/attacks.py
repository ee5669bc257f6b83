"""What an attacker tries who runs code in a process of pldns. Each attack does one thing that the sandbox must refuse.

Loaded into a worker or control once it is confined. An attack returns what it obtained; it is refused by an exception.
"""

import ctypes
import fcntl
import json
import mmap
import os
import resource
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from resolver.process import dial

libc = ctypes.CDLL(None, use_errno=True)
RESULT = "attacks: "
"""How the line with the results begins, which the process writes to its log."""
SECRETS = ("AZURE_CLIENT_SECRET", "IDENTITY_HEADER")
X86_64 = os.uname().machine == "x86_64"


def call(number: int, *arguments: object) -> int:
    """Return the result of a system call by its number. Raises OSError."""
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def number(x86_64: int, aarch64: int) -> int:
    return x86_64 if X86_64 else aarch64


def read(path: str) -> Callable[[], object]:
    return partial(Path.read_bytes, Path(path))


def write(path: str) -> Callable[[], object]:
    return lambda: Path(path).write_text("taken over")


def run(*command: str) -> Callable[[], object]:
    return partial(subprocess.run, command, check=True, capture_output=True)


def fork() -> object:
    child = os.fork()
    if not child:
        os._exit(0)
    return child


def thread() -> object:
    made = threading.Thread(target=int)
    made.start()
    return str(made)


def connect(family: int, kind: int, address: Any) -> Callable[[], object]:  # noqa: ANN401 - of that family
    def attack() -> object:
        with socket.socket(family, kind) as sock:
            sock.settimeout(5)
            sock.connect(address)
            return sock.getpeername()

    return attack


def listen() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        return sock.getsockname()


def redirect(link: socket.socket) -> object:
    """Obtain a connection to an upstream server from the supervisor, and connect its socket to another address."""
    dial.request(link, dial.DialUpstream("127.0.0.1", 9))
    select.select([link], [], [], 60)
    obtained = dial.received(link)
    if isinstance(obtained, OSError):
        raise obtained
    libc.connect(obtained.fileno(), bytes(16), 16)  # AF_UNSPEC ends the connection
    obtained.settimeout(5)
    obtained.connect(("169.254.169.254", 80))
    return obtained.getpeername()


def own_signal(pid: int) -> object:
    """Have the kernel send a signal to another process when something can be read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.fcntl(sock, fcntl.F_SETOWN, pid)
        return fcntl.fcntl(sock, fcntl.F_GETOWN)


def executable_memory() -> object:
    return len(mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))


def script_in_memory() -> object:
    program = os.memfd_create("program")
    os.write(program, b"#!/bin/sh\nid\n")
    return run(f"/proc/self/fd/{program}")()


def of_everyone(supervisor: int, folder: str) -> dict[str, Callable[[], object]]:
    """Return what neither a worker nor control may do. `folder` has the files of the daemon."""
    return {
        "read the supervisor's environment": read(f"/proc/{supervisor}/environ"),
        "read the supervisor's memory": read(f"/proc/{supervisor}/mem"),
        "read the supervisor's memory by a system call": lambda: call(number(310, 270), supervisor, 0, 0, 0, 0, 0),
        "trace the supervisor": lambda: call(number(101, 117), 0x4206, supervisor, 0, 0),
        "stop the supervisor": lambda: os.kill(supervisor, 0),
        "signal the supervisor through a descriptor": lambda: os.pidfd_open(supervisor),
        "read another user's files": read("/etc/shadow"),
        "read the certificate's key": read(f"{folder}/tls/dns.key"),
        "read the configuration": read(f"{folder}/config/pldns.yaml"),
        "write the configuration": write(f"{folder}/config/pldns.yaml"),
        "write a source": write(f"{folder}/sources/endpoints/a.yaml"),
        "write a temporary file": write(f"{folder}/other/file"),
        "change pldns itself": partial(open, Path(__file__).parents[2] / "resolver" / "version.py", "ab"),
        "run a shell": run("/bin/sh", "-c", "id"),
        "run a program from memory": script_in_memory,
        "replace this process": partial(os.execv, "/nowhere/program", ["program"]),
        "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "fork": fork,
        "send raw packets": partial(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "use a namespace": lambda: call(number(272, 97), 0x10000000),
        "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, 0) and call(number(165, 40), 0, 0, 0, 0, 0),
        "use io_uring": lambda: call(425, 8, ctypes.create_string_buffer(120)),
        "load BPF": lambda: call(number(321, 280), 0, ctypes.create_string_buffer(120), 120),
        "use the keyring": lambda: call(number(250, 219), 0, -3, 1),
        "open a file by its handle": lambda: call(number(304, 265), 0, ctypes.create_string_buffer(64), 0),
    }


def of_a_worker(supervisor: int, folder: str, link: socket.socket) -> dict[str, Callable[[], object]]:
    """Return what a worker may not do. `link`: over it, the supervisor makes connections."""
    return {
        **of_everyone(supervisor, folder),
        "ask the identity endpoint for a token": connect(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
        "connect to another service": connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 8053)),
        "connect to a Unix socket": connect(socket.AF_UNIX, socket.SOCK_STREAM, f"{folder}/socket"),
        "redirect a connection": lambda: redirect(link),
        "read the webhook's secret": read(f"{folder}/sources/webhook.secret"),
        "read the saved inventory": read(f"{folder}/state/inventory.v3"),
        "list the state directory": lambda: list(Path(f"{folder}/state").iterdir()),
        "write the state directory": write(f"{folder}/state/served.v1"),
        "read the accounts": read("/etc/passwd"),
        "read a process's command": read(f"/proc/{supervisor}/cmdline"),
        "start a thread": thread,
        "accept connections": listen,
        "have the kernel signal the supervisor": lambda: own_signal(supervisor),
        "make memory executable": executable_memory,
        "limit the supervisor": lambda: call(number(302, 261), supervisor, resource.RLIMIT_NOFILE, bytes(16), None),
        "become traceable": lambda: libc.prctl(4, 1, 0, 0, 0) and call(number(157, 167), 4, 1, 0, 0, 0),
        "use netlink": connect(16, socket.SOCK_RAW, (0, 0)),
        "read the secrets of its own environment": lambda: [os.environ[name] for name in SECRETS],
    }


def of_control(supervisor: int, folder: str) -> dict[str, Callable[[], object]]:
    """Return what control may not do."""
    return {
        **of_everyone(supervisor, folder),
        "connect to a Unix socket": connect(socket.AF_UNIX, socket.SOCK_STREAM, f"{folder}/socket"),
    }


def attempt(process: str, attacks: Mapping[str, Callable[[], object]]) -> None:
    """Try all attacks, and write the results to the log: the error, or what was obtained."""
    results = {}
    for name, attack in attacks.items():
        try:
            results[name] = f"OBTAINED {attack()}"
        except (PermissionError, LookupError, RuntimeError) as error:
            results[name] = f"refused: {error}"
        except (OSError, subprocess.SubprocessError) as error:
            results[name] = f"FAILED for another reason: {error}"
    sys.stderr.write(f"{RESULT}{process} {json.dumps(results)}\n")
    sys.stderr.flush()
