# C types of `query_packet.py`. Only the compiler reads this file.

cimport cython

cdef object _NONE

@cython.locals(padded=int, has_edns=bint, before=bytes, after=bytes)
cpdef bytes packet_of(bytes question, str transport, edns, bytes mark, bytes cookie, bint do, bint cd)
