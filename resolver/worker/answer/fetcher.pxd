# C types of `fetcher.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.loops cimport LoopDetector
from resolver.worker.answer.client_query cimport ClientQuery

cdef class Fetcher:
    cdef object _cache, _put, _fail, _counters, _steady
    cdef public object _ask
    cdef LoopDetector _loops
    cdef bint _prefetches

    cpdef fetch(self, key, done, bytes client)
    cpdef keep(self, key, result)
    cpdef bint begin(self, key, ClientQuery request)
    cpdef end(self, key, ClientQuery request)
