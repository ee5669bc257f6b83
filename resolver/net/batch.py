"""Many datagrams for one system call: recvmmsg(2) and sendmmsg(2), which Python has no names for.

Owns buffers that are used again and again, one slot for each datagram of a batch. Knows addresses as the octets of the
kernel's structures, and nothing of DNS. Linux on 64 bits; elsewhere `AVAILABLE` is false.
"""

import ctypes
import errno
import socket
import sys
from typing import Final

SIZE: Final = 64
"""Datagrams of one batch."""
ROOM: Final = 4096
"""Octets of one datagram; a query is far shorter, and what is longer arrives cut and is malformed."""
NAME: Final = 28
"""Octets of a slot for an address: sockaddr_in6 is the longest."""
_HEAD: Final = 16  # octets of a struct cmsghdr
_CONTROL: Final = 64  # octets of a slot for ancillary data; in6_pktinfo with its header takes 40


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int),
    )  # fmt: skip


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("header", _Header), ("len", ctypes.c_uint32))


_U32: Final = ctypes.sizeof(_Message) // 4
_U64: Final = ctypes.sizeof(_Message) // 8


def _library() -> ctypes.CDLL | None:
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if not (hasattr(library, "recvmmsg") and hasattr(library, "sendmmsg")):
        return None
    library.recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
    library.sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    return library


_LIBRARY: Final = _library()
AVAILABLE: Final = _LIBRARY is not None


class Batch:
    """The slots of one socket. `control`: room for ancillary data, which a reply takes from the query's slot."""

    def __init__(self, sock: socket.socket, *, control: bool = False) -> None:
        assert _LIBRARY is not None  # noqa: S101 - see `AVAILABLE`
        self._receive, self._send = _LIBRARY.recvmmsg, _LIBRARY.sendmmsg
        self._fd = sock.fileno()
        self._name_size = NAME if sock.family == socket.AF_INET6 else 16
        self.data = _octets(SIZE * ROOM)
        """What came: slot i begins at `i * ROOM`."""
        self.names = _octets(SIZE * NAME)
        """Who sent it: struct sockaddr_in or sockaddr_in6, slot i at `i * NAME`."""
        self.controls = _octets(SIZE * _CONTROL)
        self.out = _octets(SIZE * ROOM)
        """What goes: reply k at `k * ROOM`."""
        self._names_at, self._controls_at = _address(self.names), _address(self.controls)
        self._came = self._messages(self.data, control=control)
        self._goes = self._messages(self.out, control=control)
        # Single numbers and whole columns of the structures, without an object for each.
        came = memoryview(self._came).cast("B")
        self._sizes = came.cast("I")[_Message.len.offset // 4 :: _U32]
        self._name_sizes = came.cast("I")[_Header.namelen.offset // 4 :: _U32]
        self._full = memoryview((ctypes.c_uint32 * SIZE)(*[self._name_size] * SIZE)).cast("B").cast("I")
        self._goes_to = memoryview(self._goes).cast("B").cast("Q")[_Header.name.offset // 8 :: _U64]
        self._goes_sizes = memoryview(self._goes_iov).cast("B").cast("Q")[1::2]
        self._came_at, self._goes_at = ctypes.addressof(self._came), ctypes.addressof(self._goes)
        self._ports = self.names.cast("H")[1 :: NAME // 2]
        self._family = sock.family
        self._control_sizes: memoryview | None = None
        if control:
            of, size = _Header.control.offset // 8, _Header.controllen.offset // 8
            goes = memoryview(self._goes).cast("B").cast("Q")
            self._control_sizes = came.cast("Q")[size::_U64]
            self._control_full = memoryview((ctypes.c_uint64 * SIZE)(*[_CONTROL] * SIZE)).cast("B").cast("Q")
            self._goes_controls, self._goes_control_sizes = goes[of::_U64], goes[size::_U64]
        self._queued = 0

    def _messages(self, data: memoryview, *, control: bool) -> ctypes.Array[_Message]:
        """Headers for all slots, with one vector each."""
        vectors, made = (_Iovec * SIZE)(), (_Message * SIZE)()
        for i in range(SIZE):
            vectors[i].base, vectors[i].len = _address(data) + i * ROOM, ROOM
            header = made[i].header
            header.name, header.namelen = self._names_at + i * NAME, self._name_size
            header.iov, header.iovlen = ctypes.addressof(vectors) + i * ctypes.sizeof(_Iovec), 1
            if control:
                header.control, header.controllen = self._controls_at + i * _CONTROL, _CONTROL
        if data is self.data:
            self._came_iov = vectors
        else:
            self._goes_iov = vectors
        return made

    def receive(self) -> tuple[list[int], list[int]]:
        """Sizes of the datagrams that have come, and their senders' ports as they are in memory; does not wait.

        None where there are none, or there was an error: what became of an earlier reply (ICMP), which the kernel tells
        once.
        """
        self._name_sizes[:] = self._full
        if self._control_sizes is not None:
            self._control_sizes[:] = self._control_full
        count = self._receive(self._fd, self._came_at, SIZE, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return [], []
        return self._sizes[:count].tolist(), self._ports[:count].tolist()

    def control(self, slot: int) -> bytes:
        """The in_pktinfo or in6_pktinfo of what is in a slot; empty on a socket without."""
        if self._control_sizes is None or self._control_sizes[slot] < _HEAD:
            return b""
        at = slot * _CONTROL + _HEAD
        return self.controls[at : at + (20 if self._family == socket.AF_INET6 else 12)].tobytes()

    def queue(self, slot: int, reply: bytes) -> None:
        """Put a reply to what is in a slot into the next place; at most `SIZE` before `flush`."""
        k = self._queued
        self._queued = k + 1
        size, at = len(reply), k * ROOM
        self.out[at : at + size] = reply
        self._goes_sizes[k] = size
        self._goes_to[k] = self._names_at + slot * NAME
        if self._control_sizes is not None:
            if info := self.control(slot):
                start = slot * _CONTROL + _HEAD
                self.controls[start : start + len(info)] = anyway(self._family, info)
            self._goes_controls[k] = self._controls_at + slot * _CONTROL
            self._goes_control_sizes[k] = self._control_sizes[slot]

    def flush(self) -> int:
        """Send what is queued; the number of replies that could not be sent."""
        done, lost, count = 0, 0, self._queued
        while done < count:
            sent = self._send(self._fd, self._goes_at + done * _U64 * 8, count - done, socket.MSG_DONTWAIT)
            if sent <= 0:
                if ctypes.get_errno() == errno.EINTR:
                    continue
                sent, lost = 1, lost + 1  # the buffer is full, or there is no way back: UDP may lose
            done += sent
        self._queued = 0
        return lost


def anyway(family: int, pktinfo: bytes) -> bytes:
    """An in_pktinfo or in6_pktinfo that says the address to send from, and not by which interface."""
    if family == socket.AF_INET:  # interface, our address, the packet's destination
        return bytes(4) + pktinfo[4:8] + bytes(4)
    link_local = pktinfo[0] == 0xFE and pktinfo[1] & 0xC0 == 0x80
    return pktinfo if link_local else pktinfo[:16] + bytes(4)


def _octets(size: int) -> memoryview:
    return memoryview((ctypes.c_ubyte * size)()).cast("B")


def _address(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(view))
