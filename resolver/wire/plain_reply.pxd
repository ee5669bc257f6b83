# C types of `plain_reply.py`. Only the compiler reads this file.

cimport cython

cdef class PlainReply:
    cdef public bytes packet, question, cookie
    cdef public int count
    cdef public long long ttl
    cdef public bint ad
    cdef int _end

    cpdef bytes records(self)
    @cython.locals(size=int)
    cpdef tuple ttls(self)
    @cython.locals(octets=bytes, first=int, size=int, at=int)
    cpdef list addresses(self)

@cython.locals(
    start=int, count=int, others=int, kind=bytes, size=int, end=int, head=bytes, length=bytes, ttl=bytes, at=int,
)
cpdef read(bytes packet, bytes question)

@cython.locals(cookie=bytes, known=bint, size=int, start=int, length=int)
cdef _cookie(bytes packet, int at, int count)
