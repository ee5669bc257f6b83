"""Seccomp filters, run by a small interpreter of classic BPF: what they allow, for both machines."""

import errno
import re
import struct
from pathlib import Path

import pytest

from resolver.process.sandbox import profiles
from resolver.process.sandbox.filter_program import Allowed, Check, assemble
from resolver.process.sandbox.system_calls import AARCH64, NEWEST, X86_64, Machine

MACHINES = pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=["x86_64", "aarch64"])
ALLOW, KILL = "allow", "kill"
SOCKET, READ, WRITE = (X86_64.numbers[name] for name in ("socket", "read", "write"))


def run(program: bytes, number: int, *arguments: int, audit: int = X86_64.audit) -> str:
    """Return what the kernel does with a system call: `allow`, `kill`, or the name of the error."""
    data = struct.pack("=IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    at, register = 0, 0
    for _ in range(len(program)):
        operation, if_true, if_false, operand = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if operation == 0x20:
            (register,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            register &= operand
        elif operation == 0x15:
            at += if_true if register == operand else if_false
        elif operation == 0x35:
            at += if_true if register >= operand else if_false
        else:
            assert operation == 0x06
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(operand) or errno.errorcode[operand & 0xFFFF]
    raise AssertionError("the program does not end")


def program(**checked: tuple[Check, ...]) -> bytes:
    return assemble(Allowed(frozenset({"read"}), checked, frozenset({"clone3"})), X86_64)


def test_a_call_that_is_not_listed_fails_and_a_newer_one_does_not_exist() -> None:
    assert run(program(), READ) == ALLOW
    assert run(program(), WRITE) == "EPERM"
    assert run(program(), X86_64.numbers["clone3"]) == "ENOSYS"
    assert run(program(), NEWEST) == "EPERM"
    assert run(program(), NEWEST + 1) == "ENOSYS"


def test_calls_of_another_machine_end_the_process() -> None:
    assert run(program(), READ, audit=AARCH64.audit) == KILL
    assert run(program(), READ | 0x40000000) == KILL, "the x32 interface"


def test_every_check_of_a_call_must_hold() -> None:
    checks = Check(0, (2, 10)), Check(1, (1,), mask=0xFF), Check(2, (0,), whole=True)
    made = program(socket=checks)
    assert run(made, SOCKET, 2, 1, 0) == run(made, SOCKET, 10, 0xF01, 0) == ALLOW
    assert {run(made, SOCKET, *each) for each in ((1, 1, 0), (2, 2, 0), (2, 1, 1), (2, 1, 1 << 32))} == {"EPERM"}
    assert run(made, READ) == ALLOW, "what follows a checked call is reached"


@MACHINES
def test_a_worker_makes_udp_sockets_and_opens_files_for_reading_only(machine: Machine) -> None:
    made = assemble(profiles.worker(), machine)

    def result(name: str, *arguments: int) -> str:
        return run(made, machine.numbers[name], *arguments, audit=machine.audit)

    assert result("socket", 2, 0x80802, 0) == result("recvmmsg") == result("openat", 0, 0, 0x80000) == ALLOW
    assert {result("socket", *each) for each in ((2, 1), (2, 3), (16, 2), (1, 1))} == {"EPERM"}, (
        "TCP, raw, netlink, Unix"
    )
    assert result("openat", 0, 0, 1) == result("openat", 0, 0, 2) == result("openat", 0, 0, 0o100) == "EPERM"
    assert result("mmap", 0, 4096, 3) == result("mprotect", 0, 4096, 1) == ALLOW
    assert result("mmap", 0, 4096, 5) == result("mprotect", 0, 4096, 7) == "EPERM"
    for name in ("execve", "clone", "kill", "tgkill", "prctl", "unlinkat", "getdents64", "listen", "socketpair"):
        assert result(name) == "EPERM", name


@MACHINES
def test_control_starts_threads_and_programs_only_where_a_credential_needs_them(machine: Machine) -> None:
    alone, with_programs = (assemble(profiles.control(programs=each), machine) for each in (False, True))
    thread, process = 0x3D0F00, 0x1200011
    clone, execve = machine.numbers["clone"], machine.numbers["execve"]
    assert run(alone, clone, thread, audit=machine.audit) == ALLOW
    assert run(alone, clone, process, audit=machine.audit) == run(alone, execve, audit=machine.audit) == "EPERM"
    assert run(with_programs, clone, process, audit=machine.audit) == ALLOW
    assert run(with_programs, execve, audit=machine.audit) == ALLOW
    assert run(with_programs, clone, process | 0x10000000, audit=machine.audit) == "EPERM", "a user namespace"


def test_the_supervisor_may_do_all_that_its_children_may() -> None:
    """Children inherit its filter."""
    mine = profiles.supervisor()
    listed = mine.always | mine.checked.keys()
    for child in (profiles.worker(), profiles.control(programs=True), profiles.control(programs=False)):
        assert child.always | child.checked.keys() <= listed


HEADERS = {
    "x86_64": (X86_64, Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")),
    "aarch64": (AARCH64, Path("/usr/include/asm-generic/unistd.h")),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_numbers_are_those_of_the_kernel_headers(name: str) -> None:
    machine, header = HEADERS[name]
    if not header.exists():
        pytest.skip("no kernel headers")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\n", header.read_text())
    numbers = {call: int(number) for call, number in found}
    wrong = {call for call, number in machine.numbers.items() if numbers.get(call, number) != number}
    assert not wrong
    assert len(machine.numbers.keys() & numbers.keys()) > 150
