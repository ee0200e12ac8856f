/* One store under several threads: no increment is lost, and a store that is closed while others
   use it answers them, and is gone for all of them. */
#include <pthread.h>

#include "check.h"

#define THREADS 4
#define ROUNDS 2000

static void *count_up(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  int i;
  for (i = 0; i < ROUNDS; i++) {
    char key[16];
    int key_len = snprintf(key, sizeof key, "n%d", i % 10);
    GIVES(KV_OK, kv_incr(store, key, (size_t)key_len, 1, NULL));
  }
  GIVES(KV_OK, kv_flush());
  return NULL;
}

static void run(void *(*body)(void *), void *argument) {
  pthread_t threads[THREADS];
  int i;
  for (i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, body, argument) == 0);
  for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void no_increment_is_lost(void) {
  kv_store_t store;
  char total[16];
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  run(count_up, &store);
  snprintf(total, sizeof total, "%d", THREADS * ROUNDS / 10);
  for (i = 0; i < 10; i++) {
    char key[16];
    int key_len = snprintf(key, sizeof key, "n%d", i);
    HOLDS(store, key, (size_t)key_len, total, strlen(total));
  }
  GIVES(KV_OK, kv_close(store));
}

/* Uses the store until somebody has closed it; what it has from the store lasts longer. */
static void *use_until_closed(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  char text[64];
  size_t len;
  kv_status_t status;
  kv_value_t value;
  kv_slice_t slice;
  kv_iter_t iter;
  kv_entry_t entry;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  value.id = iter.id = 0;
  do {
    GIVES(KV_OK, kv_value_free(value));
    GIVES(KV_OK, kv_iter_close(iter));
    status = kv_set(store, LIT("k"), LIT("value"));
    CHECK(status == KV_OK || status == KV_ERR_CLOSED);
    if (status == KV_OK) status = kv_get(store, LIT("k"), text, sizeof text, &len);
    CHECK(status == KV_OK || status == KV_ERR_CLOSED);
    iter.id = 0;
    status = kv_get_value(store, LIT("k"), &value);
    if (status == KV_OK) status = kv_iter_open(store, NULL, 0, &iter);
    if (status == KV_OK) status = kv_iter_next(iter, &entry);
    CHECK(status == KV_OK || status == KV_ERR_CLOSED);
  } while (status == KV_OK);
  TEXT_HAS("closed");
  if (value.id != 0) {
    GIVES(KV_OK, kv_value_slice(value, &slice));
    CHECK(slice.len == 5 && memcmp(slice.data, "value", 5) == 0);
  }
  if (iter.id != 0) GIVES(KV_ERR_CLOSED, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
  GIVES(KV_OK, kv_value_free(value));
  GIVES(KV_ERR_CLOSED, kv_get(store, LIT("k"), text, sizeof text, &len));
  GIVES(KV_OK, kv_flush());
  return NULL;
}

static void close_ends_the_store_for_all_threads(void) {
  int round;
  for (round = 0; round < 20; round++) {
    pthread_t threads[THREADS];
    kv_store_t store;
    size_t len;
    int i;
    GIVES(KV_OK, kv_open(NULL, &store));
    for (i = 0; i < THREADS; i++)
      CHECK(pthread_create(&threads[i], NULL, use_until_closed, &store) == 0);
    while (kv_get(store, LIT("k"), NULL, 0, &len) == KV_NOT_FOUND) {
    }
    GIVES(KV_OK, kv_close(store));
    for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  }
}

static void *close_once(void *argument) {
  kv_status_t status = kv_close(*(kv_store_t *)argument);
  CHECK(status == KV_OK || status == KV_ERR_CLOSED);
  return status == KV_OK ? argument : NULL;
}

static void exactly_one_of_several_closes_wins(void) {
  int round;
  for (round = 0; round < 20; round++) {
    pthread_t threads[THREADS];
    kv_store_t store;
    int i, won = 0;
    GIVES(KV_OK, kv_open(NULL, &store));
    for (i = 0; i < THREADS; i++)
      CHECK(pthread_create(&threads[i], NULL, close_once, &store) == 0);
    for (i = 0; i < THREADS; i++) {
      void *result;
      CHECK(pthread_join(threads[i], &result) == 0);
      won += result != NULL;
    }
    CHECK(won == 1);
  }
}

static void *fails_on_its_own(void *argument) {
  CHECK(strcmp(kv_last_error_message(), "") == 0);
  GIVES(KV_ERR_INVALID_ARGUMENT, kv_set(*(kv_store_t *)argument, NULL, 1, NULL, 0));
  TEXT_HAS("key");
  return NULL;
}

static void error_text_belongs_to_its_thread(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_ERR_INVALID_ARGUMENT, kv_set(store, NULL, 0, NULL, 1));
  run(fails_on_its_own, &store);
  TEXT_HAS("value");
  GIVES(KV_OK, kv_close(store));
}

int main(void) {
  no_increment_is_lost();
  close_ends_the_store_for_all_threads();
  exactly_one_of_several_closes_wins();
  error_text_belongs_to_its_thread();
  GIVES(KV_OK, kv_flush());
  return 0;
}
