// The assignment solver of lap_portable.go, step for step, on vectors of LANES doubles. This file is a template: lap_amd64.c
// includes it for every instruction set and type of cost, with the operations it uses defined as macros. It reads costs and
// writes the column of every row. There are no products but those with the sign, which are exact, so that nothing changes
// if they are fused: results equal the Go code's bit for bit.
//
// Rows of the costs are `stride` long, a multiple of LANES; what lies beyond the m columns is +Inf and never chosen.

// first_of gives the lowest of the columns in the lanes of the mask.
TARGET static inline int NAME(first_of)(V where, unsigned lanes) {
	double columns[LANES];
	STORE(columns, where);
	double lowest = columns[__builtin_ctz(lanes)];
	while (lanes &= lanes - 1) {
		double other = columns[__builtin_ctz(lanes)];
		lowest = other < lowest ? other : lowest;
	}
	return (int)lowest;
}

// two_cheapest gives the two smallest reduced costs of a row and the first column that has the smallest.
TARGET static inline double NAME(two_cheapest)(const COST *row, const double *price, int stride, double *second, int *at) {
	V first = SET1(INFINITY), next = SET1(INFINITY), where = SET1(0), j = IOTA;
	for (int k = 0; k < stride; k += LANES) {
		V d = SUB(LOADC(row + k), LOAD(price + k));
		where = BLEND(where, j, LT(d, first));
		next = MIN(next, MAX(first, d));
		first = MIN(first, d);
		j = ADD(j, SET1(LANES));
	}
	double best = TWO_LEAST(first, next, second);
	*at = NAME(first_of)(where, BITS(EQ(first, SET1(best))));
	return best;
}

static int NAME(free_at)(const COST *row, const struct work *w, int m, double reduced) {
	for (int j = 0; j < m; j++) {
		if (w->row_of[j] < 0 && row[j] - w->price[j] == reduced) {
			return j;
		}
	}
	return -1;
}

TARGET static int NAME(reduce_rows)(const COST *cost, struct work *w, int waiting, int n, int m, int stride) {
	int left = 0, takeovers = takeovers_for(n);
	for (int k = 0; k < waiting; k++) {
		int i = w->waiting[k];
		for (;;) {
			const COST *row = cost + (size_t)i * stride;
			double second;
			int at;
			double first = NAME(two_cheapest)(row, w->price, stride, &second, &at);
			if (first == INFINITY) {
				w->waiting[left++] = i;
				break;
			}
			int loser = w->row_of[at], lowered = 0;
			if (first == second && loser >= 0) {
				int free = NAME(free_at)(row, w, m, first);
				if (free >= 0) {
					at = free;
					loser = -1;
				}
			} else if (second < INFINITY) {
				double price = w->price[at] - (second - first);
				lowered = price < w->price[at];
				w->price[at] = price;
			}
			w->row_of[at] = i;
			w->col_of[i] = at;
			if (loser < 0) {
				break;
			}
			w->col_of[loser] = -1;
			if (!lowered || takeovers == 0) {
				w->waiting[left++] = loser;
				break;
			}
			takeovers--;
			i = loser;
		}
	}
	return left;
}

TARGET static int NAME(augment)(const COST *cost, struct work *w, int start, int stride) {
	double low, goal = INFINITY;
	int low_at, goal_at = 0, tree = 0;
	{
		const COST *row = cost + (size_t)start * stride;
		V least = SET1(INFINITY), where = SET1(0), j = IOTA;
		for (int k = 0; k < stride; k += LANES) {
			V price = LOAD(w->price + k);
			V d = SUB(LOADC(row + k), price);
			STORE(w->open + k, price);
			STORE(w->distance + k, d);
			STOREI(w->before + k, ALL, start);
			where = BLEND(where, j, LT(d, least));
			least = MIN(least, d);
			j = ADD(j, SET1(LANES));
			for (unsigned bits = SIGNS(w->row_of + k) & BITS(LT(d, SET1(goal))); bits; bits &= bits - 1) {
				int f = k + __builtin_ctz(bits);
				if (w->distance[f] < goal) {
					goal = w->distance[f];
					goal_at = f;
				}
			}
		}
		low = HMIN(least);
		low_at = NAME(first_of)(where, BITS(EQ(least, SET1(low))));
	}
	while (low < goal) {
		w->tree[tree] = low_at;
		w->length[tree++] = low;
		int i = w->row_of[low_at];
		const COST *row = cost + (size_t)i * stride;
		double offset = row[low_at] - w->price[low_at] - low;
		w->open[low_at] = -INFINITY;
		w->distance[low_at] = INFINITY;
		V least = SET1(INFINITY), where = SET1(0), j = IOTA, off = SET1(offset);
		for (int k = 0; k < stride; k += LANES) {
			V d = SUB(SUB(LOADC(row + k), LOAD(w->open + k)), off);
			V distance = LOAD(w->distance + k);
			M shorter = LT(d, distance);
			unsigned bits = BITS(shorter);
			if (bits) {
				distance = BLEND(distance, d, shorter);
				STORE(w->distance + k, distance);
				STOREI(w->before + k, shorter, i);
				for (bits &= SIGNS(w->row_of + k); bits; bits &= bits - 1) {
					int f = k + __builtin_ctz(bits);
					if (w->distance[f] < goal) {
						goal = w->distance[f];
						goal_at = f;
					}
				}
			}
			where = BLEND(where, j, LT(distance, least));
			least = MIN(least, distance);
			j = ADD(j, SET1(LANES));
		}
		low = HMIN(least);
		low_at = NAME(first_of)(where, BITS(EQ(least, SET1(low))));
	}
	if (goal == INFINITY) {
		return 0;
	}
	for (int k = 0; k < tree; k++) {
		w->price[w->tree[k]] += w->length[k] - goal;
	}
	for (int j = goal_at, i = -1; i != start;) {
		i = w->before[j];
		w->row_of[j] = i;
		int next = w->col_of[i];
		w->col_of[i] = j;
		j = next;
	}
	return 1;
}

// lay_out writes the values of n rows and m columns times sign as costs. For squares it starts the prices at the cheapest
// cost of each column, else at 0. It returns 0 if a value is not allowed.
TARGET static int NAME(lay_out)(COST *cost, double *price, const COST *values, double sign, int n, int m, int stride) {
	int allowed = 1;
	for (int k = 0; k < stride; k += LANES) {
		int count = m - k < 0 ? 0 : m - k < LANES ? m - k : LANES;
		M in = LT(IOTA, SET1(count));
		V least = SET1(INFINITY);
		for (int i = 0; i < n; i++) {
			V c = MUL(LOADT(values + (size_t)i * m + k, count), SET1(sign));
			allowed &= BITS(ALLOWED(c)) == EVERY;
			c = BLEND(SET1(INFINITY), c, in);
			STOREC(cost + (size_t)i * stride + k, c);
			least = MIN(least, c);
		}
		STORE(price + k, n < m ? SET1(0) : BLEND(least, SET1(0), EQ(least, SET1(INFINITY))));
	}
	return allowed;
}

// lap solves a problem of rows x cols values times sign, transposed when there are more rows than columns.
// 1: solved; 0: there is no complete assignment; -1: a value is not allowed.
TARGET static int NAME(lap)(const COST *values, double sign, int rows, int cols, double *memory) {
	int n = rows < cols ? rows : cols, m = rows < cols ? cols : rows;
	int stride = (m + 7) / 8 * 8;
	struct work w;
	COST *cost = layout(&w, memory, n, stride);
	if (rows > cols) {
		COST *turned = cost + (size_t)n * stride;
		for (int j = 0; j < m; j++) {
			for (int i = 0; i < n; i++) {
				turned[(size_t)i * m + j] = values[(size_t)j * n + i];
			}
		}
		values = turned;
	}
	if (!NAME(lay_out)(cost, w.price, values, sign, n, m, stride)) {
		return -1;
	}
	for (int j = 0; j < stride; j++) {
		w.row_of[j] = j < m ? -1 : 0; // what lies beyond is never free
	}
	for (int i = 0; i < n; i++) {
		w.col_of[i] = -1;
		w.waiting[i] = i;
	}
	int waiting = n;
	for (int pass = 0; pass < 3 && waiting; pass++) {
		waiting = NAME(reduce_rows)(cost, &w, waiting, n, m, stride);
	}
	for (int k = 0; k < waiting; k++) {
		if (!NAME(augment)(cost, &w, w.waiting[k], stride)) {
			return 0;
		}
	}
	return 1;
}
