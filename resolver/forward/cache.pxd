# C types of `cache.py`. Only the compiler reads this file.

cimport cython
from resolver.wire.plain_reply cimport PlainReply

cdef int _PLAIN

cdef class Key:
    cdef readonly str group
    cdef readonly bytes name
    cdef readonly int type
    cdef readonly bint do, cd
    cdef Py_hash_t _hash

    cdef bint _equals(self, Key other)

cdef class UpstreamCache:
    cdef double _stale
    cdef object _failures
    cdef readonly object _entries
    cdef long long _size
    cdef public long long octets, hits, misses, evictions

    cpdef get(self, Key key, double now)
    cpdef bint knows(self, Key key)
    @cython.locals(ttl="long long", octets="long long")
    cpdef put(self, Key key, message, double now)
    cpdef fail(self, Key key, failure, double now)
    cpdef _remove(self, Key key)
