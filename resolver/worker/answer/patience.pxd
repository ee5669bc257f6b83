# C types of `patience.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.deadlines cimport Deadlines, Waiting

cdef class Patience:
    cdef object _later, _steady, _timer
    cdef Deadlines _deadlines

    @cython.locals(now=double)
    cpdef wait(self, Waiting query, double seconds)
    cpdef stop(self, Waiting query)
