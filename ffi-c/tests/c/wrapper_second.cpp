#include <kv.hpp>
#include <kv.hpp>

std::uint64_t count_in_second_unit(const kv::store &store);

std::uint64_t count_in_second_unit(const kv::store &store) {
  std::uint64_t count = 0;
  store.for_each([&](kv::bytes, kv::bytes) { ++count; });
  return count;
}
