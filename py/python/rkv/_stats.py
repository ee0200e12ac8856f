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
    """Number of keys."""
    shards: int
    """Number of tables that the keys are spread over."""
    buckets: int
    """Number of buckets in all tables."""
    links: int
    """Number of overflow buckets in use."""
    table_bytes: int
    """Memory of the tables, without keys and values."""
    epoch: EpochStats
