/* kv_scan visits what it promises, stops when told, and lets the callback use the store. */
#include "check.h"

typedef struct walk_t {
  kv_store_t store;
  int seen[100];
  int calls;
  int stop_after;
} walk_t;

static int32_t note(void *user_data, const kv_entry_t *entry) {
  walk_t *walk = (walk_t *)user_data;
  char text[16] = "";
  int number;
  CHECK(entry->struct_size >= sizeof(kv_entry_t) && entry->version > 0);
  CHECK(entry->key.len == 6 && entry->value.len < sizeof text);
  memcpy(text, entry->value.data, entry->value.len);
  number = atoi(text);
  snprintf(text, sizeof text, "key/%02d", number);
  CHECK(memcmp(entry->key.data, text, 6) == 0);
  walk->seen[number]++;
  walk->calls++;
  return walk->calls == walk->stop_after ? -3 : 0;
}

static void every_key_is_visited_once(kv_store_t store) {
  walk_t walk;
  int i;
  memset(&walk, 0, sizeof walk);
  GIVES(KV_OK, kv_scan(store, LIT("key/"), note, &walk));
  CHECK(walk.calls == 100);
  for (i = 0; i < 100; i++) CHECK(walk.seen[i] == 1);
}

static void prefix_selects(kv_store_t store) {
  walk_t walk;
  int i;
  memset(&walk, 0, sizeof walk);
  GIVES(KV_OK, kv_scan(store, LIT("key/4"), note, &walk));
  CHECK(walk.calls == 10);
  for (i = 40; i < 50; i++) CHECK(walk.seen[i] == 1);
  GIVES(KV_OK, kv_scan(store, LIT("nothing"), note, &walk));
  CHECK(walk.calls == 10);
}

static void any_other_number_than_0_stops(kv_store_t store) {
  walk_t walk;
  memset(&walk, 0, sizeof walk);
  walk.stop_after = 7;
  GIVES(KV_STOPPED, kv_scan(store, LIT("key/"), note, &walk));
  CHECK(walk.calls == 7);
}

static int32_t empty_pair(void *user_data, const kv_entry_t *entry) {
  CHECK(user_data == NULL);
  CHECK(entry->key.data != NULL && entry->key.len == 0);
  CHECK(entry->value.data != NULL && entry->value.len == 0);
  return 1;
}

static void empty_key_and_value_are_not_null(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_scan(store, NULL, 0, empty_pair, NULL));
  GIVES(KV_OK, kv_set(store, NULL, 0, NULL, 0));
  GIVES(KV_STOPPED, kv_scan(store, NULL, 0, empty_pair, NULL));
  GIVES(KV_OK, kv_close(store));
}

static int32_t move(void *user_data, const kv_entry_t *entry) {
  walk_t *walk = (walk_t *)user_data;
  char key[16] = "moved/";
  memcpy(key + 6, entry->key.data, entry->key.len);
  GIVES(KV_OK, kv_set(walk->store, key, 6 + entry->key.len, entry->value.data, entry->value.len));
  GIVES(KV_OK, kv_delete(walk->store, entry->key.data, entry->key.len));
  return 0;
}

static void callback_may_write_to_the_store(kv_store_t store) {
  walk_t walk;
  uint64_t count = 0;
  memset(&walk, 0, sizeof walk);
  walk.store = store;
  GIVES(KV_OK, kv_scan(store, LIT("key/"), move, &walk));
  GIVES(KV_OK, kv_count(store, &count));
  CHECK(count == 100);
  HOLDS(store, LIT("moved/key/07"), "7", 1);
}

static int32_t close_store(void *user_data, const kv_entry_t *entry) {
  walk_t *walk = (walk_t *)user_data;
  kv_store_t other;
  GIVES(walk->calls == 0 ? KV_OK : KV_ERR_CLOSED, kv_close(walk->store));
  GIVES(KV_ERR_CLOSED, kv_set(walk->store, entry->key.data, entry->key.len, NULL, 0));
  GIVES(KV_OK, kv_open(NULL, &other));
  GIVES(KV_OK, kv_close(other));
  walk->calls++;
  return 0;
}

static void store_closed_by_the_callback_lasts_until_the_end(kv_store_t store) {
  walk_t walk;
  memset(&walk, 0, sizeof walk);
  walk.store = store;
  GIVES(KV_OK, kv_scan(store, NULL, 0, close_store, &walk));
  CHECK(walk.calls == 100);
  GIVES(KV_ERR_CLOSED, kv_scan(store, NULL, 0, close_store, &walk));
}

int main(void) {
  kv_store_t store;
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  for (i = 0; i < 100; i++) {
    char key[16], value[16];
    int key_len = snprintf(key, sizeof key, "key/%02d", i);
    int value_len = snprintf(value, sizeof value, "%d", i);
    GIVES(KV_OK, kv_set(store, key, (size_t)key_len, value, (size_t)value_len));
  }
  every_key_is_visited_once(store);
  prefix_selects(store);
  any_other_number_than_0_stops(store);
  empty_key_and_value_are_not_null();
  callback_may_write_to_the_store(store);
  store_closed_by_the_callback_lasts_until_the_end(store);
  GIVES(KV_OK, kv_flush());
  return 0;
}
