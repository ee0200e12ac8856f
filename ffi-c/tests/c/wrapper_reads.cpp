// kv.hpp: reads that copy nothing, and batches.
#include "check.hpp"

#include <thread>

namespace {

static_assert(!std::is_copy_constructible<kv::guard>::value, "a guard is not copied");
static_assert(!std::is_move_constructible<kv::guard>::value, "a guard is not moved");
static_assert(!std::is_copy_constructible<kv::values>::value, "values are not copied");
static_assert(std::is_nothrow_move_constructible<kv::values>::value, "values move");
static_assert(std::is_nothrow_move_assignable<kv::values>::value, "values move");

void guards_show_values_until_they_end() {
  kv::store store;
  store.set("k", "old");
  store.set("empty", "");
  kv::guard guard(store);
  kv::bytes old, value("as it was");
  CHECK(!guard.get("absent", value) && value.missing());
  CHECK(guard.get("empty", value) && !value.missing() && value.empty());
  CHECK(guard.get("k", old) && old == "old");
  store.set("k", "new");
  kv::flush();
  CHECK(old == "old" && guard.get("k", value) && value == "new");
  guard.repin();
  CHECK(guard.get("k", value) && value == "new");
#if __cplusplus >= 201703L
  CHECK(guard.get("k") == std::string_view("new") && !guard.get("absent"));
#endif
  store.close();
  CHECK(value == "new" && thrown_by([&] { guard.repin(); }) == KV_ERR_CLOSED);
  CHECK(thrown_by([&] { kv::guard refused(store); }) == KV_ERR_CLOSED);
}

void guards_end_with_their_object() {
  kv::store store;
  kv_guard_t handle;
  {
    kv::guard guard(store);
    handle = guard.handle();
    std::thread([&] {
      CHECK(thrown_by([&] { guard.repin(); }) == KV_ERR_WRONG_THREAD);
    }).join();
    CHECK(kv_repin(handle) == KV_OK);
  }
  CHECK(kv_repin(handle) == KV_ERR_INVALID_ARGUMENT);
}

void batches_take_any_keys_in_order() {
  kv::store store;
  store.set("a", "1");
  store.set("b", std::string("2\0", 2));
  store.set("c", "");
  const std::vector<std::string> keys = {"b", "absent", "a", "c", "b"};
  const kv::values copies = store.get_many(keys);
  kv::guard guard(store);
  const std::vector<kv::bytes> values = guard.get_many(keys);
  CHECK(copies.size() == 5 && values.size() == 5);
  for (std::size_t i = 0; i < keys.size(); i++) {
    std::string single;
    CHECK(copies[i].missing() == !store.get(keys[i], single));
    CHECK(copies[i] == single && values[i] == single);
    CHECK(copies[i].missing() == values[i].missing());
  }
  CHECK(store.get_many({"a", "b"})[1] == std::string("2\0", 2));
  CHECK(guard.get_many({"x", "a"})[1] == "1" && guard.get_many({}).empty());
  CHECK(store.get_many(std::vector<kv::bytes>()).size() == 0);
}

void values_move() {
  kv::store store;
  store.set("a", "1");
  kv::values first = store.get_many({"a"});
  kv::values second(std::move(first));
  CHECK(first.size() == 0 && second.size() == 1 && second[0] == "1");
  first = store.get_many({"a", "b"});
  first = std::move(second);
  CHECK(first.size() == 1 && first[0] == "1");
}

}  // namespace

int main() {
  guards_show_values_until_they_end();
  guards_end_with_their_object();
  batches_take_any_keys_in_order();
  values_move();
  kv::flush();
}
