// Runs a kernel on the host: every thread of a block is a fiber, which gives way at barriers and at exchanges between
// the lanes of a warp. MMC4_STUB_ORDER says in which order fibers go on: forward, reverse, eager (a warp as far as it
// can), or a number that seeds random orders; blocks run in rising order, in falling order with reverse. A kernel that
// lacks a barrier gives other numbers in one of them.
//
// Shared memory is one range a block, filled with ones (as floats, NaN) before each block and with a fence behind each
// array. x86-64 only.
#include "emulator.h"

#include "cuda_on_host.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

enum State { READY, AT_BARRIER, AT_MEETING, DONE };

struct Copy {
  void *to;
  const void *from;
  size_t bytes; // of 16; the rest are zeros
};

struct Fiber {
  EmuThread index;
  State state;
  void *stack_pointer;
  const char *where; // of the barrier
  int what;          // of the meeting
  uint64_t offered, published;
  std::vector<std::vector<Copy>> groups; // of asynchronous copies, the last one open
};

struct Array {
  const void *key;
  char *at;
  size_t bytes;
};

constexpr size_t STACK = 64 << 10, MOST_THREADS = 1024, SHARED_ROOM = 256 << 10, FENCE = 64;
constexpr unsigned char FENCE_BYTE = 0xa5;

Fiber fibers[MOST_THREADS];
char *stacks, *shared;
std::vector<Array> arrays;
size_t shared_used;
void *dynamic;
Fiber *now;
void *main_stack;
const Launch *running;
std::string trouble;

// switch_stacks saves the registers that a callee keeps, and goes on where another stack left off.
extern "C" void switch_stacks(void **from, void *to);
asm(".text\n.globl switch_stacks\nswitch_stacks:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");

void give_way() { switch_stacks(&now->stack_pointer, main_stack); }

void fiber_main() {
  running->kernel(running->arguments);
  now->state = DONE;
  give_way();
  abort();
}

size_t fenced(size_t bytes) { return (bytes + FENCE + 127) / 128 * 128 + FENCE; }

void *shared_array(const void *key, size_t bytes) {
  for (Array &a : arrays)
    if (a.key == key) return a.at;
  if (shared_used + fenced(bytes) > SHARED_ROOM) abort();
  char *at = shared + shared_used;
  shared_used += fenced(bytes);
  shared_used = (shared_used + 127) / 128 * 128;
  memset(at, 0xff, bytes);
  memset(at + bytes, FENCE_BYTE, FENCE);
  arrays.push_back({key, at, bytes});
  return at;
}

bool fences_hold() {
  for (const Array &a : arrays)
    for (size_t i = 0; i < FENCE; i++)
      if ((unsigned char)a.at[a.bytes + i] != FENCE_BYTE) return false;
  return true;
}

void begin_block(unsigned x, unsigned y, unsigned z, size_t threads) {
  arrays.clear();
  shared_used = 0;
  dynamic = running->shared ? shared_array(&dynamic, running->shared) : nullptr;
  const unsigned *b = running->block, *g = running->grid;
  for (size_t i = 0; i < threads; i++) {
    Fiber &f = fibers[i];
    f.index = {{unsigned(i % b[0]), unsigned(i / b[0] % b[1]), unsigned(i / b[0] / b[1])}, {x, y, z}, {b[0], b[1], b[2]}, {g[0], g[1], g[2]}};
    f.state = READY;
    f.groups.clear();
    uint64_t *top = (uint64_t *)(stacks + (i + 1) * STACK);
    *--top = 0;
    *--top = (uint64_t)fiber_main;
    for (int k = 0; k < 6; k++) *--top = 0;
    f.stack_pointer = top;
  }
}

// Lets the lanes of warps go on that have all arrived at the same meeting.
bool release_warps(size_t threads) {
  bool any = false;
  for (size_t w = 0; w < threads; w += 32) {
    size_t end = std::min(threads, w + 32), waiting = 0;
    const Fiber *first = nullptr;
    for (size_t i = w; i < end; i++)
      if (fibers[i].state == AT_MEETING) {
        if (!first) first = &fibers[i];
        if (fibers[i].what != first->what) trouble = "lanes of a warp met at different operations";
        waiting++;
      }
    if (waiting != end - w) continue;
    for (size_t i = w; i < end; i++) fibers[i].published = fibers[i].offered, fibers[i].state = READY;
    any = true;
  }
  return any;
}

bool release_barrier(size_t threads) {
  for (size_t i = 0; i < threads; i++)
    if (fibers[i].state != AT_BARRIER) return false;
  for (size_t i = 0; i < threads; i++) {
    if (strcmp(fibers[i].where, fibers[0].where) != 0) trouble = std::string("threads wait at ") + fibers[0].where + " and at " + fibers[i].where;
    fibers[i].state = READY;
  }
  return true;
}

// Runs a fiber to where it gives way; false if it cannot go on.
bool go_on(Fiber &f, size_t *done) {
  if (f.state != READY) return false;
  now = &f;
  emu_now = &now->index;
  switch_stacks(&main_stack, now->stack_pointer);
  *done += now->state == DONE;
  return true;
}

// Eagerly: one warp goes on as far as it can before the next begins.
bool run_eagerly(size_t threads, size_t *done) {
  bool any = false;
  for (size_t w = 0; w < threads; w += 32)
    for (bool more = true; more;) {
      more = false;
      for (size_t i = w; i < std::min(threads, w + 32); i++) more |= go_on(fibers[i], done);
      release_warps(threads);
      any |= more;
    }
  return any;
}

bool run_block(std::vector<unsigned> &order, std::mt19937 *random, bool eager, size_t threads) {
  for (size_t done = 0; done < threads;) {
    bool any = false;
    if (eager) {
      any = run_eagerly(threads, &done);
    } else {
      if (random) std::shuffle(order.begin(), order.end(), *random);
      for (unsigned i : order) any |= go_on(fibers[i], &done);
      any |= release_warps(threads);
    }
    any |= release_barrier(threads);
    if (!any && done < threads) trouble = "some threads wait for others that have left or wait elsewhere";
    if (!trouble.empty()) return false;
  }
  if (!fences_hold()) trouble = "shared memory was written beyond an array";
  return trouble.empty();
}

} // namespace

extern "C" {
EmuThread *emu_now;

void emu_barrier(const char *where) {
  now->state = AT_BARRIER;
  now->where = where;
  give_way();
}

void emu_meet(int what, uint64_t value) {
  now->state = AT_MEETING;
  now->what = what;
  now->offered = value;
  give_way();
}

uint64_t emu_peer(int lane) { return fibers[((now - fibers) & ~31) + lane].published; }

void *emu_shared(const void *key, size_t bytes) { return shared_array(key, bytes); }
void *emu_dynamic_shared() { return dynamic; }

// The bytes arrive when the thread waits for their group, and not before.
void emu_copy_async(void *to, const void *from, size_t bytes) {
  if ((uintptr_t)to % 16 || (uintptr_t)from % 16) trouble = "an asynchronous copy of 16 bytes from or to no multiple of 16";
  if (now->groups.empty()) now->groups.emplace_back();
  now->groups.back().push_back({to, from, bytes});
  memset(to, 0xff, 16);
}
void emu_copy_commit() {
  if (now->groups.empty()) now->groups.emplace_back();
  now->groups.emplace_back();
}
void emu_copy_wait(int but) {
  auto &g = now->groups; // the last is open: not committed
  while ((int)g.size() - 1 > but) {
    for (const Copy &c : g.front()) {
      memset(c.to, 0, 16);
      memcpy(c.to, c.from, c.bytes);
    }
    g.erase(g.begin());
  }
}
}

const char *run_grid(const Launch &launch) {
  if (!stacks) {
    stacks = (char *)mmap(nullptr, MOST_THREADS * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    shared = (char *)mmap(nullptr, SHARED_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stacks == MAP_FAILED || shared == MAP_FAILED) abort();
  }
  running = &launch;
  trouble.clear();
  size_t threads = (size_t)launch.block[0] * launch.block[1] * launch.block[2];
  std::vector<unsigned> order(threads);
  std::iota(order.begin(), order.end(), 0);
  const char *how = getenv("MMC4_STUB_ORDER");
  std::mt19937 random(how ? (unsigned)atoi(how) : 0);
  bool shuffled = how && how[0] >= '0' && how[0] <= '9';
  bool eager = how && strcmp(how, "eager") == 0;
  bool reverse = how && strcmp(how, "reverse") == 0;
  if (reverse) std::reverse(order.begin(), order.end());
  size_t across = launch.grid[0], down = launch.grid[1], blocks = across * down * launch.grid[2];
  for (size_t i = 0; i < blocks; i++) {
    size_t block = reverse ? blocks - 1 - i : i;
    begin_block(unsigned(block % across), unsigned(block / across % down), unsigned(block / across / down), threads);
    if (!run_block(order, shuffled ? &random : nullptr, eager, threads)) return trouble.c_str();
  }
  return nullptr;
}
