/* Keys and values are any bytes; buffers of the program are never overrun. */
#include "check.h"

static void keys_and_values_may_hold_any_byte(kv_store_t store) {
  unsigned char all[256];
  size_t i;
  for (i = 0; i < sizeof all; i++) all[i] = (unsigned char)i;
  GIVES(KV_OK, kv_set(store, LIT("a\0b"), all, sizeof all));
  GIVES(KV_OK, kv_set(store, LIT("a\0c"), LIT("other")));
  GIVES(KV_OK, kv_set(store, LIT("a"), LIT("short")));
  GIVES(KV_OK, kv_set(store, all, sizeof all, LIT("\xff\0\xff")));
  HOLDS(store, LIT("a\0b"), all, sizeof all);
  HOLDS(store, LIT("a\0c"), "other", 5);
  HOLDS(store, LIT("a"), "short", 5);
  HOLDS(store, all, sizeof all, "\xff\0\xff", 3);
}

static void empty_is_an_ordinary_key_and_value(kv_store_t store) {
  char buffer[4] = "abc";
  size_t len = 99;
  void *data = NULL;
  GIVES(KV_NOT_FOUND, kv_get(store, NULL, 0, buffer, sizeof buffer, &len));
  GIVES(KV_NOT_FOUND, kv_get_dup(store, "", 0, &data, &len));
  CHECK(data == NULL && len == 0);
  GIVES(KV_OK, kv_set(store, NULL, 0, NULL, 0));
  len = 99;
  GIVES(KV_OK, kv_get(store, "", 0, NULL, 0, &len));
  CHECK(len == 0);
  len = 99;
  GIVES(KV_OK, kv_get(store, "", 0, buffer, sizeof buffer, &len));
  CHECK(len == 0 && strcmp(buffer, "abc") == 0);
  GIVES(KV_OK, kv_get_dup(store, NULL, 0, &data, &len));
  CHECK(data != NULL && len == 0);
  kv_free(data);
  GIVES(KV_OK, kv_delete(store, "", 0));
  GIVES(KV_NOT_FOUND, kv_delete(store, NULL, 0));
}

static void short_buffer_stays_untouched_and_learns_the_size(kv_store_t store) {
  const char value[10] = "0123456789";
  size_t size;
  GIVES(KV_OK, kv_set(store, LIT("ten"), value, sizeof value));
  for (size = 0; size <= 16; size++) {
    char buffer[17];
    size_t len = 99;
    size_t i;
    memset(buffer, '#', sizeof buffer);
    GIVES(size < 10 ? KV_BUFFER_TOO_SMALL : KV_OK,
          kv_get(store, LIT("ten"), buffer, size, &len));
    CHECK(len == 10);
    if (size >= 10) CHECK(memcmp(buffer, value, 10) == 0);
    for (i = size < 10 ? 0 : 10; i < sizeof buffer; i++) CHECK(buffer[i] == '#');
  }
}

static void long_keys_and_values_come_back_whole(kv_store_t store) {
  static char key[65536];
  static char value[1 << 20];
  size_t len = 0;
  size_t i;
  for (i = 0; i < sizeof value; i++) value[i] = (char)(i * 7 % 251);
  memset(key, 'k', sizeof key);
  GIVES(KV_OK, kv_set(store, key, 65535, value, sizeof value));
  HOLDS(store, key, 65535, value, sizeof value);
  GIVES(KV_ERR_TOO_LARGE, kv_set(store, key, 65536, value, 1));
  TEXT_HAS("key");
  CHECK(kv_get(store, key, 65536, NULL, 0, &len) != KV_OK);
}

int main(void) {
  kv_store_t store;
  GIVES(KV_OK, kv_open(NULL, &store));
  keys_and_values_may_hold_any_byte(store);
  empty_is_an_ordinary_key_and_value(store);
  short_buffer_stays_untouched_and_learns_the_size(store);
  long_keys_and_values_come_back_whole(store);
  GIVES(KV_OK, kv_close(store));
  GIVES(KV_OK, kv_flush());
  kv_free(NULL);
  return 0;
}
