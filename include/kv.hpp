/** @file kv.hpp
 * The C++ interface of rkv: kv.h with RAII, strings and exceptions.
 * Copyright The rkv authors. SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * C++11 or newer; only this file, kv_values.hpp and kv.h are needed. Link with -lkv.
 *
 * Errors are thrown as kv::error; expected outcomes, such as a key that does not exist, are
 * return values. The conventions of kv.h hold: all members of kv::store may be called from any
 * thread at any time, except that nobody may use an object while another thread moves, assigns or
 * destroys that same object. Give each thread its own kv::store by share() if in doubt. A kv::guard
 * belongs to one thread.
 */
#ifndef RKV_KV_HPP_INCLUDED
#define RKV_KV_HPP_INCLUDED

#include <kv_values.hpp>

#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <type_traits>
#if __cplusplus >= 201703L
#include <optional>
#endif

namespace kv {

/** The entries of a store, one after the other and once each, as kv_iter_next gives them: for
 *  `for (const kv::entry &entry : store.entries("user:"))`. The loop may use the store; the bytes
 *  of an entry are valid until the next one. For one thread at a time. */
class entries {
 public:
  /** An iterator of the standard library, over a sequence that is passed once. */
  class iterator {
   public:
    /** @{ */
    /** What the standard library asks for. */
    typedef std::input_iterator_tag iterator_category;
    typedef entry value_type;
    typedef std::ptrdiff_t difference_type;
    typedef const entry *pointer;
    typedef const entry &reference;

    iterator() noexcept : all_(nullptr) {}
    reference operator*() const noexcept { return all_->current_; }
    pointer operator->() const noexcept { return &all_->current_; }
    iterator &operator++() {
      if (!all_->next()) all_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(iterator a, iterator b) noexcept { return a.all_ == b.all_; }
    friend bool operator!=(iterator a, iterator b) noexcept { return a.all_ != b.all_; }
    /** @} */

   private:
    friend class entries;
    explicit iterator(entries *all) noexcept : all_(all) {}
    entries *all_;
  };

  /** Goes on where the other stood, which has no more entries. */
  entries(entries &&other) noexcept : handle_(other.handle_), current_(other.current_) {
    other.handle_ = kv_iter_t();
  }
  entries(const entries &) = delete;
  entries &operator=(const entries &) = delete;
  ~entries() { (void)kv_iter_close(handle_); }

  /** Goes on to the next entry, which is the first one in the first call. */
  iterator begin() { return ++iterator(this); }

  /** The end of every loop. */
  iterator end() const noexcept { return iterator(); }

 private:
  friend class store;
  entries(kv_store_t store, bytes prefix) : handle_(), current_() {
    check(kv_iter_open(store, prefix.data(), prefix.size(), &handle_));
  }

  bool next() {
    kv_entry_t shown;
    check(kv_entry_init(&shown, sizeof shown));
    const bool is_there = check(kv_iter_next(handle_, &shown)) == KV_OK;
    current_ = entry(shown);
    return is_there;
  }

  kv_iter_t handle_;
  entry current_;
};

/** An open store. It can be moved but not copied; the last of those that share a store closes it.
 *  What was moved from has no store, and its members throw KV_ERR_CLOSED. */
class store {
 public:
  /** Opens a store with the defaults. */
  store() : handle_() { check(kv_open(nullptr, &handle_)); }

  /** Opens a store with these options. */
  explicit store(const kv_options_t &options) : handle_() { check(kv_open(&options, &handle_)); }

  /** Takes over the store of another object, which has none then. */
  store(store &&other) noexcept : handle_(other.release()) {}

  /** The same, and gives up the store that it had. */
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

  /** The same if the key does not exist; false, and nothing has changed, if it does. */
  bool set_if_absent(bytes key, bytes value, lifetime ttl = lifetime()) {
    return check(kv_set_if_absent(handle_, key.data(), key.size(), value.data(), value.size(),
                                  ttl.ms())) == KV_OK;
  }

  /** Stores a copy of the value if the key stands at `version`, which becomes the new version. Else
   *  nothing has changed; false, and `version` becomes the one that stands, 0 if none does, with
   *  which another try may go on. */
  bool compare_and_swap(bytes key, std::uint64_t &version, bytes value) {
    return check(kv_compare_and_swap(handle_, key.data(), key.size(), version, value.data(),
                                     value.size(), &version)) == KV_OK;
  }

  /** Does with the key what `function(current, change)` wants, in one atomic step: `current` is a
   *  `const kv::bytes *`, nullptr if the key does not exist, and `change` a `kv::change &`. It runs
   *  again if others change the key meanwhile, and may use the store; what it throws comes out
   *  here, and nothing has changed. The version that stands now, 0 if none does. */
  template <class Function>
  std::uint64_t compute(bytes key, Function &&function) {
    typedef computer<typename std::remove_reference<Function>::type> context;
    context self(function);
    std::uint64_t version = 0;
    const kv_status_t status =
        kv_compute(handle_, key.data(), key.size(), &context::call, &self, &version);
    if (self.thrown) std::rethrow_exception(self.thrown);
    check(status);
    return version;
  }

  /** Whether the key exists. */
  bool contains(bytes key) const {
    return check(kv_contains(handle_, key.data(), key.size())) == KV_OK;
  }

  /** The value itself and not a copy, to be kept as long as you like; false if there is none. */
  value get_value(bytes key) const {
    kv_value_t kept = kv_value_t();
    check(kv_get_value(handle_, key.data(), key.size(), &kept));
    return value(kept);
  }

  /** Removes the key; what its value was, false if there was none. */
  value take(bytes key) {
    kv_value_t taken = kv_value_t();
    check(kv_take(handle_, key.data(), key.size(), &taken));
    return value(taken);
  }

  /** Calls `visit(value)` with the value in the store, which stays until it returns; false if the
   *  key does not exist. It may use the store, and what it throws comes out here. */
  template <class Visit>
  bool read(bytes key, Visit &&visit) const {
    const auto of_entry = [&visit](bytes, bytes value) { visit(value); };
    return visited(of_entry, key, &kv_read) == KV_OK;
  }

  /** Copies the value into `value`, reusing its memory; false, and an empty `value`, if the key
   *  does not exist. */
  bool get(bytes key, std::string &value) const {
    // Such as `get(name, name)`, which follows a reference: the key is overwritten.
    std::string kept;
    if (lies_in(key, value)) {
      kept = key.str();
      key = bytes(kept);
    }
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
    const std::vector<kv_slice_t> wanted = kv::slices(keys);
    kv_slice_t *found = nullptr;
    check(kv_get_many(handle_, wanted.data(), wanted.size(), &found));
    return values(found, wanted.size());
  }

  /** Stores many values in order: a container of pairs of a key and a value, such as a std::map, or
   *  a list in braces. Costs less than as many single calls. Not one atomic step: if it throws
   *  KV_ERR_NO_MEMORY or KV_ERR_FULL, the first of them may be stored. */
  template <class Pairs = std::initializer_list<std::pair<bytes, bytes>>>
  void set_many(const Pairs &pairs, lifetime ttl = lifetime()) {
    std::vector<kv_pair_t> wanted;
    for (const auto &pair : pairs) {
      const bytes key(pair.first), value(pair.second);
      wanted.push_back(kv_pair_t{{key.data(), key.size()}, {value.data(), value.size()}});
    }
    check(kv_set_many(handle_, wanted.data(), wanted.size(), ttl.ms(), nullptr));
  }

  /** Removes many keys, as get_many takes them; how many of them there were. */
  template <class Keys = std::initializer_list<bytes>>
  std::uint64_t erase_many(const Keys &keys) {
    const std::vector<kv_slice_t> wanted = kv::slices(keys);
    std::uint64_t removed = 0;
    check(kv_delete_many(handle_, wanted.data(), wanted.size(), &removed));
    return removed;
  }

  /** Removes every key; how many this call removed. */
  std::uint64_t clear() {
    std::uint64_t removed = 0;
    check(kv_clear(handle_, &removed));
    return removed;
  }

  /** The keys that begin with `prefix`, sorted bytewise. */
  std::vector<std::string> keys(bytes prefix = bytes()) const {
    kv_slice_t *block = nullptr;
    std::size_t count = 0;
    check(kv_keys(handle_, prefix.data(), prefix.size(), &block, &count));
    const values found(block, count);
    std::vector<std::string> copies;
    copies.reserve(count);
    for (std::size_t i = 0; i < count; i++) copies.push_back(found[i].str());
    return copies;
  }

  /** The entries whose keys begin with `prefix`, in no order, for a loop. */
  kv::entries entries(bytes prefix = bytes()) const { return kv::entries(handle_, prefix); }

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
    visited(visit, prefix, &kv_scan);
  }

  /** Calls `visit(key, value)` for every key. */
  template <class Visit>
  void for_each(Visit &&visit) const {
    for_each(bytes(), std::forward<Visit>(visit));
  }

 private:
  /** Whether bytes lie in the memory of a string. */
  static bool lies_in(bytes part, const std::string &whole) noexcept {
    const std::less<const char *> before = std::less<const char *>();
    const char *begin = whole.data(), *end = begin + whole.capacity();
    return !before(part.data(), begin) && before(part.data(), end);
  }

  explicit store(kv_store_t handle) noexcept : handle_(handle) {}

  kv_store_t release() noexcept {
    kv_store_t handle = handle_;
    handle_ = kv_store_t();
    return handle;
  }

  /** Has kv_scan or kv_read call a visitor; what it throws comes out here. */
  template <class Visit, class Call>
  kv_status_t visited(Visit &visit, bytes bytes, Call *call) const {
    visitor<Visit> self(visit);
    const kv_status_t status =
        call(handle_, bytes.data(), bytes.size(), &visitor<Visit>::call, &self);
    if (self.thrown) std::rethrow_exception(self.thrown);
    return check(status);
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

  /** Carries the function of a compute through C. */
  template <class Function>
  struct computer {
    Function &function;
    std::exception_ptr thrown;

    explicit computer(Function &wanted) : function(wanted), thrown() {}

    static std::int32_t call(void *user_data, const kv_entry_t *current,
                             kv_change_t handle) noexcept {
      computer *self = static_cast<computer *>(user_data);
      try {
        change wish(handle);
        const bytes value = current ? bytes(current->value) : bytes();
        self->function(current ? &value : nullptr, wish);
        return wish.wish_;
      } catch (...) {
        self->thrown = std::current_exception();
        return KV_CHANGE_ABORT;
      }
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
  /** Pins this thread. */
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
    const std::vector<kv_slice_t> wanted = kv::slices(keys);
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
