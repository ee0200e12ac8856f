/* The figures of a store, for programs that are older or newer than the library. */
#include <stddef.h>

#include "check.h"

/* What a program of a later version would pass. */
typedef struct newer_stats_t {
  kv_stats_t known;
  uint64_t later[4];
} newer_stats_t;

static kv_store_t opened(void) {
  kv_options_t options;
  kv_store_t store;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.shards = 1;
  options.flags = KV_MANUAL_CLOCK;
  GIVES(KV_OK, kv_open(&options, &store));
  return store;
}

static void entries_tables_and_pins_are_told(void) {
  kv_store_t store = opened();
  kv_guard_t guard;
  kv_stats_t stats = figures(store);
  CHECK(stats.entries == 0 && stats.shards == 1 && stats.buckets >= 1);
  CHECK(stats.table_bytes >= 64 * stats.buckets);
  CHECK(stats.pinned_guards == 0 && stats.oldest_pin_ms == 0);
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_pin(store, &guard));
  CHECK(figures(store).entries == 1 && figures(store).pinned_guards == 1);
  GIVES(KV_OK, kv_unpin(guard));
  CHECK(figures(store).bytes == 0 && figures(store).evicted == 0);
  GIVES(KV_OK, kv_close(store));
}

static void ends_are_told_with_how_late_they_came(void) {
  kv_store_t store = opened();
  kv_stats_t stats;
  size_t len;
  GIVES(KV_OK, kv_set_ttl(store, LIT("early"), LIT("v"), 60));
  GIVES(KV_OK, kv_set_ttl(store, LIT("late"), LIT("v"), 100));
  GIVES(KV_OK, kv_set_ttl(store, LIT("met"), LIT("v"), 100));
  GIVES(KV_OK, kv_set_ttl(store, LIT("deleted"), LIT("v"), 1000));
  GIVES(KV_OK, kv_advance(store, NULL));
  CHECK(figures(store).timers == 4 && figures(store).stale_timers == 0);
  GIVES(KV_OK, kv_delete(store, LIT("deleted")));
  stats = figures(store);
  CHECK(stats.entries == 3 && stats.timers == 4 && stats.stale_timers == 1);
  GIVES(KV_OK, kv_clock_advance(store, 108));
  CHECK(figures(store).entries == 3);
  GIVES(KV_NOT_FOUND, kv_get(store, LIT("met"), NULL, 0, &len));
  GIVES(KV_OK, kv_purge_expired(store, NULL));
  stats = figures(store);
  CHECK(stats.entries == 0 && stats.expired_lazily == 1 && stats.expired_actively == 2);
  CHECK(stats.expiry_lag_p50_ms >= 8 && stats.expiry_lag_p50_ms <= 9);
  CHECK(stats.expiry_lag_p99_ms == 48 && stats.expiry_lag_max_ms == 48);
  GIVES(KV_OK, kv_close(store));
}

static void older_program_gets_what_it_has_room_for(void) {
  kv_store_t store = opened();
  kv_stats_t stats;
  memset(&stats, 0xff, sizeof stats);
  GIVES(KV_OK, kv_stats(store, &stats, offsetof(kv_stats_t, bytes)));
  CHECK(stats.struct_size == sizeof stats && stats.entries == 0 && stats.bytes == UINT64_MAX);
  GIVES(KV_OK, kv_close(store));
}

static void newer_program_gets_zeros_for_what_the_library_lacks(void) {
  kv_store_t store = opened();
  newer_stats_t newer;
  memset(&newer, 0xff, sizeof newer);
  GIVES(KV_OK, kv_stats(store, &newer.known, sizeof newer));
  CHECK(newer.known.struct_size == sizeof newer.known && newer.known.shards == 1);
  CHECK(newer.later[0] == 0 && newer.later[3] == 0);
  GIVES(KV_OK, kv_close(store));
}

static void wrong_sizes_are_refused(void) {
  kv_store_t store = opened();
  size_t sizes[4] = {0, offsetof(kv_stats_t, bytes) - 1, 4097, SIZE_MAX};
  kv_stats_t stats;
  size_t i;
  memset(&stats, 0xff, sizeof stats);
  for (i = 0; i < 4; i++) {
    INVALID("struct_size", kv_stats(store, &stats, sizes[i]));
    CHECK(stats.struct_size == SIZE_MAX && stats.entries == UINT64_MAX);
  }
  GIVES(KV_OK, kv_close(store));
}

int main(void) {
  entries_tables_and_pins_are_told();
  ends_are_told_with_how_late_they_came();
  older_program_gets_what_it_has_room_for();
  newer_program_gets_zeros_for_what_the_library_lacks();
  wrong_sizes_are_refused();
  GIVES(KV_OK, kv_flush());
  return 0;
}
