# C types of `pending.py`. Only the compiler reads this file.

from resolver.forward.deadlines cimport Waiting
from resolver.worker.answer.client_query cimport ClientQuery

cdef class Pending(Waiting):
    cdef object _responder, _question
    cdef ClientQuery _request
    cdef long long _changes
    cdef dict _fetched
    cdef bint _waits, _impatient, _over

    cpdef ask(self, question)
    cpdef arrived(self, key, result)
    cpdef overdue(self, double now)
    cpdef _wait(self)
    cpdef _go_on(self, question, result)
    cpdef _answer(self, question, result)
    cpdef _take_stale(self)
    cpdef _stop_asking(self)
    cpdef _end(self)
