// kv.hpp: loops over entries, lists of keys, and batches that write.
#include "check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

namespace {

static_assert(!std::is_copy_constructible<kv::entries>::value, "an iteration is not copied");
static_assert(std::is_nothrow_move_constructible<kv::entries>::value, "an iteration moves");

void fill(kv::store &store) {
  std::map<std::string, std::string> pairs;
  for (int i = 0; i < 200; i++) pairs["key/" + std::to_string(i)] = std::to_string(i);
  store.set_many(pairs);
  store.set("other", "");
}

void loops_show_every_entry_once() {
  kv::store store;
  fill(store);
  std::set<std::string> seen;
  for (const kv::entry &entry : store.entries("key/")) {
    CHECK(entry.key.str() == "key/" + entry.value.str() && entry.version > 0);
    CHECK(seen.insert(entry.key.str()).second);
  }
  CHECK(seen.size() == 200);
  int count = 0;
  for (const auto &entry : store.entries()) {
    store.erase(entry.key);
    kv::flush();
    count += entry.key == "other" || entry.key.size() > entry.value.size();
  }
  CHECK(count == 201 && store.count() == 0);
  for (const auto &entry : store.entries()) CHECK(entry.key.missing() && false);
}

void loops_go_on_where_they_stopped() {
  kv::store store;
  fill(store);
  kv::entries first = store.entries("key/");
  kv::entries moved(std::move(first));
  int count = 0;
  for (const auto &entry : moved) {
    CHECK(entry.version > 0);
    if (++count == 50) break;
  }
  const auto is_whole = [](const kv::entry &entry) { return !entry.key.empty(); };
  count += static_cast<int>(std::count_if(moved.begin(), moved.end(), is_whole));
  CHECK(count == 200 && moved.begin() == moved.end());
  CHECK(thrown_by([&] { first.begin(); }) == KV_ERR_INVALID_ARGUMENT);
  kv::entries::iterator at = store.entries().end();
  CHECK(at == kv::entries::iterator());
}

void closed_store_ends_a_loop() {
  kv::store store;
  fill(store);
  int count = 0;
  CHECK(thrown_by([&] {
          for (const auto &entry : store.entries()) {
            count++;
            store.close();
            CHECK(entry.version > 0);
          }
        }) == KV_ERR_CLOSED);
  CHECK(count == 1 && thrown_by([&] { store.entries(); }) == KV_ERR_CLOSED);
}

void keys_are_sorted_copies() {
  kv::store store;
  CHECK(store.keys().empty());
  store.set_many({{"b", "1"}, {"a", "2"}, {"", "3"}, {kv::bytes("a\0", 2), "4"}});
  const std::vector<std::string> all = {"", "a", std::string("a\0", 2), "b"};
  CHECK(store.keys() == all && store.keys("b") == std::vector<std::string>(1, "b"));
  CHECK(store.keys("c").empty() && store.clear() == 4 && store.keys().empty());
}

void batches_write_in_order() {
  kv::options options;
  options.flags = KV_MANUAL_CLOCK;
  kv::store store(options);
  store.set_many({{"a", "1"}, {"b", "2"}, {"a", "3"}});
  std::string value;
  CHECK(store.get("a", value) && value == "3" && store.count() == 2);
  store.set_many(std::vector<std::pair<std::string, const char *>>(1, {"t", "v"}),
                 std::chrono::milliseconds(5));
  store.clock_advance(std::chrono::milliseconds(5));
  CHECK(!store.contains("t"));
  CHECK(store.erase_many({"a", "absent", "b", "a"}) == 2 && store.count() == 0);
  const std::vector<std::string> none;
  CHECK(store.erase_many(none) == 0);
  store.set_many(std::map<std::string, std::string>());
}

void refused_batch_says_so() {
  kv::options options;
  options.max_entries = 1;
  options.eviction = KV_EVICT_REJECT;
  kv::store store(options);
  refused(KV_ERR_FULL, "full", [&] { store.set_many({{"a", "1"}, {"b", "2"}}); });
  CHECK(store.contains("a") && store.count() == 1);
}

}  // namespace

int main() {
  loops_show_every_entry_once();
  loops_go_on_where_they_stopped();
  closed_store_ends_a_loop();
  keys_are_sorted_copies();
  batches_write_in_order();
  refused_batch_says_so();
  kv::flush();
}
