/* Whatever is passed for a guard, or for the keys of a batch, is a status and never a crash. */
#include <pthread.h>

#include "check.h"

static kv_slice_t slice(const void *data, size_t len) {
  kv_slice_t made;
  made.data = data;
  made.len = len;
  return made;
}

/* Checks that every call refuses a guard for the same reason. */
static void every_call_refuses(kv_status_t status, const char *text, kv_guard_t guard) {
  kv_slice_t key = slice("k", 1);
  kv_slice_t value = slice("untouched", 9);
  kv_slice_t values[1];
  values[0] = value;
  GIVES(status, kv_get_ref(guard, LIT("k"), &value));
  TEXT_HAS(text);
  CHECK(value.data == NULL && value.len == 0);
  GIVES(status, kv_get_many_ref(guard, &key, 1, values));
  TEXT_HAS(text);
  CHECK(values[0].len == 9);
  GIVES(status, kv_repin(guard));
  TEXT_HAS(text);
  GIVES(status, kv_unpin(guard));
  TEXT_HAS(text);
}

static void is_no_guard(kv_guard_t guard) {
  every_call_refuses(KV_ERR_INVALID_ARGUMENT, "`guard`", guard);
}

static void is_a_strange_guard(kv_guard_t guard) {
  every_call_refuses(KV_ERR_WRONG_THREAD, "thread", guard);
}

static void still_works(kv_guard_t guard) {
  kv_slice_t value;
  GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  CHECK(value.len == 1);
}

static void guard_that_was_never_pinned_is_refused(kv_store_t store) {
  kv_guard_t zero, noise, guard, changed;
  uint64_t bit;
  memset(&zero, 0, sizeof zero);
  memset(&noise, 0xa5, sizeof noise);
  is_no_guard(zero); /* also on a thread that has not pinned yet */
  is_a_strange_guard(noise);
  GIVES(KV_OK, kv_pin(store, &guard));
  is_no_guard(zero);
  is_a_strange_guard(noise);
  for (bit = 1; bit != 0; bit <<= 1) {
    changed = guard;
    changed.id ^= bit;
    is_no_guard(changed);
    changed.id = ~guard.id ^ bit;
    is_no_guard(changed);
    changed = guard;
    changed.thread ^= bit;
    if (changed.thread == 0)
      is_no_guard(changed);
    else
      is_a_strange_guard(changed);
  }
  still_works(guard);
  GIVES(KV_OK, kv_unpin(guard));
}

static void guard_ends_once(kv_store_t store) {
  kv_guard_t first, copy, second;
  GIVES(KV_OK, kv_pin(store, &first));
  copy = first;
  still_works(copy);
  GIVES(KV_OK, kv_unpin(first));
  is_no_guard(copy);
  is_no_guard(first);
  GIVES(KV_OK, kv_pin(store, &second));
  CHECK((second.id & 0x3ff) == (first.id & 0x3ff)); /* the case that matters */
  is_no_guard(first);
  still_works(second);
  GIVES(KV_OK, kv_unpin(second));
}

static void *use_strange_guard(void *argument) {
  kv_guard_t guard = *(kv_guard_t *)argument;
  is_a_strange_guard(guard); /* this thread has not pinned yet */
  return NULL;
}

static void *pin_and_use_strange_guard(void *argument) {
  kv_guard_t *guards = (kv_guard_t *)argument;
  kv_store_t store;
  kv_guard_t own;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_pin(store, &own));
  CHECK(own.thread != guards[0].thread);
  is_a_strange_guard(guards[0]);
  still_works(own);
  GIVES(KV_OK, kv_unpin(own));
  GIVES(KV_OK, kv_close(store));
  guards[1] = own;
  return NULL;
}

static void guard_belongs_to_its_thread(kv_store_t store) {
  kv_guard_t guards[2];
  pthread_t thread;
  GIVES(KV_OK, kv_pin(store, &guards[0]));
  CHECK(pthread_create(&thread, NULL, use_strange_guard, guards) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(pthread_create(&thread, NULL, pin_and_use_strange_guard, guards) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  is_a_strange_guard(guards[1]); /* its thread is gone */
  still_works(guards[0]);
  GIVES(KV_OK, kv_unpin(guards[0]));
}

static void pin_needs_a_store_and_a_place(kv_store_t store) {
  kv_store_t closed;
  kv_guard_t guard;
  INVALID("out_guard", kv_pin(store, NULL));
  GIVES(KV_OK, kv_open(NULL, &closed));
  GIVES(KV_OK, kv_close(closed));
  memset(&guard, 0xa5, sizeof guard);
  GIVES(KV_ERR_CLOSED, kv_pin(closed, &guard));
  CHECK(guard.thread == 0 && guard.id == 0);
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

static void wrong_arguments_are_refused_by_name(kv_store_t store) {
  size_t lengths[2] = {SIZE_MAX, (size_t)PTRDIFF_MAX + 1};
  kv_slice_t keys[3], values[3], value;
  kv_slice_t *copies = keys;
  kv_guard_t guard;
  size_t i;
  for (i = 0; i < 3; i++) keys[i] = slice("k", 1);
  GIVES(KV_OK, kv_pin(store, &guard));
  INVALID("key", kv_get_ref(guard, NULL, 1, &value));
  INVALID("out_value", kv_get_ref(guard, LIT("k"), NULL));
  INVALID("keys", kv_get_many(store, NULL, 1, &copies));
  CHECK(copies == NULL);
  INVALID("out_values", kv_get_many(store, keys, 3, NULL));
  INVALID("keys", kv_get_many_ref(guard, NULL, 1, values));
  INVALID("out_values", kv_get_many_ref(guard, keys, 3, NULL));
  INVALID("out_values", kv_get_many_ref(guard, keys, 3, keys));
  INVALID("out_values", kv_get_many_ref(guard, keys, 2, keys + 1));
  INVALID("out_values", kv_get_many_ref(guard, keys + 1, 2, keys));
  GIVES(KV_OK, kv_get_many_ref(guard, keys, 1, keys + 1));
  keys[1] = slice("k", 1);
  for (i = 0; i < 2; i++) {
    INVALID("key", kv_get_ref(guard, "k", lengths[i], &value));
    INVALID("count", kv_get_many(store, keys, lengths[i], &copies));
    INVALID("count", kv_get_many_ref(guard, keys, lengths[i] / 16, values));
    keys[2] = slice("k", lengths[i]);
    INVALID("keys", kv_get_many(store, keys, 3, &copies));
    INVALID("keys", kv_get_many_ref(guard, keys, 3, values));
  }
  keys[2] = slice(NULL, 1);
  INVALID("keys", kv_get_many(store, keys, 3, &copies));
  INVALID("keys", kv_get_many_ref(guard, keys, 3, values));
  still_works(guard);
  GIVES(KV_OK, kv_unpin(guard));
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  guard_that_was_never_pinned_is_refused(store);
  guard_ends_once(store);
  guard_belongs_to_its_thread(store);
  pin_needs_a_store_and_a_place(store);
  guards_that_are_never_unpinned_become_too_many(store);
  wrong_arguments_are_refused_by_name(store);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  return 0;
}
