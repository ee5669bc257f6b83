# C types of `deadlines.py`. Only the compiler reads this file.

cimport cython

cdef double _PER_SECOND

cdef class Waiting:
    cdef public long long tick

    cpdef overdue(self, double now)

cdef class Deadlines:
    cdef dict _ticks
    cdef long long _at

    @cython.locals(tick="long long", found=dict, ticks=dict)
    cpdef put(self, Waiting item, double deadline, double now)
    @cython.locals(tick="long long", found=dict)
    cpdef drop(self, Waiting item)
