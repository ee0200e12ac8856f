/* Options of programs that are older or newer than the library. */
#include <stddef.h>

#include "check.h"

/* What a program of a later version would pass. */
typedef struct newer_options_t {
  kv_options_t known;
  uint64_t later[4];
} newer_options_t;

static void open_and_close(const void *options) {
  kv_store_t store;
  GIVES(KV_OK, kv_open((const kv_options_t *)options, &store));
  GIVES(KV_OK, kv_set(store, LIT("k"), LIT("v")));
  GIVES(KV_OK, kv_close(store));
}

static void refused(kv_status_t status, const void *options, const char *part) {
  kv_store_t store;
  store.id = 1;
  GIVES(status, kv_open((const kv_options_t *)options, &store));
  CHECK(store.id == 0);
  TEXT_HAS(part);
}

static void defaults_and_given_values_open(void) {
  kv_options_t options;
  memset(&options, 0xff, sizeof options);
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  CHECK(options.struct_size == sizeof options);
  CHECK(options.capacity == 0 && options.shards == 0 && options.flags == 0);
  CHECK(options.default_ttl_ms == KV_TTL_NEVER);
  CHECK(options.max_entries == 0 && options.max_bytes == 0);
  CHECK(options.eviction == KV_EVICT_S3FIFO);
  open_and_close(&options);
  options.capacity = 1000;
  options.shards = 8;
  options.flags = KV_MANUAL_CLOCK;
  options.default_ttl_ms = 1;
  options.max_entries = 1;
  options.max_bytes = KV_ENTRY_BYTES + 2;
  options.eviction = KV_EVICT_REJECT;
  open_and_close(&options);
  options.max_entries = UINT64_MAX;
  options.max_bytes = UINT64_MAX;
  options.eviction = KV_EVICT_S3FIFO;
  open_and_close(&options);
}

static void older_program_gets_defaults_for_what_it_lacks(void) {
  kv_options_t options;
  memset(&options, 0xff, sizeof options);
  GIVES(KV_OK, kv_options_init(&options, offsetof(kv_options_t, default_ttl_ms)));
  CHECK(options.default_ttl_ms == UINT64_MAX && options.reserved_[0] == UINT32_MAX);
  open_and_close(&options);
}

static void newer_program_may_pass_zeros_only(void) {
  newer_options_t newer;
  memset(&newer, 0xff, sizeof newer);
  GIVES(KV_OK, kv_options_init(&newer.known, sizeof newer));
  CHECK(newer.known.struct_size == sizeof newer && newer.later[3] == 0);
  open_and_close(&newer);
  newer.later[3] = (uint64_t)1 << 63;
  refused(KV_ERR_UNSUPPORTED, &newer, "options");
}

static void wrong_sizes_are_refused(void) {
  kv_options_t options;
  size_t sizes[4] = {0, offsetof(kv_options_t, default_ttl_ms) - 1, 4097, SIZE_MAX};
  size_t i;
  for (i = 0; i < 4; i++) {
    GIVES(KV_OK, kv_options_init(&options, sizeof options));
    GIVES(KV_ERR_INVALID_ARGUMENT, kv_options_init(&options, sizes[i]));
    TEXT_HAS("struct_size");
    CHECK(options.struct_size == sizeof options);
    options.struct_size = sizes[i];
    refused(KV_ERR_INVALID_ARGUMENT, &options, "options.struct_size");
  }
}

static void unknown_flags_and_reserved_fields_are_refused(void) {
  kv_options_t options;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.flags = 0x80000000u | KV_MANUAL_CLOCK;
  refused(KV_ERR_UNSUPPORTED, &options, "options.flags");
  options.flags = 0;
  options.reserved_[2] = 1;
  refused(KV_ERR_UNSUPPORTED, &options, "options");
}

static void impossible_values_are_refused(void) {
  kv_options_t options;
  GIVES(KV_OK, kv_options_init(&options, sizeof options));
  options.shards = 3;
  refused(KV_ERR_INVALID_ARGUMENT, &options, "shards");
  options.shards = 128;
  refused(KV_ERR_INVALID_ARGUMENT, &options, "shards");
  options.shards = 0;
  options.default_ttl_ms = KV_TTL_DEFAULT;
  refused(KV_ERR_INVALID_TTL, &options, "options.default_ttl_ms");
  options.default_ttl_ms = KV_TTL_KEEP;
  refused(KV_ERR_INVALID_TTL, &options, "options.default_ttl_ms");
  options.default_ttl_ms = KV_TTL_NEVER;
  options.max_bytes = KV_ENTRY_BYTES - 1;
  refused(KV_ERR_INVALID_ARGUMENT, &options, "`max_bytes`");
  options.max_bytes = 0;
  options.eviction = 2;
  refused(KV_ERR_INVALID_ARGUMENT, &options, "`options.eviction`");
  options.eviction = UINT32_MAX;
  refused(KV_ERR_INVALID_ARGUMENT, &options, "`options.eviction`");
  options.eviction = KV_EVICT_S3FIFO;
  options.capacity = UINT64_MAX;
  refused(KV_ERR_NO_MEMORY, &options, "memory");
  options.capacity = (uint64_t)1 << 50;
  refused(KV_ERR_NO_MEMORY, &options, "memory");
}

int main(void) {
  defaults_and_given_values_open();
  older_program_gets_defaults_for_what_it_lacks();
  newer_program_may_pass_zeros_only();
  wrong_sizes_are_refused();
  unknown_flags_and_reserved_fields_are_refused();
  impossible_values_are_refused();
  GIVES(KV_OK, kv_flush());
  return 0;
}
