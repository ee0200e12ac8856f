// kv.hpp: values that are kept, conditional writes, computed changes, and callbacks that throw.
#include "check.hpp"

#include <thread>
#include <vector>

namespace {

static_assert(!std::is_copy_constructible<kv::value>::value, "a value is not copied");
static_assert(!std::is_copy_assignable<kv::value>::value, "a value is not copied");
static_assert(std::is_nothrow_move_constructible<kv::value>::value, "a value moves");
static_assert(std::is_nothrow_move_assignable<kv::value>::value, "a value moves");
static_assert(!std::is_convertible<kv::value, bool>::value, "a value is no number");
static_assert(!std::is_copy_constructible<kv::change>::value, "a copy would be of no use");
static_assert(!std::is_constructible<kv::bytes, std::nullptr_t>::value, "0 is meant as a number");
static_assert(kv::stays<const std::string &>::value && kv::stays<kv::bytes>::value, "views stay");
static_assert(!kv::stays<std::string>::value, "what is made in each step of a loop does not stay");

// What a compute throws, which is no std::exception.
struct odd {
  int number;
};

void values_outlive_key_and_store() {
  kv::value kept, empty;
  CHECK(!kept && kept.bytes().missing() && kept.key().missing() && kept.version() == 0);
  {
    kv::store store;
    store.set("k", std::string("v\0w", 3));
    store.set("", "");
    kept = store.get_value("k");
    empty = store.get_value("");
    store.set("k", "new");
    CHECK(store.get_value("k").version() > kept.version());
    CHECK(!store.get_value("absent"));
  }
  kv::flush();
  CHECK(kept && kept.bytes() == std::string("v\0w", 3) && kept.str() == kept.bytes());
  CHECK(kept.key() == "k" && kept.version() > 0);
  CHECK(empty && empty.bytes().empty() && !empty.bytes().missing());
#if __cplusplus >= 201703L
  const std::string_view view = kept.bytes();
  CHECK(view.size() == 3 && view.data() == kept.bytes().data());
#endif
}

void values_move_and_are_freed_once() {
  kv::store store;
  store.set("a", "1");
  store.set("b", "2");
  kv::value first = store.get_value("a");
  kv::value second(std::move(first));
  CHECK(!first && first.bytes().missing() && second.bytes() == "1");
  first = store.get_value("b");
  first = std::move(second);
  CHECK(first.bytes() == "1" && first.key() == "a");
  kv::value &alias = first;
  first = std::move(alias);
  CHECK(first.bytes() == "1");
  std::thread([](kv::value moved) { CHECK(moved.bytes() == "1"); }, std::move(first)).join();
  CHECK(!first);
}

void what_is_assigned_over_is_freed() {
  kv::store store;
  store.set("a", "1");
  store.set("b", "2");
  kv::value first = store.get_value("a"), second = store.get_value("b");
  first = std::move(second);
  CHECK(first.bytes() == "2" && !second);
  kv::values some = store.get_many({"a", "b"}), others = store.get_many({"a"});
  some = std::move(others);
  CHECK(some.size() == 1 && others.size() == 0);
}

void key_may_lie_in_the_string_that_it_is_read_into() {
  kv::store store;
  for (std::size_t key_len : {std::size_t(3), std::size_t(40)})
    for (std::size_t value_len : {std::size_t(0), std::size_t(2), std::size_t(5000)}) {
      const std::string key(key_len, 'k'), value(value_len, 'v');
      store.set(key, value);
      std::string name = key;
      CHECK(store.get(name, name) && name == value);
      name = key;
      CHECK(!store.get(kv::bytes(name.data() + 1, 1), name) && name.empty());
    }
}

void bytes_compare_with_all_that_they_are_made_from() {
  const kv::bytes one("one");
  const std::string text = "one";
  const char *pointer = "two";
  CHECK(one == text && text == one && !(one != text) && !(text != one));
  CHECK(one != pointer && pointer != one && !(one == pointer) && !(pointer == one));
  CHECK(one == "one" && "one" == one && one == kv::bytes(text));
#if __cplusplus >= 201703L
  const std::string_view view = text;
  CHECK(one == view && view == one && !(one != view) && !(view != one));
#endif
  const char *none = nullptr;
  CHECK(kv::bytes(none).empty());
}

void absent_key_is_no_error() {
  kv::store store;
  std::string before;
  try {
    store.incr(std::string(70000, 'k'));
  } catch (const kv::error &) {
    before = kv_last_error_message();
  }
  CHECK(!store.get_value("absent") && !store.take("absent"));
  CHECK(before == kv_last_error_message() && !before.empty());
}

void takes_have_one_winner() {
  kv::store store;
  store.set("k", "v");
  CHECK(store.contains("k"));
  const kv::value taken = store.take("k");
  CHECK(taken && taken.bytes() == "v" && !store.contains("k"));
  CHECK(!store.take("k"));
  store.close();
  CHECK(thrown_by([&] { store.take("k"); }) == KV_ERR_CLOSED);
  CHECK(thrown_by([&] { store.contains("k"); }) == KV_ERR_CLOSED);
  CHECK(thrown_by([&] { store.get_value("k"); }) == KV_ERR_CLOSED);
}

void absent_keys_are_set_and_versions_decide() {
  kv::options options;
  options.flags = KV_MANUAL_CLOCK;
  kv::store store(options);
  CHECK(store.set_if_absent("k", "first") && !store.set_if_absent("k", "second"));
  CHECK(store.set_if_absent("lease", "mine", std::chrono::milliseconds(100)));
  store.clock_advance(std::chrono::milliseconds(100));
  CHECK(store.set_if_absent("lease", "yours"));
  std::uint64_t version = store.get_value("k").version();
  const std::uint64_t before = version;
  CHECK(store.compare_and_swap("k", version, "third") && version > before);
  std::uint64_t stale = before;
  CHECK(!store.compare_and_swap("k", stale, "fourth") && stale == version);
  CHECK(!store.compare_and_swap("absent", stale, "v") && stale == 0);
  CHECK(store.compare_and_swap("absent", stale, "v") && stale > 0);
  CHECK(store.get_value("absent").version() == stale);
  std::string value;
  CHECK(store.get("k", value) && value == "third");
}

void computed_changes_do_what_was_called_last() {
  kv::store store;
  const auto append = [](const kv::bytes *old, kv::change &change) {
    change.put((old == nullptr ? std::string() : old->str()) + "x");
  };
  const std::uint64_t first = store.compute("k", append);
  CHECK(first > 0 && store.compute("k", append) > first);
  std::string value;
  CHECK(store.get("k", value) && value == "xx");
  const std::uint64_t stands = store.compute("k", [](const kv::bytes *, kv::change &) {});
  CHECK(stands == store.get_value("k").version());
  store.compute("k", [](const kv::bytes *, kv::change &change) {
    change.put("not this");
    change.keep();
  });
  CHECK(store.get("k", value) && value == "xx");
  store.compute("k", [](const kv::bytes *, kv::change &change) {
    change.remove();
    change.put("back", std::chrono::hours(1));
  });
  kv::lifetime left;
  CHECK(store.get("k", value) && value == "back" && store.ttl("k", left) && !left.is_never());
  CHECK(store.compute("k", [](const kv::bytes *, kv::change &change) { change.remove(); }) == 0);
  CHECK(!store.contains("k"));
}

void functions_that_throw_change_nothing() {
  kv::store store;
  store.set("k", "v");
  try {
    store.compute("k", [](const kv::bytes *, kv::change &change) {
      change.put("not this");
      throw odd{7};
    });
    CHECK(0 && "returned");
  } catch (const odd &thrown) {
    CHECK(thrown.number == 7);
  }
  try {
    store.read("k", [](kv::bytes) { throw odd{8}; });
    CHECK(0 && "returned");
  } catch (const odd &thrown) {
    CHECK(thrown.number == 8);
  }
  refused(KV_ERR_INVALID_TTL, "ttl", [&] {
    store.compute("k", [](const kv::bytes *, kv::change &change) {
      change.put("v", std::chrono::seconds(0));
    });
  });
  // An exception in a function that was called by another's.
  CHECK(thrown_by([&] {
          store.compute("outer", [&](const kv::bytes *, kv::change &change) {
            change.put("v");
            store.compute("k", [&](const kv::bytes *, kv::change &) { store.incr("k"); });
          });
        }) == KV_ERR_NOT_A_NUMBER);
  std::string value;
  CHECK(store.get("k", value) && value == "v" && !store.contains("outer"));
}

void reads_visit_the_value_in_its_place() {
  kv::store store;
  store.set("k", "old");
  std::string seen;
  CHECK(store.read("k", [&](kv::bytes value) {
    store.set("k", "new");
    seen = value.str();
  }));
  CHECK(seen == "old" && !store.read("absent", [](kv::bytes) { CHECK(0 && "called"); }));
  const auto constant = [](kv::bytes value) { CHECK(value == "new"); };
  CHECK(store.read("k", constant));
}

void threads_compute_without_a_loss() {
  kv::store store;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&store] {
      for (int n = 0; n < 500; n++)
        store.compute("n", [](const kv::bytes *old, kv::change &change) {
          change.put(std::to_string(old == nullptr ? 1 : std::stoi(old->str()) + 1));
        });
    });
  for (auto &thread : threads) thread.join();
  std::string value;
  CHECK(store.get("n", value) && value == "2000");
}

}  // namespace

int main() {
  values_outlive_key_and_store();
  values_move_and_are_freed_once();
  what_is_assigned_over_is_freed();
  key_may_lie_in_the_string_that_it_is_read_into();
  bytes_compare_with_all_that_they_are_made_from();
  absent_key_is_no_error();
  takes_have_one_winner();
  absent_keys_are_set_and_versions_decide();
  computed_changes_do_what_was_called_last();
  functions_that_throw_change_nothing();
  reads_visit_the_value_in_its_place();
  threads_compute_without_a_loss();
  kv::flush();
}
