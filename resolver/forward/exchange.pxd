# C types of `exchange.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.cache cimport Key
from resolver.forward.health cimport UpstreamServer
from resolver.forward.tries cimport Asker, Try
from resolver.forward.server_cookie cimport ServerCookie
from resolver.forward.turns cimport Turns
from resolver.wire.plain_reply cimport PlainReply

cdef object _ON, _FULL
cdef dict _KINDS

cdef class Exchange

cdef class Driver:
    cpdef received(self, Exchange exchange, Try query, bytes packet)
    cpdef failed(self, Exchange exchange, Try query, error)
    cpdef sent(self, Exchange exchange, Try query)
    cpdef overdue(self, Exchange exchange, double now)

cdef class Exchange(Asker):
    cdef public Key key
    cdef public Driver driver
    cdef public double deadline, end
    cdef public list open, waiters
    cdef public bint hedging, over
    cdef public bytes client
    cdef public str first, source
    cdef object _group, _dice, _refusal, _failure
    cdef bytes _question, _mark
    cdef Turns _turns
    cdef Try _current, _again
    cdef list _asked

    cpdef start(self, double now)
    cpdef close(self)
    cpdef received(self, Try query, bytes packet)
    cpdef lost(self, Try query, error)
    cpdef queue_left(self, Try query)
    cpdef overdue(self, double now)
    cpdef sent(self, Try query, double now)
    cpdef timeout(self, double now)
    @cython.locals(udp=bint, useful=bint, tc=bint)
    cpdef reply(self, Try query, bytes packet, double now)
    @cython.locals(cookie=ServerCookie)
    cpdef bint _is_proven(self, Try query, bytes found, double now, bint tc)
    cpdef _taken(self, message, Try query, double now)
    @cython.locals(query=Try)
    cpdef _next(self, double now)
    @cython.locals(query=Try, turns=Turns, server=UpstreamServer)
    cpdef _following(self, double now)
    cpdef _edns(self, UpstreamServer server, double now)
    @cython.locals(query=Try)
    cpdef _try(self, UpstreamServer server, str transport, edns, double wait, double now)
    cpdef _finish(self, Try query)
    cpdef _stop(self, Try query)

@cython.locals(kind=bytes)
cdef bytes _question(Key key)
