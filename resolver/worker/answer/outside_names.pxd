# C types of `outside_names.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.cache cimport Key, UpstreamCache
from resolver.wire.query cimport Query
from resolver.worker.answer.answer_cache cimport AnswerCache

cdef class OutsideNames:
    cdef object _table, _owned, _is_special, _special, _apart
    cdef UpstreamCache _cache
    cdef AnswerCache _answers
    cdef dict _parents
    cdef long long _changes

    @cython.locals(name=bytes)
    cpdef question(self, Query query, int network)
    cpdef bint _stands_apart(self, bytes name)
