# C types of `compiled.py`. Only the compiler reads this file.

cimport cython

cdef int _OVERHEAD, _DEPENDENCY, _HEADER_SIZE

cdef class Compiled:
    cdef public bytes head, tail, current, key
    cdef public int end, opt, network
    cdef public long long octets
    cdef public tuple ttls, deps, forms
    cdef public list cell
    cdef public double born, expires, until
    cdef public bint expendable
    cdef public object fallback, prefetch

    cpdef bytes reply(self, bytes packet)
    @cython.locals(age="long long")
    cpdef refresh(self, double now)

cdef class Rotating(Compiled):
    cdef int _end, _size, _start
    cdef public int turn

cdef class Supplemented(Compiled):
    pass

cdef _shared(part)
@cython.locals(octets="long long", name=bytes)
cdef long long _size(bytes tail, tuple deps)
cpdef Compiled expiring(bytes head, bytes tail, tuple ttls, int opt, tuple deps, list cell, double born, long long ttl)
