// Counts the words of many files with four threads and one store.
//
// `wordcount LIST OUTPUT` reads the files that LIST names, one a line, and writes `count word`
// lines, sorted by word. A word is a run of ASCII letters, in lower case; a run longer than the
// longest key is cut into several.

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <kv.hpp>

namespace {

constexpr std::size_t threads = 4;
constexpr std::size_t word_max = 65535;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

// The whole file, in lower case.
std::string read_text(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto lower = [](unsigned char c) { return static_cast<char>(std::tolower(c)); };
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

std::vector<std::string> read_all(const std::string &list) {
  std::ifstream file(list);
  if (!file) throw std::runtime_error("cannot read " + list);
  std::vector<std::string> texts;
  for (std::string path; std::getline(file, path);) texts.push_back(read_text(path));
  return texts;
}

void count_words(kv::store &store, const std::string &text) {
  for (auto at = text.begin(); at != text.end();) {
    at = std::find_if(at, text.end(), is_letter);
    auto longest = at + std::min<std::ptrdiff_t>(word_max, text.end() - at);
    auto end = std::find_if_not(at, longest, is_letter);
    if (end != at) store.incr({&*at, static_cast<std::size_t>(end - at)});
    at = end;
  }
}

// Lets the threads take one text after the other until none is left; the seconds it took.
double count_all(kv::store &store, const std::vector<std::string> &texts) {
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (std::size_t mine; (mine = next++) < texts.size();) count_words(store, texts[mine]);
  };
  const auto start = std::chrono::steady_clock::now();
  std::array<std::future<void>, threads> workers;
  for (auto &worker : workers) worker = std::async(std::launch::async, work);
  for (auto &worker : workers) worker.get();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Writes every count, and returns their sum.
std::uint64_t write_counts(kv::store &store, const std::string &path) {
  std::map<std::string, std::uint64_t> counts;
  store.for_each([&](kv::bytes word, kv::bytes count) {
    counts[word.str()] = std::stoull(count.str());
  });
  std::uint64_t words = 0;
  std::ofstream output(path);
  for (const auto &[word, count] : counts) {
    output << count << ' ' << word << '\n';
    words += count;
  }
  if (!output.flush()) throw std::runtime_error("cannot write " + path);
  return words;
}

}  // namespace

int main(int argc, char **argv) try {
  if (argc != 3) throw std::runtime_error("usage: wordcount LIST OUTPUT");
  const auto texts = read_all(argv[1]);

  kv::store store;
  const double seconds = count_all(store, texts);

  const auto words = write_counts(store, argv[2]);
  const auto rate = static_cast<double>(words) / seconds / 1e6;
  std::cout << std::fixed << std::setprecision(3) << words << " words, " << store.count()
            << " distinct, " << seconds << " s, " << std::setprecision(2) << rate << " M incr/s\n";
  return 0;
} catch (const std::exception &error) {
  std::cerr << error.what() << '\n';
  return 1;
}
