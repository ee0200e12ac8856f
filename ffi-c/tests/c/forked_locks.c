/* A process is forked at every mutex that the library, with what it is made of, takes in the life
   of a thread; each child opens stores and uses them from threads of its own. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static __thread int watched; /* this thread tells of its mutexes */
static int notices[2];       /* to the main thread: a mutex is held, or the thread is gone */
static int answers[2];       /* from it: go on */

/* Stands before the one of the C library, for the shared library too. */
int pthread_mutex_lock(pthread_mutex_t *mutex) {
  int (*next)(pthread_mutex_t *);
  int status;
  char answer;
  *(void **)&next = dlsym(RTLD_NEXT, "pthread_mutex_lock");
  status = next(mutex);
  if (watched) {
    CHECK(write(notices[1], "h", 1) == 1);
    CHECK(read(answers[0], &answer, 1) == 1);
  }
  return status;
}

static void use_store(int size) {
  char *value = (char *)calloc(1, (size_t)size);
  kv_value_t kept[100];
  kv_entry_t entry;
  kv_store_t store;
  kv_iter_t iter;
  int i;
  CHECK(value != NULL);
  GIVES(KV_OK, kv_open(NULL, &store));
  for (i = 0; i < 100; i++) GIVES(KV_OK, kv_set(store, &i, sizeof i, value, (size_t)(size - i)));
  for (i = 0; i < 100; i++) GIVES(KV_OK, kv_get_value(store, &i, sizeof i, &kept[i]));
  GIVES(KV_OK, kv_entry_init(&entry, sizeof entry));
  GIVES(KV_OK, kv_iter_open(store, NULL, 0, &iter));
  for (i = 0; i < 100; i++) GIVES(KV_OK, kv_iter_next(iter, &entry));
  GIVES(KV_END, kv_iter_next(iter, &entry));
  GIVES(KV_OK, kv_iter_close(iter));
  for (i = 0; i < 100; i++) GIVES(KV_OK, kv_delete(store, &i, sizeof i));
  for (i = 0; i < 100; i++) GIVES(KV_OK, kv_value_free(kept[i]));
  GIVES(KV_OK, kv_flush());
  GIVES(KV_OK, kv_close(store));
  free(value);
}

static void *live(void *argument) {
  watched = argument != NULL;
  use_store(100);
  use_store(100000);
  return NULL;
}

static void live_as_a_child(void) {
  pthread_t thread;
  alarm(20); /* ends a child that hangs */
  use_store(100);
  CHECK(pthread_create(&thread, NULL, live, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  exit(0);
}

/* Tells when the watched thread is gone, with all that runs at its end. */
static void *watch(void *argument) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, live, &watched) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(write(notices[1], "e", 1) == 1);
  return argument;
}

int main(void) {
  pthread_t watcher;
  int locks = 0, status;
  char notice;
  CHECK(pipe(notices) == 0 && pipe(answers) == 0);
  use_store(100);
  CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
  for (;; locks++) {
    pid_t child;
    CHECK(read(notices[0], &notice, 1) == 1);
    if (notice == 'e') break;
    child = fork();
    CHECK(child >= 0);
    if (child == 0) live_as_a_child();
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      fprintf(stderr, "the child of lock %d does not live\n", locks);
      return 1;
    }
    CHECK(write(answers[1], "!", 1) == 1);
  }
  CHECK(pthread_join(watcher, NULL) == 0);
  printf("%d locks\n", locks);
  return 0;
}
