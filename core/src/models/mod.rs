//! Models of the protocol for loom, on the real code of the table and the epoch.
//!
//! Loom runs a small program once for every schedule, up to a number of preemptions, and for every
//! value that a load may see by the memory model. Each file here holds one such program: what
//! happens before, what two or three threads do, what is looked at afterwards. Every answer is
//! compared with all sequential orders of the program, key by key; every payload is a cell in which
//! loom sees races; every record must be given up exactly once.
//!
//! Each model has a *twin*, which leaves out one step of the protocol (`sync::planted`) and must
//! fail, at the stated number of preemptions and for the stated reason. The number is the least at
//! which loom finds the bug, often less than in the exhaustive models of `rkv-models`: those are
//! sequentially consistent, while a load here may also see a value that is no longer there.
//!
//! What loom leaves out by itself is mended for our atomics only (`sync::noted`), not inside of
//! crossbeam-epoch. And it does not run programs in which a load sees a store that comes later.
//!
//! The tables are as small as the protocol allows, one or two slots in a bucket and one in a link.
//! Garbage is kept until the end, except in the models of the epoch (`m15` to `m19`, and `m27`, the
//! only one in which a new record stands at the address of a former one).
//!
//! Of the store, `m25` and `m28` to `m34` run the parts that know no store: versions, deadlines,
//! the room of a bounded one, how the keeper sleeps. Time is a word that a thread moves on.

#[path = "../store/budget.rs"]
mod budget;
#[path = "../store/deadline.rs"]
#[expect(unreachable_pub, reason = "some of it is for callers of a store")]
mod deadline;
#[path = "../store/mortal.rs"]
mod mortal;
#[path = "../store/shift.rs"]
mod shift;
#[path = "../store/version.rs"]
mod version;

mod epochs;
mod explore;
mod history;
mod lives;
mod program;
mod record;
mod world;

mod m01_insert_insert;
mod m02_attach_race;
mod m03_reuse_under_a_reader;
mod m04_stale_claimant;
mod m05_late_clear;
mod m06_replace_delete;
mod m07_replace_replace;
mod m08_migrate_insert;
mod m09_migrate_delete_get;
mod m10_late_helper;
mod m11_root_swaps;
mod m14_publication;
mod m15_retired_under_a_reader;
mod m16_undone_draft;
mod m17_batch_of_an_ending_thread;
mod m18_renewed_guard;
mod m19_retired_array;
mod m21_parents_first;
mod m22_merge;
mod m23_merge_overflow;
mod m24_stalled_finisher;
mod m25_version_order;
mod m26_batch_of_gets;
mod m27_reused_block;
mod m28_inbox;
mod m29_dead_record;
mod m30_fire_refresh;
mod m31_fire_overwrite;
mod m32_fire_recreate;
mod m33_room;
mod m34_keeper;
mod totals;
