// kv.hpp: time to live, by a clock that the test moves.
#include "check.hpp"

#include <limits>

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A store whose clock stands still.
kv::store opened() {
  kv::options options;
  options.flags = KV_MANUAL_CLOCK;
  options.default_ttl_ms = 60000;
  return kv::store(options);
}

// How long a key has still to live; the default if it does not exist.
std::uint64_t left(const kv::store &store, kv::bytes key) {
  kv::lifetime ttl;
  const bool found = store.ttl(key, ttl);
  CHECK(found == (ttl.ms() != KV_TTL_DEFAULT));
  return ttl.ms();
}

void durations_are_rounded_up_and_the_named_ones_mean_what_they_say() {
  kv::store store = opened();
  store.set("seconds", "v", seconds(2));
  store.set("short", "v", microseconds(1001));
  store.set("part", "v", std::chrono::duration<double>(1.5));
  store.set("exact", "v", std::chrono::nanoseconds(7000000));
  CHECK(left(store, "seconds") == 2000 && left(store, "short") == 2);
  CHECK(left(store, "part") == 1500 && left(store, "exact") == 7);
  store.set("never", "v", kv::lifetime::never());
  store.set("longest", "v", (hours::max)());
  CHECK(left(store, "never") == KV_TTL_NEVER && left(store, "longest") == KV_TTL_NEVER);
  store.clock_advance(milliseconds(1));
  store.set("seconds", "w", kv::lifetime::keep());
  CHECK(left(store, "seconds") == 1999);
  store.set("seconds", "w", kv::lifetime());
  CHECK(left(store, "seconds") == 60000);
  store.set("never", "v");
  CHECK(left(store, "never") == 60000);
}

void keys_live_to_their_deadline_and_not_beyond() {
  kv::store store = opened();
  std::string value;
  store.set("k", "v", seconds(1));
  store.clock_advance(milliseconds(999));
  CHECK(store.get("k", value) && left(store, "k") == 1);
  store.clock_advance(milliseconds(1));
  CHECK(!store.get("k", value) && left(store, "k") == KV_TTL_DEFAULT && store.count() == 0);
  CHECK(!store.expire("k", seconds(1)) && !store.persist("k") && !store.touch("k", seconds(1)));
}

void time_is_changed_without_the_value() {
  kv::store store = opened();
  std::string value;
  store.set("k", "v");
  CHECK(store.expire("k", seconds(8)) && left(store, "k") == 8000);
  store.clock_advance(seconds(2));
  CHECK(store.touch("k", seconds(8)) && left(store, "k") == 8000);
  CHECK(store.persist("k") && left(store, "k") == KV_TTL_NEVER);
  CHECK(store.get("k", value) && value == "v");
  kv::lifetime ttl;
  CHECK(store.ttl("k", ttl) && ttl.is_never());
  CHECK(store.expire("k", seconds(3)) && store.ttl("k", ttl) && !ttl.is_never());
  store.set("other", "v", ttl);
  CHECK(left(store, "other") == 3000);
#if __cplusplus >= 201703L
  CHECK(store.ttl("k")->ms() == 3000 && !store.ttl("absent"));
#endif
}

void what_is_due_goes_by_purge_and_by_advance() {
  kv::store store = opened();
  CHECK(store.advance() == (milliseconds::max)());
  for (int i = 0; i < 100; i++) store.set(std::to_string(i), "v", milliseconds(i < 60 ? 10 : 20));
  CHECK(store.advance() > milliseconds(0));
  store.clock_advance(milliseconds(10));
  CHECK(store.purge_expired() == 60 && store.count() == 40);
  store.clock_advance(milliseconds(10));
  while (store.advance() == milliseconds(0)) {
  }
  CHECK(store.advance() == (milliseconds::max)() && store.purge_expired() == 0);
}

void what_is_no_time_to_live_throws() {
  kv::store store = opened();
  store.set("k", "v");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused(KV_ERR_INVALID_TTL, "`ttl`", [&] { store.set("k", "w", seconds(0)); });
  refused(KV_ERR_INVALID_TTL, "`ttl`", [&] { store.expire("k", milliseconds(-1)); });
  refused(KV_ERR_INVALID_TTL, "`ttl`",
          [&] { store.touch("k", std::chrono::duration<double>(nan)); });
  refused(KV_ERR_INVALID_TTL, "`ttl_ms`", [&] { store.expire("k", kv::lifetime::keep()); });
  refused(KV_ERR_INVALID_TTL, "`ttl_ms`", [&] { store.touch("k", kv::lifetime::never()); });
  refused(KV_ERR_INVALID_ARGUMENT, "`by`", [&] { store.clock_advance(milliseconds(-1)); });
  refused(KV_ERR_INVALID_ARGUMENT, "`store`", [&] { kv::store().clock_advance(seconds(1)); });
  std::string value;
  CHECK(store.get("k", value) && value == "v" && left(store, "k") == 60000);
}

}  // namespace

int main() {
  durations_are_rounded_up_and_the_named_ones_mean_what_they_say();
  keys_live_to_their_deadline_and_not_beyond();
  time_is_changed_without_the_value();
  what_is_due_goes_by_purge_and_by_advance();
  what_is_no_time_to_live_throws();
  kv::flush();
}
