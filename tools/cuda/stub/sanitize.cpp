// Runs launches that trace.cpp wrote, as a program that the sanitizers see whole: no Go, no driver, every allocation its own.
//
//   sanitize FILE...
//
// tools/cuda/sanitize.sh builds it with the kernels, once with AddressSanitizer and UndefinedBehaviorSanitizer, once with
// ThreadSanitizer, which sees each CUDA thread as one (fibers.cpp). MMC4_STUB_ORDER is the order of threads.
#include "emulator.h"
#include "trace.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

FILE *file;

uint64_t number() {
  uint64_t v = 0;
  if (fread(&v, 8, 1, file) != 1) exit(2);
  return v;
}
std::vector<char> bytes() {
  std::vector<char> b(number());
  if (fread(b.data(), 1, b.size(), file) != b.size()) exit(2);
  return b;
}

Trace read_trace(const char *path) {
  if (!(file = fopen(path, "rb"))) exit(2);
  Trace t;
  std::vector<char> name = bytes();
  t.kernel.assign(name.begin(), name.end());
  for (uint64_t &n : t.shape) n = number();
  t.arguments.resize(number());
  for (Piece &p : t.arguments) p.bytes = bytes();
  t.memory.resize(number());
  for (Piece &p : t.memory) p.address = number(), p.bytes = bytes();
  fclose(file);
  return t;
}

// move makes words that point into memory as it was point to where it is now.
void move(std::vector<char> &b, const std::vector<Piece> &memory, const std::vector<char *> &now) {
  words(b, [&](uint64_t w, char *at) {
    for (size_t i = 0; i < memory.size(); i++)
      if (w >= memory[i].address && w <= memory[i].address + memory[i].bytes.size()) {
        uint64_t moved = (uint64_t)now[i] + (w - memory[i].address);
        memcpy(at, &moved, 8);
        return;
      }
  });
}

const char *run(const char *path) {
  Trace t = read_trace(path);
  auto kernel = (void (*)(void **))dlsym(RTLD_DEFAULT, ("emu_kernel_" + t.kernel).c_str());
  if (!kernel) return "there is no such kernel";
  std::vector<char *> now; // as large as it was, so that one byte beyond is seen, and aligned as a driver aligns
  for (Piece &p : t.memory) {
    void *at = nullptr;
    if (posix_memalign(&at, 256, p.bytes.size())) exit(2);
    now.push_back((char *)at);
  }
  for (size_t i = 0; i < now.size(); i++) {
    if (t.memory[i].bytes.size() <= 65536) move(t.memory[i].bytes, t.memory, now);
    memcpy(now[i], t.memory[i].bytes.data(), t.memory[i].bytes.size());
  }
  std::vector<std::vector<uint64_t>> values; // aligned
  std::vector<void *> arguments;
  for (Piece &p : t.arguments) {
    move(p.bytes, t.memory, now);
    values.emplace_back((p.bytes.size() + 7) / 8);
    memcpy(values.back().data(), p.bytes.data(), p.bytes.size());
  }
  for (auto &v : values) arguments.push_back(v.data());
  const uint64_t *s = t.shape;
  const char *trouble = run_grid({kernel, arguments.data(), {(unsigned)s[0], (unsigned)s[1], (unsigned)s[2]}, {(unsigned)s[3], (unsigned)s[4], (unsigned)s[5]}, s[6]});
  for (char *p : now) free(p);
  return trouble;
}

} // namespace

int main(int n, char **paths) {
  for (int i = 1; i < n; i++) {
    fprintf(stderr, "%s\n", paths[i]); // what ran when a sanitizer stops the program
    if (const char *trouble = run(paths[i])) return fprintf(stderr, "%s\n", trouble), 1;
  }
  printf("%d launches\n", n - 1);
}
