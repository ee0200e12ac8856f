// kv.hpp: stores with bounds, and figures.
#include "check.hpp"

namespace {

// A store of so many entries at most, whose clock stands still.
kv::store opened(std::uint64_t max_entries, std::uint32_t eviction) {
  kv::options options;
  CHECK(options.max_entries == 0 && options.max_bytes == 0);
  CHECK(options.eviction == KV_EVICT_S3FIFO);
  options.flags = KV_MANUAL_CLOCK;
  options.max_entries = max_entries;
  options.eviction = eviction;
  return kv::store(options);
}

void bounds_hold_and_what_is_used_stays() {
  kv::store store = opened(50, KV_EVICT_S3FIFO);
  std::string value;
  store.set("hot", "v");
  store.set("cold", "v");
  for (int i = 0; i < 1000; i++) {
    store.set(std::to_string(i), "v");
    CHECK(store.get("hot", value) && store.count() <= 50);
  }
  CHECK(!store.get("cold", value) && store.count() == 50);
  const kv_stats_t stats = store.stats();
  CHECK(stats.entries == 50 && stats.evicted == 952 && stats.bytes > 50 * KV_ENTRY_BYTES);
}

void full_store_that_rejects_throws_and_changes_nothing() {
  kv::store store = opened(2, KV_EVICT_REJECT);
  std::string value;
  store.set("k", "v");
  store.set("timed", "v", std::chrono::seconds(1));
  refused(KV_ERR_FULL, "full", [&] { store.set("other", "v"); });
  refused(KV_ERR_FULL, "full", [&] { store.incr("other"); });
  CHECK(!store.get("other", value) && store.count() == 2 && store.stats().evicted == 0);
  store.set("k", "w");
  CHECK(store.get("k", value) && value == "w" && store.erase("k"));
  store.set("other", "v");
  refused(KV_ERR_FULL, "full", [&] { store.set("k", "v"); });
  store.clock_advance(std::chrono::seconds(1));
  store.set("k", "v");
  CHECK(store.count() == 2);
}

void entry_above_the_bound_is_too_large() {
  kv::options options;
  options.max_bytes = KV_ENTRY_BYTES + 10;
  kv::store store(options);
  std::string value;
  store.set("k", "123456789");
  refused(KV_ERR_TOO_LARGE, "`entry`", [&] { store.set("k", "1234567890"); });
  CHECK(store.get("k", value) && value == "123456789" && store.stats().bytes == 90);
}

void bounds_that_are_none_throw() {
  kv::options options;
  options.max_bytes = KV_ENTRY_BYTES - 1;
  refused(KV_ERR_INVALID_ARGUMENT, "`max_bytes`", [&] { kv::store none(options); });
  options.max_bytes = 0;
  options.eviction = 2;
  refused(KV_ERR_INVALID_ARGUMENT, "`options.eviction`", [&] { kv::store none(options); });
}

void closed_store_has_no_figures() {
  kv::store store;
  store.close();
  CHECK(thrown_by([&] { store.stats(); }) == KV_ERR_CLOSED);
}

}  // namespace

int main() {
  bounds_hold_and_what_is_used_stays();
  full_store_that_rejects_throws_and_changes_nothing();
  entry_above_the_bound_is_too_large();
  bounds_that_are_none_throw();
  closed_store_has_no_figures();
  kv::flush();
}
