# C types of `admission.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.exchange cimport Exchange

cdef class Admission:
    cdef public dict all
    cdef dict _groups, _servers, _clients
    cdef object _limits

    @cython.locals(mine=dict, there=dict)
    cpdef crowded(self, str group, str server, bytes client)
    cpdef add(self, Exchange exchange)
    @cython.locals(client=bytes, mine=dict)
    cpdef remove(self, Exchange exchange)

cdef bytes _client(bytes address)
