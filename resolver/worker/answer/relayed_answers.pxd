# C types of `relayed_answers.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.cache cimport Key
from resolver.forward.rebinding cimport Screen
from resolver.wire.plain_reply cimport PlainReply
from resolver.wire.query cimport Query
from resolver.worker.answer.compiled cimport Compiled, expiring

cdef int _FLAGS, _COPIED, _AD, _MAX_TTL
cdef double _PREFETCH

cdef class RelayedAnswers:
    cdef object _networks, _counters
    cdef Screen _screen
    cdef bint _rotates
    cdef list _made, _opts
    cdef dict _cells, _heads

    @cython.locals(ttl="long long", deps=tuple, edns=bint, asked=int, flags=int, records=bytes, answer=Compiled, screen=Screen, key=Key, head=bytes, opt=bytes, end=int)
    cpdef answer(self, Query query, int network, double now, question, PlainReply reply)
    cpdef list _cell(self, int network, int qtype)

cdef bytes _head(int flags, int count, bint edns)
