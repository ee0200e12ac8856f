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
    ENTRY_BYTES,
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
from rkv._stats import EpochStats, ExpiryLag, Stats

__all__ = [
    "ENTRY_BYTES",
    "KEEP",
    "Busy",
    "Closed",
    "Conflict",
    "EpochStats",
    "Error",
    "ExpiryLag",
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
