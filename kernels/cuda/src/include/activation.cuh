// Activations and their derivatives, as kernels.Activation defines them.
#pragma once
#include "tensor.cuh"

enum { NO_ACT, GELU, GELU_TANH, QUICK_GELU, RELU, SQUARED_RELU, SILU, TANH, SIGMOID };

DEV float sigmoid(float x) { return inverse_near(1.0f + expf(-x)); }
DEV float normal_integral(float x) { return 0.5f * erfcf(-0.70710678118654752f * x); }

DEV float activate(int kind, float x) {
  switch (kind) {
  case GELU: return x * normal_integral(x);
  case GELU_TANH: return x * sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x)); // (1 + tanh(u)) / 2 = sigmoid(2u)
  case QUICK_GELU: return x * sigmoid(1.702f * x);
  case RELU: return x < 0 ? 0 : x;
  case SQUARED_RELU: return x < 0 ? 0 : x * x;
  case SILU: return x * sigmoid(x);
  case TANH: return tanhf(x);
  case SIGMOID: return sigmoid(x);
  }
  return x;
}

// Far out, where terms of a formula overflow, a gate is open or shut.
DEV float slope(int kind, float x) {
  float open = x > 0 ? 1.0f : 0.0f, far = fabsf(x), s;
  bool finite = far < INF;
  switch (kind) {
  case GELU: return normal_integral(x) + x * 0.3989422804014327f * expf(-0.5f * x * x);
  case GELU_TANH:
    if (far > 30 && finite) return open;
    s = sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x));
    return s + x * s * (1 - s) * 1.5957691216057308f * (1 + 0.134145f * x * x);
  case QUICK_GELU:
    if (far > 80 && finite) return open;
    s = sigmoid(1.702f * x);
    return s + 1.702f * x * s * (1 - s);
  case RELU: return x > 0 ? 1 : 0;
  case SQUARED_RELU: return x < 0 ? 0 : 2 * x;
  case SILU:
    if (far > 120 && finite) return open;
    s = sigmoid(x);
    return s + x * s * (1 - s);
  case TANH: // 1 - tanh^2 would cancel
    s = expf(-2 * far);
    return 4 * s / ((1 + s) * (1 + s));
  case SIGMOID:
    s = expf(-far);
    return s / ((1 + s) * (1 + s));
  }
  return 1;
}

// Eight at once, with one decision for all of them.
#define FOR_EACH_ACT(X) X(GELU) X(GELU_TANH) X(QUICK_GELU) X(RELU) X(SQUARED_RELU) X(SILU) X(TANH) X(SIGMOID)
DEV Eight activate8(int kind, Eight x) {
  switch (kind) {
#define X(k) \
  case k: EIGHT(j) x.v[j] = activate(k, x.v[j]); break;
    FOR_EACH_ACT(X)
#undef X
  }
  return x;
}
DEV Eight slope8(int kind, Eight x) {
  switch (kind) {
#define X(k) \
  case k: EIGHT(j) x.v[j] = slope(k, x.v[j]); break;
    FOR_EACH_ACT(X)
#undef X
  default: EIGHT(j) x.v[j] = 1;
  }
  return x;
}
