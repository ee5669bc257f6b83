# C types of `outstanding_query.py`. Only the compiler reads this file.

cdef class OutstandingQuery

cdef class Carrier:
    cpdef send(self, OutstandingQuery query)
    cpdef finish(self, OutstandingQuery query)
    cpdef stop(self, OutstandingQuery query)
    cpdef timed_out(self, OutstandingQuery query)
    cpdef close(self)

cdef class OutstandingQuery:
    cdef public bytes packet
    cdef public int number
    cdef public object sent, channel
    cdef public Carrier carrier
    cdef public bint resent

    cpdef begin(self, sent)
    cpdef finish(self)
    cpdef stop(self)
    cpdef arrived(self, bytes packet)
    cpdef failed(self, error)
    cpdef left_queue(self)
