# C types of `query_packet.py`. Only the compiler reads this file.

cimport cython

@cython.locals(padded=int)
cpdef bytes packet(bytes question, str transport, edns, bytes mark, bytes cookie, bint do, bint cd)
