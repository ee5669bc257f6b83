# C types of `carriers.py`. Only the compiler reads this file.

from resolver.forward.client.poller cimport Poller
from resolver.forward.health cimport UpstreamServer
from resolver.forward.outstanding_query cimport Carrier

cdef class Carriers:
    cdef object _loop, _unmatched, _dial
    cdef Poller _poller
    cdef int _sockets
    cdef dict _open
    cdef list _leaving

    cpdef Carrier of(self, UpstreamServer server, str transport, str source)
