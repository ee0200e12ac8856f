/* Bounds on a store: they hold after any number of sets, by eviction of what is least worth keeping
   or by refusal, and with many threads too. */
#include <pthread.h>

#include "check.h"

/* A store whose clock stands still; 0 for no bound. */
static kv_store_t opened(uint64_t max_entries, uint64_t max_bytes, uint32_t eviction) {
  kv_options_t options;
  kv_store_t store;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = KV_MANUAL_CLOCK;
  options.max_entries = max_entries;
  options.max_bytes = max_bytes;
  options.eviction = eviction;
  GIVES(KV_OK, kv_open(&options, &store));
  return store;
}

/* Sets a numbered key to so many bytes. */
static kv_status_t set_number(kv_store_t store, int number, size_t value_len) {
  static const char value[1000] = {0};
  CHECK(value_len <= sizeof value);
  return kv_set(store, &number, sizeof number, value, value_len);
}

static int32_t add_bytes(void *user_data, const kv_entry_t *entry) {
  *(uint64_t *)user_data += entry->key.len + entry->value.len + KV_ENTRY_BYTES;
  return 0;
}

static void entries_never_exceed_their_bound(void) {
  kv_store_t store = opened(100, 0, KV_EVICT_S3FIFO);
  int i;
  for (i = 0; i < 5000; i++) {
    GIVES(KV_OK, set_number(store, i, 10));
    CHECK(counted(store) == (i < 100 ? (uint64_t)i + 1 : 100));
  }
  CHECK(figures(store).entries == 100 && figures(store).evicted == 4900);
  CHECK(figures(store).bytes == 100 * (sizeof i + 10 + KV_ENTRY_BYTES));
  GIVES(KV_OK, kv_close(store));
}

static void bytes_never_exceed_their_bound(void) {
  kv_store_t store = opened(0, 20000, KV_EVICT_S3FIFO);
  uint64_t sum = 0;
  int i;
  for (i = 0; i < 3000; i++) {
    GIVES(KV_OK, set_number(store, i, (size_t)(i * 37 % 1000)));
    CHECK(figures(store).bytes <= 20000);
  }
  CHECK(figures(store).bytes > 15000 && counted(store) > 15);
  GIVES(KV_OK, kv_scan(store, NULL, 0, add_bytes, &sum));
  CHECK(sum == figures(store).bytes);
  CHECK(figures(store).evicted == 3000 - counted(store));
  GIVES(KV_OK, kv_close(store));
}

static void what_is_used_stays_and_what_is_not_used_goes(void) {
  kv_store_t store = opened(100, 0, KV_EVICT_S3FIFO);
  kv_slice_t value;
  kv_guard_t guard;
  size_t len;
  int i;
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_set(store, LIT("got"), LIT("v")));
  GIVES(KV_OK, kv_set(store, LIT("referred to"), LIT("v")));
  GIVES(KV_OK, kv_set(store, LIT("unused"), LIT("v")));
  for (i = 0; i < 2000; i++) {
    GIVES(KV_OK, set_number(store, i, 10));
    GIVES(KV_BUFFER_TOO_SMALL, kv_get(store, LIT("got"), NULL, 0, &len));
    GIVES(KV_OK, kv_get_ref(guard, LIT("referred to"), &value));
    GIVES(KV_OK, kv_repin(guard));
  }
  GIVES(KV_OK, kv_unpin(guard));
  GIVES(KV_NOT_FOUND, kv_get(store, LIT("unused"), NULL, 0, &len));
  CHECK(counted(store) == 100);
  GIVES(KV_OK, kv_close(store));
}

/* Checks that a key that is not there cannot be set, and that trying changes nothing. */
static void is_full(kv_store_t store) {
  uint64_t count = counted(store);
  size_t len;
  GIVES(KV_ERR_FULL, kv_set(store, LIT("one more"), LIT("v")));
  TEXT_HAS("full");
  GIVES(KV_ERR_FULL, kv_set_ttl(store, LIT("one more"), LIT("v"), 5));
  GIVES(KV_ERR_FULL, kv_incr(store, LIT("one more"), 1, NULL));
  GIVES(KV_NOT_FOUND, kv_get(store, LIT("one more"), NULL, 0, &len));
  CHECK(counted(store) == count && figures(store).evicted == 0);
}

static void store_that_rejects_is_full_until_something_goes(void) {
  kv_store_t store = opened(10, 0, KV_EVICT_REJECT);
  int i;
  for (i = 0; i < 8; i++) GIVES(KV_OK, set_number(store, i, 10));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_set_ttl(store, LIT("timed"), LIT("v"), 100));
  is_full(store);
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("another")));
  HOLDS(store, LIT("k"), "another", 7);
  is_full(store);
  GIVES(KV_OK, kv_delete(store, LIT("k")));
  GIVES(KV_OK, kv_incr(store, LIT("n"), 1, NULL));
  is_full(store);
  GIVES(KV_OK, kv_incr(store, LIT("n"), 1, NULL));
  GIVES(KV_OK, kv_clock_advance(store, 99));
  is_full(store);
  GIVES(KV_OK, kv_clock_advance(store, 1));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  is_full(store);
  CHECK(counted(store) == 10);
  GIVES(KV_OK, kv_close(store));
}

static void value_that_would_not_fit_leaves_the_old_one(void) {
  kv_store_t store = opened(0, 2 * (KV_ENTRY_BYTES + 10), KV_EVICT_REJECT);
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("123456789")));
  GIVES(KV_OK, kv_set(store, LIT("l"), LIT("123456789")));
  GIVES(KV_ERR_FULL, kv_set(store, LIT("k"), LIT("1234567890")));
  HOLDS(store, LIT("k"), "123456789", 9);
  GIVES(KV_OK, kv_set(store, LIT("l"), LIT("12345678")));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("1234567890")));
  HOLDS(store, LIT("k"), "1234567890", 10);
  CHECK(figures(store).bytes == 2 * (KV_ENTRY_BYTES + 10));
  GIVES(KV_OK, kv_close(store));
}

static void entry_above_the_bound_is_too_large(uint32_t eviction) {
  kv_store_t store = opened(0, KV_ENTRY_BYTES + 100, eviction);
  int i;
  GIVES(KV_OK, set_number(store, 1, 50));
  for (i = 1; i < 3; i++) {
    GIVES(KV_ERR_TOO_LARGE, set_number(store, i, 100 - sizeof i + 1));
    TEXT_HAS("`entry` is too large: 181 bytes, at most 180");
  }
  i = 1;
  HOLDS(store, &i, sizeof i, (const char[50]){0}, 50);
  CHECK(counted(store) == 1 && figures(store).evicted == 0);
  GIVES(KV_OK, set_number(store, 1, 100 - sizeof i));
  CHECK(figures(store).bytes == KV_ENTRY_BYTES + 100);
  GIVES(KV_OK, kv_close(store));
}

#define THREADS 4
#define BOUND 64

typedef struct worker_t {
  pthread_t thread;
  kv_store_t store;
  int number;
} worker_t;

static void *set_and_watch(void *argument) {
  worker_t *self = (worker_t *)argument;
  int i;
  for (i = 0; i < 1000; i++) {
    kv_status_t status = set_number(self->store, i * THREADS + self->number, 10);
    CHECK(status == KV_OK || status == KV_ERR_FULL);
    CHECK(counted(self->store) <= BOUND);
  }
  GIVES(KV_OK, kv_flush());
  return NULL;
}

static void threads_together_never_exceed_a_bound(uint32_t eviction) {
  kv_store_t store = opened(BOUND, 0, eviction);
  worker_t workers[THREADS];
  int i;
  for (i = 0; i < THREADS; i++) {
    workers[i].store = store;
    workers[i].number = i;
    CHECK(pthread_create(&workers[i].thread, NULL, set_and_watch, &workers[i]) == 0);
  }
  for (i = 0; i < THREADS; i++) CHECK(pthread_join(workers[i].thread, NULL) == 0);
  CHECK(counted(store) == figures(store).entries && counted(store) > BOUND / 2);
  CHECK((figures(store).evicted == 0) == (eviction == KV_EVICT_REJECT));
  GIVES(KV_OK, kv_close(store));
}

int main(void) {
  entries_never_exceed_their_bound();
  bytes_never_exceed_their_bound();
  what_is_used_stays_and_what_is_not_used_goes();
  store_that_rejects_is_full_until_something_goes();
  value_that_would_not_fit_leaves_the_old_one();
  entry_above_the_bound_is_too_large(KV_EVICT_S3FIFO);
  entry_above_the_bound_is_too_large(KV_EVICT_REJECT);
  threads_together_never_exceed_a_bound(KV_EVICT_S3FIFO);
  threads_together_never_exceed_a_bound(KV_EVICT_REJECT);
  GIVES(KV_OK, kv_flush());
  return 0;
}
