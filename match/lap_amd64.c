// The assignment solver in C for processors with AVX2 or AVX-512: lap_amd64.h for each of them and for costs of 32 and
// 64 bits. lap_cgo.go calls it.

#include "lap_cgo.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>

// work is the memory of one solution; see the fields of Solver.
struct work {
	double *price, *open, *distance, *length;
	int *row_of, *before, *tree, *col_of, *waiting;
};

// layout cuts the memory up and returns what is left for the costs. lap_cgo.go's room is the size of it.
static void *layout(struct work *w, double *memory, int n, int stride) {
	memory = (double *)(((size_t)memory + 63) & ~(size_t)63);
	w->col_of = (int *)memory;
	memory += (n + 15) / 16 * 8;
	w->waiting = (int *)memory;
	memory += (n + 15) / 16 * 8;
	double **doubles[] = {&w->price, &w->open, &w->distance, &w->length};
	for (int k = 0; k < 4; k++) {
		*doubles[k] = memory;
		memory += stride;
	}
	int **ints[] = {&w->row_of, &w->before, &w->tree};
	for (int k = 0; k < 3; k++) {
		*ints[k] = (int *)memory;
		memory += (stride + 15) / 16 * 8;
	}
	return memory;
}

// takeovers_for is the number of rows that may take a column back at once in one pass; see takeovers in lap_portable.go.
static int takeovers_for(int n) { return n < 2048 ? n * n / 256 : 8 * n; }

#define JOIN(a, b) a##b
#define JOINED(a, b) JOIN(a, b)

// least_of gives the smallest of four numbers.
__attribute__((target("avx2"))) static inline double least_of(__m256d v) {
	__m128d half = _mm_min_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
	return _mm_cvtsd_f64(_mm_min_sd(half, _mm_unpackhi_pd(half, half)));
}

// two_least gives the two smallest of eight numbers: in each lane `first` is not above `next`.
__attribute__((target("avx2"))) static inline double two_least(__m256d first, __m256d next, double *second) {
	__m128d f0 = _mm256_castpd256_pd128(first), f1 = _mm256_extractf128_pd(first, 1);
	__m128d n = _mm_min_pd(_mm256_castpd256_pd128(next), _mm256_extractf128_pd(next, 1));
	n = _mm_min_pd(n, _mm_max_pd(f0, f1));
	f0 = _mm_min_pd(f0, f1);
	f1 = _mm_unpackhi_pd(f0, f0);
	n = _mm_min_sd(n, _mm_unpackhi_pd(n, n));
	*second = _mm_cvtsd_f64(_mm_min_sd(n, _mm_max_sd(f0, f1)));
	return _mm_cvtsd_f64(_mm_min_sd(f0, f1));
}

// AVX-512

#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq")))
#define LANES 8
#define V __m512d
#define M __mmask8
#define ALL 0xff
#define EVERY 0xff
#define IOTA _mm512_set_pd(7, 6, 5, 4, 3, 2, 1, 0)
#define SET1(x) _mm512_set1_pd(x)
#define LOAD(p) _mm512_loadu_pd(p)
#define STORE(p, v) _mm512_storeu_pd(p, v)
#define STOREI(p, m, i) _mm256_mask_storeu_epi32(p, m, _mm256_set1_epi32(i))
#define ADD(a, b) _mm512_add_pd(a, b)
#define MUL(a, b) _mm512_mul_pd(a, b)
#define SUB(a, b) _mm512_sub_pd(a, b)
#define MIN(a, b) _mm512_min_pd(a, b)
#define MAX(a, b) _mm512_max_pd(a, b)
#define LT(a, b) _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)
#define EQ(a, b) _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)
#define BLEND(a, b, m) _mm512_mask_blend_pd(m, a, b)
#define BITS(m) (unsigned)(m)
#define SIGNS(p) (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_loadu_si256((const __m256i *)(p))))
#define LOW(v) _mm512_castpd512_pd256(v)
#define HIGH(v) _mm512_extractf64x4_pd(v, 1)
#define HMIN(v) least_of(_mm256_min_pd(LOW(v), HIGH(v)))
#define TWO_LEAST(f, n, second) \
	two_least(_mm256_min_pd(LOW(f), HIGH(f)), \
		_mm256_min_pd(_mm256_min_pd(LOW(n), HIGH(n)), _mm256_max_pd(LOW(f), HIGH(f))), second)

#define COST float
#define ALLOWED(c) EQ(SUB(c, c), SET1(0))
#define NAME(x) JOINED(x, _f32_avx512)
#define LOADC(p) _mm512_cvtps_pd(_mm256_loadu_ps(p))
#define LOADT(p, count) _mm512_cvtps_pd(_mm256_maskz_loadu_ps((1 << (count)) - 1, p))
#define STOREC(p, v) _mm256_storeu_ps(p, _mm512_cvtpd_ps(v))
#include "lap_amd64.h"
#undef COST
#undef ALLOWED
#undef LOADT
#undef STOREC
#undef NAME
#undef LOADC

#define COST double
#define ALLOWED(c) LT(SET1(-INFINITY), c)
#define NAME(x) JOINED(x, _f64_avx512)
#define LOADC(p) _mm512_loadu_pd(p)
#define LOADT(p, count) _mm512_maskz_loadu_pd((1 << (count)) - 1, p)
#define STOREC(p, v) _mm512_storeu_pd(p, v)
#include "lap_amd64.h"
#undef COST
#undef ALLOWED
#undef LOADT
#undef STOREC
#undef NAME
#undef LOADC

#include "lap_small_amd64.h"

#undef TARGET
#undef LANES
#undef V
#undef M
#undef ALL
#undef EVERY
#undef IOTA
#undef SET1
#undef LOAD
#undef STORE
#undef STOREI
#undef ADD
#undef MUL
#undef SUB
#undef MIN
#undef MAX
#undef LT
#undef EQ
#undef BLEND
#undef BITS
#undef SIGNS
#undef HMIN
#undef LOW
#undef HIGH
#undef TWO_LEAST

// AVX2

#define TARGET __attribute__((target("avx2")))
#define LANES 4
#define V __m256d
#define M __m256d
#define EVERY 0xf
#define ALL _mm256_castsi256_pd(_mm256_set1_epi32(-1))
#define IOTA _mm256_set_pd(3, 2, 1, 0)
#define SET1(x) _mm256_set1_pd(x)
#define LOAD(p) _mm256_loadu_pd(p)
#define STORE(p, v) _mm256_storeu_pd(p, v)
#define STOREI(p, m, i) _mm_maskstore_epi32(p, half_mask(m), _mm_set1_epi32(i))
#define ADD(a, b) _mm256_add_pd(a, b)
#define MUL(a, b) _mm256_mul_pd(a, b)
#define SUB(a, b) _mm256_sub_pd(a, b)
#define MIN(a, b) _mm256_min_pd(a, b)
#define MAX(a, b) _mm256_max_pd(a, b)
#define LT(a, b) _mm256_cmp_pd(a, b, _CMP_LT_OQ)
#define EQ(a, b) _mm256_cmp_pd(a, b, _CMP_EQ_OQ)
#define BLEND(a, b, m) _mm256_blendv_pd(a, b, m)
#define BITS(m) (unsigned)_mm256_movemask_pd(m)
#define SIGNS(p) (unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_loadu_si128((const __m128i *)(p))))
#define HMIN(v) least_of(v)
#define TWO_LEAST(f, n, second) two_least(f, n, second)

// half_mask narrows a mask of four doubles to four ints.
TARGET static inline __m128i half_mask(__m256d m) {
	__m256i odd = _mm256_permutevar8x32_epi32(_mm256_castpd_si256(m), _mm256_set_epi32(7, 5, 3, 1, 7, 5, 3, 1));
	return _mm256_castsi256_si128(odd);
}

#define COST float
#define ALLOWED(c) EQ(SUB(c, c), SET1(0))
#define NAME(x) JOINED(x, _f32_avx2)
#define LOADC(p) _mm256_cvtps_pd(_mm_loadu_ps(p))
#define LOADT(p, count) _mm256_cvtps_pd(_mm_maskload_ps(p, _mm_cmpgt_epi32(_mm_set1_epi32(count), _mm_set_epi32(3, 2, 1, 0))))
#define STOREC(p, v) _mm_storeu_ps(p, _mm256_cvtpd_ps(v))
#include "lap_amd64.h"
#undef COST
#undef ALLOWED
#undef LOADT
#undef STOREC
#undef NAME
#undef LOADC

#define COST double
#define ALLOWED(c) LT(SET1(-INFINITY), c)
#define NAME(x) JOINED(x, _f64_avx2)
#define LOADC(p) _mm256_loadu_pd(p)
#define LOADT(p, count) _mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_set_epi64x(3, 2, 1, 0)))
#define STOREC(p, v) _mm256_storeu_pd(p, v)
#include "lap_amd64.h"

int mmc4_lap_f32(int avx512, const float *values, float sign, int rows, int cols, double *memory) {
	if (avx512 && sign == -1 && rows <= 32 && cols <= 32) {
		return small_lap_f32(values, rows, cols, memory);
	}
	return avx512 ? lap_f32_avx512(values, sign, rows, cols, memory) : lap_f32_avx2(values, sign, rows, cols, memory);
}

int mmc4_lap_f64(int avx512, const double *values, int rows, int cols, double *memory) {
	return avx512 ? lap_f64_avx512(values, 1, rows, cols, memory) : lap_f64_avx2(values, 1, rows, cols, memory);
}
