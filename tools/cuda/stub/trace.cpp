// Writes launches to the folder MMC4_STUB_TRACE as trace.h says: of each kernel some that are small, so that the
// sanitizers, which are slow, see every kernel, with one block and with several: the 1st, 4th, 16th and so on of each.
#include "trace.h"

#include "driver.h"

#include <cstdio>
#include <cstdlib>

namespace {

constexpr size_t MOST_BYTES = 4 << 20, MOST_BLOCKS = 6; // a stream's scratch memory is a megabyte at least

void put(FILE *f, uint64_t v) { fwrite(&v, 8, 1, f); }
void put(FILE *f, const std::vector<char> &bytes) {
  put(f, bytes.size());
  fwrite(bytes.data(), 1, bytes.size(), f);
}

// The allocations that words point into; tables of pointers are followed.
void follow(std::vector<char> &bytes, std::map<CUdeviceptr, Piece> *found) {
  words(bytes, [&](uint64_t w, char *) {
    auto it = allocations.upper_bound(w);
    if (it == allocations.begin()) return;
    --it;
    if (w > it->first + it->second || found->count(it->first)) return;
    const char *at = (const char *)it->first;
    Piece &p = (*found)[it->first] = {it->first, std::vector<char>(at, at + it->second)};
    std::vector<char> copy = p.bytes;
    if (copy.size() <= 65536) follow(copy, found);
  });
}

} // namespace

void trace(const std::string &kernel, const unsigned *grid, const unsigned *block, size_t shared, const std::vector<int> &sizes, void **arguments) {
  static const char *folder = getenv("MMC4_STUB_TRACE");
  if (!folder || !*folder) return;
  size_t blocks = (size_t)grid[0] * grid[1] * grid[2];
  static std::map<std::pair<std::string, bool>, size_t> seen;
  if (blocks > MOST_BLOCKS) return;
  size_t n = ++seen[{kernel, blocks > 1}], power = 1;
  while (power < n) power *= 4;
  if (power != n) return;
  std::vector<std::vector<char>> values;
  std::map<CUdeviceptr, Piece> found;
  for (size_t i = 0; i < sizes.size(); i++) {
    const char *at = (const char *)arguments[i];
    values.emplace_back(at, at + sizes[i]);
    follow(values.back(), &found);
  }
  size_t bytes = 0;
  for (auto &[at, p] : found) bytes += p.bytes.size();
  if (bytes > MOST_BYTES) return;
  std::string path = std::string(folder) + "/" + kernel + (blocks > 1 ? "-many-" : "-one-") + std::to_string(n);
  FILE *f = fopen(path.c_str(), "wb");
  if (!f) return;
  put(f, std::vector<char>(kernel.begin(), kernel.end()));
  for (int i = 0; i < 3; i++) put(f, grid[i]);
  for (int i = 0; i < 3; i++) put(f, block[i]);
  put(f, shared);
  put(f, values.size());
  for (auto &v : values) put(f, v);
  put(f, found.size());
  for (auto &[at, p] : found) put(f, at), put(f, p.bytes);
  fclose(f);
}
