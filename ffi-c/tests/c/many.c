/* Batches answer in the order of their keys what single reads would. */
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

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  batches_of_any_length_agree_with_single_reads(store);
  no_keys_have_no_values(store);
  GIVES(KV_OK, kv_close(store));
  copies_outlive_the_store();
  GIVES(KV_OK, kv_flush());
  return 0;
}
