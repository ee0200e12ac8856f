/** @file kv_values.hpp
 * The part of kv.hpp that knows no store: errors, bytes, values, options, times.
 * Copyright The rkv authors. SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Programs include kv.hpp.
 */
#ifndef RKV_KV_VALUES_HPP_INCLUDED
#define RKV_KV_VALUES_HPP_INCLUDED

#include <kv.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#if __cplusplus >= 201703L
#include <string_view>
#endif

namespace kv {

/** A failed call: what() is the error text, status() the number, as in kv.h. */
class error : public std::runtime_error {
 public:
  /** Takes the text of the last error of this thread. */
  explicit error(kv_status_t status)
      : std::runtime_error(kv_last_error_message()), status_(status) {}

  /** Takes a text of the program. */
  error(kv_status_t status, const char *text) : std::runtime_error(text), status_(status) {}

  /** The number: one of the constants KV_ERR_*. */
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
  /** No bytes; missing(). */
  bytes() noexcept : data_(nullptr), size_(0) {}

  /** So many bytes from `data` on. */
  bytes(const char *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /** A text up to its first NUL; NULL is no bytes. */
  bytes(const char *text) noexcept : data_(text), size_(text ? std::strlen(text) : 0) {}

  /** A literal 0 is meant as a number, which has to be made a string first. */
  bytes(std::nullptr_t) = delete;

  /** All bytes of a string, which must stay. */
  bytes(const std::string &text) noexcept : data_(text.data()), size_(text.size()) {}

  /** What kv.h knows as a slice. */
  explicit bytes(kv_slice_t slice) noexcept
      : data_(static_cast<const char *>(slice.data)), size_(slice.len) {}

#if __cplusplus >= 201703L
  /** All bytes of a view. */
  bytes(std::string_view text) noexcept : data_(text.data()), size_(text.size()) {}

  /** A view of these bytes. */
  operator std::string_view() const noexcept { return std::string_view(data_, size_); }
#endif

  /** The first byte. */
  const char *data() const noexcept { return data_; }

  /** Number of bytes. */
  std::size_t size() const noexcept { return size_; }

  /** Whether there are none. */
  bool empty() const noexcept { return size_ == 0; }

  /** Whether it stands, in the answer to a batch, for a key that does not exist. */
  bool missing() const noexcept { return data_ == nullptr; }

  /** A copy. */
  std::string str() const { return empty() ? std::string() : std::string(data_, size_); }

 private:
  const char *data_;
  std::size_t size_;
};

/** Whether both are the same bytes, wherever they lie. */
inline bool operator==(bytes a, bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

/** Whether they are not. */
inline bool operator!=(bytes a, bytes b) noexcept { return !(a == b); }

#if __cplusplus >= 201703L
/* As std::string_view compares itself with all that becomes one, each of these has to be said. */
/** Whether both are the same bytes. */
inline bool operator==(bytes a, std::string_view b) noexcept { return a == bytes(b); }
/** Whether both are the same bytes. */
inline bool operator==(bytes a, const std::string &b) noexcept { return a == bytes(b); }
/** Whether both are the same bytes. */
inline bool operator==(bytes a, const char *b) noexcept { return a == bytes(b); }
/** Whether both are the same bytes. */
inline bool operator==(std::string_view a, bytes b) noexcept { return bytes(a) == b; }
/** Whether both are the same bytes. */
inline bool operator==(const std::string &a, bytes b) noexcept { return bytes(a) == b; }
/** Whether both are the same bytes. */
inline bool operator==(const char *a, bytes b) noexcept { return bytes(a) == b; }
/** Whether they are not. */
inline bool operator!=(bytes a, std::string_view b) noexcept { return !(a == b); }
/** Whether they are not. */
inline bool operator!=(bytes a, const std::string &b) noexcept { return !(a == b); }
/** Whether they are not. */
inline bool operator!=(bytes a, const char *b) noexcept { return !(a == b); }
/** Whether they are not. */
inline bool operator!=(std::string_view a, bytes b) noexcept { return !(a == b); }
/** Whether they are not. */
inline bool operator!=(const std::string &a, bytes b) noexcept { return !(a == b); }
/** Whether they are not. */
inline bool operator!=(const char *a, bytes b) noexcept { return !(a == b); }
#endif

/** Whether what a loop over a container gives stays when the next step comes, or only points to
 *  something else. A range that makes a std::string in each step leaves nothing to point to. */
template <class Item>
struct stays
    : std::integral_constant<bool, std::is_lvalue_reference<Item>::value ||
                                       !std::is_same<typename std::decay<Item>::type,
                                                     std::string>::value> {};

/** The keys of a batch as kv.h wants them; they point into `keys`. */
template <class Keys>
std::vector<kv_slice_t> slices(const Keys &keys) {
  static_assert(stays<decltype(*std::begin(keys))>::value, "the keys are gone after each step");
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
  /** Takes over the values of another object, which has none then. */
  values(values &&other) noexcept : slices_(other.slices_), size_(other.size_) {
    other.slices_ = nullptr;
    other.size_ = 0;
  }

  /** Gives up its own, and takes over those of another object. */
  values &operator=(values &&other) noexcept {
    values taken(std::move(other));
    std::swap(slices_, taken.slices_);
    std::swap(size_, taken.size_);
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

/** A key with its value, as they stood at one moment. The bytes belong to whoever gave it. */
struct entry {
  /** The key. */
  bytes key;
  /** The value. */
  bytes value;
  /** A number that grows with each write of the key. */
  std::uint64_t version;

  /** No entry. */
  entry() noexcept : key(), value(), version(0) {}

  /** What kv.h knows as an entry. */
  explicit entry(const kv_entry_t &from) noexcept
      : key(from.key), value(from.value), version(from.version) {}
};

/** A value that is kept, with its key and version, as kv_get_value gives it: not a copy, and yet it
 *  stays as it is whatever others do to the key or the store, which it outlives. Any thread may use
 *  it. It can be moved but not copied. */
class value {
 public:
  /** No value: what was asked for a key that does not exist, and what was moved from. */
  value() noexcept : handle_(), entry_() {}

  /** Takes over the value of another object, which has none then. */
  value(value &&other) noexcept : handle_(other.handle_), entry_(other.entry_) {
    other.handle_ = kv_value_t();
    other.entry_ = entry();
  }

  /** Gives up its own, and takes over that of another object. */
  value &operator=(value &&other) noexcept {
    value taken(std::move(other));
    std::swap(handle_, taken.handle_);
    std::swap(entry_, taken.entry_);
    return *this;
  }
  value(const value &) = delete;
  value &operator=(const value &) = delete;
  ~value() { (void)kv_value_free(handle_); }

  /** Whether there is one. */
  explicit operator bool() const noexcept { return handle_.id != 0; }

  /** The bytes, which live as long as this object; missing() if there is no value. */
  kv::bytes bytes() const noexcept { return entry_.value; }

  /** Its key, which lives as long. */
  kv::bytes key() const noexcept { return entry_.key; }

  /** A number that grows with each write of the key, for compare_and_swap; 0 if there is none. */
  std::uint64_t version() const noexcept { return entry_.version; }

  /** A copy of the bytes. */
  std::string str() const { return bytes().str(); }

 private:
  friend class store;
  explicit value(kv_value_t handle) noexcept : handle_(handle), entry_() {
    if (handle_.id == 0) return;
    kv_entry_t shown;
    (void)kv_entry_init(&shown, sizeof shown);
    if (kv_value_entry(handle_, &shown) == KV_OK) entry_ = entry(shown);
  }

  kv_value_t handle_;
  entry entry_;
};

/** How to open a store: kv_options_t with every field at its default; the bounds max_entries and
 *  max_bytes and what to do when they are reached, eviction, are among them. */
struct options : kv_options_t {
  /** Sets every field to its default. */
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

  /** Whether it is for ever. */
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

/** What the function of store::compute wants done with the key: the last call counts, and without
 *  any, the key stays as it is. */
class change {
 public:
  change(const change &) = delete;
  change &operator=(const change &) = delete;

  /** The key is to have a copy of this value, and to live so long. */
  void put(bytes value, lifetime ttl = lifetime::keep()) {
    check(kv_change_put(handle_, value.data(), value.size(), ttl.ms()));
    wish_ = KV_CHANGE_PUT;
  }

  /** The key is to be removed, if it exists. */
  void remove() noexcept { wish_ = KV_CHANGE_REMOVE; }

  /** The key is to stay as it is. */
  void keep() noexcept { wish_ = KV_CHANGE_KEEP; }

 private:
  friend class store;
  explicit change(kv_change_t handle) noexcept : handle_(handle), wish_(KV_CHANGE_KEEP) {}

  kv_change_t handle_;
  std::int32_t wish_;
};

}  // namespace kv

#endif  // RKV_KV_VALUES_HPP_INCLUDED
