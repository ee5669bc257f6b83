# C types of `tries.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.cache cimport Key
from resolver.forward.deadlines cimport Waiting
from resolver.forward.health cimport UpstreamServer
from resolver.forward.outstanding_query cimport OutstandingQuery
from resolver.forward.query_packet cimport packet_of
from resolver.wire cimport plain_reply
from resolver.wire.plain_reply cimport PlainReply

cdef object _FULL

cdef class Try

cdef class Asker(Waiting):
    cpdef received(self, Try query, bytes packet)
    cpdef lost(self, Try query, error)
    cpdef queue_left(self, Try query)

cdef class Try(OutstandingQuery):
    cdef public object edns
    cdef public Asker asker
    cdef public UpstreamServer server
    cdef public str transport
    cdef public double wait
    cdef public bytes question, spelling, cookie
    cdef public bint do, late, counted, badcookie

    @cython.locals(full=bint, mixed=bytes)
    cpdef ask(self, bytes question, Key key, group, bytes mark, dice)
    cpdef uncount(self)
    @cython.locals(plain=PlainReply)
    cpdef read(self, bytes packet)
    cpdef arrived(self, bytes packet)
    cpdef failed(self, error)
    cpdef left_queue(self)
