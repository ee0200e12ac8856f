/* What is read under a guard stays readable whatever happens to its key, its store and its thread's
   other guards; and a store that is closed under a guard is freed by the last unpin. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

#define KEYS 300

/* Checks a value that was read under a guard. */
static void is(kv_slice_t value, const void *data, size_t len) {
  CHECK(value.data != NULL && value.len == len && memcmp(value.data, data, len) == 0);
}

static size_t name(char *key, size_t size, int number) {
  return (size_t)snprintf(key, size, "key %d", number);
}

static void fill(kv_store_t store, const char *value) {
  char key[16];
  int i;
  for (i = 0; i < KEYS; i++)
    GIVES(KV_OK, kv_set(store, key, name(key, sizeof key, i), value, strlen(value)));
}

static void values_are_found_or_not(kv_store_t store) {
  kv_guard_t guard;
  kv_slice_t value;
  GIVES(KV_OK, kv_set(store, LIT("k\0"), LIT("v\0w")));
  GIVES(KV_OK, kv_set(store, NULL, 0, NULL, 0));
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_get_ref(guard, LIT("k\0"), &value));
  is(value, "v\0w", 3);
  GIVES(KV_OK, kv_get_ref(guard, NULL, 0, &value));
  is(value, "", 0);
  GIVES(KV_NOT_FOUND, kv_get_ref(guard, LIT("k"), &value));
  CHECK(value.data == NULL && value.len == 0);
  GIVES(KV_OK, kv_unpin(guard));
}

/* Overwrites and deletes what the main thread has read, and has it freed if nobody holds it. */
static void *replace_all(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  char key[16];
  int i;
  fill(store, "newer");
  for (i = 0; i < KEYS; i++) GIVES(KV_OK, kv_delete(store, key, name(key, sizeof key, i)));
  fill(store, "newest");
  for (i = 0; i < 8; i++) GIVES(KV_OK, kv_flush());
  return NULL;
}

static void values_outlive_their_keys(kv_store_t store) {
  static kv_slice_t values[KEYS];
  pthread_t thread;
  kv_guard_t guard;
  kv_slice_t value;
  char key[16];
  int i;
  fill(store, "older");
  GIVES(KV_OK, kv_pin(store, &guard));
  for (i = 0; i < KEYS; i++)
    GIVES(KV_OK, kv_get_ref(guard, key, name(key, sizeof key, i), &values[i]));
  CHECK(pthread_create(&thread, NULL, replace_all, &store) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  replace_all(&store);
  for (i = 0; i < KEYS; i++) is(values[i], "older", 5);
  for (i = 0; i < 4; i++) { /* reads renew nothing */
    GIVES(KV_OK, kv_get_ref(guard, LIT("key 0"), &value));
    replace_all(&store);
    is(value, "newest", 6);
  }
  for (i = 0; i < KEYS; i++) is(values[i], "older", 5);
  GIVES(KV_OK, kv_repin(guard));
  GIVES(KV_OK, kv_get_ref(guard, LIT("key 0"), &value));
  is(value, "newest", 6);
  GIVES(KV_OK, kv_unpin(guard));
}

static void guards_of_a_thread_end_one_by_one(kv_store_t store) {
  kv_guard_t guards[40];
  kv_slice_t values[40];
  size_t count = sizeof guards / sizeof guards[0], i;
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("old")));
  for (i = 0; i < count; i++) {
    GIVES(KV_OK, kv_pin(store, &guards[i]));
    GIVES(KV_OK, kv_get_ref(guards[i], LIT("k"), &values[i]));
  }
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("new")));
  for (i = 0; i < count; i += 2) GIVES(KV_OK, kv_unpin(guards[i]));
  replace_all(&store);
  for (i = 1; i < count; i += 2) is(values[i], "old", 3);
  for (i = 1; i < count; i += 2) GIVES(KV_OK, kv_unpin(guards[i]));
}

/* Bytes of memory that the process has in use. */
static size_t resident(void) {
  long total = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &total, &pages) == 2 && fclose(file) == 0);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void renewed_guard_holds_nothing_back(kv_store_t store) {
  static char value[20000];
  size_t before = resident();
  kv_guard_t guard;
  kv_slice_t read;
  int i;
  GIVES(KV_OK, kv_pin(store, &guard));
  for (i = 0; i < 10000; i++) { /* of 200 MB in all */
    GIVES(KV_OK, kv_set(store, LIT("k"), value, sizeof value));
    GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &read));
    CHECK(read.len == sizeof value);
    GIVES(KV_OK, kv_repin(guard));
  }
  GIVES(KV_OK, kv_unpin(guard));
  CHECK(resident() < before + 100000000);
}

static void closed_store_stays_readable_until_the_last_unpin(void) {
  kv_store_t store, next;
  kv_guard_t first, second;
  kv_slice_t held, value;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("value")));
  GIVES(KV_OK, kv_pin(store, &first));
  GIVES(KV_OK, kv_pin(store, &second));
  GIVES(KV_OK, kv_get_ref(first, LIT("k"), &held));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_ERR_CLOSED, kv_close(store));
  GIVES(KV_ERR_CLOSED, kv_get_ref(first, LIT("k"), &value));
  CHECK(value.data == NULL);
  GIVES(KV_ERR_CLOSED, kv_get_many_ref(first, NULL, 0, &value));
  GIVES(KV_ERR_CLOSED, kv_repin(first));
  GIVES(KV_OK, kv_unpin(second));
  GIVES(KV_OK, kv_open(NULL, &next));
  GIVES(KV_ERR_CLOSED, kv_get_ref(first, LIT("k"), &value));
  is(held, "value", 5);
  GIVES(KV_OK, kv_unpin(first));
  GIVES(KV_OK, kv_close(next));
}

static void retained_store_stays_open_under_a_guard(void) {
  kv_store_t store;
  kv_guard_t guard;
  kv_slice_t value;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("value")));
  GIVES(KV_OK, kv_retain(store));
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  is(value, "value", 5);
  GIVES(KV_OK, kv_unpin(guard));
  GIVES(KV_OK, kv_close(store));
}

static pthread_key_t ending;

/* Runs when the pins of the thread are gone. */
static void use_guard_at_the_end(void *argument) {
  kv_guard_t *guards = (kv_guard_t *)argument;
  kv_slice_t value;
  GIVES(KV_ERR_INVALID_ARGUMENT, kv_get_ref(guards[0], LIT("k"), &value));
  GIVES(KV_ERR_INVALID_ARGUMENT, kv_unpin(guards[0]));
  free(guards);
}

static void *leave_guards_behind(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  kv_guard_t *guards = (kv_guard_t *)malloc(2 * sizeof *guards);
  kv_slice_t value;
  CHECK(guards != NULL && pthread_setspecific(ending, guards) == 0);
  GIVES(KV_OK, kv_pin(store, &guards[0]));
  GIVES(KV_OK, kv_pin(store, &guards[1]));
  GIVES(KV_OK, kv_get_ref(guards[0], LIT("k"), &value));
  GIVES(KV_OK, kv_unpin(guards[1]));
  return NULL;
}

static void guards_end_with_their_thread(void) {
  kv_store_t store;
  pthread_t thread;
  CHECK(pthread_key_create(&ending, use_guard_at_the_end) == 0);
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("value")));
  CHECK(pthread_create(&thread, NULL, leave_guards_behind, &store) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  GIVES(KV_OK, kv_close(store));
}

/* Reads under one guard until somebody has closed the store. */
static void *read_until_closed(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  kv_guard_t guard;
  kv_slice_t value, last;
  kv_status_t status = kv_pin(store, &guard);
  if (status != KV_OK) {
    CHECK(status == KV_ERR_CLOSED);
    return NULL;
  }
  last.data = NULL;
  while ((status = kv_get_ref(guard, LIT("k"), &value)) == KV_OK) {
    last = value;
    if ((status = kv_repin(guard)) != KV_OK) break;
    last.data = NULL;
  }
  CHECK(status == KV_ERR_CLOSED);
  if (last.data != NULL) is(last, "value", 5);
  GIVES(KV_OK, kv_unpin(guard));
  return NULL;
}

static void close_ends_the_store_for_all_guards(void) {
  int round;
  for (round = 0; round < 20; round++) {
    pthread_t threads[4];
    kv_store_t store;
    int i;
    GIVES(KV_OK, kv_open(NULL, &store));
    GIVES(KV_OK, kv_set(store, LIT("k"), LIT("value")));
    for (i = 0; i < 4; i++)
      CHECK(pthread_create(&threads[i], NULL, read_until_closed, &store) == 0);
    for (i = 0; i < 200; i++) GIVES(KV_OK, kv_set(store, LIT("k"), LIT("value")));
    GIVES(KV_OK, kv_close(store));
    for (i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  }
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  values_are_found_or_not(store);
  values_outlive_their_keys(store);
  guards_of_a_thread_end_one_by_one(store);
  renewed_guard_holds_nothing_back(store);
  GIVES(KV_OK, kv_close(store));
  closed_store_stays_readable_until_the_last_unpin();
  retained_store_stays_open_under_a_guard();
  guards_end_with_their_thread();
  close_ends_the_store_for_all_guards();
  GIVES(KV_OK, kv_flush());
  return 0;
}
