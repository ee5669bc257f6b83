# C types of `edns_lessons.py`. Only the compiler reads this file.

cdef object _FULL

cdef class EdnsLessons:
    cdef object _names

    cpdef of(self, bytes name, double now)
