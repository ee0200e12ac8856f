/* Counts words in a store and prints them. */
#include <inttypes.h>
#include <kv.h>
#include <stdio.h>
#include <string.h>

static int32_t print(void *user_data, const kv_entry_t *entry) {
  (void)user_data;
  printf("%.*s %.*s\n", (int)entry->key.len, (const char *)entry->key.data,
         (int)entry->value.len, (const char *)entry->value.data);
  return 0; /* go on */
}

int main(void) {
  const char *words[] = {"one", "two", "two"};
  kv_store_t store;
  int64_t count = 0;
  if (kv_open(NULL, &store) < 0) {
    fprintf(stderr, "%s\n", kv_last_error_message());
    return 1;
  }
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (kv_incr(store, words[i], strlen(words[i]), 1, &count) < 0) return 1;
  printf("last count: %" PRId64 "\n", count);
  kv_scan(store, NULL, 0, print, NULL);
  return kv_close(store) < 0;
}
