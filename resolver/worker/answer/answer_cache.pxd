# C types of `answer_cache.py`. Only the compiler reads this file.

cimport cython
from resolver.wire.query cimport Query
from resolver.worker.answer.compiled cimport Compiled

cdef class AnswerCache:
    cdef public list exact
    cdef dict _by_question, _octets, _limits, _by_name, _variants
    cdef public long long changes, cleared

    cpdef bytes key(self, Query query, int network)
    @cython.locals(answer=Compiled)
    cpdef find(self, bytes key, double now)
    cpdef keep(self, bytes key, Compiled answer)
    @cython.locals(part=dict)
    cpdef keep_exact(self, int network, bytes packet, Compiled answer, bytes reply)
    cpdef keep_new(self, Compiled answer, int network, bytes packet, bytes reply)
    cpdef _grow(self, Compiled answer, long long octets)
    cpdef _index(self, bytes name, Compiled answer)
    cpdef _drop(self, Compiled answer)
