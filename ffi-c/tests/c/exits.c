/* A program may end with open stores, also while a thread uses one. */
#include <pthread.h>

#include "check.h"

static void *use_for_ever(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  while (kv_incr(store, LIT("n"), 1, NULL) == KV_OK) {
  }
  return NULL;
}

int main(void) {
  static kv_store_t store;
  pthread_t thread;
  size_t len;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  CHECK(pthread_create(&thread, NULL, use_for_ever, &store) == 0);
  while (kv_get(store, LIT("n"), NULL, 0, &len) == KV_NOT_FOUND) {
  }
  return 0;
}
