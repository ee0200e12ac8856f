/* Counts the locked instructions of calls by running them step by step: reads under a guard take
   none, others that of the pin. A locked instruction is one with the lock prefix, or an exchange
   with memory, which the processor locks in any case. x86-64 only. */
#define _DEFAULT_SOURCE /* syscall */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define CALLS 20

static kv_store_t store;
static kv_guard_t guard;

static void get(int call) {
  char buffer[8];
  size_t len;
  (void)call;
  GIVES(KV_OK, kv_get(store, LIT("k"), buffer, sizeof buffer, &len));
}

static void get_ref(int call) {
  kv_slice_t value;
  if (call % 2 == 0)
    GIVES(KV_OK, kv_get_ref(guard, LIT("k"), &value));
  else
    GIVES(KV_NOT_FOUND, kv_get_ref(guard, LIT("absent"), &value));
}

static void get_many_ref(int call) {
  kv_slice_t keys[CALLS], values[CALLS];
  int i;
  for (i = 0; i <= call; i++) {
    keys[i].data = i % 2 == 0 ? "k" : "x";
    keys[i].len = 1;
  }
  GIVES(KV_OK, kv_get_many_ref(guard, keys, (size_t)call + 1, values));
  CHECK(values[0].len == 1);
}

static void repin(int call) {
  (void)call;
  GIVES(KV_OK, kv_repin(guard));
}

/* Bytes of the instruction at an address of the child, as they lie there. */
static void read_text(pid_t child, unsigned long long address, unsigned char text[16]) {
  int i;
  for (i = 0; i < 2; i++) {
    long word;
    errno = 0;
    word = ptrace(PTRACE_PEEKTEXT, child, (char *)(size_t)address + 8 * i, NULL);
    if (errno != 0) word = 0; /* behind the end of the code */
    memcpy(text + 8 * i, &word, 8);
  }
}

static int is_locked(const unsigned char *text) {
  int locked = 0;
  while (*text != 0 && strchr("\x66\x67\x26\x2e\x36\x3e\x64\x65\xf0\xf2\xf3", *text) != NULL)
    locked |= *text++ == 0xf0;
  if ((*text & 0xf0) == 0x40) text++;
  return locked || ((*text == 0x86 || *text == 0x87) && text[1] < 0xc0);
}

static void wait_for_stop(pid_t child, int expected) {
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == expected);
}

/* Makes the calls, with a stop before and after those that count: the first ones bind symbols and
   register the thread. */
static void make_calls(void (*call)(int)) {
  int i;
  GIVES(KV_OK, kv_open(NULL, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_pin(store, &guard));
  for (i = 0; i < CALLS; i++) call(i);
  CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
  raise(SIGSTOP);
  for (i = 0; i < CALLS; i++) call(i);
  raise(SIGSTOP);
  _exit(0);
}

/* How many locked instructions CALLS calls take. */
static int locked_by(void (*call)(int)) {
  int locked = 0, steps = 0, status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) make_calls(call);
  wait_for_stop(child, SIGSTOP);
  for (;; steps++) {
    struct user_regs_struct registers;
    unsigned char text[16];
    CHECK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    if (WSTOPSIG(status) == SIGSTOP) break;
    CHECK(WSTOPSIG(status) == SIGTRAP);
    CHECK(ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0);
    read_text(child, registers.rip, text);
    locked += is_locked(text);
  }
  CHECK(steps > CALLS * 20);
  CHECK(ptrace(PTRACE_KILL, child, NULL, NULL) == 0);
  CHECK(waitpid(child, &status, 0) == child);
  return locked;
}

int main(void) {
  CHECK(is_locked((const unsigned char *)"\xf0\x48\x0f\xc1\x00")); /* lock xadd [rax], rax */
  CHECK(is_locked((const unsigned char *)"\x48\x87\x08"));         /* xchg [rax], rcx */
  CHECK(!is_locked((const unsigned char *)"\x48\x87\xc8"));        /* xchg rax, rcx */
  CHECK(!is_locked((const unsigned char *)"\x48\x8b\x08"));        /* mov rcx, [rax] */
  /* Without membarrier, who enters and leaves the store passes a fence each time. */
  CHECK(locked_by(get) == (syscall(SYS_membarrier, 16, 0, 0) == 0 ? CALLS : 3 * CALLS));
  CHECK(locked_by(get_ref) == 0);
  CHECK(locked_by(get_many_ref) == 0);
  CHECK(locked_by(repin) == 0);
  return 0;
}
