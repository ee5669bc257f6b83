# C types of `fetcher.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.cache cimport Key, UpstreamCache
from resolver.forward.loops cimport LoopDetector
from resolver.wire.plain_reply cimport PlainReply
from resolver.worker.answer.client_query cimport ClientQuery

cdef class Fetcher:
    cdef UpstreamCache _cache, _results
    cdef object _counters, _steady
    cdef public object _ask
    cdef LoopDetector _loops
    cdef bint _prefetches

    cpdef fetch(self, Key key, done, bytes client)
    cpdef keep(self, Key key, result)
    cpdef bint begin(self, Key key, ClientQuery request)
    cpdef end(self, Key key, ClientQuery request)
