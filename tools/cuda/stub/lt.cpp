// A libcublasLt.so.12 without a GPU, for tests: D = epilogue(alpha op(A) op(B) + beta C), column-major, with fp32 sums, as
// work of the stub driver's streams. What it does not know it refuses, as the library does with what no kernel of it can do:
// attributes, their sizes, pairs of types, shapes that do not match, memory outside allocations, too little workspace.
// Numbers are the library's (cublasLt.h); attributes that change nothing here are left out.
//
// MMC4_STUB_LT   refuse: the heuristic has no algorithm for anything; fail: the product itself fails
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

extern "C" int stub_queue(void *stream, void (*run)(void *), void (*release)(void *), void *data);
extern "C" int stub_within(const void *p, size_t n);

namespace {

enum Status { OK = 0, INVALID = 7, FAILED = 13, UNSUPPORTED = 15 };
enum Type { F32 = 0, BF16 = 14 };
enum { COMPUTE_32F = 68 };
enum Epilogue { RELU = 2, BIAS = 4, GELU = 32, AUX = 128, DGELU = 64 | AUX, BGRAD = 16, BGRAD_A = 256, BGRAD_B = 512 };
constexpr size_t WORKSPACE = 1024; // what every algorithm here wants, to see that it gets it

struct Desc {
  int trans_a = 0, trans_b = 0, epilogue = 1, bias_type = -1;
  void *bias = nullptr, *aux = nullptr;
  int64_t aux_ld = 0;
};
struct Layout {
  int type;
  int64_t rows, cols, ld;
  int batch = 1;
  int64_t stride = 0;
};
struct Preference {
  uint64_t workspace = 0;
};
struct Result { // cublasLtMatmulHeuristicResult_t
  uint64_t algorithm[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Result) == 96);

float load(const void *at, int type, int64_t i) {
  if (type == F32) return ((const float *)at)[i];
  uint32_t u = (uint32_t)((const uint16_t *)at)[i] << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
void store(void *at, int type, int64_t i, float f) {
  if (type == F32) {
    ((float *)at)[i] = f;
    return;
  }
  uint32_t u;
  memcpy(&u, &f, 4);
  ((uint16_t *)at)[i] = f != f ? (uint16_t)((u >> 16) | 0x40) : (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

float gelu(float x) { return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x))); }
float gelu_slope(float x) {
  float t = tanhf(0.79788456f * (x + 0.044715f * x * x * x));
  return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.79788456f * (1 + 0.134145f * x * x);
}

struct Product {
  Desc d;
  Layout a, b, c, out;
  const void *at_a, *at_b, *at_c;
  void *at_out, *workspace;
  size_t workspace_bytes;
  float alpha, beta;
};

size_t extent(const Layout &l) { return (size_t)((l.batch - 1) * l.stride + (l.cols - 1) * l.ld + l.rows) * (l.type == F32 ? 4 : 2); }

Status check(const Desc &d, const Layout &a, const Layout &b, const Layout &c, const Layout &out) {
  int64_t m = d.trans_a ? a.cols : a.rows, k = d.trans_a ? a.rows : a.cols, n = d.trans_b ? b.rows : b.cols;
  if (m != out.rows || n != out.cols || k != (d.trans_b ? b.cols : b.rows) || c.rows != m || c.cols != n) return INVALID;
  if (a.batch != out.batch || b.batch != out.batch || c.batch != out.batch) return INVALID;
  if (a.type != b.type || c.type != out.type || (a.type == F32 && out.type != F32)) return UNSUPPORTED;
  static const int known[] = {1, BIAS, RELU, RELU | BIAS, GELU, GELU | BIAS, GELU | AUX, GELU | AUX | BIAS, DGELU, DGELU | BGRAD, BGRAD_A, BGRAD_B};
  if (std::find(std::begin(known), std::end(known), d.epilogue) == std::end(known)) return UNSUPPORTED;
  if (d.epilogue & (BIAS | BGRAD | BGRAD_A | BGRAD_B) && (!d.bias || (d.bias_type >= 0 && d.bias_type != out.type))) return d.bias ? UNSUPPORTED : INVALID;
  if (d.epilogue & AUX && (!d.aux || d.aux_ld < m || d.aux_ld % 8 || out.type != BF16 || out.batch > 1)) return INVALID;
  return OK;
}

// The bias gradients: DGELU_BGRAD sums D over its columns, BGRADA op(A) over k, BGRADB op(B) over k.
void bias_gradient(const Product &p, const std::vector<float> &a, const std::vector<float> &b, const std::vector<float> &d, int64_t m, int64_t n, int64_t k) {
  const std::vector<float> &from = p.d.epilogue & BGRAD_A ? a : p.d.epilogue & BGRAD_B ? b : d;
  int64_t length = p.d.epilogue & BGRAD_B ? n : m, along = p.d.epilogue & (BGRAD_A | BGRAD_B) ? k : n;
  for (int64_t i = 0; i < length; i++) {
    float sum = 0;
    for (int64_t j = 0; j < along; j++) sum += from[(size_t)(j * length + i)];
    store(p.d.bias, p.out.type, i, sum);
  }
}

void multiply(const Product &p, int64_t batch) {
  int64_t m = p.out.rows, n = p.out.cols, k = p.d.trans_a ? p.a.rows : p.a.cols;
  std::vector<float> a((size_t)(m * k)), b((size_t)(k * n)), d((size_t)(m * n)); // op(A) [k][m], op(B) [k][n], D [n][m]
  for (int64_t x = 0; x < k; x++) {
    for (int64_t i = 0; i < m; i++) a[(size_t)(x * m + i)] = load(p.at_a, p.a.type, batch * p.a.stride + (p.d.trans_a ? i * p.a.ld + x : x * p.a.ld + i));
    for (int64_t j = 0; j < n; j++) b[(size_t)(x * n + j)] = load(p.at_b, p.b.type, batch * p.b.stride + (p.d.trans_b ? x * p.b.ld + j : j * p.b.ld + x));
  }
  for (int64_t j = 0; j < n; j++)
    for (int64_t x = 0; x < k; x++) {
      float by = b[(size_t)(x * n + j)];
      for (int64_t i = 0; i < m; i++) d[(size_t)(j * m + i)] += a[(size_t)(x * m + i)] * by;
    }
  int e = p.d.epilogue;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < m; i++) {
      float v = p.alpha * d[(size_t)(j * m + i)];
      if (p.beta != 0) v += p.beta * load(p.at_c, p.c.type, batch * p.c.stride + j * p.c.ld + i);
      if (e & BIAS) v += load(p.d.bias, p.out.type, i);
      if (e & RELU) v = v < 0 ? 0 : v;
      if (e & AUX && e & GELU) store(p.d.aux, p.out.type, j * p.d.aux_ld + i, v);
      if (e & GELU) v = gelu(v);
      if ((e & DGELU) == DGELU) v *= gelu_slope(load(p.d.aux, p.out.type, j * p.d.aux_ld + i));
      d[(size_t)(j * m + i)] = v;
      store(p.at_out, p.out.type, batch * p.out.stride + j * p.out.ld + i, v);
    }
  if (e & (BGRAD | BGRAD_A | BGRAD_B)) bias_gradient(p, a, b, d, m, n, k);
}

bool asked(const char *what) {
  const char *text = getenv("MMC4_STUB_LT");
  return text && strcmp(text, what) == 0;
}

template <class T> Status take(T *to, const void *from, size_t n) {
  if (n != sizeof(T)) return INVALID;
  memcpy(to, from, n);
  return OK;
}

} // namespace

extern "C" {
size_t cublasLtGetVersion() { return 120901; }
int cublasLtCreate(void **h) { return *h = malloc(8), OK; }
int cublasLtDestroy(void *h) { return free(h), OK; }

int cublasLtMatmulDescCreate(void **d, int compute, int scale) { return *d = new Desc, compute == COMPUTE_32F && scale == F32 ? OK : UNSUPPORTED; }
int cublasLtMatmulDescDestroy(void *d) { return delete (Desc *)d, OK; }
int cublasLtMatmulDescSetAttribute(void *desc, int attribute, const void *value, size_t n) {
  Desc *d = (Desc *)desc;
  switch (attribute) {
  case 3: return take(&d->trans_a, value, n);
  case 4: return take(&d->trans_b, value, n);
  case 7: return take(&d->epilogue, value, n);
  case 8: return take(&d->bias, value, n);
  case 11: return take(&d->aux, value, n);
  case 12: return take(&d->aux_ld, value, n);
  case 26: return take(&d->bias_type, value, n);
  }
  return UNSUPPORTED;
}

int cublasLtMatrixLayoutCreate(void **l, int type, uint64_t rows, uint64_t cols, int64_t ld) {
  *l = new Layout{type, (int64_t)rows, (int64_t)cols, ld};
  return (type == F32 || type == BF16) && ld >= (int64_t)rows && rows && cols ? OK : INVALID;
}
int cublasLtMatrixLayoutDestroy(void *l) { return delete (Layout *)l, OK; }
int cublasLtMatrixLayoutSetAttribute(void *layout, int attribute, const void *value, size_t n) {
  Layout *l = (Layout *)layout;
  switch (attribute) {
  case 5: return take(&l->batch, value, n);
  case 6: return take(&l->stride, value, n);
  }
  return UNSUPPORTED;
}

int cublasLtMatmulPreferenceCreate(void **p) { return *p = new Preference, OK; }
int cublasLtMatmulPreferenceDestroy(void *p) { return delete (Preference *)p, OK; }
int cublasLtMatmulPreferenceSetAttribute(void *p, int attribute, const void *value, size_t n) {
  if (attribute == 1) return take(&((Preference *)p)->workspace, value, n);
  return (attribute == 3 || (attribute >= 5 && attribute <= 8)) && n == 4 ? OK : UNSUPPORTED; // reductions; least alignments of A, B, C, D
}

int cublasLtMatmulAlgoGetHeuristic(void *, void *desc, void *a, void *b, void *c, void *out, void *preference, int want, void *results, int *got) {
  *got = 0;
  Status s = check(*(Desc *)desc, *(Layout *)a, *(Layout *)b, *(Layout *)c, *(Layout *)out);
  if (s != OK) return s;
  if (asked("refuse")) return UNSUPPORTED;
  Result *r = (Result *)results;
  for (int i = 0; i < want && i < 2; i++, (*got)++) {
    r[i] = {};
    r[i].algorithm[0] = 0xa190 + (uint64_t)i;
    r[i].workspace = i == 0 ? WORKSPACE : 0;
    if (r[i].workspace > ((Preference *)preference)->workspace) r[i].workspace = 0;
  }
  return OK;
}

int cublasLtMatmul(void *, void *desc, const void *alpha, const void *a, void *layout_a, const void *b, void *layout_b, const void *beta, const void *c, void *layout_c,
                   void *out, void *layout_out, const uint64_t *algorithm, void *workspace, size_t bytes, void *stream) {
  auto p = std::make_unique<Product>(Product{*(Desc *)desc, *(Layout *)layout_a, *(Layout *)layout_b, *(Layout *)layout_c, *(Layout *)layout_out, a, b, c, out, workspace, bytes,
                                             *(const float *)alpha, *(const float *)beta});
  if (Status s = check(p->d, p->a, p->b, p->c, p->out); s != OK) return s;
  if (asked("fail")) return FAILED;
  if (algorithm && (algorithm[0] >> 1) != 0xa190 >> 1) return INVALID;
  if (algorithm && algorithm[0] == 0xa190 && bytes < WORKSPACE) return INVALID;
  if (!stub_within(a, extent(p->a)) || !stub_within(b, extent(p->b)) || !stub_within(out, extent(p->out)) || (bytes && !stub_within(workspace, bytes))) return INVALID;
  if (p->beta != 0 && !stub_within(c, extent(p->c))) return INVALID;
  bool queued = stub_queue(
      stream,
      [](void *data) {
        const Product &q = *(Product *)data;
        if (q.workspace_bytes) memset(q.workspace, 0xff, q.workspace_bytes);
        for (int64_t i = 0; i < q.out.batch; i++) multiply(q, i);
      },
      [](void *data) { delete (Product *)data; }, p.get());
  if (!queued) return FAILED;
  p.release();
  return OK;
}
}
