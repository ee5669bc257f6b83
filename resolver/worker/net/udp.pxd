# C types of `udp.py`. Only the compiler reads this file.

cimport cython
from resolver.worker.access.clients cimport Clients
from resolver.worker.answer.responder cimport Responder
from resolver.worker.net.mmsg cimport Batch, Outbox

cdef class _Reply

cdef class UdpListener:
    cdef readonly Batch _batch
    cdef readonly Outbox _outbox
    cdef Responder _responder
    cdef Clients _clients
    cdef object _sock, _limiter, _loop, _transport, _host, _layout
    cdef int _port, _first, _end
    cdef bint _has_any
    cdef public long long turn
    cdef long long _turns, _untimed
    cdef int _batches
    cdef list _requests, _unsent, _unwanted, _unproxied

    @cython.locals(slots=Batch, left=list, noted=list, packets=int, now=double, first=int, end=int, slot=int, name=bytes, reply=_Reply)
    cpdef _read(self)
    @cython.locals(port=int)
    cpdef _take(self, bytes packet, bytes address, _Reply reply, over)
    cpdef send(self, _Reply reply, bytes octets)
    cpdef _flush(self)

cdef class _Reply:
    cdef UdpListener _udp
    cdef public long long turn
    cdef public int slot
    cdef public bytes name, control
