//go:build cuda

// One slot, one counter and one jump for every driver function of symbols.h. Names are hidden: a library that is loaded later
// cannot bind to them.
#include "trampolines.h"

#include <dlfcn.h>
#include <stdio.h>

#ifndef __x86_64__
#error "the trampolines are written for x86-64"
#endif

enum { NOT_INITIALIZED = 3, NOT_SUPPORTED = 801 }; // CUresult

static int not_open(void) { return NOT_INITIALIZED; }
static int missing(void) { return NOT_SUPPORTED; }
static int init_before(unsigned flags) { return (void)flags, 0; }
static int count_before(int *n) { return *n = 0, 0; }

#define X(name)                                                                                                              \
  __attribute__((visibility("hidden"), used)) void *mmc4_slot_##name = (void *)not_open;                                     \
  __attribute__((visibility("hidden"), used)) unsigned long mmc4_calls_##name;                                               \
  __asm__(".text\n.globl " #name "\n.hidden " #name "\n.type " #name ",@function\n" #name ":\n  endbr64\n  lock incq mmc4_calls_" #name \
          "(%rip)\n  jmp *mmc4_slot_" #name "(%rip)\n.size " #name ",.-" #name "\n");
#include "symbols.h"
#undef X

static const struct {
  const char *name;
  void **slot;
  unsigned long *calls;
} table[] = {
#define X(name) {#name, &mmc4_slot_##name, &mmc4_calls_##name},
#include "symbols.h"
#undef X
};
enum { COUNT = sizeof table / sizeof *table };

static void *library;

static void reset(void) {
  for (int i = 0; i < COUNT; i++) *table[i].slot = (void *)not_open;
  mmc4_slot_cuInit = (void *)init_before;
  mmc4_slot_cuDeviceGetCount = (void *)count_before;
}

__attribute__((constructor)) static void before_main(void) { reset(); }

int driver_load(const char *path, char *why, unsigned n) {
  if (!library) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return snprintf(why, n, "%s", dlerror()), -1;
  for (int i = 0; i < COUNT; i++) {
    void *f = dlsym(library, table[i].name);
    *table[i].slot = f ? f : (void *)missing;
  }
  return 0;
}

// The library stays mapped: drivers do not survive being unloaded.
void driver_forget(void) { reset(); }

const char *driver_lacks(int i) {
  for (int k = 0; k < COUNT; k++)
    if (*table[k].slot == (void *)missing && i-- == 0) return table[k].name;
  return 0;
}

const char *driver_calls(int i, unsigned long *n) {
  if (i >= COUNT) return 0;
  *n = __atomic_load_n(table[i].calls, __ATOMIC_RELAXED);
  return table[i].name;
}
