# C types of `round_trip.py`. Only the compiler reads this file.

cimport cython

cdef class RoundTrip:
    cdef public double smoothed, total
    cdef public long long samples, failures
    cdef public list counts
    cdef double _variation, _penalty

    @cython.locals(difference=double)
    cpdef add(self, double seconds)
    cpdef fail(self)
    cpdef double cost(self)
    cpdef double wait(self)
    cpdef double hedge(self)
