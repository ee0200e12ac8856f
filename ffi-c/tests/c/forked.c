/* A child process cannot use the stores of its parent, and can open its own, also when another
   thread of the parent was in the middle of a call at the fork. */
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int32_t never(void *user_data, const kv_entry_t *entry) {
  (void)user_data;
  (void)entry;
  CHECK(!"called");
  return 0;
}

static void inherited_store_is_refused_by_every_call(kv_store_t store) {
  char buffer[4];
  size_t len;
  void *data;
  uint64_t count;
  GIVES(KV_ERR_FORKED, kv_get(store, LIT("k"), buffer, sizeof buffer, &len));
  GIVES(KV_ERR_FORKED, kv_get_dup(store, LIT("k"), &data, &len));
  GIVES(KV_ERR_FORKED, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_ERR_FORKED, kv_delete(store, LIT("k")));
  GIVES(KV_ERR_FORKED, kv_incr(store, LIT("n"), 1, NULL));
  GIVES(KV_ERR_FORKED, kv_count(store, &count));
  GIVES(KV_ERR_FORKED, kv_scan(store, NULL, 0, never, NULL));
  GIVES(KV_ERR_FORKED, kv_retain(store));
  GIVES(KV_ERR_FORKED, kv_close(store));
  TEXT_HAS("fork");
}

static void child_opens_stores_of_its_own(void) {
  kv_store_t store;
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  for (i = 0; i < 1000; i++) GIVES(KV_OK, kv_incr(store, LIT("n"), 1, NULL));
  HOLDS(store, LIT("n"), "1000", 4);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
}

static void wait_for(pid_t child) {
  int status;
  CHECK(child > 0);
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void in_a_child(kv_store_t store) {
  pid_t child = fork();
  if (child == 0) {
    inherited_store_is_refused_by_every_call(store);
    child_opens_stores_of_its_own();
    _exit(0);
  }
  wait_for(child);
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("after")));
  HOLDS(store, LIT("k"), "after", 5);
}

static int32_t fork_here(void *user_data, const kv_entry_t *entry) {
  pid_t *child = (pid_t *)user_data;
  (void)entry;
  CHECK(*child == -1);
  *child = fork();
  return 0;
}

static void scan_that_forks_ends_in_the_child(kv_store_t store) {
  pid_t child = -1;
  kv_status_t status = kv_scan(store, LIT("k"), fork_here, &child);
  if (child == 0) {
    GIVES(KV_ERR_FORKED, status);
    _exit(0);
  }
  GIVES(KV_OK, status);
  wait_for(child);
}

static void *keep_busy(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  while (kv_incr(store, LIT("n"), 1, NULL) == KV_OK && kv_flush() == KV_OK) {
  }
  return NULL;
}

int main(void) {
  kv_store_t store;
  pthread_t thread;
  size_t len;
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("before")));
  in_a_child(store);
  scan_that_forks_ends_in_the_child(store);
  CHECK(pthread_create(&thread, NULL, keep_busy, &store) == 0);
  while (kv_get(store, LIT("n"), NULL, 0, &len) == KV_NOT_FOUND) {
  }
  for (i = 0; i < 8; i++) in_a_child(store);
  GIVES(KV_OK, kv_close(store));
  CHECK(pthread_join(thread, NULL) == 0);
  GIVES(KV_OK, kv_flush());
  return 0;
}
