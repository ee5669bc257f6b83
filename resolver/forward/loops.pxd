# C types of `loops.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.cache cimport Key

cdef class LoopDetector:
    cdef object _wall, _found
    cdef readonly object _asking
    cdef dict _marks, _brought
    cdef set _servers, _addresses

    @cython.locals(ours=bytes)
    cpdef bytes mark(self, Key key)
    @cython.locals(ours=bytes, marked=bint)
    cpdef bint closed(self, Key key, bytes marks, bytes client)
    cpdef begin(self, Key key, bytes marks, bytes client)
    cpdef end(self, Key key, bytes client)
