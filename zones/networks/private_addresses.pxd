# C types of `private_addresses.py`. Only the compiler reads this file.

cimport cython

cdef dict _BLOCKS

@cython.locals(bounds=list, blocks=dict)
cpdef bint is_private(bytes address)
