# C types of `mmsg.py`. Only the compiler reads this file.

cimport cython

cdef class Batch:
    cdef public object _receive, _send, _names, controls
    cdef object _in_iov, _out_iov, _in, _out
    cdef object _control_sizes, _control_full, _out_controls, _out_control_sizes
    cdef object _data, _rest
    cdef unsigned long long[:] _ids, _bases, _out_sizes, _out_names
    cdef unsigned long long _data_at, _names_at, _controls_at, _in_at, _out_at, _offset
    cdef bint _with_control
    cdef public int unsent
    cdef int _fd, _family
    cdef unsigned int _name_size
    cdef readonly unsigned int[:] sizes
    cdef readonly unsigned short[:] ports
    cdef readonly bytes data, names
    cdef int[:] _slots
    cdef list _queued

    cpdef bytes control(self, int slot)
    cpdef bytes packet(self, int slot)
    cpdef bytes name(self, int slot)
    cpdef int receive(self)
    cpdef void queue(self, int slot, bytes reply)
    cpdef void queue_whole(self, int slot, bytes reply)
    cpdef void flush(self)

cdef class Outbox:
    cdef public object _send, controls
    cdef object _iov, _out
    cdef unsigned long long[:] _bases, _sizes, _out_names, _out_controls, _out_control_sizes
    cdef unsigned long long _controls_at, _out_at, _offset
    cdef bint _with_control
    cdef public int unsent
    cdef int _fd, _family
    cdef unsigned int _name_size
    cdef bytes _head
    cdef list _queued, _names

    @cython.locals(k=int, start=int, message=bytes)
    cpdef int put(self, bytes name, bytes control, bytes datagram)
    cpdef void flush(self)
