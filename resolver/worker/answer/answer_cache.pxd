# C types of `answer_cache.py`. Only the compiler reads this file.

cimport cython
from resolver.wire.query cimport Query
from resolver.worker.answer.compiled cimport Compiled

cdef int _LARGEST_EXACT, _EXACT_OVERHEAD, _FORMS, _IN_KEY, _REMOVED

cdef class _Part:
    cdef public long long octets, limit
    cdef readonly dict answers
    cdef readonly list _order
    cdef Py_ssize_t _first

    cpdef add(self, Compiled answer)
    cpdef bint remove(self, Compiled answer)
    @cython.locals(answer=Compiled)
    cpdef Compiled oldest(self)
    cpdef clear(self)

cdef class AnswerCache:
    cdef public list exact
    cdef _Part _usual, _expendable
    cdef dict _by_name, _variants
    cdef public long long changes, cleared

    cpdef bytes key(self, Query query, int network)
    @cython.locals(answer=Compiled)
    cpdef find(self, bytes key, double now)
    @cython.locals(before=Compiled, name=bytes)
    cpdef keep(self, bytes key, Compiled answer)
    @cython.locals(part=dict)
    cpdef keep_exact(self, int network, bytes packet, Compiled answer, bytes reply)
    cpdef keep_new(self, Compiled answer, int network, bytes packet, bytes reply)
    @cython.locals(part=_Part)
    cpdef _grow(self, Compiled answer, long long octets)
    cpdef _Part _part(self, Compiled answer)
    cpdef _make_room(self, _Part part)
    @cython.locals(several=set)
    cpdef _index(self, bytes name, Compiled answer)
    cpdef _drop(self, Compiled answer)
