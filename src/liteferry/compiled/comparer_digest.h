/* The digests of rows and tables for the proof: liteferry.compare.digests says what they are.
 *
 * Source: RFC 7693, "The BLAKE2 Cryptographic Hash and Message Authentication Code (MAC)". */

#ifndef LITEFERRY_COMPARER_DIGEST_H
#define LITEFERRY_COMPARER_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BLAKE_BLOCK 128
#define BLAKE_SIZE 16

static const uint64_t blake_start[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static inline uint64_t read_little(const uint8_t *from)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#define TURN(word, bits) (((word) >> (bits)) | ((word) << (64 - (bits))))
#define MIX(a, b, c, d, x, y)                                                                                          \
    a += b + (x), d = TURN(d ^ a, 32), c += d, b = TURN(b ^ c, 24);                                                    \
    a += b + (y), d = TURN(d ^ a, 16), c += d, b = TURN(b ^ c, 63)
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf)                                         \
    MIX(v0, v4, v8, vc, m[s0], m[s1]);                                                                                 \
    MIX(v1, v5, v9, vd, m[s2], m[s3]);                                                                                 \
    MIX(v2, v6, va, ve, m[s4], m[s5]);                                                                                 \
    MIX(v3, v7, vb, vf, m[s6], m[s7]);                                                                                 \
    MIX(v0, v5, va, vf, m[s8], m[s9]);                                                                                 \
    MIX(v1, v6, vb, vc, m[sa], m[sb]);                                                                                 \
    MIX(v2, v7, v8, vd, m[sc], m[sd]);                                                                                 \
    MIX(v3, v4, v9, ve, m[se], m[sf])

/* One block of 128 bytes. done: how many bytes of the message are in, with this block; last: all ones for the last. */
static void blake_compress(uint64_t h[8], const uint8_t *block, uint64_t done, uint64_t last)
{
    uint64_t m[16];
    for (int i = 0; i < 16; i++)
        m[i] = read_little(block + 8 * i);
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3], v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    uint64_t v8 = blake_start[0], v9 = blake_start[1], va = blake_start[2], vb = blake_start[3];
    uint64_t vc = blake_start[4] ^ done, vd = blake_start[5], ve = blake_start[6] ^ last, vf = blake_start[7];
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    h[0] ^= v0 ^ v8, h[1] ^= v1 ^ v9, h[2] ^= v2 ^ va, h[3] ^= v3 ^ vb;
    h[4] ^= v4 ^ vc, h[5] ^= v5 ^ vd, h[6] ^= v6 ^ ve, h[7] ^= v7 ^ vf;
}

/* A message that comes in pieces. */
typedef struct {
    uint64_t h[8], done;
    size_t filled;
    uint8_t block[BLAKE_BLOCK];
} blake_state;

static void blake_begin(blake_state *state)
{
    memcpy(state->h, blake_start, sizeof state->h);
    state->h[0] ^= 0x01010000 ^ BLAKE_SIZE;
    state->done = 0;
    state->filled = 0;
}

static void blake_add(blake_state *state, const uint8_t *message, size_t size)
{
    if (state->filled + size > BLAKE_BLOCK) { /* the last block is kept back: it is compressed in another way */
        if (state->filled) {
            size_t room = BLAKE_BLOCK - state->filled;
            memcpy(state->block + state->filled, message, room);
            blake_compress(state->h, state->block, state->done += BLAKE_BLOCK, 0);
            message += room, size -= room;
        }
        for (; size > BLAKE_BLOCK; size -= BLAKE_BLOCK, message += BLAKE_BLOCK)
            blake_compress(state->h, message, state->done += BLAKE_BLOCK, 0);
        state->filled = 0;
    }
    if (size)
        memcpy(state->block + state->filled, message, size);
    state->filled += size;
}

/* The 16 bytes of the digest, as two numbers that are its halves in big-endian order. */
static void blake_end(blake_state *state, uint64_t *high, uint64_t *low)
{
    memset(state->block + state->filled, 0, BLAKE_BLOCK - state->filled);
    blake_compress(state->h, state->block, state->done + state->filled, UINT64_MAX);
    *high = __builtin_bswap64(state->h[0]);
    *low = __builtin_bswap64(state->h[1]);
}

static void blake_digest(const uint8_t *message, size_t size, uint64_t *high, uint64_t *low)
{
    blake_state state;
    blake_begin(&state);
    blake_add(&state, message, size);
    blake_end(&state, high, low);
}

/* Of a table's rows, in any order. Number, sum modulo 2^128, exclusive or. */
typedef struct {
    uint64_t rows, high, low, xor_high, xor_low;
} digest_sum;

static void sum_digest(digest_sum *sum, uint64_t high, uint64_t low)
{
    sum->rows++;
    sum->low += low;
    sum->high += high + (sum->low < low);
    sum->xor_high ^= high;
    sum->xor_low ^= low;
}

#endif
