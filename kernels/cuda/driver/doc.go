// Package driver reaches the NVIDIA driver for gorgonia.org/cu and for what that package lacks.
//
// Nothing links against libcuda: every driver function that cu or this package calls is a jump through a slot
// (trampolines.c over symbols.h). Until Open has loaded the driver's library the slots answer "not initialized", only
// cuInit succeeds (cu calls it when the program starts) and there are no devices. So a program with CUDA in it starts
// where there is no driver, and needs nothing beside libc.
//
// lib/libcuda.a is an archive of no members, for cu's -lcuda. symbols.h is written by tools/cuda/symbols.sh.
// x86-64 only.
package driver
