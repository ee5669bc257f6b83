# C types of `plain_reply.py`. Only the compiler reads this file.

cimport cython

cdef int _HEAD, _TTL, _HEADER_SIZE, _MAX_LABEL, _POINTER, _OPT, _A, _AAAA, _AD
cdef bytes _OWNER, _COOKIE

cdef class PlainReply:
    cdef public bytes packet, question, cookie
    cdef public int count
    cdef public long long ttl
    cdef public bint ad, has_authority
    cdef int _end

    @cython.locals(octets="const unsigned char*")
    cpdef bytes records(self)
    @cython.locals(size=int)
    cpdef tuple ttls(self)
    @cython.locals(octets="const unsigned char*", first=int, size=int, at=int)
    cpdef list addresses(self)

@cython.locals(
    start=int, count=int, others=int, asked=bytes, size=int, end=int, head=bytes, at=int, address=int, seconds="long long",
    octets="const unsigned char*",
)
cpdef read(bytes packet, bytes question)

cdef int _size(int rtype)

@cython.locals(cookie=bytes, known=bint, size=int, start=int, length=int)
cdef _cookie(bytes packet, int at, int count)
