/* Characters of texts, as the census looks at them: UTF-8 as Python's strict decoder takes it, digits, blanks. */

#ifndef LITEFERRY_COUNTER_CHARACTERS_H
#define LITEFERRY_COUNTER_CHARACTERS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ODD (-1) /* not surely as it ought to be: to be asked in Python */

static inline int is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static inline int is_hex(unsigned char c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }
static inline int is_blank(unsigned char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static inline int two_digits(const unsigned char *p)
{
    return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

/* The bytes of the character that begins here, as Python's strict decoder takes it; 0 where it takes none. */
static inline size_t utf8_step(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        return left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if ((c & 0xF0) == 0xE0) {
        if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F))
            return 0; /* overlong; a surrogate */
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (left < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
            return 0;
        if ((c == 0xF0 && p[1] < 0x90) || (c == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

#define ONES UINT64_C(0x0101010101010101)
#define TOPS UINT64_C(0x8080808080808080)

/* The characters of a text; ODD where it is not valid, or holds NUL. */
static int64_t count_chars(const unsigned char *p, size_t n)
{
    size_t i = 0;
    int64_t chars = 0;
    while (i < n) {
        while (n - i >= 8) { /* eight characters of ASCII at once, none of them NUL */
            uint64_t word;
            memcpy(&word, p + i, 8);
            if ((word & TOPS) || ((word - ONES) & ~word & TOPS))
                break;
            i += 8;
            chars += 8;
        }
        if (i == n)
            break;
        size_t step = p[i] ? utf8_step(p + i, n - i) : 0;
        if (!step)
            return ODD;
        i += step;
        chars++;
    }
    return chars;
}

#endif
