//go:build cuda

// Own declarations of cuBLASLt 12 and 13, whose functions and numbers used here are the same: no header is needed.
#include "lt.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef struct { // cublasLtMatmulHeuristicResult_t
  uint64_t algorithm[8];
  uint64_t workspace;
  int32_t state;
  float waves;
  int32_t reserved[4];
} heuristic;
_Static_assert(sizeof(heuristic) == 96, "cublasLtMatmulHeuristicResult_t");

enum { COMPUTE_32F = 68, R_32F = 0 };
enum { DESC_TRANSA = 3, DESC_TRANSB = 4, DESC_EPILOGUE = 7, DESC_BIAS_POINTER = 8, DESC_AUX_POINTER = 11, DESC_AUX_LD = 12 };
enum { PREF_MAX_WORKSPACE = 1, PREF_REDUCTION = 3, PREF_ALIGN_A = 5, PREF_ALIGN_B = 6, PREF_ALIGN_C = 7, PREF_ALIGN_D = 8 };
enum { STATUS_NOT_SUPPORTED = 15 };
static const uint32_t REDUCE_IN_FP32 = 2; // what is split over K is summed before it is rounded, in a fixed order

#define FUNCTIONS                                                                                                                    \
  X(uint64_t, cublasLtGetVersion, (void))                                                                                            \
  X(int, cublasLtCreate, (void **))                                                                                                  \
  X(int, cublasLtDestroy, (void *))                                                                                                  \
  X(int, cublasLtMatmulDescCreate, (void **, int, int))                                                                              \
  X(int, cublasLtMatmulDescDestroy, (void *))                                                                                        \
  X(int, cublasLtMatmulDescSetAttribute, (void *, int, const void *, uint64_t))                                                      \
  X(int, cublasLtMatrixLayoutCreate, (void **, int, uint64_t, uint64_t, int64_t))                                                    \
  X(int, cublasLtMatrixLayoutDestroy, (void *))                                                                                      \
  X(int, cublasLtMatmulPreferenceCreate, (void **))                                                                                  \
  X(int, cublasLtMatmulPreferenceDestroy, (void *))                                                                                  \
  X(int, cublasLtMatmulPreferenceSetAttribute, (void *, int, const void *, uint64_t))                                                \
  X(int, cublasLtMatmulAlgoGetHeuristic, (void *, void *, void *, void *, void *, void *, void *, int, heuristic *, int *))          \
  X(int, cublasLtMatmul,                                                                                                             \
    (void *, void *, const void *, const void *, void *, const void *, void *, const void *, const void *, void *, void *, void *,   \
     const void *, void *, uint64_t, void *))

static struct {
#define X(result, name, arguments) result(*name) arguments;
  FUNCTIONS
#undef X
} lt;

int lt_load(const char *path, char *why, unsigned n) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return snprintf(why, n, "%s", dlerror()), -1;
#define X(result, name, arguments)                                                            \
  *(void **)&lt.name = dlsym(library, #name);                                                 \
  if (!lt.name) return snprintf(why, n, "%s: there is no %s in it", path, #name), dlclose(library), -1;
  FUNCTIONS
#undef X
  return 0;
}

uint64_t lt_version(void) { return lt.cublasLtGetVersion(); }
int lt_create(void **handle) { return lt.cublasLtCreate(handle); }
int lt_destroy(void *handle) { return lt.cublasLtDestroy(handle); }

void lt_free(lt_plan *p) {
  void *layouts[] = {p->a, p->b, p->c, p->d};
  for (int i = 0; i < 4; i++)
    if (layouts[i]) lt.cublasLtMatrixLayoutDestroy(layouts[i]);
  if (p->desc) lt.cublasLtMatmulDescDestroy(p->desc);
  memset(p, 0, sizeof *p);
}

#define TRY(call) \
  if ((status = (call)) != 0) goto end
#define SET(to, attribute, value) TRY(lt.cublasLtMatmul##to##SetAttribute(to, attribute, &(value), sizeof(value)))

static int ask(void *handle, const lt_shape *s, uint64_t bias, uint64_t aux, uint64_t workspace, lt_plan *p) {
  void *Preference = 0, *Desc;
  int status, found = 0;
  heuristic best;
  TRY(lt.cublasLtMatmulDescCreate(&p->desc, COMPUTE_32F, R_32F));
  Desc = p->desc;
  SET(Desc, DESC_TRANSA, s->transpose_a);
  SET(Desc, DESC_TRANSB, s->transpose_b);
  SET(Desc, DESC_EPILOGUE, s->epilogue);
  if (bias) SET(Desc, DESC_BIAS_POINTER, bias);
  if (aux) SET(Desc, DESC_AUX_POINTER, aux);
  if (aux) SET(Desc, DESC_AUX_LD, s->aux_ld);
  TRY(lt.cublasLtMatrixLayoutCreate(&p->a, s->type_ab, s->transpose_a ? s->k : s->m, s->transpose_a ? s->m : s->k, s->lda));
  TRY(lt.cublasLtMatrixLayoutCreate(&p->b, s->type_ab, s->transpose_b ? s->n : s->k, s->transpose_b ? s->k : s->n, s->ldb));
  TRY(lt.cublasLtMatrixLayoutCreate(&p->c, s->type_d, s->m, s->n, s->ldc));
  TRY(lt.cublasLtMatrixLayoutCreate(&p->d, s->type_d, s->m, s->n, s->ldd));
  TRY(lt.cublasLtMatmulPreferenceCreate(&Preference));
  SET(Preference, PREF_MAX_WORKSPACE, workspace);
  SET(Preference, PREF_REDUCTION, REDUCE_IN_FP32);
  SET(Preference, PREF_ALIGN_A, s->align_a);
  SET(Preference, PREF_ALIGN_B, s->align_b);
  SET(Preference, PREF_ALIGN_C, s->align_c);
  SET(Preference, PREF_ALIGN_D, s->align_d);
  TRY(lt.cublasLtMatmulAlgoGetHeuristic(handle, p->desc, p->a, p->b, p->c, p->d, Preference, 1, &best, &found));
  if (found < 1) status = STATUS_NOT_SUPPORTED;
  else if (best.state != 0) status = best.state;
  else memcpy(p->algorithm, best.algorithm, sizeof p->algorithm), p->workspace = best.workspace;
end:
  if (Preference) lt.cublasLtMatmulPreferenceDestroy(Preference);
  return status;
}

int lt_make(void *handle, const lt_shape *s, uint64_t bias, uint64_t aux, uint64_t workspace, lt_plan *plan) {
  memset(plan, 0, sizeof *plan);
  int status = ask(handle, s, bias, aux, workspace, plan);
  if (status != 0) lt_free(plan);
  return status;
}

int lt_run(void *handle, const lt_plan *p, const lt_operands *o, void *stream) {
  void *Desc = p->desc;
  int status;
  if (o->bias) SET(Desc, DESC_BIAS_POINTER, o->bias);
  if (o->aux) SET(Desc, DESC_AUX_POINTER, o->aux);
  status = lt.cublasLtMatmul(handle, Desc, &o->alpha, (void *)o->a, p->a, (void *)o->b, p->b, &o->beta, (void *)o->c, p->c, (void *)o->d, p->d, p->algorithm,
                             (void *)o->workspace, o->workspace_bytes, stream);
end:
  return status;
}
