// The two halves of the stub driver: driver.cpp has the driver's functions, fibers.cpp runs kernels.
#pragma once
#include <cstddef>

struct Launch {
  void (*kernel)(void **);
  void **arguments;
  unsigned grid[3], block[3];
  size_t shared; // dynamic
};

// run_grid runs all threads of a launch, block by block. The answer is null, or what the kernel did that a device would
// not survive.
const char *run_grid(const Launch &launch);
