# C types of `udp.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.client.poller cimport Poller
from resolver.forward.client.random_ids cimport RandomIds
from resolver.forward.outstanding_query cimport Carrier, OutstandingQuery

cdef RandomIds _random

cdef class UdpSockets

cdef class _Socket:
    cdef UdpSockets _pool
    cdef public object socket
    cdef public int descriptor, uses, seen
    cdef public bint retired
    cdef public dict outstanding
    cdef public set late

    @cython.locals(packet=bytes, number=int, query=OutstandingQuery)
    cpdef readable(self)

cdef class UdpSockets(Carrier):
    cdef public object unmatched
    cdef object _address, _loop, _looking
    cdef Poller _poller
    cdef str _source
    cdef public int limit
    cdef list _open
    cdef set _retired

    @cython.locals(sock=_Socket, outstanding=dict, number=int)
    cpdef send(self, OutstandingQuery query)
    cpdef finish(self, OutstandingQuery query)
    @cython.locals(sock=_Socket)
    cpdef stop(self, OutstandingQuery query)
    cpdef timed_out(self, OutstandingQuery query)
    @cython.locals(sock=_Socket)
    cpdef _Socket _forget(self, OutstandingQuery query)
    @cython.locals(sock=_Socket, opened=list, at=int)
    cpdef _Socket _pick(self)
    @cython.locals(sock=_Socket)
    cpdef _Socket _connected(self)
    @cython.locals(sock=_Socket)
    cpdef _close_idle(self)
    cpdef _discard(self, _Socket sock)
