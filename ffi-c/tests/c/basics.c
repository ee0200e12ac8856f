/* One walk over every function, with a store that is closed and flushed at the end. */
#include "check.h"

static void version_of_header_is_version_of_library(void) {
  char text[32];
  CHECK(kv_version_number() == KV_VERSION_NUMBER);
  CHECK(KV_VERSION_NUMBER ==
        KV_VERSION_MAJOR * 1000000 + KV_VERSION_MINOR * 1000 + KV_VERSION_PATCH);
  snprintf(text, sizeof text, "%d.%d.%d", KV_VERSION_MAJOR, KV_VERSION_MINOR, KV_VERSION_PATCH);
  CHECK(strcmp(kv_version_string(), KV_VERSION_STRING) == 0);
  CHECK(strcmp(kv_version_string(), text) == 0);
}

static void keys_are_set_read_counted_and_deleted(kv_store_t store) {
  char buffer[8] = "";
  size_t len = 99;
  uint64_t count = 99;
  GIVES(KV_NOT_FOUND, kv_get(store, LIT("k"), buffer, sizeof buffer, &len));
  GIVES(KV_NOT_FOUND, kv_delete(store, LIT("k")));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("first")));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("second")));
  GIVES(KV_OK, kv_get(store, LIT("k"), buffer, sizeof buffer, &len));
  CHECK(len == 6 && memcmp(buffer, "second", 6) == 0);
  GIVES(KV_OK, kv_count(store, &count));
  CHECK(count == 1);
  GIVES(KV_OK, kv_delete(store, LIT("k")));
  GIVES(KV_OK, kv_count(store, &count));
  CHECK(count == 0);
}

static void incr_counts_and_refuses_what_is_no_number(kv_store_t store) {
  int64_t sum = 99;
  GIVES(KV_OK, kv_incr(store, LIT("n"), 5, &sum));
  CHECK(sum == 5);
  GIVES(KV_OK, kv_incr(store, LIT("n"), -7, NULL));
  HOLDS(store, LIT("n"), "-2", 2);
  GIVES(KV_OK, kv_incr(store, LIT("n"), INT64_MIN + 2, &sum));
  CHECK(sum == INT64_MIN);
  sum = 99;
  GIVES(KV_ERR_OVERFLOW, kv_incr(store, LIT("n"), -1, &sum));
  GIVES(KV_OK, kv_set(store, LIT("word"), LIT("x")));
  GIVES(KV_ERR_NOT_A_NUMBER, kv_incr(store, LIT("word"), 1, &sum));
  CHECK(sum == 99);
  HOLDS(store, LIT("word"), "x", 1);
  GIVES(KV_OK, kv_incr(store, LIT("n"), 0, &sum));
  CHECK(sum == INT64_MIN);
}

static void last_close_closes(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_retain(store));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_ERR_CLOSED, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_ERR_CLOSED, kv_retain(store));
}

static void statuses_have_texts(void) {
  kv_status_t status;
  CHECK(strcmp(kv_strerror(KV_NOT_FOUND), "key not found") == 0);
  for (status = -25; status <= 3; status++)
    CHECK(strcmp(kv_strerror(status), "unknown status") != 0);
  CHECK(strcmp(kv_strerror(4711), "unknown status") == 0);
}

int main(void) {
  kv_store_t store;
  int i;
  CHECK(strcmp(kv_last_error_message(), "") == 0);
  version_of_header_is_version_of_library();
  GIVES(KV_OK, kv_open(NULL, &store));
  keys_are_set_read_counted_and_deleted(store);
  CHECK(strcmp(kv_last_error_message(), "") == 0);
  incr_counts_and_refuses_what_is_no_number(store);
  GIVES(KV_OK, kv_close(store));
  last_close_closes();
  statuses_have_texts();
  for (i = 0; i < 1000; i++) {
    GIVES(KV_OK, kv_open(NULL, &store));
    GIVES(KV_OK, kv_close(store));
  }
  GIVES(KV_OK, kv_flush());
  return 0;
}
