# C types of `server_cookie.py`. Only the compiler reads this file.

cdef class ServerCookie:
    cdef bytes _value
    cdef double _paused
    cdef readonly bint known

    cpdef bytes to_send(self, double now, dice)
    cpdef learn(self, bytes cookie)
    cpdef forget(self)
    cpdef pause(self, double now)
