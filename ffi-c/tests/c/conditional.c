/* Writes that depend on what stands there, each in one atomic step: of several threads that want
   the same, one has it. */
#include <pthread.h>

#include "check.h"

#define THREADS 4
#define ROUNDS 1000

static kv_store_t opened(uint32_t flags) {
  kv_options_t options;
  kv_store_t store;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = flags;
  GIVES(KV_OK, kv_open(&options, &store));
  return store;
}

static uint64_t version_of(kv_store_t store, const void *key, size_t key_len) {
  kv_value_t value;
  kv_entry_t entry;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  GIVES(KV_OK, kv_get_value(store, key, key_len, &value));
  GIVES(KV_OK, kv_value_entry(value, &entry));
  GIVES(KV_OK, kv_value_free(value));
  return entry.version;
}

static void absent_key_is_set_and_a_lease_ends(void) {
  kv_store_t store = opened(KV_MANUAL_CLOCK);
  GIVES(KV_NOT_FOUND, kv_contains(store, LIT("k")));
  GIVES(KV_OK, kv_set_if_absent(store, LIT("k"), LIT("first"), KV_TTL_DEFAULT));
  GIVES(KV_OK, kv_contains(store, LIT("k")));
  GIVES(KV_EXISTS, kv_set_if_absent(store, LIT("k"), LIT("second"), 100));
  HOLDS(store, LIT("k"), "first", 5);
  GIVES(KV_OK, kv_set_if_absent(store, LIT("lease"), LIT("mine"), 100));
  GIVES(KV_OK, kv_clock_advance(store, 99));
  GIVES(KV_EXISTS, kv_set_if_absent(store, LIT("lease"), LIT("yours"), 100));
  GIVES(KV_OK, kv_clock_advance(store, 1));
  GIVES(KV_NOT_FOUND, kv_contains(store, LIT("lease")));
  GIVES(KV_OK, kv_set_if_absent(store, LIT("lease"), LIT("yours"), 100));
  HOLDS(store, LIT("lease"), "yours", 5);
  GIVES(KV_OK, kv_close(store));
}

static void version_decides_about_a_swap(void) {
  kv_store_t store = opened(KV_MANUAL_CLOCK);
  uint64_t version = 99, before, left;
  GIVES(KV_CONFLICT, kv_compare_and_swap(store, LIT("k"), 1, LIT("v"), &version));
  CHECK(version == 0);
  GIVES(KV_OK, kv_compare_and_swap(store, LIT("k"), version, LIT("new"), &version));
  CHECK(version == version_of(store, LIT("k")));
  GIVES(KV_CONFLICT, kv_compare_and_swap(store, LIT("k"), 0, LIT("newer"), &before));
  CHECK(before == version);
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("first"), 100));
  before = version_of(store, LIT("k"));
  GIVES(KV_OK, kv_compare_and_swap(store, LIT("k"), before, LIT("second"), &version));
  CHECK(version > before && version == version_of(store, LIT("k")));
  HOLDS(store, LIT("k"), "second", 6);
  GIVES(KV_OK, kv_ttl(store, LIT("k"), &left));
  CHECK(left == 100);
  GIVES(KV_CONFLICT, kv_compare_and_swap(store, LIT("k"), before, LIT("third"), &before));
  CHECK(before == version);
  GIVES(KV_OK, kv_compare_and_swap(store, LIT("k"), version, NULL, 0, NULL));
  GIVES(KV_CONFLICT, kv_compare_and_swap(store, LIT("k"), version, LIT("third"), NULL));
  HOLDS(store, LIT("k"), "", 0);
  GIVES(KV_OK, kv_close(store));
}

static void value_is_taken_once_and_stays(void) {
  kv_store_t store = opened(0);
  kv_value_t value;
  kv_slice_t slice;
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_take(store, LIT("k"), &value));
  GIVES(KV_NOT_FOUND, kv_contains(store, LIT("k")));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  GIVES(KV_OK, kv_value_slice(value, &slice));
  CHECK(slice.len == 1 && memcmp(slice.data, "v", 1) == 0);
  GIVES(KV_OK, kv_value_free(value));
  store = opened(0);
  GIVES(KV_NOT_FOUND, kv_take(store, LIT("k"), &value));
  CHECK(value.id == 0);
  GIVES(KV_OK, kv_close(store));
}

static void arguments_are_refused_by_name(void) {
  kv_store_t store = opened(0);
  size_t lengths[2] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 1};
  uint64_t version = 99;
  kv_value_t value;
  size_t i;
  INVALID("key", kv_contains(store, NULL, 1));
  INVALID("key", kv_set_if_absent(store, NULL, 1, LIT("v"), 5));
  INVALID("value", kv_set_if_absent(store, LIT("k"), NULL, 1, 5));
  INVALID("key", kv_compare_and_swap(store, NULL, 1, 1, LIT("v"), &version));
  INVALID("value", kv_compare_and_swap(store, LIT("k"), 1, NULL, 1, &version));
  INVALID("key", kv_take(store, NULL, 1, &value));
  INVALID("out_value", kv_take(store, LIT("k"), NULL));
  for (i = 0; i < 2; i++) {
    INVALID("key", kv_contains(store, "k", lengths[i]));
    INVALID("key", kv_set_if_absent(store, "k", lengths[i], LIT("v"), 5));
    INVALID("value", kv_set_if_absent(store, LIT("k"), "v", lengths[i], 5));
    INVALID("key", kv_compare_and_swap(store, "k", lengths[i], 1, LIT("v"), &version));
    INVALID("value", kv_compare_and_swap(store, LIT("k"), 1, "v", lengths[i], &version));
    INVALID("key", kv_take(store, "k", lengths[i], &value));
  }
  CHECK(version == 99 && value.id == 0 && counted(store) == 0);
  GIVES(KV_OK, kv_close(store));
}

typedef struct crowd_t {
  kv_store_t store;
  int set;
  int taken;
} crowd_t;

static void *set_take_and_swap(void *argument) {
  crowd_t *crowd = (crowd_t *)argument;
  kv_store_t store = crowd->store;
  int i;
  for (i = 0; i < ROUNDS; i++) {
    uint64_t version = 0, number;
    kv_value_t value;
    if (kv_set_if_absent(store, LIT("ball"), LIT("v"), KV_TTL_NEVER) == KV_OK)
      __atomic_fetch_add(&crowd->set, 1, __ATOMIC_RELAXED);
    if (kv_take(store, LIT("ball"), &value) == KV_OK) {
      __atomic_fetch_add(&crowd->taken, 1, __ATOMIC_RELAXED);
      GIVES(KV_OK, kv_value_free(value));
    }
    /* A counter of bytes: a conflict tells the version, the read of it the value. */
    for (;;) {
      kv_entry_t entry;
      kv_status_t status;
      GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
      GIVES(KV_OK, kv_get_value(store, LIT("n"), &value));
      GIVES(KV_OK, kv_value_entry(value, &entry));
      memcpy(&number, entry.value.data, sizeof number);
      number++;
      version = entry.version;
      GIVES(KV_OK, kv_value_free(value));
      status = kv_compare_and_swap(store, LIT("n"), version, &number, sizeof number, &version);
      if (status == KV_OK) break;
      GIVES(KV_CONFLICT, status);
      CHECK(version > entry.version);
    }
  }
  GIVES(KV_OK, kv_flush());
  return NULL;
}

static void no_two_threads_win_the_same(void) {
  pthread_t threads[THREADS];
  crowd_t crowd;
  uint64_t number = 0;
  int i;
  memset(&crowd, 0, sizeof crowd);
  crowd.store = opened(0);
  GIVES(KV_OK, kv_set(crowd.store, LIT("n"), &number, sizeof number));
  for (i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, set_take_and_swap, &crowd) == 0);
  for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(crowd.set > 0 && crowd.set == crowd.taken + (int)counted(crowd.store) - 1);
  number = THREADS * ROUNDS;
  HOLDS(crowd.store, LIT("n"), &number, sizeof number);
  GIVES(KV_OK, kv_close(crowd.store));
}

int main(void) {
  absent_key_is_set_and_a_lease_ends();
  version_decides_about_a_swap();
  value_is_taken_once_and_stays();
  arguments_are_refused_by_name();
  no_two_threads_win_the_same();
  GIVES(KV_OK, kv_flush());
  return 0;
}
