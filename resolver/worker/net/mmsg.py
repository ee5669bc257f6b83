"""Many datagrams with one system call: recvmmsg(2) and sendmmsg(2), which the standard library lacks.

Owns buffers that are reused, one slot for each datagram of a batch. Addresses are octets of the kernel's structures. Of
DNS, this file knows only that a reply starts with the first two octets of its query, the message id. Needs 64-bit Linux
and CPython; elsewhere `AVAILABLE` is false. Compiled where a C compiler is available, with the types in `mmsg.pxd`.
"""

import ctypes
import errno
import socket
import struct
import sys
from array import array
from typing import Final

IP_PKTINFO: Final = 8
"""From linux/in.h; Python 3.11 has no name for it."""
SIZE: Final = 64
"""Datagrams of one batch, at most."""
ROOM: Final = 256
"""Octets of a slot in the dense buffer. Nearly all queries fit; the rest of a longer one goes to another buffer."""
LONGEST: Final = 4096
"""Octets of one datagram, at most. The kernel cuts a longer one, which then is malformed."""
_REST: Final = LONGEST - ROOM
NAME: Final = 28
"""Octets of a slot for an address: the size of sockaddr_in6, the longest. All addresses of a socket have one size."""
_NOWHERE: Final = -1
_ID: Final = 2  # octets of the message id, with which every query and every reply starts
_HEAD: Final = 16  # octets of a struct cmsghdr
_CONTROL: Final = 64  # octets of a slot for ancillary data; in6_pktinfo with its header takes 40
_CONTROL_HEADS: Final = {  # struct cmsghdr before in_pktinfo (12 octets) and in6_pktinfo (20 octets)
    socket.AF_INET: struct.pack("=QII", _HEAD + 12, socket.IPPROTO_IP, IP_PKTINFO),
    socket.AF_INET6: struct.pack("=QII", _HEAD + 20, socket.IPPROTO_IPV6, socket.IPV6_PKTINFO),
}


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
    # A sandbox may forbid the calls. Without one, the kernel refuses descriptor -1 with EBADF.
    library.recvmmsg(-1, None, 0, 0, None)
    received = ctypes.get_errno()
    library.sendmmsg(-1, None, 0, 0)
    return None if {received, ctypes.get_errno()} & {errno.ENOSYS, errno.EPERM} else library


def _offset() -> int:
    """Return the offset of the octets of a `bytes` object from its `id`; 0 where the `id` is not its address."""
    samples = [bytes((i,)) * (i + 9) for i in range(8)]
    offsets = {(ctypes.cast(ctypes.c_char_p(each), ctypes.c_void_p).value or 0) - id(each) for each in samples}
    return offsets.pop() if offsets == {bytes.__basicsize__ - 1} else 0


_LIBRARY: Final = _library()
_OFFSET: Final = _offset()
AVAILABLE: Final = _LIBRARY is not None and _OFFSET > 0


class Batch:
    """The slots of one socket. `control`: with ancillary data, which a reply takes from the slot of its query."""

    def __init__(self, sock: socket.socket, *, control: bool = False) -> None:
        assert _LIBRARY is not None  # noqa: S101 - see `AVAILABLE`
        self._receive, self._send = _LIBRARY.recvmmsg, _LIBRARY.sendmmsg
        self._offset = _OFFSET
        self._fd = sock.fileno()
        self._name_size = NAME if sock.family == socket.AF_INET6 else 16
        self._data = _octets(SIZE * ROOM)
        self._rest = _octets(SIZE * _REST)
        self._names = _octets(SIZE * NAME)
        self.controls = _octets(SIZE * _CONTROL)
        self._names_at, self._controls_at = _address(self._names), _address(self.controls)
        data_at, rest_at = _address(self._data), _address(self._rest)
        self._data_at = data_at
        self._in_iov, self._out_iov = (_Iovec * (2 * SIZE))(), (_Iovec * (2 * SIZE))()
        for i in range(SIZE):
            self._in_iov[2 * i].base, self._in_iov[2 * i].len = data_at + i * ROOM, ROOM
            self._in_iov[2 * i + 1].base, self._in_iov[2 * i + 1].len = rest_at + i * _REST, _REST
            self._out_iov[2 * i].base, self._out_iov[2 * i].len = data_at + i * ROOM, _ID
        self._in = self._messages(self._in_iov, control=control)
        self._out = self._messages(self._out_iov, control=control)
        # Columns of the structures as memoryviews: reading a number makes no ctypes object.
        incoming = memoryview(self._in).cast("B")
        self.sizes = incoming.cast("I")[_Message.len.offset // 4 :: _U32]
        """The size of each received datagram, in octets."""
        self._out_names = memoryview(self._out).cast("B").cast("Q")[_Header.name.offset // 8 :: _U64]
        vectors = memoryview(self._out_iov).cast("B").cast("Q")
        self._ids, self._bases, self._out_sizes = vectors[0::4], vectors[2::4], vectors[3::4]
        self._in_at, self._out_at = ctypes.addressof(self._in), ctypes.addressof(self._out)
        self.ports = self._names.cast("H")[1 :: NAME // 2]
        """The port of each sender, in network byte order, read as a native integer."""
        self._family = sock.family
        self._with_control = control
        if control:
            of, size = _Header.control.offset // 8, _Header.controllen.offset // 8
            outgoing = memoryview(self._out).cast("B").cast("Q")
            self._control_sizes = incoming.cast("Q")[size::_U64]
            self._control_full = memoryview((ctypes.c_uint64 * SIZE)(*[_CONTROL] * SIZE)).cast("B").cast("Q")
            self._out_controls, self._out_control_sizes = outgoing[of::_U64], outgoing[size::_U64]
        self.data = b""
        """The first `ROOM` octets of each received datagram; slot i starts at `i * ROOM`."""
        self.names = b""
        """The sender of each datagram as sockaddr_in or sockaddr_in6; slot i starts at `i * NAME`."""
        self._slots = array("i", range(SIZE))
        """The slot that each header for sending refers to, kept from one batch to the next."""
        self._queued: list[bytes] = []
        """Queued replies. The kernel reads their octets in place, so they must stay alive."""
        self.unsent = 0
        """Replies that could not be sent, since the reader last reset this number."""

    def _messages(self, vectors: ctypes.Array[_Iovec], *, control: bool) -> ctypes.Array[_Message]:
        """Return the headers of all slots, with two vectors each."""
        made = (_Message * SIZE)()
        for i in range(SIZE):
            header = made[i].header
            header.name, header.namelen = self._names_at + i * NAME, self._name_size
            header.iov, header.iovlen = ctypes.addressof(vectors) + 2 * i * ctypes.sizeof(_Iovec), 2
            if control:
                header.control, header.controllen = self._controls_at + i * _CONTROL, _CONTROL
        return made

    def receive(self) -> int:
        """Receive the waiting datagrams into the first slots, and return their number. Never waits.

        Returns 0 where none waits, and for an error: the kernel reports once what happened to an earlier reply (ICMP).
        """
        self._queued.clear()  # replies left by a batch that failed before `flush`; their slots now hold other datagrams
        if self._with_control:
            self._control_sizes[:] = self._control_full
        count = self._receive(self._fd, self._in_at, SIZE, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return 0
        self.data, self.names = self._data[: count * ROOM].tobytes(), self._names[: count * NAME].tobytes()
        return int(count)

    def packet(self, slot: int) -> bytes:
        """Return all octets of the datagram in a slot."""
        size, at = self.sizes[slot], slot * ROOM
        if size <= ROOM:
            return self.data[at : at + size]
        return self.data[at : at + ROOM] + self._rest[slot * _REST : slot * _REST + size - ROOM].tobytes()

    def name(self, slot: int) -> bytes:
        """Return the sender's address of a slot."""
        return self.names[slot * NAME : slot * NAME + NAME]

    def control(self, slot: int) -> bytes:
        """Return the in_pktinfo or in6_pktinfo of a slot; empty on a socket without it."""
        if not self._with_control or self._control_sizes[slot] < _HEAD:
            return b""
        at = slot * _CONTROL + _HEAD
        return self.controls[at : at + (20 if self._family == socket.AF_INET6 else 12)].tobytes()

    def queue(self, slot: int, reply: bytes) -> None:
        """Queue a reply to a slot: the message id in the slot, then these octets. At most `SIZE` before `flush`."""
        queued = self._queued
        k = len(queued)
        queued.append(reply)
        self._bases[k] = id(reply) + self._offset
        self._out_sizes[k] = len(reply)
        if self._slots[k] != slot:
            self._slots[k] = slot
            self._ids[k] = self._data_at + slot * ROOM
            self._out_names[k] = self._names_at + slot * NAME
        if self._with_control:
            if info := self.control(slot):
                start = slot * _CONTROL + _HEAD
                self.controls[start : start + len(info)] = any_interface(self._family, info)
            self._out_controls[k] = self._controls_at + slot * _CONTROL
            self._out_control_sizes[k] = self._control_sizes[slot]

    def queue_whole(self, slot: int, reply: bytes) -> None:
        """Queue a reply that has its own message id, because the slot may start with other octets (a PROXY header)."""
        k = len(self._queued)
        self.queue(slot, reply)
        self._ids[k] = id(reply) + self._offset
        self._bases[k] += _ID
        self._out_sizes[k] -= _ID
        self._slots[k] = _NOWHERE

    def flush(self) -> None:
        """Send the queued replies. A reply that cannot be sent is dropped and counted."""
        done, count = 0, len(self._queued)
        while done < count:
            sent = self._send(self._fd, self._out_at + done * _U64 * 8, count - done, socket.MSG_DONTWAIT)
            if sent <= 0:
                if ctypes.get_errno() == errno.EINTR:
                    continue
                sent = 1  # the send buffer is full, or there is no route: UDP may lose packets
                self.unsent += 1
            done += sent
        self._queued.clear()


class Outbox:
    """Datagrams to many addresses, sent with one system call. `control`: with ancillary data."""

    def __init__(self, sock: socket.socket, *, control: bool = False) -> None:
        assert _LIBRARY is not None  # noqa: S101 - see `AVAILABLE`
        self._send = _LIBRARY.sendmmsg
        self._offset = _OFFSET
        self._fd = sock.fileno()
        self._name_size = NAME if sock.family == socket.AF_INET6 else 16
        self._family = sock.family
        self._with_control = control
        self._head = _CONTROL_HEADS[sock.family] if control else b""
        self.controls = _octets(SIZE * _CONTROL)
        self._controls_at = _address(self.controls)
        self._iov = (_Iovec * SIZE)()
        self._out = (_Message * SIZE)()
        for i in range(SIZE):
            header = self._out[i].header
            header.namelen, header.iovlen = self._name_size, 1
            header.iov = ctypes.addressof(self._iov) + i * ctypes.sizeof(_Iovec)
        self._out_at = ctypes.addressof(self._out)
        outgoing = memoryview(self._out).cast("B").cast("Q")
        self._out_names = outgoing[_Header.name.offset // 8 :: _U64]
        self._out_controls = outgoing[_Header.control.offset // 8 :: _U64]
        self._out_control_sizes = outgoing[_Header.controllen.offset // 8 :: _U64]
        vectors = memoryview(self._iov).cast("B").cast("Q")
        self._bases, self._sizes = vectors[0::2], vectors[1::2]
        self._queued: list[bytes] = []
        """Queued datagrams. The kernel reads their octets in place, so they must stay alive; the same for names."""
        self._names: list[bytes] = []
        self.unsent = 0
        """Datagrams that could not be sent, since the owner last reset this number."""

    def put(self, name: bytes, control: bytes, datagram: bytes) -> int:
        """Queue a datagram to a socket address, and return how many are queued now. At `SIZE`, all are sent.

        `name` and `control` are as `Batch.name` and `Batch.control` return them.
        """
        k = len(self._queued)
        self._queued.append(datagram)
        self._names.append(name)
        self._bases[k] = id(datagram) + self._offset
        self._sizes[k] = len(datagram)
        self._out_names[k] = id(name) + self._offset
        if self._with_control:
            message = self._head + any_interface(self._family, control) if control else b""
            start = k * _CONTROL
            self.controls[start : start + len(message)] = message
            self._out_controls[k] = self._controls_at + start
            self._out_control_sizes[k] = len(message)
        if k + 1 == SIZE:
            self.flush()
            return 0
        return k + 1

    def flush(self) -> None:
        """Send the queued datagrams. One that cannot be sent is dropped and counted."""
        done, count = 0, len(self._queued)
        while done < count:
            sent = self._send(self._fd, self._out_at + done * _U64 * 8, count - done, socket.MSG_DONTWAIT)
            if sent <= 0:
                if ctypes.get_errno() == errno.EINTR:
                    continue
                sent = 1  # the send buffer is full, or there is no route: UDP may lose packets
                self.unsent += 1
            done += sent
        self._queued.clear()
        self._names.clear()

    def clear(self) -> None:
        """Drop the queued datagrams, and count them."""
        self.unsent += len(self._queued)
        self._queued.clear()
        self._names.clear()


def any_interface(family: int, pktinfo: bytes) -> bytes:
    """Return an in_pktinfo or in6_pktinfo with the address to send from, and any interface."""
    if family == socket.AF_INET:  # interface, local address, destination of the packet
        return bytes(4) + pktinfo[4:8] + bytes(4)
    link_local = pktinfo[0] == 0xFE and pktinfo[1] & 0xC0 == 0x80
    return pktinfo if link_local else pktinfo[:16] + bytes(4)


def _octets(size: int) -> memoryview:
    return memoryview((ctypes.c_ubyte * size)()).cast("B")


def _address(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(view))
