// A launch on paper: what trace.cpp writes while tests run, and sanitize.cpp runs again by itself.
//
// A file is little-endian numbers of 8 bytes and bytes: the kernel's name (length, bytes), grid and block (3 + 3), dynamic
// shared memory, then the arguments (how many; each its size and bytes), then the memory that they point into, directly or
// through a table in other such memory (how many; each its address, its size and bytes).
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

struct Piece {
  uint64_t address; // where it was; 0 for an argument
  std::vector<char> bytes;
};
struct Trace {
  std::string kernel;
  uint64_t shape[7]; // grid, block, shared
  std::vector<Piece> arguments, memory;
};

// words calls f with each aligned word of some bytes.
template <class F> void words(std::vector<char> &bytes, F f) {
  for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    uint64_t w;
    memcpy(&w, &bytes[i], 8);
    f(w, &bytes[i]);
  }
}
