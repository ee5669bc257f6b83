# C types of `turns.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.health cimport UpstreamServer

cdef class Turns:
    cdef int _at, _count, _rounds
    cdef bint _race
    cdef object _servers
    cdef public int round
    cdef public double wait
    cdef public bint hedged
    cdef public tuple refused

    @cython.locals(count=int, at=int, server=UpstreamServer)
    cpdef next(self, double now, double end)
    @cython.locals(at=int, count=int, wait=double)
    cpdef double _patience(self, UpstreamServer server, double left)
