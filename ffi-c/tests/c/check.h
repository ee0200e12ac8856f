/* Checks that stay when NDEBUG is set, and words for the calls that the tests make most. */
#ifndef CHECK_H
#define CHECK_H

#include <kv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__,          \
              #condition, kv_last_error_message());                                 \
      exit(1);                                                                      \
    }                                                                               \
  } while (0)

/* Checks that a call gives a status. */
#define GIVES(expected, call)                                                       \
  do {                                                                              \
    kv_status_t given_ = (call);                                                    \
    if (given_ != (expected)) {                                                     \
      fprintf(stderr, "%s:%d: %s gives %d (%s), not %s\n  last error: %s\n",        \
              __FILE__, __LINE__, #call, (int)given_, kv_strerror(given_),          \
              #expected, kv_last_error_message());                                  \
      exit(1);                                                                      \
    }                                                                               \
  } while (0)

/* A key or value that is written as a literal; it may hold NUL bytes. */
#define LIT(literal) (literal), (sizeof(literal) - 1)

/* Checks the value of a key: HOLDS(store, key, key_len, value, value_len). */
#define HOLDS(...) holds(__FILE__, __LINE__, __VA_ARGS__)

static inline void holds(const char *file, int line, kv_store_t store, const void *key,
                         size_t key_len, const void *value, size_t value_len) {
  void *data = NULL;
  size_t len = 0;
  kv_status_t status = kv_get_dup(store, key, key_len, &data, &len);
  if (status != KV_OK || len != value_len || memcmp(data, value, len) != 0) {
    fprintf(stderr, "%s:%d: status %d, value \"%.*s\"\n  last error: %s\n", file, line,
            (int)status, (int)len, (const char *)data, kv_last_error_message());
    exit(1);
  }
  kv_free(data);
}

/* Checks that the last error text has a part. */
#define TEXT_HAS(part) CHECK(strstr(kv_last_error_message(), part) != NULL)

/* Checks that a call refuses an argument by its name. */
#define INVALID(part, call)               \
  do {                                    \
    GIVES(KV_ERR_INVALID_ARGUMENT, call); \
    TEXT_HAS("`" part "`");               \
  } while (0)

/* A visitor for scans that must visit nothing. */
static inline int32_t never(void *user_data, const kv_entry_t *entry) {
  (void)user_data;
  (void)entry;
  CHECK(0 && "called");
  return 0;
}

static inline uint64_t counted(kv_store_t store) {
  uint64_t count = 99;
  GIVES(KV_OK, kv_count(store, &count));
  return count;
}

static inline kv_stats_t figures(kv_store_t store) {
  kv_stats_t stats;
  memset(&stats, 0xff, sizeof stats);
  GIVES(KV_OK, kv_stats(store, &stats, sizeof stats));
  return stats;
}

#endif
