/* What the misuse table does not say of guards and batches: threads that end or never pinned, too
 * many guards, arrays that touch. */
#include <pthread.h>

#include "check.h"

static void still_works(kv_guard_t guard) {
  kv_slice_t value;
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  CHECK(value.len == 1);
}

static void *pin_and_leave(void *argument) {
  kv_guard_t *guard = (kv_guard_t *)argument;
  kv_guard_t zero;
  kv_store_t store;
  memset(&zero, 0, sizeof zero);
  INVALID("guard", kv_repin(zero)); /* this thread has not pinned yet */
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_pin(store, guard));
  still_works(*guard);
  GIVES(KV_OK, kv_close(store));
  return NULL;
}

static void guard_of_a_thread_that_is_gone_is_refused(kv_store_t store) {
  kv_guard_t own, left;
  kv_slice_t value;
  pthread_t thread;
  GIVES(KV_OK, kv_pin(store, &own));
  CHECK(pthread_create(&thread, NULL, pin_and_leave, &left) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(own.thread != left.thread);
  GIVES(KV_ERR_WRONG_THREAD, kv_get_ref(left, LIT("k"), &value));
  GIVES(KV_ERR_WRONG_THREAD, kv_repin(left));
  GIVES(KV_ERR_WRONG_THREAD, kv_unpin(left));
  still_works(own);
  GIVES(KV_OK, kv_unpin(own));
}

static void guards_that_are_never_unpinned_become_too_many(kv_store_t store) {
  static kv_guard_t guards[1024];
  kv_guard_t guard;
  size_t i;
  for (i = 0; i < 1024; i++) GIVES(KV_OK, kv_pin(store, &guards[i]));
  memset(&guard, 0xa5, sizeof guard);
  GIVES(KV_ERR_FULL, kv_pin(store, &guard));
  TEXT_HAS("guards");
  CHECK(guard.thread == 0 && guard.id == 0);
  GIVES(KV_OK, kv_unpin(guards[700]));
  GIVES(KV_OK, kv_pin(store, &guards[700]));
  for (i = 0; i < 1024; i++) {
    still_works(guards[i]);
    GIVES(KV_OK, kv_unpin(guards[i]));
  }
}

static void arrays_of_a_batch_may_touch(kv_store_t store) {
  kv_slice_t slices[4];
  kv_guard_t guard;
  size_t i;
  GIVES(KV_OK, kv_pin(store, &guard));
  for (i = 0; i < 4; i++) {
    slices[i].data = "k";
    slices[i].len = 1;
  }
  GIVES(KV_OK, kv_get_many_ref(guard, slices, 2, slices + 2));
  CHECK(*(const char *)slices[3].data == 'v');
  GIVES(KV_OK, kv_get_many_ref(guard, slices, 1, slices + 1));
  CHECK(*(const char *)slices[1].data == 'v');
  GIVES(KV_OK, kv_unpin(guard));
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  guard_of_a_thread_that_is_gone_is_refused(store);
  guards_that_are_never_unpinned_become_too_many(store);
  arrays_of_a_batch_may_touch(store);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  return 0;
}
