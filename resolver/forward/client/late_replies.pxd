# C types of `late_replies.py`. Only the compiler reads this file.

cdef class LateReplies:
    cdef int _limit
    cdef dict _listening
