# C types of `rebinding.py`. Only the compiler reads this file.

cimport cython
from zones.networks.private_addresses cimport is_private

cdef class Screen:
    cdef dict _guarded
    cdef object _catalogue
    cdef bint _strip_hints

    @cython.locals(address=bytes)
    cpdef bint passes(self, str group, list addresses)
