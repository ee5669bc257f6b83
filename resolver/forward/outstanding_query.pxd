# C types of `outstanding_query.py`. Only the compiler reads this file.

cdef class OutstandingQuery:
    cdef public bytes packet
    cdef public int number
    cdef public object sent, carrier, channel
    cdef public bint resent

    cpdef finish(self)
    cpdef stop(self)
    cpdef arrived(self, bytes packet)
    cpdef failed(self, error)
    cpdef left_queue(self)
