# C types of `query.py`. Only the compiler reads this file.

cimport cython

cdef int _HEADER_SIZE, _MAX_LABEL, _LONGEST, _POINTER, _OPCODE, _QR, _RD, _CD, _AD, _DO, _MIN_PAYLOAD

cdef class Query:
    cdef readonly int id, flags, qtype, qclass, payload
    cdef readonly bytes name, question
    cdef readonly bint edns, do, rd, cd, ad
    cdef readonly tuple options

    cpdef Query about(self, bytes name, int qtype)

@cython.locals(end=int, question=bytes, ident=int, flags=int, qdcount=int, ancount=int, nscount=int, arcount=int, rcode=int)
cpdef parse(bytes packet)
@cython.locals(at=int, size=int, end=int)
cdef int _question_end(bytes packet) except -1
@cython.locals(index=int, root=bint, size=int)
cdef _edns(bytes packet, int at, int before, int additional)
@cython.locals(size=int)
cdef int _after_name(bytes packet, int at) except -1
cdef int _complaint(int flags, int ancount, edns, bint sound) except -1
