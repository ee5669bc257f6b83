# C types of `answer_templates.py`. Only the compiler reads this file.

cimport cython
from resolver.worker.answer.answer_cache cimport AnswerCache
from resolver.worker.answer.compiled cimport Compiled

cdef class AnswerTemplates:
    cdef object _table, _owned, _rows, _is_special, _apart
    cdef AnswerCache _answers
    cdef readonly dict _templates, _denials
    cdef long long _cleared

    @cython.locals(answer=Compiled)
    cpdef reply(self, bytes packet, int network)
    @cython.locals(start=int, form=tuple, cleared=bint)
    cpdef answer(self, bytes packet, int network)
