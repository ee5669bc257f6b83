# C types of `poller.py`. Only the compiler reads this file.

cimport cython

cdef class Poller:
    cdef object _epoll, _loop
    cdef dict _readers

    cpdef add(self, int descriptor, reader)
    cpdef closed(self, int descriptor)
    cpdef drain(self)
    cpdef int _poll(self) except -1
