// Runs a kernel on the host: every thread of a block is a fiber, which gives way at barriers and at exchanges between
// the lanes of a warp. MMC4_STUB_ORDER says in which order fibers go on: forward, reverse, eager (a warp as far as it
// can), or a number that seeds random orders; blocks run in rising order, in falling order with reverse. A kernel that
// lacks a barrier gives other numbers in one of them.
//
// Shared memory is one range a block, filled with ones (as floats, NaN) before each block and with a fence behind each
// array. x86-64 only.
//
// In a program that was built with ThreadSanitizer (sanitize.cpp) a fiber is a thread to it: barriers and meetings order
// what comes before and after them, nothing else does, and blocks are not ordered at all. With AddressSanitizer the shared
// memory between arrays is out of bounds. This file itself is built without.
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

// Where a sanitizer is in the program.
extern "C" {
__attribute__((weak)) void *__tsan_get_current_fiber();
__attribute__((weak)) void *__tsan_create_fiber(unsigned);
__attribute__((weak)) void __tsan_destroy_fiber(void *);
__attribute__((weak)) void __tsan_switch_to_fiber(void *, unsigned);
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);
__attribute__((weak)) void __tsan_read_range(void *, size_t);
__attribute__((weak)) void __tsan_write_range(void *, size_t);
__attribute__((weak)) void __asan_poison_memory_region(const volatile void *, size_t);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *, size_t);
}

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
  void *thread;                          // ThreadSanitizer's
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
void *main_stack, *main_thread;
const Launch *running;
std::string trouble;

// switch_stacks saves the registers that a callee keeps, and goes on where another stack left off.
extern "C" void switch_stacks(void **from, void *to);
asm(".text\n.globl switch_stacks\nswitch_stacks:\n"
    "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");

// What ThreadSanitizer knows of order: addresses that are released and acquired. Every barrier of a block and every meeting
// of a warp has one of its own, and a launch its beginning and its end.
char orders[1 << 20];
size_t orders_used;
char *begun, *ended, *barrier, *meetings[MOST_THREADS / 32];
char *new_order() { return &orders[orders_used++ % sizeof orders]; }
void acquire(char *order) {
  if (__tsan_acquire) __tsan_acquire(order);
}
void release(char *order) {
  if (__tsan_release) __tsan_release(order);
}
void become(void *thread) {
  if (__tsan_switch_to_fiber) __tsan_switch_to_fiber(thread, 1); // 1: a switch orders nothing
}

void give_way() {
  become(main_thread);
  switch_stacks(&now->stack_pointer, main_stack);
}

void fiber_main() {
  acquire(begun);
  running->kernel(running->arguments);
  release(ended);
  now->state = DONE;
  give_way();
  abort();
}

size_t fenced(size_t bytes) { return (bytes + FENCE + 127) / 128 * 128 + FENCE; }

// fill is memset that no sanitizer takes for an access of the thread that asks for the array first.
void fill(volatile char *at, unsigned char value, size_t n) {
  for (size_t i = 0; i < n; i++) at[i] = (char)value;
}

void *shared_array(const void *key, size_t bytes) {
  for (Array &a : arrays)
    if (a.key == key) return a.at;
  if (shared_used + fenced(bytes) > SHARED_ROOM) abort();
  char *at = shared + shared_used;
  if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(at, bytes);
  shared_used += fenced(bytes);
  shared_used = (shared_used + 127) / 128 * 128;
  fill(at, 0xff, bytes);
  fill(at + bytes, FENCE_BYTE, FENCE);
  arrays.push_back({key, at, bytes});
  return at;
}

bool fences_hold() {
  for (const Array &a : arrays)
    for (size_t i = 0; i < FENCE; i++)
      if ((unsigned char)a.at[a.bytes + i] != FENCE_BYTE) return false;
  return true;
}

// Memory that no thread of another block has touched, as far as a sanitizer knows.
char *fresh(char *old, size_t bytes) {
  if (old && !__tsan_create_fiber) return old;
  if (old) munmap(old, bytes);
  void *at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) abort();
  return (char *)at;
}

void begin_block(unsigned x, unsigned y, unsigned z, size_t threads) {
  stacks = fresh(stacks, MOST_THREADS * STACK);
  shared = fresh(shared, SHARED_ROOM);
  if (__asan_poison_memory_region) __asan_poison_memory_region(shared, SHARED_ROOM);
  barrier = new_order();
  for (char *&m : meetings) m = new_order();
  arrays.clear();
  shared_used = 0;
  dynamic = running->shared ? shared_array(&dynamic, running->shared) : nullptr;
  const unsigned *b = running->block, *g = running->grid;
  for (size_t i = 0; i < threads; i++) {
    Fiber &f = fibers[i];
    f.index = {{unsigned(i % b[0]), unsigned(i / b[0] % b[1]), unsigned(i / b[0] / b[1])}, {x, y, z}, {b[0], b[1], b[2]}, {g[0], g[1], g[2]}};
    f.state = READY;
    f.groups.clear();
    if (__tsan_create_fiber) f.thread = __tsan_create_fiber(0);
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
    meetings[w / 32] = new_order();
    for (size_t i = w; i < end; i++) fibers[i].published = fibers[i].offered, fibers[i].state = READY;
    any = true;
  }
  return any;
}

bool release_barrier(size_t threads) {
  for (size_t i = 0; i < threads; i++)
    if (fibers[i].state != AT_BARRIER) return false;
  barrier = new_order();
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
  become(f.thread);
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
  char *order = barrier;
  release(order);
  give_way();
  acquire(order);
}

void emu_meet(int what, uint64_t value) {
  now->state = AT_MEETING;
  now->what = what;
  now->offered = value;
  char *order = meetings[(now - fibers) / 32];
  release(order);
  give_way();
  acquire(order);
}

uint64_t emu_peer(int lane) { return fibers[((now - fibers) & ~31) + lane].published; }

void *emu_shared(const void *key, size_t bytes) { return shared_array(key, bytes); }
void *emu_dynamic_shared() { return dynamic; }

static void touch(void *to, const void *from) {
  if (__tsan_write_range) __tsan_write_range(to, 16);
  if (__tsan_read_range && from) __tsan_read_range((void *)from, 16);
}

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
      touch(c.to, c.from);
      memset(c.to, 0, 16);
      memcpy(c.to, c.from, c.bytes);
    }
    g.erase(g.begin());
  }
}
}

const char *run_grid(const Launch &launch) {
  running = &launch;
  trouble.clear();
  if (__tsan_get_current_fiber) main_thread = __tsan_get_current_fiber();
  begun = new_order(), ended = new_order();
  release(begun);
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
    bool well = run_block(order, shuffled ? &random : nullptr, eager, threads);
    for (size_t k = 0; __tsan_destroy_fiber && k < threads; k++) __tsan_destroy_fiber(fibers[k].thread);
    if (!well) return trouble.c_str();
  }
  acquire(ended);
  return nullptr;
}
