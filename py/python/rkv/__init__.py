"""rkv: a lock-free key/value store in this process's memory.

    >>> import rkv
    >>> with rkv.Store() as store:
    ...     store["greeting"] = "hello"
    ...     store.incr("visits")
    ...     store["greeting"]
    1
    b'hello'

Keys and values are ``str`` (stored as UTF-8) or bytes-like; reads return ``bytes``, or
``str`` with ``Store(encoding="utf-8")``. One store serves any number of threads, without locks.
"""

from rkv._rkv import (
    DELETE,
    ENTRY_BYTES,
    KEEP,
    Busy,
    Closed,
    Conflict,
    Delete,
    Error,
    Forked,
    Full,
    InvalidArgument,
    InvalidTtl,
    Keep,
    ManualClock,
    NoMemory,
    NotANumber,
    NotFound,
    Overflow,
    Panic,
    Store,
    TooLarge,
    Value,
    WrongThread,
    __version__,
)
from rkv._stats import EpochStats, ExpiryLag, Stats

__all__ = [
    "DELETE",
    "ENTRY_BYTES",
    "KEEP",
    "Busy",
    "Closed",
    "Conflict",
    "Delete",
    "EpochStats",
    "Error",
    "ExpiryLag",
    "Forked",
    "Full",
    "InvalidArgument",
    "InvalidTtl",
    "Keep",
    "ManualClock",
    "NoMemory",
    "NotANumber",
    "NotFound",
    "Overflow",
    "Panic",
    "Stats",
    "Store",
    "TooLarge",
    "Value",
    "WrongThread",
    "__version__",
]
