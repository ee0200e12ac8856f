// Checks that stay when NDEBUG is set, and what calls throw.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <kv.hpp>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
      std::exit(1);                                                            \
    }                                                                          \
  } while (false)

// The status of the error that a call throws, which has a text; KV_OK if it throws none.
template <class Call>
kv_status_t thrown_by(Call call) {
  try {
    call();
  } catch (const kv::error &error) {
    CHECK(error.what()[0] != '\0');
    return error.status();
  }
  return KV_OK;
}

// Checks that a call throws an error, whose text has a part.
template <class Call>
void refused(kv_status_t status, const char *part, Call call) {
  try {
    call();
    CHECK(0 && "returned");
  } catch (const kv::error &error) {
    CHECK(error.status() == status && std::strstr(error.what(), part) != nullptr);
  }
}

#endif
