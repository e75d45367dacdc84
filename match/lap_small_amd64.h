// The assignment solver for problems of at most 32 columns on AVX-512: lap_amd64.h again, with prices, distances and paths
// in registers and sets of columns as bits. There, most of the time goes into waiting for short writes to memory that is
// read back as vectors. It reads similarities and writes the column of every row; the answers are the same.

#define SMALL __attribute__((target("avx512f,avx512vl,avx512dq"), always_inline)) static inline
#define EACH(v) _Pragma("GCC unroll 4") for (int v = 0; v < nv; v++)

// equal_to is the set of columns whose number is x.
SMALL unsigned equal_to(const __m512d *d, double x, const int nv) {
	unsigned set = 0;
	EACH(v) set |= (unsigned)_mm512_cmp_pd_mask(d[v], _mm512_set1_pd(x), _CMP_EQ_OQ) << 8 * v;
	return set;
}

// least_in is the smallest number in the columns of the set.
SMALL double least_in(const __m512d *d, unsigned set, const int nv) {
	__m512d least = _mm512_set1_pd(INFINITY);
	EACH(v) least = _mm512_mask_min_pd(least, set >> 8 * v & 0xff, least, d[v]);
	return HMIN(least);
}

SMALL int small_augment(const float (*cost)[32], __m512d *price, int *row_of, int *col_of, unsigned *free, int start, const int nv) {
	__m512d distance[4], reached[4];
	__m256i before[4];
	EACH(v) {
		distance[v] = _mm512_sub_pd(_mm512_cvtps_pd(_mm256_load_ps(cost[start] + 8 * v)), price[v]);
		reached[v] = _mm512_setzero_pd();
		before[v] = _mm256_set1_epi32(start);
	}
	unsigned tree = 0, all = ~0u >> (32 - 8 * nv);
	double goal = least_in(distance, *free, nv), low = least_in(distance, all, nv);
	while (low < goal) {
		int at = __builtin_ctz(equal_to(distance, low, nv) & ~tree), i = row_of[at];
		_Alignas(64) double reduced[32];
		__m512d d[4];
		EACH(v) {
			d[v] = _mm512_sub_pd(_mm512_cvtps_pd(_mm256_load_ps(cost[i] + 8 * v)), price[v]);
			_mm512_store_pd(reduced + 8 * v, d[v]);
		}
		tree |= 1u << at;
		EACH(v) {
			__mmask8 here = (1u << at) >> 8 * v & 0xff;
			reached[v] = _mm512_mask_mov_pd(reached[v], here, distance[v]);
			distance[v] = _mm512_mask_mov_pd(distance[v], here, _mm512_set1_pd(INFINITY));
		}
		__m512d offset = _mm512_set1_pd(reduced[at] - low);
		unsigned shorter = 0;
		EACH(v) {
			d[v] = _mm512_sub_pd(d[v], offset);
			__mmask8 m = _mm512_cmp_pd_mask(d[v], distance[v], _CMP_LT_OQ) & ~(tree >> 8 * v);
			distance[v] = _mm512_mask_mov_pd(distance[v], m, d[v]);
			before[v] = _mm256_mask_mov_epi32(before[v], m, _mm256_set1_epi32(i));
			shorter |= (unsigned)m << 8 * v;
		}
		low = least_in(distance, all, nv);
		if (shorter & *free) {
			goal = least_in(distance, *free, nv);
		}
	}
	if (goal == INFINITY) {
		return 0;
	}
	int goal_at = __builtin_ctz(equal_to(distance, goal, nv) & *free);
	_Alignas(64) int paths[32];
	EACH(v) {
		__m512d raised = _mm512_add_pd(price[v], _mm512_sub_pd(reached[v], _mm512_set1_pd(goal)));
		price[v] = _mm512_mask_mov_pd(price[v], tree >> 8 * v & 0xff, raised);
		_mm256_store_si256((__m256i *)(paths + 8 * v), before[v]);
	}
	*free &= ~(1u << goal_at);
	for (int j = goal_at, i = -1; i != start;) {
		i = paths[j];
		row_of[j] = i;
		int next = col_of[i];
		col_of[i] = j;
		j = next;
	}
	return 1;
}

SMALL int small_lap(const float *values, int n, int m, int *col_of, const int nv) {
	_Alignas(64) float cost[32][32];
	__m512d price[4];
	int row_of[32], waiting[32];
	int allowed = 1;
	EACH(v) {
		int count = m - 8 * v < 0 ? 0 : m - 8 * v < 8 ? m - 8 * v : 8;
		__mmask8 in = (1 << count) - 1;
		__m256 least = _mm256_set1_ps(INFINITY);
		for (int i = 0; i < n; i++) {
			__m256 c = _mm256_mul_ps(_mm256_maskz_loadu_ps(in, values + i * m + 8 * v), _mm256_set1_ps(-1));
			allowed &= _mm256_cmp_ps_mask(_mm256_sub_ps(c, c), _mm256_setzero_ps(), _CMP_EQ_OQ) == 0xff;
			c = _mm256_mask_mov_ps(_mm256_set1_ps(INFINITY), in, c);
			_mm256_store_ps(cost[i] + 8 * v, c);
			least = _mm256_min_ps(least, c);
		}
		price[v] = n < m ? _mm512_setzero_pd() : _mm512_cvtps_pd(_mm256_maskz_mov_ps(in, least));
	}
	if (!allowed) {
		return -1;
	}
	for (int i = 0; i < n; i++) {
		col_of[i] = -1;
		waiting[i] = i;
	}
	unsigned free = ~0u >> (32 - m);
	int left = n;
	for (int pass = 0; pass < 3 && left; pass++) {
		int rows = left, takeovers = takeovers_for(n);
		left = 0;
		for (int k = 0; k < rows; k++) {
			int i = waiting[k];
			for (;;) {
				__m512d d[4], least, next = _mm512_set1_pd(INFINITY);
				EACH(v) {
					d[v] = _mm512_sub_pd(_mm512_cvtps_pd(_mm256_load_ps(cost[i] + 8 * v)), price[v]);
					if (v == 0) {
						least = d[v];
					} else {
						next = _mm512_min_pd(next, _mm512_max_pd(least, d[v]));
						least = _mm512_min_pd(least, d[v]);
					}
				}
				double second, first = TWO_LEAST(least, next, &second);
				unsigned cheapest = equal_to(d, first, nv), column = cheapest & -cheapest;
				int lowered = 0, taken = !(column & free);
				if (first == second && taken) {
					if (cheapest & free) {
						column = cheapest & free & -(cheapest & free);
						taken = 0;
					}
				} else if (second < INFINITY) {
					EACH(v) {
						__m512d p = _mm512_sub_pd(price[v], _mm512_set1_pd(second - first));
						__mmask8 here = column >> 8 * v & 0xff;
						lowered |= _mm512_mask_cmp_pd_mask(here, p, price[v], _CMP_LT_OQ);
						price[v] = _mm512_mask_mov_pd(price[v], here, p);
					}
				}
				int at = __builtin_ctz(column), loser = taken ? row_of[at] : -1;
				free &= ~column;
				row_of[at] = i;
				col_of[i] = at;
				if (!taken) {
					break;
				}
				col_of[loser] = -1;
				if (!lowered || takeovers == 0) {
					waiting[left++] = loser;
					break;
				}
				takeovers--;
				i = loser;
			}
		}
	}
	for (int k = 0; k < left; k++) {
		if (!small_augment(cost, price, row_of, col_of, &free, waiting[k], nv)) {
			return 0;
		}
	}
	return 1;
}

// small_lap_f32 is lap_f32_avx512 for at most 32 rows and columns.
__attribute__((target("avx512f,avx512vl,avx512dq")))
static int small_lap_f32(const float *values, int rows, int cols, double *memory) {
	int n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
	struct work w;
	float *turned = layout(&w, memory, n, (m + 7) / 8 * 8);
	if (rows > cols) {
		for (int j = 0; j < m; j++) {
			for (int i = 0; i < n; i++) {
				turned[i * m + j] = values[j * n + i];
			}
		}
		values = turned;
	}
	switch ((m + 7) / 8) {
	case 1:
		return small_lap(values, n, m, w.col_of, 1);
	case 2:
		return small_lap(values, n, m, w.col_of, 2);
	case 3:
		return small_lap(values, n, m, w.col_of, 3);
	default:
		return small_lap(values, n, m, w.col_of, 4);
	}
}
