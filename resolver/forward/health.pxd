# C types of `health.py`. Only the compiler reads this file.

cimport cython
from resolver.forward.edns_lessons cimport EdnsLessons
from resolver.forward.round_trip cimport RoundTrip
from resolver.forward.server_cookie cimport ServerCookie

cdef class UpstreamServer:
    cdef public object server
    cdef public ServerCookie cookie
    cdef public EdnsLessons lessons
    cdef public str uri
    cdef public RoundTrip round_trip
    cdef public int outstanding
    cdef public bint down
    cdef public double probe_at, failed_at, down_at
    cdef public str failure
    cdef object _dice
    cdef int _failures
    cdef double _delay, _answered

    cpdef answered(self, double sent, double now)
    cpdef failed(self, double sent, double now, str reason)

cdef class Health:
    cdef object _dice
    cdef dict _servers, _gone, _groups, _turns

    @cython.locals(servers=list, server=UpstreamServer)
    cpdef list order(self, group)
    @cython.locals(server=UpstreamServer)
    cpdef probe(self, group, double now)
    cpdef list _of_group(self, group)
