/* Programs with a fault that AddressSanitizer must see, or it would watch nothing in the others. */
#include "check.h"

static void reads_after_unpin(kv_store_t store) {
  kv_guard_t guard;
  kv_slice_t value;
  int i;
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  GIVES(KV_OK, kv_delete(store, LIT("k")));
  GIVES(KV_OK, kv_unpin(guard));
  for (i = 0; i < 8; i++) GIVES(KV_OK, kv_flush());
  CHECK(*(const char *)value.data == 'v');
}

static void says_that_a_buffer_is_larger_than_it_is(kv_store_t store) {
  char *buffer = (char *)malloc(4);
  size_t len;
  CHECK(buffer != NULL);
  GIVES(KV_OK, kv_get(store, LIT("k"), buffer, 64, &len));
  free(buffer);
}

int main(int argc, char **argv) {
  kv_store_t store;
  CHECK(argc == 2);
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("value")));
  if (strcmp(argv[1], "use-after-free") == 0)
    reads_after_unpin(store);
  else
    says_that_a_buffer_is_larger_than_it_is(store);
  GIVES(KV_OK, kv_close(store));
  return 0;
}
