#include <stddef.h>
#include <stdint.h>

// What an iteration may write behind the output: two literals, a match of 258 bytes and what copying in steps adds.
enum { QUICK_SLACK = 304 };

typedef enum { QUICK_MORE, QUICK_END, QUICK_CORRUPT } quick_result;

// Where a decoder stands: pos in the input, bits (count of them, the rest is zero) taken from before it, n in the output.
typedef struct {
    size_t pos, n;
    uint64_t bits;
    unsigned count;
} quick_state;

// Decodes symbols until a block ends, a code does not exist, or fewer than 16 bytes of input or QUICK_SLACK of output are left.
// The tables are those of tables.go: lit with 11 bits at its first level, dist with 9.
quick_result quick_decode(quick_state *s, const uint32_t *lit, const uint32_t *dist, const uint8_t *src, size_t length, uint8_t *out,
                          size_t room);
