# C types of `plain_reply.py`. Only the compiler reads this file.

cimport cython

cdef int _HEAD, _TTL, _HEADER_SIZE, _MAX_LABEL, _POINTER, _OPT
cdef long long _MAX_TTL
cdef bytes _OWNER, _COOKIE

cdef class PlainReply:
    cdef public bytes packet, question, cookie
    cdef public int count
    cdef public long long ttl
    cdef public bint ad, has_authority
    cdef int _end

    cpdef bytes records(self)
    @cython.locals(size=int)
    cpdef tuple ttls(self)
    @cython.locals(octets=bytes, first=int, size=int, at=int)
    cpdef list addresses(self)

@cython.locals(
    start=int, count=int, others=int, kind=bytes, size=int, end=int, head=bytes, length=bytes, ttl=bytes, at=int, address=object, seconds="long long",
)
cpdef read(bytes packet, bytes question)

@cython.locals(cookie=bytes, known=bint, size=int, start=int, length=int)
cdef _cookie(bytes packet, int at, int count)
