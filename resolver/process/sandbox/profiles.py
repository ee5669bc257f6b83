"""What each kind of process may do: its system calls, its files, and its capabilities.

docs/sandbox.md shows the same as a table. Does not know how the kernel enforces it.
"""

import os
import socket
from typing import Final

from resolver.process.sandbox.filter_program import Allowed, Check

# -- groups of system calls

_MEMORY: Final = "brk madvise mremap munmap"
_TIME: Final = "clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time times"
_SIGNALS: Final = "restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack"
_WAITING: Final = (
    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait futex poll ppoll pselect6 select"
)
_ITSELF: Final = """
exit exit_group getegid geteuid getgid getpid getppid getrandom getrusage gettid getuid rseq sched_getaffinity
sched_yield set_robust_list sysinfo uname
"""
_DESCRIPTORS: Final = "close dup fstat lseek memfd_create newfstatat pread64 read readv write writev"
_PACKETS: Final = """
accept accept4 bind connect getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto
setsockopt shutdown
"""
_FILES: Final = """
access chdir chmod close_range copy_file_range creat dup2 dup3 faccessat faccessat2 fadvise64 fallocate fchdir
fchmod fchmodat fdatasync flock fstatfs fsync ftruncate getcwd getdents getdents64 inotify_add_watch
inotify_init inotify_init1 inotify_rm_watch link linkat lstat mkdir mkdirat msync open openat openat2 preadv
preadv2 pwrite64 pwritev pwritev2 readahead readlink readlinkat rename renameat renameat2 rmdir sendfile splice
stat statfs statx symlink symlinkat sync_file_range syncfs truncate umask unlink unlinkat utimensat
"""
_LOG_FILES: Final = "open openat rename renameat renameat2 stat statx unlink unlinkat"
_REST_OF_CONTROL: Final = """
alarm arch_prctl capget eventfd eventfd2 fcntl futex_waitv get_robust_list getcpu getgroups getitimer getpgid
getpgrp getpriority getresgid getresuid getrlimit getsid ioctl listen membarrier mmap mprotect pause pipe pipe2
prctl prlimit64 rt_sigpending rt_sigsuspend rt_sigtimedwait sched_get_priority_max sched_get_priority_min
sched_getparam sched_getscheduler set_tid_address setitimer signalfd4 socketpair timer_create timer_delete
timer_settime timerfd_create timerfd_gettime timerfd_settime
"""
_PROGRAMS: Final = """
execve execveat fork kill pidfd_open pidfd_send_signal setpgid setpriority setrlimit setsid tgkill vfork wait4
waitid
"""
_CONFINING: Final = "capset landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"

# -- values of arguments

_FLAGS_OF_TYPES: Final = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_NETLINK: Final = 16
_EXECUTABLE: Final = 4  # PROT_EXEC
_FOR_READING: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ON_DESCRIPTORS: Final = (0x5421, 0x5450, 0x5451, 0x5401, 0x541B, 0x8933)
"""FIONBIO, FIONCLEX, FIOCLEX, TCGETS, FIONREAD, SIOCGIFINDEX."""
_FLAGS_OF_DESCRIPTORS: Final = (0, 1, 2, 3, 4, 1030)  # F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC: no signals, no locks
_THREAD: Final = 0x10000  # CLONE_THREAD
_NAMESPACES: Final = 0x7E020000  # CLONE_NEW*
_IN_32_BITS: Final = 0xFFFFFFFF

_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)


def _names(*groups: str) -> frozenset[str]:
    return frozenset(name for group in groups for name in group.split())


def worker() -> Allowed:
    """Return the system calls of a worker, when everything has been loaded.

    A worker uses the descriptors that it has, and makes UDP sockets. It opens no file for writing, starts no program
    and no thread, sends no signal, and makes no memory executable.
    """
    return Allowed(
        _names(_MEMORY, _TIME, _SIGNALS, _WAITING, _ITSELF, _DESCRIPTORS, _PACKETS),
        {
            "socket": (
                Check(0, _INTERNET),
                Check(1, (socket.SOCK_DGRAM,), _IN_32_BITS ^ _FLAGS_OF_TYPES),
            ),
            "openat": (Check(2, (0,), _FOR_READING),),
            "ioctl": (Check(1, _ON_DESCRIPTORS),),
            "fcntl": (Check(1, _FLAGS_OF_DESCRIPTORS),),
            "mmap": (Check(2, (0,), _EXECUTABLE),),
            "mprotect": (Check(2, (0,), _EXECUTABLE),),
            "prlimit64": (Check(0, (0,)), Check(2, (0,), whole=True)),
        },
    )


def query_logger() -> Allowed:
    """Return the system calls of the query logger: those of a worker, writing files, and streams to a collector."""
    of_worker = worker()
    checked = {
        **of_worker.checked,
        "socket": (
            Check(0, (socket.AF_UNIX, *_INTERNET)),
            Check(1, (socket.SOCK_STREAM,), _IN_32_BITS ^ _FLAGS_OF_TYPES),
        ),
    }
    del checked["openat"]
    return Allowed(of_worker.always | _names(_LOG_FILES), checked)


def control(*, programs: bool, unix: bool = False) -> Allowed:
    """Return the system calls of control: files, the network and threads.

    `programs`: it may execute programs. `unix`: it may connect to Unix sockets.
    """
    always = _names(
        _MEMORY, _TIME, _SIGNALS, _WAITING, _ITSELF, _DESCRIPTORS, _PACKETS, _FILES, _REST_OF_CONTROL,
        *([_PROGRAMS] if programs else []),
    )  # fmt: skip
    checked = {
        "socket": (Check(0, (*_INTERNET, _NETLINK, *([socket.AF_UNIX] if unix else []))),),
        "clone": (Check(0, (0,), _NAMESPACES), *([] if programs else [Check(0, (_THREAD,), _THREAD)])),
        "tgkill": (Check(0, (os.getpid(),)),),
    }
    if programs:
        del checked["tgkill"], checked["socket"]
        always |= {"socket"}
    return Allowed(always, checked, frozenset(("clone3",)))


def supervisor() -> Allowed:
    """Return the system calls of the supervisor. Children inherit the filter, so all that they call is in it."""
    always = _names(
        _MEMORY, _TIME, _SIGNALS, _WAITING, _ITSELF, _DESCRIPTORS, _PACKETS, _FILES, _REST_OF_CONTROL, _PROGRAMS,
        _CONFINING,
    )  # fmt: skip
    return Allowed(always | {"socket"}, {"clone": (Check(0, (0,), _NAMESPACES),)}, frozenset(("clone3",)))
