# C types of `catalogue_index.py`. Only the compiler reads this file.

cdef bytes _PRIVATELINK

cdef class CatalogueIndex:
    cdef object _catalogue, _candidates, _zones, _publics, _claimed, _covered
    cdef readonly object is_opt_in
    cdef set _exceptional

    cpdef bint is_special(self, bytes name)
