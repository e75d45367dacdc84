// The loop of quick.go in C. Two refills of the bit buffer an iteration: one at its end, before the copy of a match, so that the next
// symbol is looked up while bytes move; one between literals and a match, which together may take more than 56 bits.
#include "quick.h"

#include <string.h>

enum { lit_bits = 11, dist_bits = 9 };
enum { is_literal = 1 << 15, is_link = 1 << 14, is_end = 1 << 13 };

static inline uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint64_t low(uint64_t bits, unsigned n) { return bits & ((1ull << n) - 1); }

// The base and the extra bits of a length or distance; bits begin with its code.
static inline unsigned value(uint32_t e, uint64_t bits) { return (e >> 16) + (unsigned)(low(bits, e & 63) >> (e >> 8 & 15)); }

// Bits above count are the stream's next ones already: filling again sets them to what they are. At least 56 are there after.
#define refill() (bits |= load64(src + pos) << count, pos += (63 - count) >> 3, count |= 56)
#define drop(k) (bits >>= (k), count -= (k))

static inline __attribute__((always_inline)) void copy(uint8_t *to, unsigned back, unsigned length) {
    const uint8_t *from = to - back, *end = to + length;
    if (back >= 16) {  // most matches are shorter than 32 bytes: no branch for them
        memcpy(to, from, 16);
        memcpy(to + 16, from + 16, 16);
        for (to += 32, from += 32; to < end; to += 16, from += 16) memcpy(to, from, 16);
    } else if (back >= 8) {
        do {
            memcpy(to, from, 8);
            to += 8, from += 8;
        } while (to < end);
    } else if (back == 1) {
        memset(to, *from, length);
    } else {  // the first back bytes of every step are right, the next step writes over the others
        do {
            uint64_t v = load64(from);
            memcpy(to, &v, 8);
            to += back, from += back;
        } while (to < end);
    }
}

static inline __attribute__((always_inline)) quick_result decode(quick_state *s, const uint32_t *lit, const uint32_t *dist,
                                                                 const uint8_t *src, size_t length, uint8_t *out, size_t room) {
    size_t pos = s->pos, n = s->n;
    uint64_t bits = s->bits;
    unsigned count = s->count;
    quick_result how = QUICK_MORE;
    if (pos + 16 <= length) {
        refill();
        uint32_t e = lit[low(bits, lit_bits)];
        while (pos + 16 <= length && n + QUICK_SLACK <= room) {  // 56 bits are there, and e is the entry of the first of them
            if (e & is_literal) {
                out[n++] = e >> 16;
                drop(e & 63);
                e = lit[low(bits, lit_bits)];
                if (e & is_literal) {
                    out[n++] = e >> 16;
                    drop(e & 63);
                    e = lit[low(bits, lit_bits)];
                    if (e & is_literal) {
                        out[n++] = e >> 16;
                        drop(e & 63);
                        refill();
                        e = lit[low(bits, lit_bits)];
                        continue;
                    }
                }
                refill();
            }
            if (e & is_link) e = lit[(e >> 16) + low(bits >> lit_bits, e >> 8 & 15)];
            uint64_t taken = bits;
            drop(e & 63);
            if (e & is_literal) {
                out[n++] = e >> 16;
                refill();
                e = lit[low(bits, lit_bits)];
                continue;
            }
            if (e & is_end) {
                how = QUICK_END;
                break;
            }
            if (e == 0) {
                how = QUICK_CORRUPT;
                break;
            }
            unsigned size = value(e, taken);
            e = dist[low(bits, dist_bits)];
            if (e & is_link) e = dist[(e >> 16) + low(bits >> dist_bits, e >> 8 & 15)];
            unsigned back = value(e, bits);
            drop(e & 63);
            if (e == 0 || back > n) {
                how = QUICK_CORRUPT;
                break;
            }
            refill();
            e = lit[low(bits, lit_bits)];
            copy(out + n, back, size);
            n += size;
        }
    }
    s->pos = pos, s->n = n, s->count = count, s->bits = low(bits, count);
    return how;
}

#ifdef __x86_64__
// Shifts by a register take one instruction instead of three with BMI2.
__attribute__((target("bmi2"))) static quick_result decode_bmi2(quick_state *s, const uint32_t *lit, const uint32_t *dist, const uint8_t *src,
                                                                size_t length, uint8_t *out, size_t room) {
    return decode(s, lit, dist, src, length, out, room);
}
#endif

quick_result quick_decode(quick_state *s, const uint32_t *lit, const uint32_t *dist, const uint8_t *src, size_t length, uint8_t *out,
                          size_t room) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("bmi2")) return decode_bmi2(s, lit, dist, src, length, out, room);
#endif
    return decode(s, lit, dist, src, length, out, room);
}
