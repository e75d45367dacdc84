// Element functions that the compiler turns into vector code: no branches, no calls, fp32.
// Included by files that have chosen their instruction set. Errors are given against the exact value for finite x.
#ifndef MMC4_VMATH_H
#define MMC4_VMATH_H

// Traps and errno are not looked at: with them the compiler would not turn choices into masks.
#pragma GCC optimize("no-trapping-math", "no-math-errno")

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { F32 = 1, BF16 = 2, I8 = 3 }; // kernels.DType

enum { NO_ACT, GELU, GELU_TANH, QUICK_GELU, RELU, SQUARED_RELU, SILU, TANH, SIGMOID }; // kernels.Activation

#define INLINE static inline __attribute__((always_inline))

INLINE float bits_float(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
INLINE uint32_t float_bits(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

// bf16 is the upper half of an fp32; rounding is to nearest even, NaN stays NaN.
INLINE float from_bf16(uint16_t h) { return bits_float((uint32_t)h << 16); }
INLINE uint16_t to_bf16(float f) {
  uint32_t u = float_bits(f), rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return f != f ? (uint16_t)((u >> 16) | 0x40) : (uint16_t)rounded;
}

// The series of exp for |r| <= ln2/2.
INLINE float exp_near(float r) {
  float p = 1.0f / 5040;
  p = fmaf(p, r, 1.0f / 720);
  p = fmaf(p, r, 1.0f / 120);
  p = fmaf(p, r, 1.0f / 24);
  p = fmaf(p, r, 1.0f / 6);
  p = fmaf(p, r, 0.5f);
  p = fmaf(p, r, 1.0f);
  return fmaf(p, r, 1.0f);
}

// exp by 2^n * p(r), |r| <= ln2/2; 2 ulp. Underflows to 0, overflows to infinity, NaN stays.
INLINE float vexp(float x) {
  x = -104.0f > x ? -104.0f : x;
  x = 89.0f < x ? 89.0f : x;
  float n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f; // rounded to an integer
  float p = exp_near(fmaf(n, 2.12194440e-4f, fmaf(n, -0.693359375f, x)));
  int32_t e = (int32_t)n; // two factors, so that both ends of the range come out right
  return p * bits_float((uint32_t)((e >> 1) + 127) << 23) * bits_float((uint32_t)(e - (e >> 1) + 127) << 23);
}

// vexp for x <= 0, as softmax has it; 0 where the result would not be a normal number.
INLINE float vexp_down(float x) {
  float t = fmaf(x, 1.44269504088896341f, 12582912.0f), n = t - 12582912.0f; // the low bits of t are n
  float p = exp_near(fmaf(n, 2.12194440e-4f, fmaf(n, -0.693359375f, x)));
  float y = p * bits_float((float_bits(t) << 23) + 0x3f800000u);
  return x < -87.0f ? 0.0f : y;
}

INLINE float vsigmoid(float x) { return 1.0f / (1.0f + vexp(-x)); }

// tanh by its series near 0, by exp elsewhere; 4 ulp.
INLINE float vtanh(float x) {
  float s = x * x;
  float near = 62.0f / 2835;
  near = fmaf(near, s, -17.0f / 315);
  near = fmaf(near, s, 2.0f / 15);
  near = fmaf(near, s, -1.0f / 3);
  near = fmaf(near * s, x, x);
  float far = 1.0f - 2.0f / (1.0f + vexp(2.0f * x));
  return s < 0.0625f ? near : far;
}

// The normal distribution function, from Abramowitz and Stegun 7.1.26; absolute error 1.5e-7.
INLINE float vphi(float x) {
  float z = fabsf(x) * 0.70710678118654752f;
  float t = 1.0f / fmaf(0.3275911f, z, 1.0f);
  float p = 1.061405429f;
  p = fmaf(p, t, -1.453152027f);
  p = fmaf(p, t, 1.421413741f);
  p = fmaf(p, t, -0.284496736f);
  p = fmaf(p, t, 0.254829592f);
  float tail = 0.5f * p * t * vexp(-z * z);
  return x < 0 ? tail : 1.0f - tail;
}

INLINE float activate(int act, float x) {
  switch (act) {
  case GELU: return x * vphi(x);
  case GELU_TANH: return x * vsigmoid(1.5957691216057308f * fmaf(0.044715f * x * x, x, x)); // (1 + tanh(u)) / 2 = sigmoid(2u)
  case QUICK_GELU: return x * vsigmoid(1.702f * x);
  case RELU: return x < 0 ? 0 : x;
  case SQUARED_RELU: return x < 0 ? 0 : x * x;
  case SILU: return x * vsigmoid(x);
  case TANH: return vtanh(x);
  case SIGMOID: return vsigmoid(x);
  }
  return x;
}

// Rows of n elements to and from fp32.
INLINE void load_row(float *restrict to, const void *from, int type, int64_t at, int64_t n) {
  if (type == F32) {
    memcpy(to, (const float *)from + at, n * sizeof *to);
  } else {
    const uint16_t *h = (const uint16_t *)from + at;
    for (int64_t i = 0; i < n; i++) to[i] = from_bf16(h[i]);
  }
}

INLINE void store_row(void *to, int type, int64_t at, const float *restrict from, int64_t n) {
  if (type == F32) {
    memcpy((float *)to + at, from, n * sizeof *from);
  } else {
    uint16_t *h = (uint16_t *)to + at;
    for (int64_t i = 0; i < n; i++) h[i] = to_bf16(from[i]);
  }
}

#endif
