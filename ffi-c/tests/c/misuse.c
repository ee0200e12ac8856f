/* Whatever a program gets wrong is a status with a text that names the argument, never a crash. */
#include "every_call.h"

static void null_is_refused_by_name(kv_store_t store) {
  char buffer[4];
  size_t len = 99;
  uint64_t ttl_ms = 99;
  void *data;
  INVALID("options", kv_options_init(NULL, sizeof(kv_options_t)));
  INVALID("out_store", kv_open(NULL, NULL));
  INVALID("key", kv_get(store, NULL, 1, buffer, sizeof buffer, &len));
  INVALID("buffer", kv_get(store, LIT("k"), NULL, 1, &len));
  INVALID("out_len", kv_get(store, LIT("k"), buffer, sizeof buffer, NULL));
  INVALID("key", kv_get_dup(store, NULL, 1, &data, &len));
  INVALID("out_data", kv_get_dup(store, LIT("k"), NULL, &len));
  INVALID("out_len", kv_get_dup(store, LIT("k"), &data, NULL));
  INVALID("key", kv_set(store, NULL, 1, LIT("v")));
  INVALID("value", kv_set(store, LIT("k"), NULL, 1));
  INVALID("key", kv_delete(store, NULL, 1));
  INVALID("key", kv_incr(store, NULL, 1, 1, NULL));
  INVALID("out_count", kv_count(store, NULL));
  INVALID("key", kv_set_ttl(store, NULL, 1, LIT("v"), 5));
  INVALID("value", kv_set_ttl(store, LIT("k"), NULL, 1, 5));
  INVALID("key", kv_ttl(store, NULL, 1, &ttl_ms));
  INVALID("out_ttl_ms", kv_ttl(store, LIT("k"), NULL));
  INVALID("key", kv_expire(store, NULL, 1, 5));
  INVALID("key", kv_persist(store, NULL, 1));
  INVALID("key", kv_touch(store, NULL, 1, 5));
  INVALID("prefix", kv_scan(store, NULL, 1, never, NULL));
  INVALID("callback", kv_scan(store, NULL, 0, NULL, NULL));
  INVALID("out_stats", kv_stats(store, NULL, sizeof(kv_stats_t)));
}

static void lengths_that_no_object_has_are_refused(kv_store_t store) {
  size_t lengths[2] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 1};
  size_t i, len;
  uint64_t ttl_ms;
  void *data;
  for (i = 0; i < 2; i++) {
    INVALID("key", kv_get(store, "k", lengths[i], NULL, 0, &len));
    INVALID("key", kv_get_dup(store, "k", lengths[i], &data, &len));
    INVALID("key", kv_set(store, "k", lengths[i], LIT("v")));
    INVALID("value", kv_set(store, LIT("k"), "v", lengths[i]));
    INVALID("key", kv_delete(store, "k", lengths[i]));
    INVALID("key", kv_incr(store, "k", lengths[i], 1, NULL));
    INVALID("key", kv_set_ttl(store, "k", lengths[i], LIT("v"), 5));
    INVALID("value", kv_set_ttl(store, LIT("k"), "v", lengths[i], 5));
    INVALID("key", kv_ttl(store, "k", lengths[i], &ttl_ms));
    INVALID("key", kv_expire(store, "k", lengths[i], 5));
    INVALID("key", kv_persist(store, "k", lengths[i]));
    INVALID("key", kv_touch(store, "k", lengths[i], 5));
    INVALID("prefix", kv_scan(store, "k", lengths[i], never, NULL));
  }
}

static void every_call_is_closed(kv_store_t store) {
  every_call_gives(KV_ERR_CLOSED, "closed", store);
}

static void handles_of_no_store_are_closed(kv_store_t open) {
  kv_store_t store;
  uint64_t bit;
  store.id = 0;
  every_call_is_closed(store);
  GIVES(KV_OK, kv_close(store));
  for (bit = 1; bit != 0; bit <<= 1) {
    store.id = open.id ^ bit;
    every_call_is_closed(store);
    GIVES(store.id == 0 ? KV_OK : KV_ERR_CLOSED, kv_close(store));
    store.id = ~open.id ^ bit;
    every_call_is_closed(store);
    GIVES(KV_ERR_CLOSED, kv_close(store));
  }
}

static void closed_handle_stays_closed_when_its_place_is_used_again(void) {
  kv_store_t first, second;
  GIVES(KV_OK, kv_open(NULL, &first));
  GIVES(KV_OK, kv_close(first));
  every_call_is_closed(first);
  GIVES(KV_OK, kv_open(NULL, &second));
  CHECK((first.id & 0xffff) == (second.id & 0xffff)); /* the case that matters */
  every_call_is_closed(first);
  GIVES(KV_ERR_CLOSED, kv_close(first));
  GIVES(KV_OK, kv_set(second, LIT("k"), LIT("v")));
  HOLDS(second, LIT("k"), "v", 1);
  GIVES(KV_OK, kv_close(second));
  GIVES(KV_ERR_CLOSED, kv_close(second));
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  null_is_refused_by_name(store);
  lengths_that_no_object_has_are_refused(store);
  handles_of_no_store_are_closed(store);
  closed_handle_stays_closed_when_its_place_is_used_again();
  CHECK(counted(store) == 0);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  return 0;
}
