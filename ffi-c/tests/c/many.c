/* Batches read and write, in the order of their keys, what single calls would. */
#include "check.h"

#define KEYS 100

static kv_slice_t slice(const void *data, size_t len) {
  kv_slice_t made;
  made.data = data;
  made.len = len;
  return made;
}

/* Whether a slice is what kv_get_dup says of its key. */
static void agrees(kv_store_t store, kv_slice_t key, kv_slice_t value) {
  void *data;
  size_t len;
  if (kv_get_dup(store, key.data, key.len, &data, &len) == KV_OK) {
    CHECK(value.data != NULL && value.len == len && memcmp(value.data, data, len) == 0);
  } else {
    CHECK(value.data == NULL && value.len == 0);
  }
  kv_free(data);
}

static void batches_of_any_length_agree_with_single_reads(kv_store_t store) {
  static char names[KEYS][8];
  static char longest[100000];
  kv_slice_t keys[KEYS], *copies, values[KEYS + 1];
  kv_guard_t guard;
  size_t count, i;
  memset(longest, 'x', sizeof longest);
  for (i = 0; i < KEYS; i++) {
    /* Every key twice, and every third absent. */
    int len = snprintf(names[i], sizeof names[i], "%d", (int)i / 2);
    keys[i] = slice(names[i], (size_t)len);
    if (i / 2 % 3 != 0)
      GIVES(KV_OK, kv_set(store, keys[i].data, keys[i].len, longest, i / 2 * i));
  }
  keys[40] = slice(NULL, 0);
  GIVES(KV_OK, kv_set(store, NULL, 0, LIT("\0of the empty key")));
  GIVES(KV_OK, kv_set(store, keys[2].data, keys[2].len, NULL, 0));
  GIVES(KV_OK, kv_pin(store, &guard));
  for (count = 0; count <= KEYS; count++) {
    values[count] = slice(names, 99);
    GIVES(KV_OK, kv_get_many(store, keys, count, &copies));
    GIVES(KV_OK, kv_get_many_ref(guard, keys, count, values));
    CHECK(copies != NULL && values[count].data == names && values[count].len == 99);
    for (i = 0; i < count; i++) {
      agrees(store, keys[i], copies[i]);
      agrees(store, keys[i], values[i]);
    }
    kv_free(copies);
  }
  GIVES(KV_OK, kv_unpin(guard));
}

static void copies_outlive_the_store(void) {
  kv_store_t store;
  kv_slice_t keys[2], *copies;
  keys[0] = slice("b", 1);
  keys[1] = slice("a", 1);
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("a"), LIT("first")));
  GIVES(KV_OK, kv_set(store, LIT("b"), LIT("second")));
  GIVES(KV_OK, kv_get_many(store, keys, 2, &copies));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  CHECK(copies[0].len == 6 && memcmp(copies[0].data, "second", 6) == 0);
  CHECK(copies[1].len == 5 && memcmp(copies[1].data, "first", 5) == 0);
  kv_free(copies);
}

static void no_keys_have_no_values(kv_store_t store) {
  kv_slice_t *copies = NULL;
  kv_guard_t guard;
  GIVES(KV_OK, kv_get_many(store, NULL, 0, &copies));
  CHECK(copies != NULL);
  kv_free(copies);
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_get_many_ref(guard, NULL, 0, NULL));
  GIVES(KV_OK, kv_unpin(guard));
}

static kv_pair_t pair(const char *key, const char *value) {
  kv_pair_t made;
  made.key = slice(key, strlen(key));
  made.value = slice(value, strlen(value));
  return made;
}

static void pairs_are_stored_in_order(void) {
  kv_options_t options;
  kv_store_t store;
  kv_pair_t pairs[3];
  size_t done = 99;
  uint64_t left;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = KV_MANUAL_CLOCK;
  GIVES(KV_OK, kv_open(&options, &store));
  pairs[0] = pair("a", "first");
  pairs[1] = pair("b", "");
  pairs[2] = pair("a", "second");
  GIVES(KV_OK, kv_set_many(store, pairs, 3, KV_TTL_DEFAULT, &done));
  CHECK(done == 3 && counted(store) == 2);
  HOLDS(store, LIT("a"), "second", 6);
  HOLDS(store, LIT("b"), "", 0);
  GIVES(KV_OK, kv_set_many(store, pairs, 2, 500, NULL));
  HOLDS(store, LIT("a"), "first", 5);
  GIVES(KV_OK, kv_ttl(store, LIT("b"), &left));
  CHECK(left == 500);
  GIVES(KV_OK, kv_set_many(store, NULL, 0, 500, &done));
  CHECK(done == 0);
  GIVES(KV_OK, kv_clock_advance(store, 500));
  GIVES(KV_NOT_FOUND, kv_contains(store, LIT("a")));
  GIVES(KV_OK, kv_close(store));
}

static void refused_pair_leaves_those_before_it(void) {
  kv_options_t options;
  kv_store_t store;
  kv_pair_t pairs[4];
  size_t done = 99;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.max_entries = 2;
  options.eviction = KV_EVICT_REJECT;
  GIVES(KV_OK, kv_open(&options, &store));
  pairs[0] = pair("a", "1");
  pairs[1] = pair("b", "2");
  pairs[2] = pair("c", "3");
  pairs[3] = pair("d", "4");
  GIVES(KV_ERR_FULL, kv_set_many(store, pairs, 4, KV_TTL_DEFAULT, &done));
  CHECK(done == 2 && counted(store) == 2);
  HOLDS(store, LIT("b"), "2", 1);
  GIVES(KV_OK, kv_close(store));
}

static void keys_are_removed_and_counted(kv_store_t store) {
  kv_slice_t keys[4];
  uint64_t removed = 99;
  keys[0] = slice("x", 1);
  keys[1] = slice("absent", 6);
  keys[2] = slice("y", 1);
  keys[3] = slice("x", 1);
  GIVES(KV_OK, kv_set(store, LIT("x"), LIT("1")));
  GIVES(KV_OK, kv_set(store, LIT("y"), LIT("2")));
  GIVES(KV_OK, kv_delete_many(store, keys, 4, &removed));
  CHECK(removed == 2);
  GIVES(KV_NOT_FOUND, kv_contains(store, LIT("x")));
  GIVES(KV_NOT_FOUND, kv_contains(store, LIT("y")));
  GIVES(KV_OK, kv_delete_many(store, keys, 4, NULL));
  GIVES(KV_OK, kv_delete_many(store, NULL, 0, &removed));
  CHECK(removed == 0);
}

static void wrong_arrays_are_refused_by_name_and_change_nothing(kv_store_t store) {
  size_t lengths[2] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 1};
  kv_pair_t pairs[2], broken;
  kv_slice_t keys[2];
  uint64_t before = counted(store), removed = 99;
  size_t done, i;
  pairs[0] = pair("fresh", "v");
  keys[0] = slice("fresh", 5);
  broken = pair("fresh", "v");
  INVALID("pairs", kv_set_many(store, NULL, 1, KV_TTL_DEFAULT, &done));
  INVALID("keys", kv_delete_many(store, NULL, 1, &removed));
  for (i = 0; i < 2; i++) {
    INVALID("count", kv_set_many(store, pairs, lengths[i], KV_TTL_DEFAULT, &done));
    INVALID("count", kv_delete_many(store, keys, lengths[i], &removed));
    pairs[1] = broken;
    pairs[1].key.len = lengths[i];
    done = 99;
    INVALID("pairs", kv_set_many(store, pairs, 2, KV_TTL_DEFAULT, &done));
    pairs[1] = broken;
    pairs[1].value.len = lengths[i];
    INVALID("pairs", kv_set_many(store, pairs, 2, KV_TTL_DEFAULT, &done));
    keys[1] = slice("k", lengths[i]);
    INVALID("keys", kv_delete_many(store, keys, 2, &removed));
  }
  pairs[1].value = slice(NULL, 1);
  INVALID("pairs", kv_set_many(store, pairs, 2, KV_TTL_DEFAULT, &done));
  CHECK(done == 0 && removed == 99 && counted(store) == before);
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  batches_of_any_length_agree_with_single_reads(store);
  no_keys_have_no_values(store);
  keys_are_removed_and_counted(store);
  wrong_arrays_are_refused_by_name_and_change_nothing(store);
  GIVES(KV_OK, kv_close(store));
  copies_outlive_the_store();
  pairs_are_stored_in_order();
  refused_pair_leaves_those_before_it();
  GIVES(KV_OK, kv_flush());
  return 0;
}
