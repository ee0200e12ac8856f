/* What the program of the misuse table needs beside the calls, which tests/it/misuse makes. */
#ifndef MISUSE_TABLE_H
#define MISUSE_TABLE_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#include "check.h"

/* More than the largest structure that a program may have. */
#define ROOM 4352
/* What places for results hold before a call. */
#define MARK 0xa5

/* What a call must give. */
typedef enum gives_t { REFUSED, REFUSED_RESULT, ACCEPTED, SOMETHING } gives_t;

typedef struct expected_t {
  gives_t gives;
  kv_status_t status;
  const char *text;
} expected_t;

/* The call that is being made. */
static struct {
  const char *function;
  const char *what;
  unsigned calls;
} now;

static inline void fails(const char *how, kv_status_t status) {
  fprintf(stderr, "%s: %s: %s; status %d (%s)\n  last error: %s\n", now.function, now.what, how,
          (int)status, kv_strerror(status), kv_last_error_message());
  exit(1);
}

/* A crash says in which call. */
static inline void crashed(int signal_number) {
  fprintf(stderr, "%s: %s: crashes\n", now.function, now.what);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

static inline expected_t expects(gives_t gives, kv_status_t status, const char *text) {
  expected_t made;
  made.gives = gives;
  made.status = status;
  made.text = text;
  return made;
}

/* The call must give a status, and an error text with a part. */
static inline expected_t refused(kv_status_t status, const char *text) {
  return expects(REFUSED, status, text);
}

/* The same, for the sake of one result: others may be cleared before or not. */
static inline expected_t refused_result(kv_status_t status, const char *text) {
  return expects(REFUSED_RESULT, status, text);
}

static inline expected_t accepted(void) { return expects(ACCEPTED, KV_OK, ""); }

static inline expected_t something(void) { return expects(SOMETHING, KV_OK, ""); }

static inline void begins(const char *function, const char *what) {
  now.function = function;
  now.what = what;
  now.calls++;
}

static inline void judge(kv_status_t status, expected_t expected) {
  if (status == KV_ERR_PANIC) fails("panics", status);
  if (expected.gives == ACCEPTED && status < 0) fails("is refused", status);
  if (expected.gives != REFUSED && expected.gives != REFUSED_RESULT) return;
  if (status != expected.status) fails(kv_strerror(expected.status), status);
  if (strstr(kv_last_error_message(), expected.text) == NULL) fails(expected.text, status);
}

static inline void mark(void *place, size_t size) { memset(place, MARK, size); }

static inline int all(const void *place, size_t size, unsigned char byte) {
  const unsigned char *bytes = (const unsigned char *)place;
  size_t i;
  for (i = 0; i < size; i++)
    if (bytes[i] != byte) return 0;
  return 1;
}

static inline void is_untouched(const void *place, size_t size) {
  if (!all(place, size, MARK)) fails("writes a result", 0);
}

static inline void is_cleared(const void *place, size_t size, expected_t expected) {
  int either = expected.gives == REFUSED_RESULT && all(place, size, MARK);
  if (!either && !all(place, size, 0)) fails("leaves a result as it was, or writes one", 0);
}

/* A structure of `known` bytes was written for a program whose structure has `size`. */
static inline void has_grown(const unsigned char *bytes, size_t known, size_t size) {
  if (size > known && !all(bytes + known, size - known, 0)) fails("leaves a tail", 0);
  if (!all(bytes + size, ROOM - size, MARK)) fails("writes beyond the structure", 0);
}

/* What runs within a callback. */
typedef struct body_t {
  void (*run)(void);
} body_t;

static inline void on_another_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, argument) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

/* A store with two keys, whose clock stands still. */
static inline kv_store_t filled(void) {
  kv_options_t options;
  kv_store_t store;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = KV_MANUAL_CLOCK;
  GIVES(KV_OK, kv_open(&options, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("7")));
  GIVES(KV_OK, kv_set(store, LIT("l"), LIT("9")));
  return store;
}

/* The store is as `filled` made it. */
static inline void unchanged(kv_store_t store) {
  if (counted(store) != 2) fails("changes the number of keys", 0);
  HOLDS(store, LIT("k"), "7", 1);
  HOLDS(store, LIT("l"), "9", 1);
}

/* The store does its work; afterwards it is as before. */
static inline void works(kv_store_t store) {
  GIVES(KV_OK, kv_set(store, LIT("works"), LIT("yes")));
  HOLDS(store, LIT("works"), "yes", 3);
  GIVES(KV_OK, kv_delete(store, LIT("works")));
}

/* A copy of a value, in memory of the library. */
static inline void *copied(kv_store_t store) {
  void *data = NULL;
  size_t len = 0;
  GIVES(KV_OK, kv_get_dup(store, LIT("k"), &data, &len));
  return data;
}

/* An element of an array that is read. */
static inline void good_kv_slice_t(kv_slice_t *slice, size_t at) {
  slice->data = at == 1 ? "none" : "k";
  slice->len = at == 1 ? 4 : 1;
}

static inline void good_kv_pair_t(kv_pair_t *pair, size_t at) {
  good_kv_slice_t(&pair->key, at);
  pair->value.data = "8";
  pair->value.len = 1;
}

static inline void report(const char *function) {
  printf("%s %u\n", function, now.calls);
  now.calls = 0;
}

#endif
