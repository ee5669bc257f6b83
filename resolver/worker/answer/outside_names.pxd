# C types of `outside_names.py`. Only the compiler reads this file.

cimport cython

cdef class OutsideNames:
    cdef object _table, _owned, _is_special, _special, _cache, _answers, _apart
    cdef dict _parents
    cdef long long _changes

    @cython.locals(name=bytes)
    cpdef question(self, query, int network)
    cpdef bint _stands_apart(self, bytes name)
