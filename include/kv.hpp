/* kv.hpp - the C++ interface of rkv: kv.h with RAII, strings and exceptions.
 * Copyright The rkv authors. SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * C++11 or newer; only this file and kv.h are needed. Link with -lkv.
 *
 * Errors are thrown as kv::error; expected outcomes, such as a key that does not exist, are
 * return values. The conventions of kv.h hold: all members of kv::store may be called from any
 * thread at any time, except that nobody may use an object while another thread moves, assigns or
 * destroys that same object. Give each thread its own kv::store by share() if in doubt. A kv::guard
 * belongs to one thread.
 */
#ifndef RKV_KV_HPP_INCLUDED
#define RKV_KV_HPP_INCLUDED

#include <kv.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#if __cplusplus >= 201703L
#include <optional>
#include <string_view>
#endif

namespace kv {

/** A failed call: what() is the error text, status() the number, as in kv.h. */
class error : public std::runtime_error {
 public:
  /** Takes the text of the last error of this thread. */
  explicit error(kv_status_t status)
      : std::runtime_error(kv_last_error_message()), status_(status) {}
  error(kv_status_t status, const char *text) : std::runtime_error(text), status_(status) {}

  kv_status_t status() const noexcept { return status_; }

 private:
  kv_status_t status_;
};

/** Throws an error for a status below 0; returns any other. */
inline kv_status_t check(kv_status_t status) {
  if (status < 0) throw error(status);
  return status;
}

/** Some bytes that somebody else owns: how keys and values are passed. It is made from strings
 *  without a copy; a `const char *` ends at its first NUL, all else may hold any bytes. */
class bytes {
 public:
  bytes() noexcept : data_(nullptr), size_(0) {}
  bytes(const char *data, std::size_t size) noexcept : data_(data), size_(size) {}
  bytes(const char *text) noexcept : data_(text), size_(std::strlen(text)) {}
  bytes(const std::string &text) noexcept : data_(text.data()), size_(text.size()) {}
  explicit bytes(kv_slice_t slice) noexcept
      : data_(static_cast<const char *>(slice.data)), size_(slice.len) {}
#if __cplusplus >= 201703L
  bytes(std::string_view text) noexcept : data_(text.data()), size_(text.size()) {}
  operator std::string_view() const noexcept { return std::string_view(data_, size_); }
#endif

  const char *data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /** Whether it stands, in the answer to a batch, for a key that does not exist. */
  bool missing() const noexcept { return data_ == nullptr; }

  /** A copy. */
  std::string str() const { return empty() ? std::string() : std::string(data_, size_); }

 private:
  const char *data_;
  std::size_t size_;
};

inline bool operator==(bytes a, bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
inline bool operator!=(bytes a, bytes b) noexcept { return !(a == b); }

/** The keys of a batch as kv.h wants them; they point into `keys`. */
template <class Keys>
std::vector<kv_slice_t> slices(const Keys &keys) {
  std::vector<kv_slice_t> made;
  for (const auto &key : keys) {
    const bytes view(key);
    made.push_back(kv_slice_t{view.data(), view.size()});
  }
  return made;
}

/** Copies of the values of a batch of keys, in the order of the keys; they live as long as this
 *  object, which can be moved but not copied. */
class values {
 public:
  values(values &&other) noexcept : slices_(other.slices_), size_(other.size_) {
    other.slices_ = nullptr;
    other.size_ = 0;
  }
  values &operator=(values &&other) noexcept {
    std::swap(slices_, other.slices_);
    std::swap(size_, other.size_);
    return *this;
  }
  values(const values &) = delete;
  values &operator=(const values &) = delete;
  ~values() { kv_free(slices_); }

  /** Number of keys that were asked for; 0 for what was moved from. */
  std::size_t size() const noexcept { return size_; }

  /** The value at a place below size(); missing() if the key did not exist. */
  bytes operator[](std::size_t index) const noexcept { return bytes(slices_[index]); }

 private:
  friend class store;
  values(kv_slice_t *slices, std::size_t size) noexcept : slices_(slices), size_(size) {}

  kv_slice_t *slices_;
  std::size_t size_;
};

/** How to open a store: kv_options_t with every field at its default; the bounds max_entries and
 *  max_bytes and what to do when they are reached, eviction, are among them. */
struct options : kv_options_t {
  options() { check(kv_options_init(this, sizeof(kv_options_t))); }
};

/** How long a key is to live, or has still to live: any duration of std::chrono, or one of the
 *  three that have names. */
class lifetime {
 public:
  /** As the option default_ttl_ms says. */
  lifetime() noexcept : ms_(KV_TTL_DEFAULT) {}

  /** So long, rounded up to a millisecond; more than 139 years are for ever. Throws
   *  KV_ERR_INVALID_TTL for what is not longer than zero. */
  template <class Rep, class Period>
  lifetime(std::chrono::duration<Rep, Period> span)
      : ms_(whole(std::chrono::duration<double, std::milli>(span).count())) {}

  /** For ever. */
  static lifetime never() noexcept { return lifetime(KV_TTL_NEVER); }

  /** What the key still has; the default if it does not exist. */
  static lifetime keep() noexcept { return lifetime(KV_TTL_KEEP); }

  bool is_never() const noexcept { return ms_ == KV_TTL_NEVER; }

  /** The number that functions of kv.h take; milliseconds, unless it is one of the constants. */
  std::uint64_t ms() const noexcept { return ms_; }

 private:
  friend class store;
  explicit lifetime(std::uint64_t ms) noexcept : ms_(ms) {}

  static std::uint64_t whole(double ms) {
    const double for_ever = 1e15;
    if (!(ms > 0)) throw error(KV_ERR_INVALID_TTL, "invalid argument `ttl`: not longer than zero");
    return static_cast<std::uint64_t>(std::ceil(ms < for_ever ? ms : for_ever));
  }

  std::uint64_t ms_;
};

/** An open store. It can be moved but not copied; the last of those that share a store closes it.
 *  What was moved from has no store, and its members throw KV_ERR_CLOSED. */
class store {
 public:
  store() : handle_() { check(kv_open(nullptr, &handle_)); }
  explicit store(const kv_options_t &options) : handle_() { check(kv_open(&options, &handle_)); }

  store(store &&other) noexcept : handle_(other.release()) {}
  store &operator=(store &&other) noexcept {
    kv_store_t handle = other.release();
    store old(std::move(*this));
    handle_ = handle;
    return *this;
  }
  store(const store &) = delete;
  store &operator=(const store &) = delete;
  ~store() { (void)kv_close(handle_); }

  /** Another owner of the same store. */
  store share() const {
    check(kv_retain(handle_));
    return store(handle_);
  }

  /** Gives up the store now, and says if that fails. */
  void close() { check(kv_close(release())); }

  /** The handle for functions of kv.h; it stays owned by this object. */
  kv_store_t handle() const noexcept { return handle_; }

  /** Stores a copy of the value, whether the key exists or not. */
  void set(bytes key, bytes value) {
    check(kv_set(handle_, key.data(), key.size(), value.data(), value.size()));
  }

  /** The same with a time to live, such as std::chrono::seconds(30) or kv::lifetime::keep(). */
  void set(bytes key, bytes value, lifetime ttl) {
    check(kv_set_ttl(handle_, key.data(), key.size(), value.data(), value.size(), ttl.ms()));
  }

  /** Copies the value into `value`, reusing its memory; false, and an empty `value`, if the key
   *  does not exist. */
  bool get(bytes key, std::string &value) const {
    value.resize(value.capacity());
    for (;;) {
      std::size_t size = 0;
      char *buffer = value.empty() ? nullptr : &value[0];
      kv_status_t status =
          check(kv_get(handle_, key.data(), key.size(), buffer, value.size(), &size));
      value.resize(status == KV_NOT_FOUND ? 0 : size);
      if (status != KV_BUFFER_TOO_SMALL) return status == KV_OK;
    }
  }

#if __cplusplus >= 201703L
  /** A copy of the value, if the key exists. */
  std::optional<std::string> get(bytes key) const {
    std::string value;
    if (!get(key, value)) return std::nullopt;
    return value;
  }
#endif

  /** Copies of the values of many keys: a container of what kv::bytes is made from, or a list in
   *  braces. Costs less than as many single reads, since their waits for memory overlap. */
  template <class Keys = std::initializer_list<bytes>>
  values get_many(const Keys &keys) const {
    const std::vector<kv_slice_t> wanted = slices(keys);
    kv_slice_t *found = nullptr;
    check(kv_get_many(handle_, wanted.data(), wanted.size(), &found));
    return values(found, wanted.size());
  }

  /** Removes the key; false if there was nothing to remove. */
  bool erase(bytes key) { return check(kv_delete(handle_, key.data(), key.size())) == KV_OK; }

  /** Adds to the decimal number under the key in one atomic step, counting a key that does not
   *  exist as 0; the sum. */
  std::int64_t incr(bytes key, std::int64_t by = 1) {
    std::int64_t sum = 0;
    check(kv_incr(handle_, key.data(), key.size(), by, &sum));
    return sum;
  }

  /** Writes to `left` how long the key has still to live, never() among it; false, and an unchanged
   *  `left`, if the key does not exist. */
  bool ttl(bytes key, lifetime &left) const {
    return check(kv_ttl(handle_, key.data(), key.size(), &left.ms_)) == KV_OK;
  }

#if __cplusplus >= 201703L
  /** How long the key has still to live, if it exists. */
  std::optional<lifetime> ttl(bytes key) const {
    lifetime left;
    if (!ttl(key, left)) return std::nullopt;
    return left;
  }
#endif

  /** Gives the key another time to live, but keep(); false if the key does not exist. */
  bool expire(bytes key, lifetime ttl) {
    return check(kv_expire(handle_, key.data(), key.size(), ttl.ms())) == KV_OK;
  }

  /** Lets the key live for ever; false if it does not exist. */
  bool persist(bytes key) { return check(kv_persist(handle_, key.data(), key.size())) == KV_OK; }

  /** Lets the key live for so long from now on, a duration, at little cost if that was done just
   *  before, as kv_touch does; false if the key does not exist. */
  bool touch(bytes key, lifetime ttl) {
    return check(kv_touch(handle_, key.data(), key.size(), ttl.ms())) == KV_OK;
  }

  /** Removes all keys whose deadline has passed; how many this call removed. */
  std::uint64_t purge_expired() {
    std::uint64_t count = 0;
    check(kv_purge_expired(handle_, &count));
    return count;
  }

  /** Removes a bounded number of keys whose deadline has passed; in what time to call it again, as
   *  kv_advance says. The longest that there is if there is no need. */
  std::chrono::milliseconds advance() {
    std::uint64_t wait = 0;
    check(kv_advance(handle_, &wait));
    if (wait == KV_NOTHING_DUE) return (std::chrono::milliseconds::max)();
    return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(wait));
  }

  /** For tests: moves the clock of a store that was opened with KV_MANUAL_CLOCK. */
  void clock_advance(std::chrono::milliseconds by) {
    if (by.count() < 0) throw error(KV_ERR_INVALID_ARGUMENT, "invalid argument `by`: below zero");
    check(kv_clock_advance(handle_, static_cast<std::uint64_t>(by.count())));
  }

  /** Number of keys; exact when no write is in flight. */
  std::uint64_t count() const {
    std::uint64_t count = 0;
    check(kv_count(handle_, &count));
    return count;
  }

  /** The figures of the store, as kv_stats gives them. */
  kv_stats_t stats() const {
    kv_stats_t figures = kv_stats_t();
    check(kv_stats(handle_, &figures, sizeof figures));
    return figures;
  }

  /** Calls `visit(key, value)`, with two kv::bytes, for each key that begins with `prefix`, as
   *  kv_scan does. If `visit` returns something, false ends the loop. It may use the store, and
   *  what it throws comes out here. The bytes are valid until it returns. */
  template <class Visit>
  void for_each(bytes prefix, Visit &&visit) const {
    typedef visitor<typename std::remove_reference<Visit>::type> context;
    context self(visit);
    kv_status_t status =
        kv_scan(handle_, prefix.data(), prefix.size(), &context::call, &self);
    if (self.thrown) std::rethrow_exception(self.thrown);
    check(status);
  }

  /** Calls `visit(key, value)` for every key. */
  template <class Visit>
  void for_each(Visit &&visit) const {
    for_each(bytes(), std::forward<Visit>(visit));
  }

 private:
  explicit store(kv_store_t handle) noexcept : handle_(handle) {}

  kv_store_t release() noexcept {
    kv_store_t handle = handle_;
    handle_ = kv_store_t();
    return handle;
  }

  /** Carries a visitor through C, where no exception may pass. */
  template <class Visit>
  struct visitor {
    Visit &visit;
    std::exception_ptr thrown;

    explicit visitor(Visit &function) : visit(function), thrown() {}

    static std::int32_t call(void *user_data, const kv_entry_t *entry) noexcept {
      visitor *self = static_cast<visitor *>(user_data);
      try {
        typedef decltype(self->visit(bytes(), bytes())) result;
        return self->run(entry, std::is_void<result>()) ? 0 : 1;
      } catch (...) {
        self->thrown = std::current_exception();
        return 1;
      }
    }

    bool run(const kv_entry_t *entry, std::true_type) {
      visit(bytes(entry->key), bytes(entry->value));
      return true;
    }
    bool run(const kv_entry_t *entry, std::false_type) {
      return static_cast<bool>(visit(bytes(entry->key), bytes(entry->value)));
    }
  };

  kv_store_t handle_;
};

/** A pin of this thread for reads of a store that copy nothing, as kv_pin makes it.
 *
 *  What it gives stays readable, whatever others do to the key or the store, until the guard is
 *  renewed or destroyed. While it stands, memory that anybody removes waits. It is destroyed by the
 *  thread that made it. */
class guard {
 public:
  explicit guard(const store &pinned) : handle_() { check(kv_pin(pinned.handle(), &handle_)); }
  guard(const guard &) = delete;
  guard &operator=(const guard &) = delete;
  ~guard() { (void)kv_unpin(handle_); }

  /** Lets `value` point to the value in the store; false, and a missing `value`, if the key does
   *  not exist. */
  bool get(bytes key, bytes &value) const {
    kv_slice_t found = kv_slice_t();
    const kv_status_t status = check(kv_get_ref(handle_, key.data(), key.size(), &found));
    value = bytes(found);
    return status == KV_OK;
  }

#if __cplusplus >= 201703L
  /** The value in the store, if the key exists. */
  std::optional<std::string_view> get(bytes key) const {
    bytes value;
    if (!get(key, value)) return std::nullopt;
    return value;
  }
#endif

  /** The values of many keys, as store::get_many takes them, in their order; missing() for a key
   *  that does not exist. */
  template <class Keys = std::initializer_list<bytes>>
  std::vector<bytes> get_many(const Keys &keys) const {
    const std::vector<kv_slice_t> wanted = slices(keys);
    std::vector<kv_slice_t> found(wanted.size());
    check(kv_get_many_ref(handle_, wanted.data(), wanted.size(), found.data()));
    return std::vector<bytes>(found.begin(), found.end());
  }

  /** Renews the pin, so that the freeing of memory goes on: do it between two pieces of work. What
   *  it gave before is not readable any more. */
  void repin() { check(kv_repin(handle_)); }

  /** The guard for functions of kv.h; it stays owned by this object. */
  kv_guard_t handle() const noexcept { return handle_; }

 private:
  kv_guard_t handle_;
};

/** Frees what can be freed of the memory of deleted and replaced values, as kv_flush does. */
inline void flush() { check(kv_flush()); }

}  // namespace kv

#endif  // RKV_KV_HPP_INCLUDED
