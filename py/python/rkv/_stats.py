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


class ExpiryLag(TypedDict):
    """How late keys went that a timer removed, to within an eighth, and rounded up."""

    p50_ms: int
    """Half of them went so many milliseconds after their deadline, or sooner."""
    p99_ms: int
    """99 of 100 went as soon as this, or sooner."""
    max_ms: int
    """None went later. Exact."""


class Stats(TypedDict):
    """Figures of one store."""

    entries: int
    """Number of keys, expired ones that are still in memory among them."""
    bytes: int
    """What the entries of a store with a bound count together; 0 in a store without."""
    evicted: int
    """Keys that were removed to make room, or found none."""
    expired_actively: int
    """Keys whose deadline passed and that a timer removed."""
    expired_lazily: int
    """Keys whose deadline passed and that a reader or writer met first."""
    expiry_lag: ExpiryLag
    """How late the timers removed what had expired."""
    timers: int
    """Timers that wait, those of deleted and overwritten keys among them."""
    stale_timers: int
    """Of these, more or less, the ones that no key needs any more."""
    shards: int
    """Number of tables that the keys are spread over."""
    buckets: int
    """Number of buckets in all tables."""
    links: int
    """Number of overflow buckets in use."""
    table_bytes: int
    """Memory of the tables, without keys and values."""
    epoch: EpochStats
    """Memory reclamation."""
