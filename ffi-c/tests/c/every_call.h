/* One use of every call on a store but kv_close, for tests of stores that refuse them all. */
#ifndef EVERY_CALL_H
#define EVERY_CALL_H

#include "check.h"

/* A callback for kv_compute that must not run. */
static inline int32_t never_computes(void *user_data, const kv_entry_t *current,
                                     kv_change_t change) {
  (void)change;
  return never(user_data, current);
}

/* Checks that every call gives a status, with a text that has a part, and writes no result. */
static inline void every_call_gives(kv_status_t status, const char *part, kv_store_t store) {
  char buffer[4];
  size_t len = 99, done = 99, keys_count = 99;
  void *data;
  uint64_t count = 99;
  int64_t sum = 99;
  kv_slice_t *values, *keys;
  kv_value_t kept, taken;
  kv_iter_t iter;
  kv_guard_t guard;
  kv_stats_t stats;
  memset(&stats, 99, sizeof stats);
  GIVES(status, kv_get(store, LIT("k"), buffer, sizeof buffer, &len));
  GIVES(status, kv_get_dup(store, LIT("k"), &data, &len));
  GIVES(status, kv_set(store, LIT("k"), LIT("v")));
  GIVES(status, kv_delete(store, LIT("k")));
  GIVES(status, kv_incr(store, LIT("n"), 1, &sum));
  GIVES(status, kv_count(store, &count));
  GIVES(status, kv_set_ttl(store, LIT("k"), LIT("v"), 5));
  GIVES(status, kv_ttl(store, LIT("k"), &count));
  GIVES(status, kv_expire(store, LIT("k"), 5));
  GIVES(status, kv_persist(store, LIT("k")));
  GIVES(status, kv_touch(store, LIT("k"), 5));
  GIVES(status, kv_purge_expired(store, &count));
  GIVES(status, kv_advance(store, &count));
  GIVES(status, kv_clock_advance(store, 5));
  GIVES(status, kv_contains(store, LIT("k")));
  GIVES(status, kv_set_if_absent(store, LIT("k"), LIT("v"), KV_TTL_NEVER));
  GIVES(status, kv_compare_and_swap(store, LIT("k"), 1, LIT("v"), &count));
  GIVES(status, kv_compute(store, LIT("k"), never_computes, NULL, &count));
  GIVES(status, kv_read(store, LIT("k"), never, NULL));
  GIVES(status, kv_get_value(store, LIT("k"), &kept));
  GIVES(status, kv_take(store, LIT("k"), &taken));
  GIVES(status, kv_scan(store, NULL, 0, never, NULL));
  GIVES(status, kv_iter_open(store, NULL, 0, &iter));
  GIVES(status, kv_keys(store, NULL, 0, &keys, &keys_count));
  GIVES(status, kv_clear(store, &count));
  GIVES(status, kv_get_many(store, NULL, 0, &values));
  GIVES(status, kv_set_many(store, NULL, 0, KV_TTL_NEVER, &done));
  GIVES(status, kv_delete_many(store, NULL, 0, &count));
  GIVES(status, kv_pin(store, &guard));
  GIVES(status, kv_stats(store, &stats, sizeof stats));
  GIVES(status, kv_retain(store));
  TEXT_HAS(part);
  CHECK(data == NULL && len == 0 && count == 99 && sum == 99 && values == NULL && done == 0);
  CHECK(kept.id == 0 && taken.id == 0 && iter.id == 0 && keys == NULL && keys_count == 0);
  CHECK(guard.thread == 0 && guard.id == 0 && (stats.entries & 0xff) == 99);
}

#endif
