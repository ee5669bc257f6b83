# C types of `pending.py`. Only the compiler reads this file.

from resolver.forward.deadlines cimport Waiting
from resolver.wire.plain_reply cimport PlainReply
from resolver.worker.answer.answer_cache cimport AnswerCache
from resolver.worker.answer.client_query cimport ClientQuery
from resolver.worker.answer.compiled cimport Compiled
from resolver.worker.answer.fetcher cimport Fetcher
from resolver.worker.answer.patience cimport Patience

cdef class Answering:
    cdef public int pending
    cdef public Patience patience
    cdef public Fetcher fetcher
    cdef public AnswerCache answers

    cpdef relayed(self, ClientQuery request, question, PlainReply reply, long long changes)
    cpdef resolve(self, ClientQuery request, fetched)
    cpdef send(self, Compiled answer, ClientQuery request)
    cpdef fail(self, ClientQuery request, ede)
    cpdef broken(self, ClientQuery request, error)

cdef class Pending(Waiting):
    cdef object _question
    cdef Answering _responder
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
