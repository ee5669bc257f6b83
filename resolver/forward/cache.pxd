# C types of `cache.py`. Only the compiler reads this file.

cimport cython

cdef class UpstreamCache:
    cdef double _stale
    cdef object _failures
    cdef readonly object _entries
    cdef long long _size
    cdef public long long octets, hits, misses, evictions

    cpdef get(self, key, double now)
    cpdef bint knows(self, key)
    cpdef put(self, key, message, double now)
    cpdef _remove(self, key)
