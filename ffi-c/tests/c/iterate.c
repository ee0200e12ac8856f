/* An iterator shows every entry once, keeps its store's memory, and serves one thread at a time. */
#include <pthread.h>

#include "check.h"

#define KEYS 500

static kv_iter_t opened(kv_store_t store, const void *prefix, size_t prefix_len) {
  kv_iter_t iter;
  GIVES(KV_OK, kv_iter_open(store, prefix, prefix_len, &iter));
  CHECK(iter.id != 0);
  return iter;
}

static kv_entry_t fresh_entry(void) {
  kv_entry_t entry;
  memset(&entry, 0xa5, sizeof entry);
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  return entry;
}

static void is_no_iterator(kv_iter_t iter) {
  kv_entry_t entry = fresh_entry();
  INVALID("iter", kv_iter_next(iter, &entry));
  if (iter.id != 0) INVALID("iter", kv_iter_close(iter));
  CHECK(entry.key.data == NULL);
}

/* The number in "key/123" -> "123". */
static int number_of(const kv_entry_t *entry) {
  char text[16] = "";
  CHECK(entry->struct_size == sizeof *entry && entry->version > 0);
  CHECK(entry->value.len < sizeof text && entry->key.len == 4 + entry->value.len);
  memcpy(text, entry->value.data, entry->value.len);
  CHECK(memcmp(entry->key.data, "key/", 4) == 0);
  CHECK(memcmp((const char *)entry->key.data + 4, text, entry->value.len) == 0);
  return atoi(text);
}

static void fill(kv_store_t store) {
  int i;
  for (i = 0; i < KEYS; i++) {
    char key[16];
    int len = snprintf(key, sizeof key, "key/%d", i);
    GIVES(KV_OK, kv_set(store, key, (size_t)len, key + 4, (size_t)len - 4));
  }
}

static void every_entry_comes_once_and_then_the_end(kv_store_t store) {
  kv_iter_t iter = opened(store, LIT("key/"));
  kv_entry_t entry = fresh_entry();
  int seen[KEYS], i;
  memset(seen, 0, sizeof seen);
  for (i = 0; i < KEYS; i++) {
    GIVES(KV_OK, kv_iter_next(iter, &entry));
    seen[number_of(&entry)]++;
  }
  for (i = 0; i < KEYS; i++) CHECK(seen[i] == 1);
  for (i = 0; i < 2; i++) {
    GIVES(KV_END, kv_iter_next(iter, &entry));
    CHECK(entry.struct_size == sizeof entry && entry.version == 0);
    CHECK(entry.key.data == NULL && entry.key.len == 0);
    CHECK(entry.value.data == NULL && entry.value.len == 0);
  }
  GIVES(KV_OK, kv_iter_close(iter));
  is_no_iterator(iter);
}

static void prefix_selects(kv_store_t store) {
  kv_iter_t iter = opened(store, LIT("key/4"));
  kv_entry_t entry = fresh_entry();
  int count = 0;
  for (; kv_iter_next(iter, &entry) == KV_OK; count++) {
    int number = number_of(&entry);
    CHECK(number == 4 || number / 10 == 4 || number / 100 == 4);
  }
  CHECK(count == 111);
  GIVES(KV_OK, kv_iter_close(iter));
  iter = opened(store, LIT("nothing"));
  GIVES(KV_END, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
}

static void entry_stays_until_the_next_call(kv_store_t store) {
  kv_iter_t iter = opened(store, NULL, 0);
  kv_entry_t entry = fresh_entry();
  int i;
  for (i = 0; i < KEYS; i++) {
    GIVES(KV_OK, kv_iter_next(iter, &entry));
    GIVES(KV_OK, kv_delete(store, entry.key.data, entry.key.len));
    GIVES(KV_OK, kv_flush());
    number_of(&entry);
  }
  GIVES(KV_END, kv_iter_next(iter, &entry));
  CHECK(counted(store) == 0);
  GIVES(KV_OK, kv_iter_close(iter));
}

static void closed_store_ends_the_iterator_and_not_its_memory(void) {
  kv_store_t store;
  kv_iter_t iter, unused;
  kv_entry_t entry = fresh_entry();
  GIVES(KV_OK, kv_open(NULL, &store));
  fill(store);
  iter = opened(store, NULL, 0);
  unused = opened(store, NULL, 0);
  GIVES(KV_OK, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  number_of(&entry);
  GIVES(KV_ERR_CLOSED, kv_iter_next(iter, &entry));
  number_of(&entry); /* that call did nothing */
  GIVES(KV_ERR_CLOSED, kv_iter_next(unused, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
  GIVES(KV_OK, kv_iter_close(unused));
  is_no_iterator(iter);
  unused.id = 99;
  GIVES(KV_ERR_CLOSED, kv_iter_open(store, NULL, 0, &unused));
  CHECK(unused.id == 0);
}

static void any_number_is_refused(kv_store_t store) {
  kv_iter_t iter = opened(store, NULL, 0), other, second;
  kv_entry_t entry = fresh_entry();
  uint64_t bit;
  other.id = 0;
  is_no_iterator(other);
  GIVES(KV_OK, kv_iter_close(other));
  for (bit = 1; bit != 0; bit <<= 1) {
    other.id = iter.id ^ bit;
    is_no_iterator(other);
    other.id = ~iter.id ^ bit;
    is_no_iterator(other);
  }
  GIVES(KV_OK, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
  second = opened(store, NULL, 0);
  CHECK((second.id & 0xffffff) == (iter.id & 0xffffff)); /* the case that matters */
  is_no_iterator(iter);
  GIVES(KV_OK, kv_iter_next(second, &entry));
  GIVES(KV_OK, kv_iter_close(second));
}

static void arguments_are_refused_by_name(kv_store_t store) {
  kv_iter_t iter = opened(store, NULL, 0), other;
  kv_entry_t entry = fresh_entry();
  INVALID("out_iter", kv_iter_open(store, NULL, 0, NULL));
  INVALID("prefix", kv_iter_open(store, NULL, 1, &other));
  CHECK(other.id == 0);
  INVALID("prefix", kv_iter_open(store, "k", SIZE_MAX, &other));
  INVALID("out_entry", kv_iter_next(iter, NULL));
  entry.struct_size = 8;
  INVALID("out_entry.struct_size", kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
}

typedef struct shared_t {
  kv_iter_t iter;
  int taken;
  int closes;
} shared_t;

/* Takes entries until the end. While another thread is inside it is told so, and never waits. What
   it has taken may be gone when it looks, so it counts only. */
static void *take_entries(void *argument) {
  shared_t *shared = (shared_t *)argument;
  kv_entry_t entry = fresh_entry();
  kv_status_t status;
  do {
    status = kv_iter_next(shared->iter, &entry);
    CHECK(status == KV_OK || status == KV_END || status == KV_ERR_BUSY);
    if (status == KV_OK) __atomic_fetch_add(&shared->taken, 1, __ATOMIC_RELAXED);
    if (status == KV_ERR_BUSY) TEXT_HAS("`iter`");
  } while (status != KV_END);
  return NULL;
}

static void threads_that_share_an_iterator_get_each_entry_once(kv_store_t store) {
  pthread_t threads[4];
  int round, i;
  for (round = 0; round < 20; round++) {
    shared_t shared;
    memset(&shared, 0, sizeof shared);
    shared.iter = opened(store, NULL, 0);
    for (i = 0; i < 4; i++)
      CHECK(pthread_create(&threads[i], NULL, take_entries, &shared) == 0);
    for (i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(shared.taken == KEYS);
    GIVES(KV_OK, kv_iter_close(shared.iter));
  }
}

/* Goes on until somebody has closed the iterator, and closes it too. */
static void *go_on_and_close(void *argument) {
  shared_t *shared = (shared_t *)argument;
  kv_entry_t entry = fresh_entry();
  kv_status_t status;
  int i;
  for (i = 0; i < 50; i++) {
    status = kv_iter_next(shared->iter, &entry);
    CHECK(status == KV_OK || status == KV_ERR_BUSY || status == KV_ERR_INVALID_ARGUMENT);
  }
  do {
    status = kv_iter_close(shared->iter);
    CHECK(status == KV_OK || status == KV_ERR_BUSY || status == KV_ERR_INVALID_ARGUMENT);
  } while (status == KV_ERR_BUSY);
  if (status == KV_OK) __atomic_fetch_add(&shared->closes, 1, __ATOMIC_RELAXED);
  is_no_iterator(shared->iter);
  return NULL;
}

static void exactly_one_of_several_closes_wins(kv_store_t store) {
  pthread_t threads[4];
  int round, i;
  for (round = 0; round < 50; round++) {
    shared_t shared;
    memset(&shared, 0, sizeof shared);
    shared.iter = opened(store, NULL, 0);
    for (i = 0; i < 4; i++)
      CHECK(pthread_create(&threads[i], NULL, go_on_and_close, &shared) == 0);
    for (i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(shared.closes == 1);
  }
}

static void keys_are_sorted_and_stay_when_the_store_is_closed(void) {
  kv_store_t store;
  kv_slice_t *keys = NULL, *none = NULL;
  size_t count = 99, i;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_keys(store, NULL, 0, &none, &count));
  CHECK(none != NULL && count == 0);
  kv_free(none);
  fill(store);
  GIVES(KV_OK, kv_set(store, NULL, 0, LIT("v")));
  GIVES(KV_OK, kv_set(store, LIT("key/\xff\0"), LIT("v")));
  GIVES(KV_OK, kv_keys(store, LIT("key/"), &keys, &count));
  CHECK(count == KEYS + 1);
  kv_free(keys);
  GIVES(KV_OK, kv_keys(store, NULL, 0, &keys, &count));
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  CHECK(count == KEYS + 2 && keys[0].len == 0 && keys[0].data != NULL);
  CHECK(keys[count - 1].len == 6 && memcmp(keys[count - 1].data, "key/\xff", 6) == 0);
  for (i = 1; i < count; i++) {
    size_t shorter = keys[i - 1].len < keys[i].len ? keys[i - 1].len : keys[i].len;
    int order = memcmp(keys[i - 1].data, keys[i].data, shorter);
    CHECK(order < 0 || (order == 0 && keys[i - 1].len < keys[i].len));
  }
  kv_free(keys);
  GIVES(KV_ERR_CLOSED, kv_keys(store, NULL, 0, &keys, &count));
  CHECK(keys == NULL && count == 0);
  INVALID("out_keys", kv_keys(store, NULL, 0, NULL, &count));
  INVALID("out_count", kv_keys(store, NULL, 0, &keys, NULL));
}

static void clear_removes_all_and_counts(kv_store_t store) {
  uint64_t removed = 99;
  CHECK(counted(store) == KEYS);
  GIVES(KV_OK, kv_clear(store, &removed));
  CHECK(removed == KEYS && counted(store) == 0);
  GIVES(KV_OK, kv_clear(store, &removed));
  CHECK(removed == 0);
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_clear(store, NULL));
  CHECK(counted(store) == 0);
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  fill(store);
  every_entry_comes_once_and_then_the_end(store);
  prefix_selects(store);
  any_number_is_refused(store);
  arguments_are_refused_by_name(store);
  threads_that_share_an_iterator_get_each_entry_once(store);
  exactly_one_of_several_closes_wins(store);
  entry_stays_until_the_next_call(store);
  fill(store);
  clear_removes_all_and_counts(store);
  keys_are_sorted_and_stay_when_the_store_is_closed();
  closed_store_ends_the_iterator_and_not_its_memory();
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  return 0;
}
