# C types of `client_query.py`. Only the compiler reads this file.

from resolver.wire.query cimport Query

cdef class ClientQuery:
    cdef public bytes packet, client, key
    cdef public Query query
    cdef public object edns, send
    cdef public int network, limit
    cdef public double started
    cdef public bint forwarded, stream
