# C types of `forwarder.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.admission cimport Admission
from resolver.forward.cache cimport Key
from resolver.forward.client.carriers cimport Carriers
from resolver.forward.client.late_replies cimport LateReplies
from resolver.forward.deadlines cimport Deadlines, Waiting
from resolver.forward.exchange cimport Driver, Exchange
from resolver.forward.health cimport Health
from resolver.forward.routing cimport UpstreamGroups
from resolver.forward.tries cimport Try
from resolver.wire.plain_reply cimport PlainReply

cdef object _ON, _MISMATCH

cdef class Forwarder(Driver):
    cdef public long long queries, replies, late, timeouts, errors, mismatches, tcp, shed
    cdef public Health health
    cdef object _loop, _now, _mark, _take_late, _limits
    cdef UpstreamGroups _upstreams
    cdef Admission _admission
    cdef int _waiting
    cdef bint _deferring
    cdef dict _exchanges, _rates
    cdef readonly set _former, _probes
    cdef readonly LateReplies _failed
    cdef readonly Carriers _carriers
    cdef Deadlines _deadlines
    cdef object _ticking
    cdef double _due

    cpdef ask(self, Key key, done, bytes client=*)
    @cython.locals(exchange=Exchange, servers=list, now=double)
    cpdef _ask(self, Key key, done, bytes client)
    @cython.locals(exchange=Exchange, probe=Exchange)
    cpdef _begin(self, group, list servers, Key key, done, bytes client, double now)
    cpdef Exchange _exchange(self, group, Key key, list servers, double now, int tries)
    @cython.locals(query=Try)
    cpdef _go_on(self, Exchange exchange, action, double now)
    @cython.locals(waiters=list, listens=bint, key=Key)
    cpdef _end(self, Exchange exchange, result)
    cpdef _schedule(self, Exchange exchange, double deadline, double now)
    cpdef overdue(self, Exchange exchange, double now)
    @cython.locals(now=double)
    cpdef received(self, Exchange exchange, Try query, bytes packet)
    @cython.locals(now=double)
    cpdef failed(self, Exchange exchange, Try query, error)
    @cython.locals(now=double)
    cpdef sent(self, Exchange exchange, Try query)
