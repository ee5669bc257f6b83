# C types of `client_query.py`. Only the compiler reads this file.

cdef class ClientQuery:
    cdef public bytes packet, client, key
    cdef public object query, edns, send
    cdef public int network, limit
    cdef public double started
    cdef public bint forwarded, stream
