# C types of `packet_cache.py`. Only the compiler reads this file.

cimport cython
from resolver.worker.net.mmsg cimport Batch

@cython.locals(
    data=bytes, names=bytes, address=bytes, reply=bytes, cell=list, form=tuple, part=dict, first=int, width=int, own=int,
    room=int, most=int, name_room=int, taken=int, count=int, slot=int, at=int, size=int, port=int, network=int,
    until=double,
)
cpdef int answer(Batch slots, object layout, dict known, list exact, object first_time, double now, object limit, list left, list noted=*)
