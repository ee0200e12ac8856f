// Counts words in a store and prints them.
#include <iostream>
#include <kv.hpp>

int main() {
  try {
    kv::store store;
    for (const char *word : {"one", "two", "two"}) store.incr(word);

    std::string count;
    if (store.get("two", count)) std::cout << "two was seen " << count << " times\n";

    store.for_each([](kv::bytes word, kv::bytes value) {
      std::cout << word.str() << ' ' << value.str() << '\n';
    });
  } catch (const kv::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
