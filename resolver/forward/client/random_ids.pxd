# C types of `random_ids.py`. Only the compiler reads this file.

cimport cython

cdef class RandomIds:
    cdef bytes _stock
    cdef int _at

    @cython.locals(most=int, at=int, number=int, stock=bytes)
    cpdef int below(self, int bound)
