/* A child process cannot use the stores, guards and iterators of its parent, and can have its own,
   also when another thread of the parent was in the middle of a call at the fork, and the library's
   thread for deadlines in the middle of its work. Both processes have such a thread then. */
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "every_call.h"

static void inherited_store_is_refused_by_every_call(kv_store_t store) {
  every_call_gives(KV_ERR_FORKED, "fork", store);
  GIVES(KV_ERR_FORKED, kv_close(store));
}

static void inherited_guard_is_refused_by_every_call(kv_guard_t guard) {
  kv_slice_t value;
  GIVES(KV_ERR_FORKED, kv_get_ref(guard, LIT("k"), &value));
  GIVES(KV_ERR_FORKED, kv_get_many_ref(guard, NULL, 0, &value));
  GIVES(KV_ERR_FORKED, kv_repin(guard));
  GIVES(KV_ERR_FORKED, kv_unpin(guard));
  TEXT_HAS("fork");
}

static void inherited_iterator_is_refused_by_every_call(kv_iter_t iter) {
  kv_entry_t entry;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  GIVES(KV_ERR_FORKED, kv_iter_next(iter, &entry));
  GIVES(KV_ERR_FORKED, kv_iter_close(iter));
  TEXT_HAS("fork");
}

static void inherited_value_stays_readable_and_is_freed(kv_value_t value) {
  kv_slice_t slice;
  GIVES(KV_OK, kv_value_slice(value, &slice));
  CHECK(slice.len == 5 && memcmp(slice.data, "after", 5) == 0);
  GIVES(KV_OK, kv_value_free(value));
  INVALID("value", kv_value_free(value));
}

static void child_keeps_values_of_its_own(kv_store_t store) {
  kv_value_t value;
  kv_iter_t iter;
  kv_entry_t entry;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  GIVES(KV_OK, kv_iter_open(store, LIT("n"), &iter));
  GIVES(KV_OK, kv_iter_next(iter, &entry));
  CHECK(entry.value.len == 4 && memcmp(entry.value.data, "1000", 4) == 0);
  GIVES(KV_OK, kv_take(store, LIT("n"), &value));
  GIVES(KV_END, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
  GIVES(KV_OK, kv_value_entry(value, &entry));
  CHECK(entry.value.len == 4 && memcmp(entry.value.data, "1000", 4) == 0);
  GIVES(KV_OK, kv_value_free(value));
}

static void child_pins_stores_of_its_own(kv_store_t store) {
  kv_guard_t guard;
  kv_slice_t value;
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("of the child")));
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  GIVES(KV_OK, kv_delete(store, LIT("k")));
  GIVES(KV_OK, kv_flush());
  CHECK(value.len == 12 && memcmp(value.data, "of the child", 12) == 0);
  GIVES(KV_OK, kv_unpin(guard));
}

/* Passes time: a few milliseconds by the clock of the system. */
static void wait_a_little(void) {
  kv_options_t options;
  kv_store_t store;
  size_t len;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = KV_NO_MAINTENANCE;
  GIVES(KV_OK, kv_open(&options, &store));
  GIVES(KV_OK, kv_set_ttl(store, LIT("k"), LIT("v"), 5));
  while (kv_get(store, LIT("k"), NULL, 0, &len) == KV_OK) {
  }
  GIVES(KV_OK, kv_close(store));
}

/* The thread for deadlines is at work in this process: who purges finds nothing left to do. It may
   come too late a few times. */
static void thread_removes_what_has_ended(kv_store_t store) {
  uint64_t removed;
  do {
    GIVES(KV_OK, kv_set_ttl(store, LIT("soon"), LIT("v"), 1));
    wait_a_little();
    GIVES(KV_OK, kv_purge_expired(store, &removed));
  } while (removed != 0);
}

static void set_with_deadlines(kv_store_t store) {
  int i;
  for (i = 0; i < 1000; i++)
    GIVES(KV_OK, kv_set_ttl(store, &i, sizeof i, LIT("v"), 1 + (uint64_t)i));
}

static void child_opens_stores_of_its_own(void) {
  kv_store_t store;
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  for (i = 0; i < 1000; i++) GIVES(KV_OK, kv_incr(store, LIT("n"), 1, NULL));
  HOLDS(store, LIT("n"), "1000", 4);
  GIVES(KV_OK, kv_set_ttl(store, LIT("timed"), LIT("v"), 60000));
  thread_removes_what_has_ended(store);
  child_pins_stores_of_its_own(store);
  child_keeps_values_of_its_own(store);
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

static void fork_under_a_guard(kv_store_t store) {
  kv_guard_t guard;
  kv_slice_t value;
  pid_t child;
  GIVES(KV_OK, kv_pin(store, &guard));
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  child = fork();
  if (child == 0) {
    inherited_guard_is_refused_by_every_call(guard);
    child_opens_stores_of_its_own();
    CHECK(value.len == 5 && memcmp(value.data, "after", 5) == 0);
    exit(0);
  }
  wait_for(child);
  GIVES(KV_OK, kv_repin(guard));
  GIVES(KV_OK, kv_unpin(guard));
}

static void fork_with_values_and_iterators(kv_store_t store) {
  kv_value_t value, deleted;
  kv_iter_t iter;
  kv_entry_t entry;
  pid_t child;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  GIVES(KV_OK, kv_get_value(store, LIT("k"), &value));
  GIVES(KV_OK, kv_set(store, LIT("deleted"), LIT("after")));
  GIVES(KV_OK, kv_take(store, LIT("deleted"), &deleted));
  GIVES(KV_OK, kv_iter_open(store, LIT("k"), &iter));
  child = fork();
  if (child == 0) {
    inherited_iterator_is_refused_by_every_call(iter);
    inherited_value_stays_readable_and_is_freed(value);
    inherited_value_stays_readable_and_is_freed(deleted);
    child_opens_stores_of_its_own();
    exit(0);
  }
  wait_for(child);
  GIVES(KV_OK, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
  GIVES(KV_OK, kv_value_free(value));
  GIVES(KV_OK, kv_value_free(deleted));
}

static void child_exits_with_deadlines_of_its_own(kv_store_t store) {
  pid_t child = fork();
  if (child == 0) {
    kv_store_t own;
    inherited_store_is_refused_by_every_call(store);
    GIVES(KV_OK, kv_open(NULL, &own));
    set_with_deadlines(own);
    exit(0);
  }
  wait_for(child);
}

static int32_t fork_here(void *user_data, const kv_entry_t *entry) {
  pid_t *child = (pid_t *)user_data;
  (void)entry;
  CHECK(*child == -1);
  *child = fork();
  return 0;
}

static int32_t fork_and_stop(void *user_data, const kv_entry_t *entry) {
  fork_here(user_data, entry);
  return 1;
}

static int32_t fork_and_put(void *user_data, const kv_entry_t *entry, kv_change_t change) {
  fork_here(user_data, entry);
  GIVES(KV_OK, kv_change_put(change, LIT("after"), KV_TTL_KEEP));
  return KV_CHANGE_PUT;
}

/* Checks that a call whose callback has forked gives KV_ERR_FORKED in the child. */
static void ends_in_the_child(pid_t child, kv_status_t expected, kv_status_t status) {
  if (child == 0) {
    GIVES(KV_ERR_FORKED, status);
    _exit(0);
  }
  GIVES(expected, status);
  wait_for(child);
}

static void calls_whose_callbacks_fork_end_in_the_child(kv_store_t store) {
  kv_status_t status;
  pid_t child = -1;
  status = kv_scan(store, LIT("k"), fork_here, &child);
  ends_in_the_child(child, KV_OK, status);
  child = -1;
  status = kv_scan(store, LIT("k"), fork_and_stop, &child);
  ends_in_the_child(child, KV_STOPPED, status);
  child = -1;
  status = kv_read(store, LIT("k"), fork_here, &child);
  ends_in_the_child(child, KV_OK, status);
  child = -1;
  status = kv_read(store, LIT("k"), fork_and_stop, &child);
  ends_in_the_child(child, KV_STOPPED, status);
  child = -1;
  status = kv_compute(store, LIT("k"), fork_and_put, &child, NULL);
  ends_in_the_child(child, KV_OK, status);
}

static void *keep_busy(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  while (kv_incr(store, LIT("n"), 1, NULL) == KV_OK && kv_flush() == KV_OK &&
         kv_set_ttl(store, LIT("busy"), LIT("v"), 1) == KV_OK) {
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
  GIVES(KV_OK, kv_set_ttl(store, LIT("timed"), LIT("v"), 60000));
  in_a_child(store);
  fork_under_a_guard(store);
  fork_with_values_and_iterators(store);
  calls_whose_callbacks_fork_end_in_the_child(store);
  set_with_deadlines(store);
  for (i = 0; i < 8; i++) child_exits_with_deadlines_of_its_own(store);
  thread_removes_what_has_ended(store);
  CHECK(pthread_create(&thread, NULL, keep_busy, &store) == 0);
  while (kv_get(store, LIT("n"), NULL, 0, &len) == KV_NOT_FOUND) {
  }
  for (i = 0; i < 8; i++) in_a_child(store);
  GIVES(KV_OK, kv_close(store));
  CHECK(pthread_join(thread, NULL) == 0);
  GIVES(KV_OK, kv_flush());
  return 0;
}
