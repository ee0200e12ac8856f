/* Time to live, by a clock that the test moves: never served late, never gone early, and memory and
   count follow. */
#include <dirent.h>
#include <pthread.h>

#include "check.h"

/* A store whose clock stands still. */
static kv_store_t opened(uint64_t default_ttl_ms) {
  kv_options_t options;
  kv_store_t store;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.shards = 4;
  options.flags = KV_MANUAL_CLOCK;
  options.default_ttl_ms = default_ttl_ms;
  GIVES(KV_OK, kv_open(&options, &store));
  return store;
}

static uint64_t left(kv_store_t store, const char *key) {
  uint64_t ttl_ms = 99;
  GIVES(KV_OK, kv_ttl(store, key, strlen(key), &ttl_ms));
  return ttl_ms;
}

static void absent_for_every_function(kv_store_t store) {
  kv_guard_t guard;
  kv_slice_t slice, *values, key;
  uint64_t ttl_ms = 99;
  size_t len;
  key.data = "k";
  key.len = 1;
  GIVES(KV_NOT_FOUND, kv_get(store, LIT("k"), NULL, 0, &len));
  GIVES(KV_OK, kv_get_many(store, &key, 1, &values));
  CHECK(values[0].data == NULL);
  kv_free(values);
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_NOT_FOUND, kv_get_ref(guard, LIT("k"), &slice));
  GIVES(KV_OK, kv_unpin(guard));
  GIVES(KV_OK, kv_scan(store, NULL, 0, never, NULL));
  GIVES(KV_NOT_FOUND, kv_ttl(store, LIT("k"), &ttl_ms));
  CHECK(ttl_ms == 99);
  GIVES(KV_NOT_FOUND, kv_expire(store, LIT("k"), 5));
  GIVES(KV_NOT_FOUND, kv_persist(store, LIT("k")));
  GIVES(KV_NOT_FOUND, kv_touch(store, LIT("k"), 5));
  GIVES(KV_NOT_FOUND, kv_delete(store, LIT("k")));
  CHECK(counted(store) == 0);
}

static void key_lives_to_its_deadline_and_not_beyond(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 1000));
  CHECK(left(store, "k") == 1000);
  GIVES(KV_OK, kv_clock_advance(store, 999));
  HOLDS(store, LIT("k"), "v", 1);
  CHECK(left(store, "k") == 1 && counted(store) == 1);
  GIVES(KV_OK, kv_clock_advance(store, 1));
  absent_for_every_function(store);
  GIVES(KV_OK, kv_close(store));
}

static void constants_mean_what_they_say(void) {
  kv_store_t store = opened(500);
  GIVES(KV_OK, kv_set(store, LIT("default"), LIT("v")));
  GIVES(KV_OK, kv_set_ttl(store, LIT("never"), LIT("v"), KV_TTL_NEVER));
  GIVES(KV_OK, kv_set_ttl(store, LIT("kept"), LIT("v"), 300));
  GIVES(KV_OK, kv_clock_advance(store, 100));
  GIVES(KV_OK, kv_set_ttl(store, LIT("default"), LIT("v"), KV_TTL_DEFAULT));
  GIVES(KV_OK, kv_set_ttl(store, LIT("never"), LIT("w"), KV_TTL_KEEP));
  GIVES(KV_OK, kv_set_ttl(store, LIT("kept"), LIT("w"), KV_TTL_KEEP));
  GIVES(KV_OK, kv_set_ttl(store, LIT("fresh"), LIT("v"), KV_TTL_KEEP));
  CHECK(left(store, "default") == 500 && left(store, "fresh") == 500);
  CHECK(left(store, "never") == KV_TTL_NEVER && left(store, "kept") == 200);
  HOLDS(store, LIT("kept"), "w", 1);
  GIVES(KV_OK, kv_expire(store, LIT("never"), KV_TTL_DEFAULT));
  GIVES(KV_OK, kv_expire(store, LIT("kept"), KV_TTL_NEVER));
  CHECK(left(store, "never") == 500 && left(store, "kept") == KV_TTL_NEVER);
  GIVES(KV_OK, kv_set_ttl(store, LIT("long"), LIT("v"), KV_TTL_KEEP - 1));
  CHECK(left(store, "long") == KV_TTL_NEVER);
  GIVES(KV_OK, kv_close(store));
}

static void expire_persist_and_touch_change_the_time_alone(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_touch(store, LIT("k"), 800));
  CHECK(left(store, "k") == KV_TTL_NEVER);
  GIVES(KV_OK, kv_expire(store, LIT("k"), 800));
  GIVES(KV_OK, kv_clock_advance(store, 100));
  GIVES(KV_OK, kv_touch(store, LIT("k"), 800));
  CHECK(left(store, "k") == 700);
  GIVES(KV_OK, kv_clock_advance(store, 1));
  GIVES(KV_OK, kv_touch(store, LIT("k"), 800));
  CHECK(left(store, "k") == 800);
  GIVES(KV_OK, kv_persist(store, LIT("k")));
  CHECK(left(store, "k") == KV_TTL_NEVER);
  HOLDS(store, LIT("k"), "v", 1);
  GIVES(KV_OK, kv_close(store));
}

static void incr_keeps_the_time(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  GIVES(KV_OK, kv_set_ttl(store, LIT("n"), LIT("41"), 50));
  GIVES(KV_OK, kv_incr(store, LIT("n"), 1, NULL));
  CHECK(left(store, "n") == 50);
  GIVES(KV_OK, kv_clock_advance(store, 50));
  GIVES(KV_OK, kv_incr(store, LIT("n"), 1, NULL));
  HOLDS(store, LIT("n"), "1", 1);
  GIVES(KV_OK, kv_close(store));
}

static void fill(kv_store_t store, int from, int to, uint64_t ttl_ms) {
  int i;
  for (i = from; i < to; i++) {
    char key[16];
    int key_len = snprintf(key, sizeof key, "n%d", i);
    GIVES(KV_OK, kv_set_ttl(store, key, (size_t)key_len, key, (size_t)key_len, ttl_ms));
  }
}

static void advance_tells_when_to_come_again(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  uint64_t wait = 99, removed = 99;
  GIVES(KV_OK, kv_advance(store, &wait));
  CHECK(wait == KV_NOTHING_DUE);
  fill(store, 0, 3000, 100);
  GIVES(KV_OK, kv_advance(store, &wait));
  while (wait == 0) GIVES(KV_OK, kv_advance(store, &wait));
  CHECK(wait > 0 && wait <= 100);
  GIVES(KV_OK, kv_clock_advance(store, 100));
  GIVES(KV_OK, kv_advance(store, &wait));
  CHECK(wait == 0);
  while (wait == 0) GIVES(KV_OK, kv_advance(store, &wait));
  CHECK(wait == KV_NOTHING_DUE && counted(store) == 0);
  GIVES(KV_OK, kv_advance(store, NULL));
  GIVES(KV_OK, kv_purge_expired(store, &removed));
  CHECK(removed == 0);
  GIVES(KV_OK, kv_close(store));
}

static void purge_removes_what_is_due_and_counts_it(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  uint64_t removed = 99;
  fill(store, 0, 200, 10);
  fill(store, 200, 300, 20);
  fill(store, 300, 350, KV_TTL_NEVER);
  GIVES(KV_OK, kv_purge_expired(store, &removed));
  CHECK(removed == 0);
  GIVES(KV_OK, kv_clock_advance(store, 10));
  GIVES(KV_OK, kv_purge_expired(store, &removed));
  CHECK(removed == 200 && counted(store) == 150);
  GIVES(KV_OK, kv_clock_advance(store, 10));
  GIVES(KV_OK, kv_purge_expired(store, NULL));
  CHECK(counted(store) == 50);
  GIVES(KV_OK, kv_close(store));
}

#define THREADS 4

static void *set_and_advance(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  int i;
  for (i = 0; i < 20; i++) {
    fill(store, 0, 100, 1 + (uint64_t)i);
    GIVES(KV_OK, kv_clock_advance(store, 1));
    GIVES(KV_OK, kv_advance(store, NULL));
  }
  GIVES(KV_OK, kv_flush());
  return NULL;
}

static void threads_share_a_clock_and_leave_nothing_behind(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  pthread_t threads[THREADS];
  int i;
  for (i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, set_and_advance, &store) == 0);
  for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  GIVES(KV_OK, kv_clock_advance(store, 20));
  CHECK(counted(store) == 0);
  GIVES(KV_OK, kv_close(store));
}

/* The clock of the system: nothing here waits for it. */
static void system_clock_is_the_default(void) {
  kv_store_t store;
  uint64_t wait, ttl_ms;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 1));
  while (kv_ttl(store, LIT("k"), &ttl_ms) == KV_OK) CHECK(ttl_ms >= 1 && ttl_ms <= 2);
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 3600000));
  CHECK(left(store, "k") > 3500000 && left(store, "k") <= 3600001);
  GIVES(KV_OK, kv_advance(store, &wait));
  CHECK(wait > 0 && wait <= 3600001);
  GIVES(KV_ERR_INVALID_ARGUMENT, kv_clock_advance(store, 1));
  TEXT_HAS("`store`");
  GIVES(KV_OK, kv_close(store));
}

static int threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  int count = -2; /* . and .. */
  CHECK(tasks != NULL);
  while (readdir(tasks) != NULL) count++;
  CHECK(closedir(tasks) == 0);
  return count;
}

static void thread_starts_with_the_first_deadline_unless_told_not_to(void) {
  kv_options_t options;
  kv_store_t store;
  int before = threads();
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = KV_NO_MAINTENANCE;
  GIVES(KV_OK, kv_open(&options, &store));
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 60000));
  CHECK(threads() == before);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  CHECK(threads() == before);
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 60000));
  CHECK(threads() == before + 1);
  GIVES(KV_OK, kv_close(store));
}

static void what_is_no_time_to_live_is_refused_by_name(void) {
  kv_store_t store = opened(KV_TTL_NEVER);
  uint64_t constants[3] = {KV_TTL_NEVER, KV_TTL_DEFAULT, KV_TTL_KEEP};
  int i;
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 70));
  GIVES(KV_ERR_INVALID_TTL, kv_expire(store, LIT("k"), KV_TTL_KEEP));
  TEXT_HAS("`ttl_ms`");
  for (i = 0; i < 3; i++) {
    GIVES(KV_ERR_INVALID_TTL, kv_touch(store, LIT("k"), constants[i]));
    TEXT_HAS("`ttl_ms`");
  }
  CHECK(left(store, "k") == 70);
  GIVES(KV_OK, kv_close(store));
}

int main(void) {
  key_lives_to_its_deadline_and_not_beyond();
  constants_mean_what_they_say();
  expire_persist_and_touch_change_the_time_alone();
  incr_keeps_the_time();
  advance_tells_when_to_come_again();
  purge_removes_what_is_due_and_counts_it();
  threads_share_a_clock_and_leave_nothing_behind();
  thread_starts_with_the_first_deadline_unless_told_not_to();
  system_clock_is_the_default();
  what_is_no_time_to_live_is_refused_by_name();
  GIVES(KV_OK, kv_flush());
  return 0;
}
