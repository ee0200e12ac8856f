"""What ``Store.stats`` returns: plain dictionaries of integers, ready for JSON."""

from typing import TypedDict


class EpochStats(TypedDict):
    """Figures of memory reclamation, for the whole process."""

    pinned_guards: int
    """Guards held at this moment."""
    oldest_pin_ms: int
    """Age of the oldest pin, in milliseconds."""
    retired_bytes: int
    """Memory that waits for readers to leave."""


class Stats(TypedDict):
    """Figures of one store."""

    entries: int
    """Number of keys, expired ones that are still in memory among them."""
    expired_actively: int
    """Keys whose deadline passed and that a timer removed."""
    expired_lazily: int
    """Keys whose deadline passed and that a reader or writer met first."""
    timers: int
    """Timers that wait, those of deleted and overwritten keys among them."""
    shards: int
    """Number of tables that the keys are spread over."""
    buckets: int
    """Number of buckets in all tables."""
    links: int
    """Number of overflow buckets in use."""
    table_bytes: int
    """Memory of the tables, without keys and values."""
    epoch: EpochStats
