"""rkv: a lock-free key/value store in this process's memory.

    >>> import rkv
    >>> with rkv.Store() as store:
    ...     store["greeting"] = "hello"
    ...     store.incr("visits")
    ...     store["greeting"]
    1
    b'hello'

Keys and values are ``str`` (stored as UTF-8) or bytes-like; reads return ``bytes``. One store
serves any number of threads, without locks.
"""

from rkv._rkv import (
    KEEP,
    Busy,
    Closed,
    Conflict,
    Error,
    Forked,
    Full,
    InvalidArgument,
    InvalidTtl,
    ManualClock,
    NoMemory,
    NotANumber,
    NotFound,
    Overflow,
    Panic,
    Store,
    TooLarge,
    WrongThread,
    __version__,
)
from rkv._stats import EpochStats, Stats

__all__ = [
    "KEEP",
    "Busy",
    "Closed",
    "Conflict",
    "EpochStats",
    "Error",
    "Forked",
    "Full",
    "InvalidArgument",
    "InvalidTtl",
    "ManualClock",
    "NoMemory",
    "NotANumber",
    "NotFound",
    "Overflow",
    "Panic",
    "Stats",
    "Store",
    "TooLarge",
    "WrongThread",
    "__version__",
]
