/* Counts the words of many files with four threads and one store.
 *
 * `wordcount LIST OUTPUT` reads the files that LIST names, one a line, and writes `count word`
 * lines, sorted by word. A word is a run of ASCII letters, in lower case; a run longer than the
 * longest key is cut into several. */

#define _POSIX_C_SOURCE 200809L

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kv.h>

enum { THREADS = 4, WORD_MAX = 65535 };

typedef struct {
  char *bytes;
  size_t len;
} text_t;

typedef struct {
  kv_store_t store;
  text_t *texts;
  size_t texts_len;
  atomic_size_t next;
} job_t;

typedef struct {
  char **lines; /* "word\0count\0" */
  size_t len;
} counts_t;

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static void check(kv_status_t status) {
  if (status < 0) {
    fprintf(stderr, "rkv: %s\n", kv_last_error_message());
    exit(EXIT_FAILURE);
  }
}

/* realloc that ends the program instead of returning NULL. */
static void *resize(void *memory, size_t bytes) {
  memory = realloc(memory, bytes);
  if (memory == NULL) fail("realloc");
  return memory;
}

/* The whole file, in lower case. */
static text_t read_text(const char *path) {
  text_t text = {NULL, 0};
  size_t capacity = 1 << 16, got;
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  do {
    text.bytes = resize(text.bytes, capacity *= 2);
    got = fread(text.bytes + text.len, 1, capacity - text.len, file);
    text.len += got;
  } while (text.len == capacity);
  if (ferror(file)) fail(path);
  fclose(file);
  for (size_t i = 0; i < text.len; i++) {
    text.bytes[i] = (char)tolower((unsigned char)text.bytes[i]);
  }
  return text;
}

static void read_all(const char *list, job_t *job) {
  char *path = NULL;
  size_t capacity = 0;
  ssize_t len;
  FILE *file = fopen(list, "r");
  if (file == NULL) fail(list);
  while ((len = getline(&path, &capacity, file)) > 0) {
    path[strcspn(path, "\n")] = '\0';
    job->texts = resize(job->texts, (job->texts_len + 1) * sizeof *job->texts);
    job->texts[job->texts_len++] = read_text(path);
  }
  free(path);
  fclose(file);
}

/* Takes one text after the other until none is left, and counts its words. */
static void *count(void *argument) {
  job_t *job = argument;
  size_t mine;
  while ((mine = atomic_fetch_add(&job->next, 1)) < job->texts_len) {
    const char *at = job->texts[mine].bytes, *end = at + job->texts[mine].len;
    while (at < end) {
      const char *word = at;
      while (at < end && at - word < WORD_MAX && *at >= 'a' && *at <= 'z') at++;
      if (at == word) {
        at++;
      } else {
        check(kv_incr(job->store, word, (size_t)(at - word), 1, NULL));
      }
    }
  }
  return NULL;
}

static double seconds_to_count(job_t *job) {
  pthread_t threads[THREADS];
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; i < THREADS; i++) {
    if (pthread_create(&threads[i], NULL, count, job) != 0) fail("pthread_create");
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

/* For kv_scan: copies an entry, and asks for the next one. */
static int32_t collect(void *user_data, const kv_entry_t *entry) {
  counts_t *counts = user_data;
  char *line = resize(NULL, entry->key.len + entry->value.len + 2);
  counts->lines = resize(counts->lines, (counts->len + 1) * sizeof *counts->lines);
  counts->lines[counts->len++] = line;
  memcpy(line, entry->key.data, entry->key.len);
  line[entry->key.len] = '\0';
  memcpy(line + entry->key.len + 1, entry->value.data, entry->value.len);
  line[entry->key.len + 1 + entry->value.len] = '\0';
  return 0;
}

static int by_word(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Writes every count, and returns their sum. */
static uint64_t write_counts(kv_store_t store, const char *path) {
  counts_t counts = {NULL, 0};
  uint64_t words = 0;
  FILE *output = fopen(path, "w");
  if (output == NULL) fail(path);
  check(kv_scan(store, NULL, 0, collect, &counts));
  if (counts.len > 0) qsort(counts.lines, counts.len, sizeof *counts.lines, by_word);
  for (size_t i = 0; i < counts.len; i++) {
    const char *word = counts.lines[i], *number = word + strlen(word) + 1;
    fprintf(output, "%s %s\n", number, word);
    words += strtoull(number, NULL, 10);
    free(counts.lines[i]);
  }
  free(counts.lines);
  if (fclose(output) != 0) fail(path);
  return words;
}

int main(int argc, char **argv) {
  job_t job = {0};
  if (argc != 3) {
    fprintf(stderr, "usage: %s LIST OUTPUT\n", argv[0]);
    return EXIT_FAILURE;
  }
  read_all(argv[1], &job);
  check(kv_open(NULL, &job.store));

  double seconds = seconds_to_count(&job);

  uint64_t words = write_counts(job.store, argv[2]);
  uint64_t distinct = 0;
  check(kv_count(job.store, &distinct));
  printf("%" PRIu64 " words, %" PRIu64 " distinct, %.3f s, %.2f M incr/s\n", words, distinct,
         seconds, (double)words / seconds / 1e6);

  check(kv_close(job.store));
  for (size_t i = 0; i < job.texts_len; i++) free(job.texts[i].bytes);
  free(job.texts);
  return EXIT_SUCCESS;
}
