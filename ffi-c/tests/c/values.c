/* Values that a program keeps stay as they were, whatever becomes of the key, the store and the
   thread; a value is freed once. */
#include <pthread.h>
#include <sched.h>

#include "check.h"

#define MANY 100000

static kv_value_t kept(kv_store_t store, const void *key, size_t key_len) {
  kv_value_t value;
  GIVES(KV_OK, kv_get_value(store, key, key_len, &value));
  CHECK(value.id != 0);
  return value;
}

/* Checks what a value shows: SHOWS(value, key, key_len, data, data_len). */
#define SHOWS(...) shows(__LINE__, __VA_ARGS__)

static void shows(int line, kv_value_t value, const void *key, size_t key_len, const void *data,
                  size_t data_len) {
  kv_slice_t slice;
  kv_entry_t entry;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  GIVES(KV_OK, kv_value_slice(value, &slice));
  GIVES(KV_OK, kv_value_entry(value, &entry));
  if (slice.data == NULL || slice.len != data_len || memcmp(slice.data, data, data_len) != 0 ||
      entry.struct_size != sizeof entry || entry.version == 0 || entry.key.len != key_len ||
      entry.key.data == NULL || memcmp(entry.key.data, key, key_len) != 0 ||
      entry.value.data != slice.data || entry.value.len != slice.len) {
    fprintf(stderr, "line %d: \"%.*s\"\n", line, (int)slice.len, (const char *)slice.data);
    exit(1);
  }
}

static void is_no_value(kv_value_t value) {
  kv_slice_t slice;
  kv_entry_t entry;
  slice.len = 99;
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  INVALID("value", kv_value_slice(value, &slice));
  INVALID("value", kv_value_entry(value, &entry));
  if (value.id != 0) INVALID("value", kv_value_free(value));
  CHECK(slice.len == 99 && entry.value.data == NULL);
}

static void value_stays_while_its_key_and_store_go(void) {
  kv_store_t store;
  kv_value_t first, second, empty;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("first")));
  first = kept(store, LIT("k"));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("sec\0nd")));
  second = kept(store, LIT("k"));
  GIVES(KV_OK, kv_delete(store, LIT("k")));
  GIVES(KV_OK, kv_set(store, NULL, 0, NULL, 0));
  empty = kept(store, NULL, 0);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  SHOWS(first, "k", 1, "first", 5);
  SHOWS(second, "k", 1, "sec\0nd", 6);
  SHOWS(empty, "", 0, "", 0);
  GIVES(KV_OK, kv_value_free(second));
  SHOWS(first, "k", 1, "first", 5);
  GIVES(KV_OK, kv_value_free(first));
  GIVES(KV_OK, kv_value_free(empty));
}

static void absent_key_has_the_zero_handle(kv_store_t store) {
  kv_value_t value;
  value.id = 99;
  GIVES(KV_NOT_FOUND, kv_get_value(store, LIT("absent"), &value));
  CHECK(value.id == 0);
  is_no_value(value);
  GIVES(KV_OK, kv_value_free(value));
}

static void value_is_freed_once(kv_store_t store) {
  kv_value_t first, second;
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  first = kept(store, LIT("k"));
  GIVES(KV_OK, kv_value_free(first));
  is_no_value(first);
  second = kept(store, LIT("k"));
  CHECK((second.id & 0xffffff) == (first.id & 0xffffff)); /* the case that matters */
  is_no_value(first);
  SHOWS(second, "k", 1, "v", 1);
  GIVES(KV_OK, kv_value_free(second));
}

static void any_number_is_refused(kv_store_t store) {
  kv_value_t value = kept(store, LIT("k")), other;
  uint64_t bit;
  for (bit = 1; bit != 0; bit <<= 1) {
    other.id = value.id ^ bit;
    is_no_value(other);
    other.id = ~value.id ^ bit;
    is_no_value(other);
  }
  SHOWS(value, "k", 1, "v", 1);
  GIVES(KV_OK, kv_value_free(value));
}

static void arguments_are_refused_by_name(kv_store_t store) {
  kv_value_t value = kept(store, LIT("k")), other;
  kv_entry_t entry;
  INVALID("out_value", kv_get_value(store, LIT("k"), NULL));
  INVALID("key", kv_get_value(store, NULL, 1, &other));
  INVALID("key", kv_get_value(store, "k", SIZE_MAX, &other));
  INVALID("out_slice", kv_value_slice(value, NULL));
  INVALID("out_entry", kv_value_entry(value, NULL));
  INVALID("entry", kv_entry_init(NULL, sizeof entry));
  INVALID("struct_size", kv_entry_init(&entry, sizeof entry - 1));
  INVALID("struct_size", kv_entry_init(&entry, 5000));
  entry.struct_size = 0;
  INVALID("out_entry.struct_size", kv_value_entry(value, &entry));
  entry.struct_size = SIZE_MAX;
  INVALID("out_entry.struct_size", kv_value_entry(value, &entry));
  GIVES(KV_OK, kv_value_free(value));
}

/* A program that is newer than the library. */
static void larger_entry_is_filled_with_zeros(kv_store_t store) {
  struct {
    kv_entry_t entry;
    uint64_t more[2];
  } newer;
  kv_value_t value = kept(store, LIT("k"));
  memset(&newer, 0xa5, sizeof newer);
  GIVES(KV_OK, kv_entry_init(&newer.entry, sizeof newer));
  CHECK(newer.more[0] == 0 && newer.more[1] == 0);
  newer.more[1] = 99;
  GIVES(KV_OK, kv_value_entry(value, &newer.entry));
  CHECK(newer.entry.struct_size == sizeof newer && newer.entry.value.len == 1);
  CHECK(newer.more[0] == 0 && newer.more[1] == 0);
  GIVES(KV_OK, kv_value_free(value));
}

static void program_may_keep_many(kv_store_t store) {
  static kv_value_t values[MANY];
  size_t i;
  for (i = 0; i < MANY; i++) {
    GIVES(KV_OK, kv_set(store, LIT("k"), &i, sizeof i));
    values[i] = kept(store, LIT("k"));
  }
  for (i = 0; i < MANY; i += 2) GIVES(KV_OK, kv_value_free(values[i]));
  for (i = 0; i < MANY; i += 2) values[i] = kept(store, LIT("k"));
  for (i = 0; i < MANY; i++) {
    size_t last = i % 2 == 0 ? MANY - 1 : i;
    SHOWS(values[i], "k", 1, &last, sizeof last);
  }
  for (i = 0; i < MANY; i++) GIVES(KV_OK, kv_value_free(values[i]));
  for (i = 0; i < MANY; i++) is_no_value(values[i]);
}

static void *keep_and_free(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  kv_value_t values[10];
  int round, i;
  for (round = 0; round < 2000; round++) {
    for (i = 0; i < 10; i++) values[i] = kept(store, LIT("k"));
    for (i = 0; i < 10; i++) {
      SHOWS(values[i], "k", 1, "v", 1);
      GIVES(KV_OK, kv_value_free(values[i]));
    }
  }
  return NULL;
}

static void threads_never_share_a_value(kv_store_t store) {
  pthread_t threads[4];
  int i;
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  for (i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, keep_and_free, &store) == 0);
  for (i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

typedef struct race_t {
  uint64_t id; /* of the value of the round */
  int won[2];
} race_t;

static int frees(uint64_t id) {
  kv_value_t value;
  kv_status_t status;
  value.id = id;
  status = kv_value_free(value);
  CHECK(status == KV_OK || status == KV_ERR_INVALID_ARGUMENT);
  return status == KV_OK;
}

/* Frees each value that it is shown. */
static void *free_too(void *argument) {
  race_t *race = (race_t *)argument;
  uint64_t id, last = 0;
  while ((id = __atomic_load_n(&race->id, __ATOMIC_ACQUIRE)) != UINT64_MAX) {
    if (id == last)
      sched_yield();
    else
      race->won[1] += frees(id);
    last = id;
  }
  return NULL;
}

static void one_of_two_frees_wins(kv_store_t store) {
  int rounds = 5000, i;
  pthread_t thread;
  race_t race;
  memset(&race, 0, sizeof race);
  CHECK(pthread_create(&thread, NULL, free_too, &race) == 0);
  for (i = 0; i < rounds; i++) {
    uint64_t id = kept(store, LIT("k")).id;
    __atomic_store_n(&race.id, id, __ATOMIC_RELEASE);
    race.won[0] += frees(id);
  }
  __atomic_store_n(&race.id, UINT64_MAX, __ATOMIC_RELEASE);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(race.won[0] + race.won[1] == rounds);
}

static int32_t overwrite_close_and_look(void *user_data, const kv_entry_t *entry) {
  kv_store_t store = *(kv_store_t *)user_data;
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("new")));
  HOLDS(store, LIT("k"), "new", 3);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  CHECK(entry->struct_size >= sizeof *entry && entry->version > 0);
  CHECK(entry->key.len == 1 && memcmp(entry->key.data, "k", 1) == 0);
  CHECK(entry->value.len == 3 && memcmp(entry->value.data, "old", 3) == 0);
  return 0;
}

static int32_t minus_one(void *user_data, const kv_entry_t *entry) {
  CHECK(user_data == NULL && entry->value.len == 3);
  return -1;
}

static void callback_reads_without_a_copy_and_may_do_anything(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("old")));
  GIVES(KV_NOT_FOUND, kv_read(store, LIT("absent"), never, NULL));
  GIVES(KV_STOPPED, kv_read(store, LIT("k"), minus_one, NULL));
  INVALID("callback", kv_read(store, LIT("k"), NULL, NULL));
  INVALID("key", kv_read(store, NULL, 1, never, NULL));
  GIVES(KV_OK, kv_read(store, LIT("k"), overwrite_close_and_look, &store));
  GIVES(KV_ERR_CLOSED, kv_read(store, LIT("k"), never, NULL));
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  value_stays_while_its_key_and_store_go();
  absent_key_has_the_zero_handle(store);
  value_is_freed_once(store);
  any_number_is_refused(store);
  arguments_are_refused_by_name(store);
  larger_entry_is_filled_with_zeros(store);
  program_may_keep_many(store);
  threads_never_share_a_value(store);
  one_of_two_frees_wins(store);
  callback_reads_without_a_copy_and_may_do_anything();
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  return 0;
}
