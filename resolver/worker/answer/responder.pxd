# C types of `responder.py`. Only the compiler reads this file.

cimport cython
from resolver.wire.plain_reply cimport PlainReply
from resolver.wire.query cimport Query
from resolver.worker.answer.answer_cache cimport AnswerCache
from resolver.worker.answer.client_query cimport ClientQuery
from resolver.worker.answer.compiled cimport Compiled
from resolver.worker.answer.outside_names cimport OutsideNames
from resolver.worker.answer.pending cimport Answering, Pending
from resolver.worker.answer.relayed_answers cimport RelayedAnswers

cdef object _PASS

cdef class Responder(Answering):
    cdef public int payload
    cdef public object clock, counters, durations, steady, first
    cdef public object watch
    cdef int _untimed
    cdef readonly OutsideNames _outside
    cdef readonly RelayedAnswers _relayed
    cdef readonly object _templates  # not typed: `first` is one of its methods, as an object of Python
    cdef object _engine, _renderer, _options, _fallbacks
    cdef int _factor
    cdef list _dropped, _unwanted
    cdef dict _without_options

    @cython.locals(request=ClientQuery, found=Compiled, query=Query)
    cpdef take(self, bytes packet, client, transport, send, limited=*)
    cpdef _read(self, Query query, client, transport)
    @cython.locals(answers=AnswerCache, now=double, answer=Compiled)
    cpdef relayed(self, ClientQuery request, question, PlainReply reply, long long changes)
    cpdef resolve(self, ClientQuery request, fetched)
    cpdef _time(self, ClientQuery request)
    @cython.locals(reply=bytes)
    cpdef send(self, Compiled answer, ClientQuery request)
    cpdef fail(self, ClientQuery request, ede)
    cpdef broken(self, ClientQuery request, error)
