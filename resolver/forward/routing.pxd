# C types of `routing.py`. Only the compiler reads this file.

cdef class UpstreamGroups:
    cdef dict _groups
    cdef public dict _suffixes

    cpdef group(self, str name)
