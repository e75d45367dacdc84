// Which instruction set the processor has, in the order of the Go type level.
#ifndef MMC4_LEVEL_H
#define MMC4_LEVEL_H

enum { PORTABLE, AVX2, AVX512, AVX512_BF16 };

static inline int cpu_level(void) {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return PORTABLE;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
      !__builtin_cpu_supports("avx512dq"))
    return AVX2;
  if (!__builtin_cpu_supports("avx512bf16") || !__builtin_cpu_supports("avx512vnni")) return AVX512;
  return AVX512_BF16;
#else
  return PORTABLE;
#endif
}

#endif
