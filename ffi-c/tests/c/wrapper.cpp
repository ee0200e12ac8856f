// kv.hpp: ownership, values, errors, and visitors that throw. wrapper_second.cpp is a second
// translation unit of the same program.
#include "check.hpp"

#include <map>
#include <thread>
#include <vector>

std::uint64_t count_in_second_unit(const kv::store &store);

namespace {

static_assert(!std::is_copy_constructible<kv::store>::value, "a store is not copied");
static_assert(!std::is_copy_assignable<kv::store>::value, "a store is not copied");
static_assert(std::is_nothrow_move_constructible<kv::store>::value, "a store moves");
static_assert(std::is_nothrow_move_assignable<kv::store>::value, "a store moves");

void values_are_any_bytes() {
  kv::store store;
  std::string value = "as it was";
  CHECK(!store.get("k", value) && value.empty());
  store.set("k", "v");
  CHECK(store.get("k", value) && value == "v");
  const std::string binary("\0a\0\xff", 4);
  store.set(binary, kv::bytes(binary.data(), binary.size()));
  CHECK(store.get(binary, value) && value == binary);
  store.set("", "");
  CHECK(store.get(kv::bytes(), value) && value.empty());
  const std::string longer(100000, 'x');
  store.set("long", longer);
  CHECK(store.get("long", value) && value == longer);
  CHECK(store.get("k", value) && value == "v");
  CHECK(store.count() == 4 && count_in_second_unit(store) == 4);
  CHECK(store.erase("k") && !store.erase("k") && store.count() == 3);
}

#if __cplusplus >= 201703L
void values_are_optionals_and_views() {
  using namespace std::string_view_literals;
  kv::store store;
  CHECK(!store.get("k"));
  store.set("a\0b"sv, "v\0w"sv);
  CHECK(store.get("a\0b"sv) == std::string("v\0w", 3));
  store.for_each([](std::string_view key, std::string_view value) {
    CHECK(key == "a\0b"sv && value == "v\0w"sv);
  });
}
#endif

void increments_return_the_sum() {
  kv::store store;
  CHECK(store.incr("n") == 1 && store.incr("n", 41) == 42 && store.incr("n", -43) == -1);
  store.set("word", "x");
  CHECK(thrown_by([&] { store.incr("word"); }) == KV_ERR_NOT_A_NUMBER);
}

void stores_move_and_share() {
  kv::store first;
  first.set("k", "v");
  const std::uint64_t id = first.handle().id;
  kv::store second(std::move(first));
  CHECK(second.handle().id == id && first.handle().id == 0);
  CHECK(thrown_by([&] { first.count(); }) == KV_ERR_CLOSED);
  kv::store &alias = second;
  second = std::move(alias);
  CHECK(second.handle().id == id && second.count() == 1);
  kv::store third = second.share();
  kv::store fourth;
  fourth = std::move(second);
  fourth.close();
  CHECK(third.count() == 1 && thrown_by([&] { fourth.count(); }) == KV_ERR_CLOSED);
  fourth.close();
  const kv_store_t handle = third.handle();
  third = kv::store();
  std::uint64_t count = 0;
  CHECK(kv_count(handle, &count) == KV_ERR_CLOSED);
}

void options_reach_the_store() {
  kv::options options;
  CHECK(options.struct_size == sizeof(kv_options_t));
  options.shards = 4;
  options.capacity = 100;
  kv::store store(options);
  store.set("k", "v");
  options.flags = 4;
  CHECK(thrown_by([&] { kv::store refused(options); }) == KV_ERR_UNSUPPORTED);
}

void visitors_see_all_stop_and_throw() {
  kv::store store;
  for (int i = 0; i < 20; i++) store.set("key/" + std::to_string(i), std::to_string(i));
  store.set("other", "");
  std::map<std::string, std::string> seen;
  store.for_each("key/", [&](kv::bytes key, kv::bytes value) { seen[key.str()] = value.str(); });
  CHECK(seen.size() == 20 && seen["key/7"] == "7");
  int calls = 0;
  store.for_each([&](kv::bytes, kv::bytes) { return ++calls < 5; });
  CHECK(calls == 5);
  calls = 0;
  try {
    store.for_each([&](kv::bytes, kv::bytes) {
      if (++calls == 3) throw std::string("out of the middle");
    });
    CHECK(0 && "returned");
  } catch (const std::string &text) {
    CHECK(text == "out of the middle" && calls == 3);
  }
  const auto constant = [](kv::bytes, kv::bytes) {};
  store.for_each(constant);
  CHECK(thrown_by([&] {
          store.for_each([&](kv::bytes key, kv::bytes) { store.incr(key.str() + "!", 1); });
          store.for_each([&](kv::bytes, kv::bytes) { store.incr("other"); });
        }) == KV_ERR_NOT_A_NUMBER);
}

void threads_share_a_store() {
  kv::store store;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([](kv::store own) { for (int n = 0; n < 1000; n++) own.incr("n"); },
                         store.share());
  for (auto &thread : threads) thread.join();
  std::string value;
  CHECK(store.get("n", value) && value == "4000");
}

}  // namespace

int main() {
  values_are_any_bytes();
#if __cplusplus >= 201703L
  values_are_optionals_and_views();
#endif
  increments_return_the_sum();
  stores_move_and_share();
  options_reach_the_store();
  visitors_see_all_stop_and_throw();
  threads_share_a_store();
  kv::flush();
}
