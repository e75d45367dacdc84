// Loading the driver's library: trampolines.c.
#pragma once

// driver_load fills the slots from a library; -1 and why if it cannot be loaded.
int driver_load(const char *path, char *why, unsigned n);
// driver_forget makes the slots as they were before.
void driver_forget(void);
// driver_lacks is the i-th function that the loaded library does not have, or 0.
const char *driver_lacks(int i);
// driver_calls is the i-th function and how often it was called, or 0.
const char *driver_calls(int i, unsigned long *n);
