# C types of `round_trip.py`. Only the compiler reads this file.

cimport cython

cdef double _LEAST_BOUND, _GAIN, _VARIATION_GAIN
cdef int _STEPS

cdef class RoundTrip:
    cdef public double smoothed, total
    cdef public long long samples, failures
    cdef public list counts
    cdef double _variation, _penalty

    @cython.locals(difference=double, bound=double, step=int)
    cpdef add(self, double seconds)
    cpdef fail(self)
    cpdef double cost(self)
    cpdef double wait(self)
    cpdef double hedge(self)
