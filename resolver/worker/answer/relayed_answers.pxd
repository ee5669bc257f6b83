# C types of `relayed_answers.py`. Only the compiler reads this file.

cimport cython
from resolver.wire.plain_reply cimport PlainReply
from resolver.worker.answer.compiled cimport Compiled

cdef int _FLAGS, _COPIED, _AD

cdef class RelayedAnswers:
    cdef object _behaviour, _networks, _counters
    cdef list _made, _opts
    cdef dict _cells, _heads

    @cython.locals(ttl="long long", deps=tuple, edns=bint, asked=int, flags=int, records=bytes, expires=double, answer=Compiled)
    cpdef answer(self, query, int network, double now, question, PlainReply reply)
    cpdef list _cell(self, int network, int qtype)

cdef bytes _head(int flags, int count, bint edns)
