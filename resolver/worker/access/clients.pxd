# C types of `clients.py`. Only the compiler reads this file.

cdef class Clients:
    cdef public object networks
    cdef readonly dict known
    cdef readonly int factor
    cdef object _worker, _listener, _allowed, _dropped, _proxies, _forwarders, _unlimited
    cdef dict _at, _peers, _subnets

    cpdef int find(self, bytes address) except? -9
    cpdef peer(self, bytes address)
    cpdef forget(self)
