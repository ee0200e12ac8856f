/* kv_compute does what its callback wants, atomically; the callback may do anything but keep what
   it was given, and whatever it gets wrong is a status. */
#include <pthread.h>

#include "check.h"

#define THREADS 4
#define ROUNDS 1000

/* What a callback is to do, and what it has seen. */
typedef struct wish_t {
  kv_store_t store;
  const char *value; /* for kv_change_put; NULL for no call of it */
  uint64_t ttl_ms;
  int32_t answer;
  int calls;
  int found;
  uint64_t version;
  kv_change_t change;
} wish_t;

static int32_t grant(void *user_data, const kv_entry_t *current, kv_change_t change) {
  wish_t *wish = (wish_t *)user_data;
  wish->calls++;
  wish->change = change;
  wish->found = current != NULL;
  wish->version = current == NULL ? 0 : current->version;
  if (current != NULL) CHECK(current->struct_size >= sizeof *current && current->key.len == 1);
  if (wish->value != NULL)
    GIVES(KV_OK, kv_change_put(change, wish->value, strlen(wish->value), wish->ttl_ms));
  return wish->answer;
}

static wish_t wish_for(int32_t answer, const char *value, uint64_t ttl_ms) {
  wish_t wish;
  memset(&wish, 0, sizeof wish);
  wish.answer = answer;
  wish.value = value;
  wish.ttl_ms = ttl_ms;
  return wish;
}

static kv_store_t opened(void) {
  kv_options_t options;
  kv_store_t store;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = KV_MANUAL_CLOCK;
  GIVES(KV_OK, kv_open(&options, &store));
  return store;
}

static void every_answer_does_what_it_says(kv_store_t store) {
  wish_t wish = wish_for(KV_CHANGE_KEEP, "ignored", KV_TTL_KEEP);
  uint64_t version = 99, before;
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, &version));
  CHECK(version == 0 && !wish.found && wish.calls == 1);
  wish = wish_for(KV_CHANGE_REMOVE, NULL, 0);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, &version));
  CHECK(version == 0 && counted(store) == 0);
  wish = wish_for(KV_CHANGE_PUT, "one", KV_TTL_KEEP);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, &version));
  CHECK(version > 0 && !wish.found);
  HOLDS(store, LIT("k"), "one", 3);
  before = version;
  wish = wish_for(KV_CHANGE_PUT, "", KV_TTL_KEEP);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, &version));
  CHECK(version > before && wish.found && wish.version == before);
  HOLDS(store, LIT("k"), "", 0);
  before = version;
  wish = wish_for(KV_CHANGE_KEEP, "ignored", KV_TTL_KEEP);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, &version));
  CHECK(version == before && wish.version == before);
  wish = wish_for(KV_CHANGE_ABORT, "ignored", KV_TTL_KEEP);
  version = 99;
  GIVES(KV_STOPPED, kv_compute(store, LIT("k"), grant, &wish, &version));
  CHECK(version == 99);
  HOLDS(store, LIT("k"), "", 0);
  wish = wish_for(KV_CHANGE_REMOVE, NULL, 0);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  CHECK(wish.found && counted(store) == 0);
}

static uint64_t left_of(kv_store_t store, const char *key) {
  uint64_t left;
  GIVES(KV_OK, kv_ttl(store, key, strlen(key), &left));
  return left;
}

static void value_lives_as_the_callback_says(kv_store_t store) {
  wish_t wish = wish_for(KV_CHANGE_PUT, "v", 100);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  CHECK(left_of(store, "k") == 100);
  GIVES(KV_OK, kv_clock_advance(store, 40));
  wish.ttl_ms = KV_TTL_KEEP;
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  CHECK(left_of(store, "k") == 60);
  wish.ttl_ms = KV_TTL_NEVER;
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  CHECK(left_of(store, "k") == KV_TTL_NEVER);
  wish.ttl_ms = 10;
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  GIVES(KV_OK, kv_clock_advance(store, 10));
  wish = wish_for(KV_CHANGE_KEEP, NULL, 0);
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  CHECK(!wish.found);
}

static int32_t put_twice(void *user_data, const kv_entry_t *current, kv_change_t change) {
  char buffer[4] = "old";
  (void)user_data;
  (void)current;
  GIVES(KV_OK, kv_change_put(change, LIT("longer than the last"), 5));
  GIVES(KV_OK, kv_change_put(change, buffer, 3, KV_TTL_NEVER));
  memcpy(buffer, "new", 3); /* it was copied */
  INVALID("value", kv_change_put(change, NULL, 1, 5));
  INVALID("value", kv_change_put(change, "v", SIZE_MAX, 5));
  return KV_CHANGE_PUT;
}

static void last_value_counts(kv_store_t store) {
  GIVES(KV_OK, kv_compute(store, LIT("k"), put_twice, NULL, NULL));
  HOLDS(store, LIT("k"), "old", 3);
  CHECK(left_of(store, "k") == KV_TTL_NEVER);
}

static void wrong_answers_are_refused_and_change_nothing(kv_store_t store) {
  static const int32_t answers[4] = {4, -1, INT32_MAX, INT32_MIN};
  wish_t wish = wish_for(KV_CHANGE_PUT, NULL, 0);
  uint64_t version = 99;
  int i;
  INVALID("callback", kv_compute(store, LIT("k"), grant, &wish, &version));
  TEXT_HAS("kv_change_put");
  for (i = 0; i < 4; i++) {
    wish = wish_for(answers[i], "v", KV_TTL_KEEP);
    INVALID("callback", kv_compute(store, LIT("k"), grant, &wish, &version));
  }
  INVALID("callback", kv_compute(store, LIT("k"), NULL, NULL, &version));
  INVALID("key", kv_compute(store, NULL, 1, grant, &wish, &version));
  INVALID("key", kv_compute(store, "k", SIZE_MAX, grant, &wish, &version));
  CHECK(version == 99);
  HOLDS(store, LIT("k"), "old", 3);
}

static void *use_strange_change(void *argument) {
  INVALID("change", kv_change_put(*(kv_change_t *)argument, LIT("v"), KV_TTL_KEEP));
  return NULL;
}

static int32_t try_other_changes(void *user_data, const kv_entry_t *current, kv_change_t change) {
  pthread_t thread;
  kv_change_t other;
  uint64_t bit;
  (void)user_data;
  (void)current;
  for (bit = 1; bit != 0; bit <<= 1) {
    other.id = change.id ^ bit;
    INVALID("change", kv_change_put(other, LIT("v"), KV_TTL_KEEP));
  }
  CHECK(pthread_create(&thread, NULL, use_strange_change, &change) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  return KV_CHANGE_KEEP;
}

static void change_belongs_to_its_callback_and_thread(kv_store_t store) {
  wish_t wish = wish_for(KV_CHANGE_KEEP, NULL, 0);
  kv_change_t zero;
  zero.id = 0;
  INVALID("change", kv_change_put(zero, LIT("v"), KV_TTL_KEEP));
  GIVES(KV_OK, kv_compute(store, LIT("k"), grant, &wish, NULL));
  INVALID("change", kv_change_put(wish.change, LIT("v"), KV_TTL_KEEP));
  GIVES(KV_OK, kv_compute(store, LIT("k"), try_other_changes, NULL, NULL));
  HOLDS(store, LIT("k"), "old", 3);
}

typedef struct nest_t {
  kv_store_t store;
  kv_change_t outer;
  int depth;
} nest_t;

/* Puts the value of the change around it too. */
static int32_t nested(void *user_data, const kv_entry_t *current, kv_change_t change) {
  nest_t *nest = (nest_t *)user_data;
  nest_t inner = *nest;
  char key = (char)('a' + nest->depth);
  (void)current;
  GIVES(KV_OK, kv_change_put(change, &key, 1, KV_TTL_KEEP));
  if (nest->depth > 0) GIVES(KV_OK, kv_change_put(nest->outer, LIT("by inner"), KV_TTL_KEEP));
  inner.depth++;
  inner.outer = change;
  key++;
  if (nest->depth < 20) GIVES(KV_OK, kv_compute(nest->store, &key, 1, nested, &inner, NULL));
  return KV_CHANGE_PUT;
}

static void callbacks_may_be_nested(kv_store_t store) {
  nest_t nest;
  memset(&nest, 0, sizeof nest);
  nest.store = store;
  GIVES(KV_OK, kv_compute(store, LIT("a"), nested, &nest, NULL));
  HOLDS(store, LIT("a"), "by inner", 8);
  HOLDS(store, LIT("t"), "by inner", 8);
  HOLDS(store, LIT("u"), "u", 1);
}

/* Changes its own key in its first run, so that it has to run again. */
static int32_t disturb_once(void *user_data, const kv_entry_t *current, kv_change_t change) {
  wish_t *wish = (wish_t *)user_data;
  if (wish->calls++ == 0) {
    GIVES(KV_OK, kv_set(wish->store, LIT("k"), LIT("disturbed")));
  } else {
    CHECK(current != NULL && current->value.len == 9);
  }
  GIVES(KV_OK, kv_change_put(change, wish->calls == 1 ? "first" : "again", 5, KV_TTL_KEEP));
  return KV_CHANGE_PUT;
}

static void callback_runs_again_when_the_key_has_changed(kv_store_t store) {
  wish_t wish = wish_for(0, NULL, 0);
  wish.store = store;
  GIVES(KV_OK, kv_compute(store, LIT("k"), disturb_once, &wish, NULL));
  CHECK(wish.calls == 2);
  HOLDS(store, LIT("k"), "again", 5);
}

static int32_t close_store(void *user_data, const kv_entry_t *current, kv_change_t change) {
  wish_t *wish = (wish_t *)user_data;
  GIVES(KV_OK, kv_close(wish->store));
  GIVES(KV_OK, kv_flush());
  CHECK(current != NULL && current->value.len == 5);
  CHECK(memcmp(current->value.data, "again", 5) == 0);
  GIVES(KV_OK, kv_change_put(change, LIT("v"), KV_TTL_KEEP));
  return KV_CHANGE_PUT;
}

static void store_closed_by_the_callback_lasts_until_the_end(kv_store_t store) {
  wish_t wish = wish_for(0, NULL, 0);
  uint64_t version = 0;
  wish.store = store;
  GIVES(KV_OK, kv_compute(store, LIT("k"), close_store, &wish, &version));
  CHECK(version > 0);
  GIVES(KV_ERR_CLOSED, kv_compute(store, LIT("k"), close_store, &wish, NULL));
}

static int32_t add_one(void *user_data, const kv_entry_t *current, kv_change_t change) {
  uint64_t number = 0;
  CHECK(user_data == NULL);
  if (current != NULL) memcpy(&number, current->value.data, sizeof number);
  number++;
  GIVES(KV_OK, kv_change_put(change, &number, sizeof number, KV_TTL_KEEP));
  return KV_CHANGE_PUT;
}

static void *count_up(void *argument) {
  kv_store_t store = *(kv_store_t *)argument;
  int i;
  for (i = 0; i < ROUNDS; i++) GIVES(KV_OK, kv_compute(store, LIT("n"), add_one, NULL, NULL));
  GIVES(KV_OK, kv_flush());
  return NULL;
}

static void no_step_of_several_threads_is_lost(void) {
  pthread_t threads[THREADS];
  kv_store_t store;
  uint64_t total = THREADS * ROUNDS;
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  for (i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, count_up, &store) == 0);
  for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  HOLDS(store, LIT("n"), &total, sizeof total);
  GIVES(KV_OK, kv_close(store));
}

int main(void) {
  kv_store_t store = opened();
  every_answer_does_what_it_says(store);
  value_lives_as_the_callback_says(store);
  last_value_counts(store);
  wrong_answers_are_refused_and_change_nothing(store);
  change_belongs_to_its_callback_and_thread(store);
  callbacks_may_be_nested(store);
  callback_runs_again_when_the_key_has_changed(store);
  store_closed_by_the_callback_lasts_until_the_end(store);
  no_step_of_several_threads_is_lost();
  GIVES(KV_OK, kv_flush());
  return 0;
}
