/** @file kv.h
 * The C interface of rkv, a lock-free key/value engine inside the process.
 * Copyright The rkv authors. SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Generated from ffi-c/src; do not edit. Link with -lkv.
 *
 * Conventions
 *
 * 1. Names. Everything here begins with kv_ or KV_.
 *
 * 2. Handles. A kv_store_t is a number, not an address. It holds the place and the generation of
 *     a store, and every call looks it up. So a handle that was closed, or was never a handle, is
 *     the status KV_ERR_CLOSED and not a crash, also when other stores were opened since. It is a
 *     structure and not a plain integer so that the compiler finds swapped arguments; it travels
 *     by value and costs what an integer costs. The zero handle { 0 } names no store.
 *     kv_value_t, kv_iter_t, kv_change_t and kv_guard_t are such numbers too, of a value that is
 *     kept, of an iterator, of a callback that runs, and of a pin of one thread: what is none, or
 *     not any more, is KV_ERR_INVALID_ARGUMENT; a guard of another thread is KV_ERR_WRONG_THREAD.
 *
 * 3. Statuses. Functions that can fail return kv_status_t: 0 is success, a positive number is an
 *     outcome that a correct program expects (no such key, buffer too small), a negative number is
 *     an error. The numbers are constants and are never reused; new ones may be added.
 *
 * 4. Error texts. kv_strerror gives a constant text for a status; kv_last_error_message gives
 *     what went wrong in the last failing call of this thread, with the name of the argument.
 *
 * 5. Bytes in. Keys and values are a pointer and a length, any bytes, without a NUL at the end.
 *     NULL is allowed if and only if the length is 0; empty keys and empty values are ordinary.
 *     The bytes must stay as they are during the call, and so must arrays of keys and pairs; they
 *     are copied, never kept.
 *
 * 6. Results. Out-pointers must be aligned and writable, and buffers as large as you say. They
 *     must not be NULL unless the function says so. They are written on KV_OK, and otherwise only
 *     as the function says.
 *
 * 7. Memory. What the program has to give back, and by what; nothing else:
 *       by kv_free         what kv_get_dup, kv_get_many and kv_keys returned
 *       by kv_value_free   values of kv_get_value and kv_take; they outlive their store
 *       by kv_iter_close   iterators of kv_iter_open
 *       by kv_unpin        guards of kv_pin
 *       by kv_close        stores of kv_open, and each reference of kv_retain
 *     All of them do nothing for NULL or the zero handle, but kv_unpin, which refuses it.
 *
 * 8. Structures that begin with struct_size may grow at their end in later versions. Let
 *     kv_options_init fill kv_options_t, and kv_entry_init a kv_entry_t that the library is to
 *     fill. A program may be older or newer than the library: what it does not know is the default,
 *     and what the library does not know is KV_ERR_UNSUPPORTED if it is set. Read from a structure
 *     that the library passes to a callback only what lies within its struct_size; in structures of
 *     the program, the rest is made zero.
 *
 * 9. Threads. Every function may be called from any thread at any time, on the same store too;
 *     no call waits for another, but the one that ends the last store whose keys a thread removes
 *     when they expire: it waits for that thread. Values belong to no thread; error texts, guards
 *     and changes belong to theirs. Iterators serve one thread at a time; a second gets
 *     KV_ERR_BUSY. No function may be called from a signal handler.
 *
 * 10. Callbacks run on the calling thread before the function returns; user_data is passed through
 *     and may be NULL. No lock is held and nothing is pinned meanwhile: they may take their time
 *     and call every function, also on the same key, also kv_close. They must not throw, longjmp
 *     or end the thread, and must keep no pointer that they were given. A program that runs fibers
 *     may switch them in a callback.
 *
 * 11. Fork. In a child process, every call on a store that the parent opened, and on a guard or an
 *     iterator of such a store, returns KV_ERR_FORKED; so does a call whose callback has forked.
 *     Values of the parent stay readable. The child may open stores of its own.
 *
 * 12. Faults inside rkv do not end the program: the call returns KV_ERR_PANIC. Memory that the
 *     system refuses for keys, values and tables is KV_ERR_NO_MEMORY; refused to the lists that a
 *     call makes of many keys (batches, kv_keys, kv_scan), it ends the program, as it does in most.
 *
 * 13. Time. A key may be given a time to live. It exists until that has passed by the monotonic
 *     clock, rounded up to a millisecond, and from then on for no function. Its memory is given
 *     back by whoever meets it next, and by a thread of the library. Programs that want none open
 *     their stores with KV_NO_MAINTENANCE and call kv_advance; calls that give keys a time to live
 *     do some of its work.
 *
 * 14. Bounds. A store may be opened with max_entries and max_bytes, which it never exceeds. When it
 *     is full, a call that adds a key or makes a value longer removes other keys for it, expired
 *     ones first; if it finds none soon enough, what it was to store counts as stored and evicted
 *     at once. So any call may find a key gone that nobody deleted. With KV_EVICT_REJECT nothing
 *     but expired keys is removed, and such a call is KV_ERR_FULL and changes nothing.
 */

#ifndef RKV_KV_H_INCLUDED
#define RKV_KV_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/** @{ */
/** The version of this header: compare with kv_version_number and kv_version_string. */
#define KV_VERSION_MAJOR 0
#define KV_VERSION_MINOR 1
#define KV_VERSION_PATCH 0
#define KV_VERSION_STRING "0.1.0"
#define KV_VERSION_NUMBER \
  (KV_VERSION_MAJOR * 1000000 + KV_VERSION_MINOR * 1000 + KV_VERSION_PATCH)
/** @} */

#if defined(__GNUC__) || defined(__clang__)
/** The result must be looked at. */
#define KV_NODISCARD __attribute__((warn_unused_result))
#else
#define KV_NODISCARD
#endif

/** A time to live: for ever. */
#define KV_TTL_NEVER 0

/** A time to live: as the option default_ttl_ms says. */
#define KV_TTL_DEFAULT UINT64_MAX

/** A time to live: what the key still has; as KV_TTL_DEFAULT if it does not exist. */
#define KV_TTL_KEEP (UINT64_MAX - 1)

/**
 * For tests, a flag of kv_options_t: the store takes the time from a clock of its own, which
 * stands still until kv_clock_advance moves it. KV_NO_MAINTENANCE is implied.
 */
#define KV_MANUAL_CLOCK 1

/**
 * A flag of kv_options_t: no thread removes keys whose deadline has passed; the program calls
 * kv_advance. Otherwise one thread of the process does, for all stores: it starts with the first
 * key that has a deadline, sleeps until one is due, and ends with the last such store.
 */
#define KV_NO_MAINTENANCE 2

/**
 * A policy of eviction: a full store makes room by removing what is least worth keeping, expired
 * keys first, by S3-FIFO: a key that was used again since it came stays longer than one that was
 * not.
 */
#define KV_EVICT_S3FIFO 0

/**
 * A policy of eviction: a full store makes room by removing expired keys only, and otherwise
 * refuses with KV_ERR_FULL to take more.
 */
#define KV_EVICT_REJECT 1

/** What an entry counts in bytes beside its key and its value. See max_bytes of kv_options_t. */
#define KV_ENTRY_BYTES 80

/** What kv_advance tells when no key has a deadline. */
#define KV_NOTHING_DUE UINT64_MAX

/** What a callback of kv_compute returns: the key is to stay as it is. */
#define KV_CHANGE_KEEP 0

/**
 * What a callback of kv_compute returns: the key is to have the value that kv_change_put was given
 * last.
 */
#define KV_CHANGE_PUT 1

/** What a callback of kv_compute returns: the key is to be removed, if it exists. */
#define KV_CHANGE_REMOVE 2

/**
 * What a callback of kv_compute returns: the key is to stay as it is, and the call to return
 * KV_STOPPED.
 */
#define KV_CHANGE_ABORT 3

/**
 * The result of a call: 0 is success, a positive number is an outcome that a caller expects, a
 * negative number is an error, whose text kv_last_error_message gives.
 */
typedef int32_t kv_status_t;

/** How to open a store. Fill it with kv_options_init, then change what you need. */
typedef struct kv_options_t {
  /** sizeof(kv_options_t) of the program, set by kv_options_init. */
  size_t struct_size;
  /**
   * Number of keys to make room for at once; the store grows above that, and does not shrink
   * below it. Default: 0.
   */
  uint64_t capacity;
  /**
   * Number of independent tables, a power of two from 1 to 64. 0 for the default: four for each
   * processor, rounded up to a power of two, at most 64; fewer in a store with small bounds.
   */
  uint32_t shards;
  /** The sum of KV_NO_MAINTENANCE and KV_MANUAL_CLOCK, or one of them, or 0. Default: 0. */
  uint32_t flags;
  /**
   * How many milliseconds a key lives that is set without a word about it; KV_TTL_NEVER for
   * ever. Default: KV_TTL_NEVER.
   */
  uint64_t default_ttl_ms;
  /** The store never has more keys than this. 0 for no bound. Default: 0. */
  uint64_t max_entries;
  /**
   * The entries of the store never count more than this together: the bytes of their keys and
   * values, and KV_ENTRY_BYTES for each. An entry that counts more by itself is
   * KV_ERR_TOO_LARGE. 0 for no bound, else at least KV_ENTRY_BYTES. Default: 0.
   *
   * What was removed and waits for readers does not count.
   */
  uint64_t max_bytes;
  /**
   * What a store does when it is full: KV_EVICT_S3FIFO or KV_EVICT_REJECT. Default:
   * KV_EVICT_S3FIFO.
   */
  uint32_t eviction;
  /** Must be zero. */
  uint32_t reserved_[3];
} kv_options_t;

/**
 * Some bytes that somebody else owns, without a NUL at the end. When the library made it, `data`
 * is NULL only where a function says so, and not because `len` is 0.
 */
typedef struct kv_slice_t {
  /** The first byte. */
  const void *data;
  /** Number of bytes. */
  size_t len;
} kv_slice_t;

/**
 * A key with its value. One that was passed to a callback is valid until that returns; for any
 * other, prepared by kv_entry_init, the function that filled it says how long its bytes are.
 */
typedef struct kv_entry_t {
  /**
   * In a callback, the size of this structure in the library, which may be larger than in the
   * program. Elsewhere sizeof(kv_entry_t) of the program, set by kv_entry_init.
   */
  size_t struct_size;
  /** The key. */
  struct kv_slice_t key;
  /** The value. */
  struct kv_slice_t value;
  /** A number that grows with each write of the key. */
  uint64_t version;
} kv_entry_t;

/**
 * A store, by number. The zero handle, { 0 }, names no store.
 *
 * It is a structure, so that a compiler tells it from every other number, and passed by value. Do
 * not look into it and do not do arithmetic on it; copies are equal.
 */
typedef struct kv_store_t {
  /** Private. */
  uint64_t id;
} kv_store_t;

/**
 * What a callback of kv_compute is about to do, by number. It names something only while the
 * callback that it was passed to runs, and on its thread.
 */
typedef struct kv_change_t {
  /** Private. */
  uint64_t id;
} kv_change_t;

/**
 * Called with the entry that stands under the key, or NULL if the key does not exist; returns one
 * of the four constants KV_CHANGE_KEEP, KV_CHANGE_PUT, KV_CHANGE_REMOVE and KV_CHANGE_ABORT.
 *
 * It may run more than once: see kv_compute. Convention 10 holds: it may use the store freely, and
 * must not throw or keep pointers.
 */
typedef int32_t (*kv_compute_fn)(void *user_data,
                                 const struct kv_entry_t *current,
                                 struct kv_change_t change);

/**
 * Called with an entry; 0 means that all is well, any other number makes the call KV_STOPPED.
 *
 * Convention 10 holds: it may use the store freely, and must not throw or keep pointers.
 */
typedef int32_t (*kv_read_fn)(void *user_data, const struct kv_entry_t *entry);

/**
 * Called once for each entry; 0 goes on, any other number ends the scan.
 *
 * Convention 10 holds: it may use the store freely, and must not throw or keep pointers.
 */
typedef int32_t (*kv_scan_fn)(void *user_data, const struct kv_entry_t *entry);

/**
 * A value that the program keeps, by number. The zero handle, { 0 }, names none.
 *
 * It is an entry as it stood at one moment, which never changes, and belongs to no thread. It
 * outlives the store, and holds back its own memory only. Passed by value; copies are equal, and
 * are freed together, once. Do not look into it.
 */
typedef struct kv_value_t {
  /** Private. */
  uint64_t id;
} kv_value_t;

/**
 * An iterator over entries of a store, by number. The zero handle, { 0 }, names none.
 *
 * It may be used by any thread, by one at a time: a call on an iterator that another thread is
 * using is KV_ERR_BUSY and does nothing. Passed by value; copies are equal, and are closed
 * together, once. Do not look into it.
 */
typedef struct kv_iter_t {
  /** Private. */
  uint64_t id;
} kv_iter_t;

/**
 * A pin of one thread, by number. The zero guard, { 0, 0 }, names none.
 *
 * Passed by value; copies are equal, and end together. Do not look into it.
 */
typedef struct kv_guard_t {
  /** Private. */
  uint64_t thread;
  /** Private. */
  uint64_t id;
} kv_guard_t;

/** A key with the value that it is to have. */
typedef struct kv_pair_t {
  /** The key. */
  struct kv_slice_t key;
  /** The value. */
  struct kv_slice_t value;
} kv_pair_t;

/** The figures of a store at one moment. */
typedef struct kv_stats_t {
  /**
   * Size of this structure in the library, which may be larger than in the program; what the
   * program's has beyond it is zero.
   */
  size_t struct_size;
  /** Number of keys, expired ones that are still in memory among them. */
  uint64_t entries;
  /**
   * What the entries of a store with a bound count together, as max_bytes of kv_options_t says;
   * 0 in a store without.
   */
  uint64_t bytes;
  /** Keys that were removed to make room, or found none. */
  uint64_t evicted;
  /** Keys whose deadline passed and that a timer removed. */
  uint64_t expired_actively;
  /** Keys whose deadline passed and that a reader or writer met first. */
  uint64_t expired_lazily;
  /**
   * Half of the keys that a timer removed went so many milliseconds after their deadline, or
   * sooner. To within an eighth, and rounded up.
   */
  uint64_t expiry_lag_p50_ms;
  /** 99 of 100 went as soon as this, or sooner. */
  uint64_t expiry_lag_p99_ms;
  /** None went later. Exact. */
  uint64_t expiry_lag_max_ms;
  /** Timers that wait, those of deleted and overwritten keys among them. */
  uint64_t timers;
  /** Of these, more or less, the ones that no key needs any more. */
  uint64_t stale_timers;
  /** Number of tables that the keys are spread over. */
  uint64_t shards;
  /** Number of buckets in all tables. */
  uint64_t buckets;
  /** Number of overflow buckets in use. */
  uint64_t links;
  /** Bytes of the tables, without keys and values. */
  uint64_t table_bytes;
  /** Of the whole process: threads and guards that hold back the freeing of memory now. */
  uint64_t pinned_guards;
  /** Of the whole process: age of the oldest guard in milliseconds, 0 if there is none. */
  uint64_t oldest_pin_ms;
  /** Of the whole process: bytes that were removed and wait for readers to leave. */
  uint64_t retired_bytes;
} kv_stats_t;

/** Done. */
#define KV_OK 0

/** The key does not exist. */
#define KV_NOT_FOUND 1

/** The key exists already. */
#define KV_EXISTS 2

/** Another version of the key stands than the caller expected. */
#define KV_CONFLICT 3

/** The caller's buffer is too small; nothing was copied, and the size needed was told. */
#define KV_BUFFER_TOO_SMALL 16

/** A callback asked to stop. */
#define KV_STOPPED 17

/** The iterator has come to its end. */
#define KV_END 18

/** An argument is outside of what the function accepts; the error text names it. */
#define KV_ERR_INVALID_ARGUMENT (-1)

/** A time to live is outside of what the function accepts. */
#define KV_ERR_INVALID_TTL (-2)

/** A name of a scope has forbidden characters. */
#define KV_ERR_INVALID_NAMESPACE (-3)

/**
 * A key is longer than 65,535 bytes or a value longer than 4 GiB - 1, or an entry counts more than
 * the option max_bytes.
 */
#define KV_ERR_TOO_LARGE (-4)

/** The value is not the decimal text of a signed 64-bit number. */
#define KV_ERR_NOT_A_NUMBER (-5)

/** The sum does not fit in a signed 64-bit number; the value is as it was. */
#define KV_ERR_OVERFLOW (-6)

/** A quota is used up. */
#define KV_ERR_QUOTA (-7)

/**
 * There is no room, although memory is not short: the store has reached a bound and does not
 * evict, or there are as many stores, guards, values or iterators as there can be.
 */
#define KV_ERR_FULL (-8)

/** A validation hook refused the value. */
#define KV_ERR_VALIDATION (-9)

/** A template or a file cannot be parsed. */
#define KV_ERR_PARSE (-10)

/** A template cannot be rendered. */
#define KV_ERR_RENDER (-11)

/** A storage backend failed. */
#define KV_ERR_BACKEND (-12)

/** The handle names no open store: closed, zero or never valid. */
#define KV_ERR_CLOSED (-13)

/** The store was opened before a fork, by the parent process. */
#define KV_ERR_FORKED (-14)

/** The object belongs to another thread. */
#define KV_ERR_WRONG_THREAD (-15)

/** Another thread is using the object. */
#define KV_ERR_BUSY (-16)

/** The time is over. */
#define KV_ERR_TIMEOUT (-17)

/** Events were lost because the reader was too slow. */
#define KV_ERR_LAGGED (-18)

/** The system reported an input or output error. */
#define KV_ERR_IO (-19)

/** A file is damaged. */
#define KV_ERR_CORRUPT (-20)

/** Another process holds the files. */
#define KV_ERR_LOCKED (-21)

/** A value cannot be encoded or decoded. */
#define KV_ERR_CODEC (-22)

/** The program asks for what this version of the library does not have. */
#define KV_ERR_UNSUPPORTED (-23)

/** The system refused memory; nothing was written. */
#define KV_ERR_NO_MEMORY (-24)

/** rkv failed inside. The store stays usable; please report it. */
#define KV_ERR_PANIC (-25)

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version as text, such as "0.1.0"; static.
 *
 * KV_VERSION_STRING is the version of the header that a program was compiled with.
 */
const char *kv_version_string(void);

/**
 * The version as one number that grows: major * 1000000 + minor * 1000 + patch.
 *
 * KV_VERSION_NUMBER is the version of the header that a program was compiled with.
 */
uint32_t kv_version_number(void);

/** A short constant text for any status, such as "key not found"; never NULL. */
const char *kv_strerror(kv_status_t status);

/**
 * The text of the last error on the calling thread, such as "invalid argument `key`: NULL with a
 * length above 0"; "" when no call has failed on it. Never NULL.
 *
 * Only statuses below 0 set the text; success and expected outcomes leave it. It is valid until
 * the next failing call on the same thread, and until the thread ends.
 */
const char *kv_last_error_message(void);

/**
 * Sets every field to its default and struct_size to `struct_size`, which is
 * sizeof(kv_options_t).
 */
kv_status_t kv_options_init(struct kv_options_t *options, size_t struct_size);

/**
 * Prepares a structure for kv_iter_next or kv_value_entry: sets struct_size to `struct_size`,
 * which is sizeof(kv_entry_t), and all else to zero.
 */
kv_status_t kv_entry_init(struct kv_entry_t *entry,
                          size_t struct_size);

/**
 * Opens a store in memory and writes its handle to `out_store`; NULL for `options` means the
 * defaults. On failure `out_store` becomes the zero handle.
 *
 * The handle holds one reference, which kv_close gives up.
 */
KV_NODISCARD
kv_status_t kv_open(const struct kv_options_t *options,
                    struct kv_store_t *out_store);

/**
 * Adds a reference: the store needs one kv_close more.
 *
 * Give each part of a program that closes the store on its own a reference of its own.
 */
kv_status_t kv_retain(struct kv_store_t store);

/**
 * Gives up a reference; the last one closes the store, and its handle is never valid again.
 *
 * Calls that other threads have begun end normally, what was read under a guard stays readable,
 * and the memory is freed when the last call returns and the last guard is unpinned; this function
 * does not wait for them. Closing the zero handle does nothing.
 */
kv_status_t kv_close(struct kv_store_t store);

/**
 * Copies the value of `key` into `buffer`, which has `buffer_size` bytes, and writes its length
 * to `out_len`.
 *
 * Returns KV_OK, KV_NOT_FOUND (nothing is written), or KV_BUFFER_TOO_SMALL: then `buffer` is
 * untouched and `out_len` holds the size needed. NULL with size 0 asks for the length. Another
 * thread may store a longer value between two calls, so ask in a loop, or use kv_get_dup.
 */
KV_NODISCARD
kv_status_t kv_get(struct kv_store_t store,
                   const void *key,
                   size_t key_len,
                   void *buffer,
                   size_t buffer_size,
                   size_t *out_len);

/** Asks whether `key` exists: KV_OK or KV_NOT_FOUND. */
KV_NODISCARD
kv_status_t kv_contains(struct kv_store_t store,
                        const void *key,
                        size_t key_len);

/**
 * Copies the value of `key` into fresh memory, to be freed by kv_free, and writes its address to
 * `out_data` and its length to `out_len`.
 *
 * Returns KV_OK or KV_NOT_FOUND. On success the address is not NULL, also for an empty value;
 * otherwise it becomes NULL and the length 0.
 */
KV_NODISCARD
kv_status_t kv_get_dup(struct kv_store_t store,
                       const void *key,
                       size_t key_len,
                       void **out_data,
                       size_t *out_len);

/** Frees memory that kv_get_dup, kv_get_many or kv_keys returned; NULL does nothing. */
void kv_free(void *data);

/**
 * Stores a copy of `value` under a copy of `key`, whether the key exists or not. The key lives as
 * long as the option default_ttl_ms says, whatever it had to live before.
 *
 * In a store with bounds, others may be evicted for it (convention 14); KV_ERR_FULL with
 * KV_EVICT_REJECT, KV_ERR_TOO_LARGE if it alone counts more than max_bytes. In both cases nothing
 * has changed.
 */
kv_status_t kv_set(struct kv_store_t store,
                   const void *key,
                   size_t key_len,
                   const void *value,
                   size_t value_len);

/** Removes `key`. Returns KV_OK, or KV_NOT_FOUND when there was nothing to remove. */
kv_status_t kv_delete(struct kv_store_t store, const void *key, size_t key_len);

/**
 * Adds `by` to the decimal number stored under `key` in one atomic step; a key that does not
 * exist counts as 0. The sum is stored as decimal text and written to `out_value`, which may be
 * NULL. The key lives as long as it did.
 *
 * A value that is not a number gives KV_ERR_NOT_A_NUMBER, a sum outside of int64_t
 * KV_ERR_OVERFLOW; the value stays as it was.
 */
kv_status_t kv_incr(struct kv_store_t store,
                    const void *key,
                    size_t key_len,
                    int64_t by,
                    int64_t *out_value);

/** Writes the number of keys to `out_count`. It is exact when no write is in flight. */
kv_status_t kv_count(struct kv_store_t store, uint64_t *out_count);

/**
 * Frees what can be freed of the memory of deleted and replaced values.
 *
 * Writes do this as they go; call it when a thread has written much and will now be idle, or
 * before you measure memory.
 */
kv_status_t kv_flush(void);

/**
 * Stores a copy of `value` under a copy of `key`, to live for `ttl_ms` milliseconds from now on,
 * or as KV_TTL_NEVER, KV_TTL_DEFAULT or KV_TTL_KEEP say. More than 139 years are for ever.
 */
kv_status_t kv_set_ttl(struct kv_store_t store,
                       const void *key,
                       size_t key_len,
                       const void *value,
                       size_t value_len,
                       uint64_t ttl_ms);

/**
 * Writes to `out_ttl_ms` how many milliseconds `key` has still to live, rounded up, so at least 1;
 * KV_TTL_NEVER if it lives for ever. Returns KV_OK or KV_NOT_FOUND.
 */
KV_NODISCARD
kv_status_t kv_ttl(struct kv_store_t store,
                   const void *key,
                   size_t key_len,
                   uint64_t *out_ttl_ms);

/**
 * Lets `key` live for `ttl_ms` milliseconds from now on, its value as it stands; KV_TTL_NEVER and
 * KV_TTL_DEFAULT are taken too, KV_TTL_KEEP is KV_ERR_INVALID_TTL. Costs as much as to set the
 * value anew. Returns KV_OK or KV_NOT_FOUND.
 */
kv_status_t kv_expire(struct kv_store_t store,
                      const void *key,
                      size_t key_len,
                      uint64_t ttl_ms);

/** Lets `key` live for ever; costs nothing if it does already. Returns KV_OK or KV_NOT_FOUND. */
kv_status_t kv_persist(struct kv_store_t store,
                       const void *key,
                       size_t key_len);

/**
 * Lets `key` live for `ttl_ms` milliseconds from now on, for keys that live as long as they are
 * used: it changes nothing, and costs little, while more than seven eighths of `ttl_ms` are left
 * or the key lives for ever. Returns KV_OK or KV_NOT_FOUND.
 *
 * KV_TTL_NEVER, KV_TTL_DEFAULT and KV_TTL_KEEP are KV_ERR_INVALID_TTL.
 */
kv_status_t kv_touch(struct kv_store_t store,
                     const void *key,
                     size_t key_len,
                     uint64_t ttl_ms);

/**
 * Removes all keys whose deadline has passed, and writes how many this call removed to
 * `out_count`, which may be NULL.
 */
kv_status_t kv_purge_expired(struct kv_store_t store, uint64_t *out_count);

/**
 * For stores with KV_NO_MAINTENANCE: removes keys whose deadline has passed, a bounded number of
 * them, so that it takes some milliseconds at most; and writes to `out_wait_ms`, which may be
 * NULL, in how many milliseconds to call it again: 0 if more is due now, KV_NOTHING_DUE if there
 * is no need before another key is given a deadline.
 */
kv_status_t kv_advance(struct kv_store_t store,
                       uint64_t *out_wait_ms);

/**
 * For tests: moves the clock of a store that was opened with KV_MANUAL_CLOCK on by `ms`
 * milliseconds. Any other store is KV_ERR_INVALID_ARGUMENT.
 */
kv_status_t kv_clock_advance(struct kv_store_t store, uint64_t ms);

/**
 * Stores a copy of `value` under a copy of `key`, to live as kv_set_ttl says, unless the key
 * exists; in one atomic step. Returns KV_OK or KV_EXISTS, which has changed nothing.
 *
 * With a time to live it makes a lease: who gets KV_OK has it until the time has passed.
 */
kv_status_t kv_set_if_absent(struct kv_store_t store,
                             const void *key,
                             size_t key_len,
                             const void *value,
                             size_t value_len,
                             uint64_t ttl_ms);

/**
 * Stores a copy of `value` under `key` if the key stands at `version`, which an entry or
 * `out_version` told before, or is 0 for a key that does not exist; in one atomic step. The key
 * lives as long as it did, or as the option default_ttl_ms says if it is new.
 *
 * Returns KV_OK, and writes the new version to `out_version`, which may be NULL; or KV_CONFLICT,
 * which has changed nothing, and writes the version that stands there, 0 if the key does not
 * exist: call it again with that.
 */
kv_status_t kv_compare_and_swap(struct kv_store_t store,
                                const void *key,
                                size_t key_len,
                                uint64_t version,
                                const void *value,
                                size_t value_len,
                                uint64_t *out_version);

/**
 * Does with `key` what `callback` wants, in one atomic step, whatever stands there.
 *
 * The callback sees what stands there, decides, and for KV_CHANGE_PUT passes the new value to
 * kv_change_put. If another thread changes the key meanwhile, nothing is done, and the callback
 * runs again and sees the new state; so it must not count its runs. No lock is held and nothing is
 * pinned while it runs. A callback that changes the key itself, each time, never comes to an end.
 *
 * Returns KV_OK, and writes to `out_version`, which may be NULL, the version that stands now, 0 if
 * the key does not exist; or KV_STOPPED for KV_CHANGE_ABORT. KV_CHANGE_PUT without kv_change_put,
 * and any other number than the four, are KV_ERR_INVALID_ARGUMENT. On all but KV_OK nothing was
 * changed.
 */
kv_status_t kv_compute(struct kv_store_t store,
                       const void *key,
                       size_t key_len,
                       kv_compute_fn callback,
                       void *user_data,
                       uint64_t *out_version);

/**
 * Says what the value of the key is to be, a copy of these bytes, and how long it is to live: for
 * `ttl_ms` milliseconds from when it is stored, or as KV_TTL_KEEP, which is the usual,
 * KV_TTL_NEVER or KV_TTL_DEFAULT say.
 *
 * It is for a callback of kv_compute that is about to return KV_CHANGE_PUT; if it calls this more
 * than once, the last call counts. Callbacks may be nested, and the change of an outer one given
 * too. Any other number is KV_ERR_INVALID_ARGUMENT.
 */
kv_status_t kv_change_put(struct kv_change_t change,
                          const void *value,
                          size_t value_len,
                          uint64_t ttl_ms);

/**
 * Calls `callback` once with `user_data` and the entry of `key`, without a copy of it.
 *
 * The entry stays as it is while the callback runs, whatever others do to the key or the store.
 * Nothing is pinned or locked meanwhile: the callback may take its time, and use the store.
 *
 * Returns KV_OK, KV_NOT_FOUND (the callback does not run), or KV_STOPPED if the callback returned
 * another number than 0.
 */
kv_status_t kv_read(struct kv_store_t store,
                    const void *key,
                    size_t key_len,
                    kv_read_fn callback,
                    void *user_data);

/**
 * Calls `callback` with `user_data` for each key that begins with `prefix`, in no order; a prefix
 * of length 0 means all keys.
 *
 * Every key that is in the store from beginning to end is visited exactly once; a key that is
 * written or deleted meanwhile may be visited or not. No lock is held and nothing else waits
 * while the callback runs. The time grows with the whole store, not with the number of matches.
 *
 * Returns KV_OK after the last key, KV_STOPPED if the callback ended the scan.
 */
kv_status_t kv_scan(struct kv_store_t store,
                    const void *prefix,
                    size_t prefix_len,
                    kv_scan_fn callback,
                    void *user_data);

/**
 * Writes to `out_value` a reference to the value of `key`, to be freed by kv_value_free: nothing
 * is copied, and the value stays readable whatever others do to the key or the store.
 *
 * Returns KV_OK or KV_NOT_FOUND; `out_value` becomes the zero handle unless it is KV_OK.
 * KV_ERR_FULL if the program keeps 16,777,216 values already.
 */
KV_NODISCARD
kv_status_t kv_get_value(struct kv_store_t store,
                         const void *key,
                         size_t key_len,
                         struct kv_value_t *out_value);

/**
 * Removes `key`, and writes to `out_value` what its value was, as kv_get_value does; in one atomic
 * step, so that of several threads that take a key one gets the value.
 *
 * Returns KV_OK or KV_NOT_FOUND. On any other status nothing was removed.
 */
KV_NODISCARD
kv_status_t kv_take(struct kv_store_t store,
                    const void *key,
                    size_t key_len,
                    struct kv_value_t *out_value);

/**
 * Writes to `out_slice` where the bytes of a value lie, readable until kv_value_free. The address
 * is not NULL, also for an empty value.
 */
kv_status_t kv_value_slice(struct kv_value_t value,
                           struct kv_slice_t *out_slice);

/**
 * Writes to `out_entry`, which kv_entry_init has prepared, the value with its key and version. The
 * bytes are readable until kv_value_free.
 */
kv_status_t kv_value_entry(struct kv_value_t value,
                           struct kv_entry_t *out_entry);

/**
 * Gives a value up; its bytes are not readable any more. Does nothing for the zero handle; a value
 * that was freed before is KV_ERR_INVALID_ARGUMENT.
 */
kv_status_t kv_value_free(struct kv_value_t value);

/**
 * Opens an iterator over the entries whose keys begin with `prefix`, in no order, and writes it to
 * `out_iter`, to be closed by kv_iter_close; a prefix of length 0 means all keys. On failure
 * `out_iter` becomes the zero handle.
 *
 * It shows what kv_scan would. Nothing is locked or pinned between two calls, so it may stay open
 * all day while anybody writes. If the store is closed, kv_iter_next returns KV_ERR_CLOSED; the
 * store's memory stays until the iterator is closed too.
 */
KV_NODISCARD
kv_status_t kv_iter_open(struct kv_store_t store,
                         const void *prefix,
                         size_t prefix_len,
                         struct kv_iter_t *out_iter);

/**
 * Goes on to the next entry and writes it to `out_entry`, which kv_entry_init has prepared. Its
 * bytes are readable until the next call on the iterator, also if the key is deleted.
 *
 * Returns KV_OK, or KV_END when there are no more: then all but struct_size becomes zero.
 */
KV_NODISCARD
kv_status_t kv_iter_next(struct kv_iter_t iter,
                         struct kv_entry_t *out_entry);

/**
 * Closes an iterator; what it gave last is not readable any more. Any thread may do it. Does
 * nothing for the zero handle; an iterator that was closed before is KV_ERR_INVALID_ARGUMENT.
 */
kv_status_t kv_iter_close(struct kv_iter_t iter);

/**
 * Copies the keys that begin with `prefix` into fresh memory, sorted bytewise, to be freed by one
 * kv_free; a prefix of length 0 means all keys. Writes the address to `out_keys`, an array of
 * slices with the bytes that they point to behind it, and the number of keys to `out_count`.
 *
 * It finds what kv_scan would. On success the address is not NULL, also for no keys; otherwise it
 * becomes NULL and the number 0. kv_iter_open needs less memory.
 */
KV_NODISCARD
kv_status_t kv_keys(struct kv_store_t store,
                    const void *prefix,
                    size_t prefix_len,
                    struct kv_slice_t **out_keys,
                    size_t *out_count);

/**
 * Removes every key, and writes how many this call removed to `out_removed`, which may be NULL.
 * Keys that are written meanwhile may stay.
 */
kv_status_t kv_clear(struct kv_store_t store,
                     uint64_t *out_removed);

/**
 * Pins the calling thread for reads of `store` that copy nothing, and writes the guard to
 * `out_guard`; on failure it becomes the zero guard.
 *
 * What kv_get_ref and kv_get_many_ref give under the guard stays readable until kv_unpin or
 * kv_repin, although others overwrite or delete the key or close the store. Until then, memory
 * that anybody removes from any store of the process waits. So do not hold a guard while you wait
 * for something, and renew one that you keep by kv_repin.
 *
 * A guard belongs to its thread. A thread may hold up to 1,024 of them (more is KV_ERR_FULL), and
 * write to the store meanwhile; those that it still holds when it ends are unpinned.
 *
 * If the store is closed under a guard, kv_get_ref, kv_get_many_ref and kv_repin return
 * KV_ERR_CLOSED; what was read stays readable, and kv_unpin frees the store if nobody else still
 * uses it.
 */
KV_NODISCARD
kv_status_t kv_pin(struct kv_store_t store,
                   struct kv_guard_t *out_guard);

/**
 * Renews a guard, so that the freeing of memory goes on; what was read under it before is not
 * readable any more. It costs about what a read does: do it between two pieces of work.
 */
kv_status_t kv_repin(struct kv_guard_t guard);

/** Ends a guard; what was read under it is not readable any more. */
kv_status_t kv_unpin(struct kv_guard_t guard);

/**
 * Writes to `out_value` where the value of `key` lies: bytes of the store that are not to be
 * written to, readable until kv_unpin or kv_repin. Takes no locked instruction.
 *
 * Returns KV_OK or KV_NOT_FOUND. On success the address is not NULL, also for an empty value;
 * otherwise it becomes NULL and the length 0.
 */
KV_NODISCARD
kv_status_t kv_get_ref(struct kv_guard_t guard,
                       const void *key,
                       size_t key_len,
                       struct kv_slice_t *out_value);

/**
 * Copies the values of `count` keys into fresh memory, to be freed by one kv_free, and writes its
 * address to `out_values`: an array of `count` slices in the order of `keys`, and behind it the
 * bytes that they point to.
 *
 * The slice of a key that does not exist has NULL for an address; that of an empty value has not.
 * Each value is as at some moment of the call. Many keys cost less here than one by one, since
 * their waits for memory overlap. On failure `out_values` becomes NULL.
 */
KV_NODISCARD
kv_status_t kv_get_many(struct kv_store_t store,
                        const struct kv_slice_t *keys,
                        size_t count,
                        struct kv_slice_t **out_values);

/**
 * Writes to `out_values`, an array of `count` slices, where the values of `count` keys lie, in the
 * order of `keys`: as kv_get_ref does for one key, and with NULL for the address where a key does
 * not exist.
 *
 * Costs less than one call for each key, since their waits for memory overlap. The arrays must not
 * overlap. On failure nothing is written.
 */
KV_NODISCARD
kv_status_t kv_get_many_ref(struct kv_guard_t guard,
                            const struct kv_slice_t *keys,
                            size_t count,
                            struct kv_slice_t *out_values);

/**
 * Stores copies of `count` values under copies of their keys, in order, each to live as kv_set_ttl
 * says. Not one atomic step: others may see some of them stored. Many cost less here than one by
 * one, since their waits for memory overlap.
 *
 * Writes to `out_done`, which may be NULL, how many of the first pairs are stored: `count` on
 * KV_OK. If a pair is refused, those before it may be stored, and the rest is as it was.
 */
kv_status_t kv_set_many(struct kv_store_t store,
                        const struct kv_pair_t *pairs,
                        size_t count,
                        uint64_t ttl_ms,
                        size_t *out_done);

/**
 * Removes `count` keys, in order, and writes how many of them this call removed to `out_removed`,
 * which may be NULL. Not one atomic step: on KV_ERR_NO_MEMORY, which writes nothing, the first of
 * them may be gone. Many cost less here than one by one, since their waits for memory overlap.
 */
kv_status_t kv_delete_many(struct kv_store_t store,
                           const struct kv_slice_t *keys,
                           size_t count,
                           uint64_t *out_removed);

/**
 * Writes the figures of a store to `out_stats`, whose size is `struct_size`, which is
 * sizeof(kv_stats_t). Costs a look at each table and thread, not at each key.
 */
kv_status_t kv_stats(struct kv_store_t store,
                     struct kv_stats_t *out_stats,
                     size_t struct_size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RKV_KV_H_INCLUDED */
