/* A program may end with open stores, deadlines and guards, also while a thread uses them. */
#include <pthread.h>

#include "check.h"

static void *use_for_ever(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  kv_guard_t guard;
  kv_slice_t value;
  GIVES(KV_OK, kv_pin(store, &guard));
  while (kv_incr(store, LIT("n"), 1, NULL) == KV_OK && kv_repin(guard) == KV_OK &&
         kv_get_ref(guard, LIT("n"), &value) == KV_OK) {
  }
  return NULL;
}

int main(void) {
  static kv_store_t store;
  pthread_t thread;
  kv_guard_t guard;
  kv_slice_t value;
  size_t len;
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  /* Some end with the program, in the hands of the library's thread for deadlines. */
  for (i = 0; i < 1000; i++)
    GIVES(KV_OK, kv_set_ttl(store, &i, sizeof i, LIT("v"), 1 + (uint64_t)i));
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  CHECK(pthread_create(&thread, NULL, use_for_ever, &store) == 0);
  while (kv_get(store, LIT("n"), NULL, 0, &len) == KV_NOT_FOUND) {
  }
  return 0;
}
