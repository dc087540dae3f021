/* Buffers, and the plain parts of canonical forms: numbers and moments. liteferry.compare is the specification.
 *
 * Whatever is not surely one of the common spellings is not judged here: the answer is ASK, and Python judges. */

#ifndef LITEFERRY_COMPARER_FORMS_H
#define LITEFERRY_COMPARER_FORMS_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What came of a value: its form is in the buffer; or Python must be asked; or an error. */
typedef enum { FORMED, ASK, NO_MEMORY, FAILED } outcome;

typedef struct {
    uint8_t *at;
    size_t size, capacity;
} buffer;

static void buffer_free(buffer *b)
{
    free(b->at);
    memset(b, 0, sizeof *b);
}

static int buffer_grow(buffer *b, size_t more)
{
    if (more > SIZE_MAX / 4 - b->size)
        return 0;
    size_t wanted = b->size + more;
    size_t capacity = wanted < 512 ? 512 : wanted + wanted / 4; /* by a quarter: the values may be huge */
    uint8_t *larger = realloc(b->at, capacity);
    if (!larger)
        return 0;
    b->at = larger;
    b->capacity = capacity;
    return 1;
}

static inline int buffer_reserve(buffer *b, size_t more)
{
    return more <= b->capacity - b->size || buffer_grow(b, more);
}

static inline int buffer_put(buffer *b, const void *from, size_t size)
{
    if (!buffer_reserve(b, size))
        return 0;
    if (size)
        memcpy(b->at + b->size, from, size);
    b->size += size;
    return 1;
}

static inline int is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A hexadecimal digit's value and one more; 0 of what is none. By branches, a file of 224 MB took 1.5 s to read. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static inline int hex_value(uint8_t c)
{
    return hex_values[c] - 1;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Decimals */

/* An integer's digits behind a tag of one letter. */
static outcome put_integer(buffer *out, char tag, int64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    uint8_t digits[21];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; rest >= 100; rest /= 100)
        memcpy(digits + (at -= 2), pairs + 2 * (rest % 100), 2);
    if (rest >= 10)
        memcpy(digits + (at -= 2), pairs + 2 * rest, 2);
    else
        digits[--at] = (uint8_t)('0' + rest);
    if (value < 0)
        digits[--at] = '-';
    if (!buffer_reserve(out, 1 + sizeof digits))
        return NO_MEMORY;
    out->at[out->size++] = (uint8_t)tag;
    memcpy(out->at + out->size, digits + at, sizeof digits - at);
    out->size += sizeof digits - at;
    return FORMED;
}

/* A decimal number in plain notation: no exponent, no superfluous zero, no -0. Its parts may be empty, not both. */
static outcome put_plain_decimal(buffer *out, int negative, const uint8_t *whole, size_t whole_size,
                                 const uint8_t *fraction, size_t fraction_size, long exponent)
{
    size_t total = whole_size + fraction_size, first = 0, end = total;
#define DIGIT(i) ((i) < whole_size ? whole[i] : fraction[(i) - whole_size])
    while (first < total && DIGIT(first) == '0')
        first++;
    while (end > first && DIGIT(end - 1) == '0')
        end--;
    if (first == end)
        return buffer_put(out, "0", 1) ? FORMED : NO_MEMORY;
    long point = (long)whole_size + exponent - (long)first, count = (long)(end - first);
    if (point > 4000 || count - point > 4000)
        return ASK;
    if (!buffer_reserve(out, (size_t)count + 8010))
        return NO_MEMORY;
    uint8_t *to = out->at + out->size;
    if (negative)
        *to++ = '-';
    if (point <= 0) {
        *to++ = '0', *to++ = '.';
        memset(to, '0', (size_t)-point);
        to += -point;
    }
    for (long i = 0; i < count; i++) {
        if (i == point && i)
            *to++ = '.';
        *to++ = DIGIT(first + (size_t)i);
    }
#undef DIGIT
    for (; count < point; count++)
        *to++ = '0';
    out->size = (size_t)(to - out->at);
    return FORMED;
}

/* A decimal number as an application writes it: [+-]digits[.digits], no exponent, not both parts empty. */
static outcome put_decimal_text(buffer *out, const uint8_t *text, size_t size)
{
    const uint8_t *at = text, *end = text + size;
    if (size > 1000)
        return ASK;
    int negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    const uint8_t *whole = at;
    while (at < end && is_digit(*at))
        at++;
    size_t whole_size = (size_t)(at - whole), fraction_size = 0;
    const uint8_t *fraction = at;
    if (at < end && *at == '.') {
        fraction = ++at;
        while (at < end && is_digit(*at))
            at++;
        fraction_size = (size_t)(at - fraction);
    }
    if (at != end || !(whole_size + fraction_size))
        return ASK;
    return put_plain_decimal(out, negative, whole, whole_size, fraction, fraction_size, 0);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Doubles. Arithmetic in numbers of 64 bits or more tells surely what rounds to a double, but in rare cases; where the
 * machine has none (LDBL_MANT_DIG 53), Python is asked every time. */

#define POWERS 28

static const long double powers_of_ten[POWERS] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
    1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L,
};

/* The double nearest to digits * 10^exponent; 0 when that is not sure. digits is less than 2^64. */
static int scale_to_double(uint64_t digits, int exponent, double *found)
{
#if LDBL_MANT_DIG == 64 && defined(__x86_64__)
    if (exponent <= -POWERS || exponent >= POWERS)
        return 0;
    long double scaled = exponent < 0 ? (long double)digits / powers_of_ten[-exponent]
                                      : (long double)digits * powers_of_ten[exponent];
    uint64_t mantissa;
    memcpy(&mantissa, &scaled, sizeof mantissa);
    if ((mantissa & 0x7ff) == 0x400) /* half-way between two doubles, as far as 64 bits can tell */
        return 0;
    *found = (double)scaled;
    return 1;
#else
    if (digits >> 53 || exponent < -22 || exponent > 22)
        return 0;
    *found = exponent < 0 ? (double)digits / (double)powers_of_ten[-exponent]
                          : (double)digits * (double)powers_of_ten[exponent];
    return FLT_EVAL_METHOD == 0;
#endif
}

/* Read a number as PostgreSQL writes doubles. 0 when Python must be asked. */
static int read_double(const uint8_t *text, size_t size, double *found)
{
    const uint8_t *at = text, *end = text + size;
    int negative = at < end && *at == '-', count = 0, places = 0, seen_point = 0, any = 0;
    uint64_t digits = 0;
    at += negative;
    for (; at < end; at++) {
        if (is_digit(*at)) {
            any = 1;
            count += digits || *at != '0';
            if (count > 19)
                return 0;
            digits = digits * 10 + (*at - '0');
            places += seen_point;
        } else if (*at == '.' && !seen_point && any) {
            seen_point = 1;
        } else {
            break;
        }
    }
    int exponent = 0;
    if (at < end && *at == 'e' && any) {
        at++;
        int down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        if (at == end || end - at > 3)
            return 0;
        for (; at < end && is_digit(*at); at++)
            exponent = exponent * 10 + (*at - '0');
        exponent = down ? -exponent : exponent;
    }
    if (at != end || !any || places > 400)
        return 0;
    if (!digits)
        *found = 0;
    else if (!scale_to_double(digits, exponent - places, found))
        return 0;
    *found = negative ? -*found : *found;
    return 1;
}

/* The shortest digits that read back as this double, as Python's repr has them: digits / 10^places. The number is
 * positive. 0 when that is not sure. */
static int shorten_double(double number, uint64_t *digits, int *places)
{
    if (!(number >= 1e-4) || !(number < 1e15))
        return 0;
    for (int shift = 0; shift <= 18; shift++) {
        long double scaled = (long double)number * powers_of_ten[shift];
        if (scaled >= 1e17L)
            return 0;
        uint64_t nearest = (uint64_t)(scaled + 0.5L);
        /* up to 15 digits: two such decimals never read back as the same double, so that this is the one */
        if (nearest < 1000000000000000) {
            if (shift <= 22 && (double)nearest / (double)powers_of_ten[shift] == number && FLT_EVAL_METHOD == 0) {
                *digits = nearest, *places = shift;
                return 1;
            }
            continue;
        }
#if LDBL_MANT_DIG == 64 && defined(__x86_64__)
        int binary;
        if (frexp(number, &binary) == 0.5)
            return 0; /* the doubles below are nearer than those above: the nearest decimal may not read back */
        long double rest = scaled - (long double)nearest;
        double back;
        if (rest > 0.48L || rest < -0.48L || !scale_to_double(nearest, -shift, &back))
            return 0;
        if (back == number) {
            *digits = nearest, *places = shift;
            return 1;
        }
#else
        return 0;
#endif
    }
    return 0;
}

/* A double as Python's repr spells it, behind a tag; or, as a decimal in plain notation, without ".0". */
static outcome put_double(buffer *out, char tag, double number, int is_decimal)
{
    uint64_t digits = 0;
    int places = 0, negative = number < 0;
    if (number == 0 ? signbit(number) && !is_decimal : !shorten_double(fabs(number), &digits, &places))
        return ASK;
    uint8_t spelled[48];
    size_t at = sizeof spelled;
    if (!places && !is_decimal)
        spelled[--at] = '0', spelled[--at] = '.';
    for (int place = 0; digits || place <= places; place++) {
        if (place && place == places)
            spelled[--at] = '.';
        spelled[--at] = (uint8_t)('0' + digits % 10);
        digits /= 10;
    }
    if (negative)
        spelled[--at] = '-';
    spelled[--at] = (uint8_t)tag;
    return buffer_put(out, spelled + at, sizeof spelled - at) ? FORMED : NO_MEMORY;
}

/* The bytes of IEEE 754 behind a tag. */
static outcome put_bits(buffer *out, char tag, uint64_t bits, int size)
{
    uint8_t form[9] = {(uint8_t)tag};
    for (int i = 0; i < size; i++)
        form[1 + i] = (uint8_t)(bits >> 8 * (size - 1 - i));
    return buffer_put(out, form, 1 + (size_t)size) ? FORMED : NO_MEMORY;
}

static outcome put_float8(buffer *out, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return put_bits(out, 'f', bits, 8);
}

static outcome put_float4(buffer *out, double number, int is_exact)
{
    if (!(fabs(number) < 3e38))
        return ASK;
    float single = (float)number;
    uint32_t bits;
    if (is_exact && (double)single != number)
        return ASK;
    memcpy(&bits, &single, sizeof bits);
    return put_bits(out, 'e', bits, 4);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Dates and times */

#define DAY_US 86400000000LL

/* Two digits; -1 for anything else. */
static inline int two_digits(const uint8_t *at)
{
    return is_digit(at[0]) && is_digit(at[1]) ? (at[0] - '0') * 10 + at[1] - '0' : -1;
}

/* Days since 1970-01-01 of YYYY-MM-DD; 0 when it is none of the years 1 to 9999. */
static int read_day(const uint8_t *at, int64_t *days)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century = two_digits(at), rest = two_digits(at + 2), month = two_digits(at + 5), day = two_digits(at + 8);
    if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1 || at[4] != '-' || at[7] != '-')
        return 0;
    int year = century * 100 + rest;
    int is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || day > lengths[month - 1] + (month == 2 && is_leap))
        return 0;
    /* days since 0000-03-01: years that begin in March have their leap day last */
    int shifted = month < 3 ? year - 1 : year;
    int64_t before = 365LL * shifted + shifted / 4 - shifted / 100 + shifted / 400;
    *days = before + (153 * (month < 3 ? month + 9 : month - 3) + 2) / 5 + day - 1 - 719468;
    return 1;
}

/* The digits of a fraction of a second, one to six, as microseconds; 0 for anything else. */
static int read_fraction(const uint8_t **at, const uint8_t *end, int64_t *us)
{
    int64_t found = 0;
    int count = 0;
    for (; *at < end && is_digit(**at); ++*at, count++) {
        if (count == 6)
            return 0;
        found = found * 10 + (**at - '0');
    }
    for (int i = count; i < 6; i++)
        found *= 10;
    *us += found;
    return count > 0;
}

/* HH:MM[:SS[.f]] from "at", which is left behind it, as microseconds. wants_seconds: they must be there. */
static int read_time_of_day(const uint8_t **at, const uint8_t *end, int wants_seconds, int64_t *us)
{
    const uint8_t *from = *at;
    if (end - from < 5 || from[2] != ':')
        return 0;
    int hours = two_digits(from), minutes = two_digits(from + 3), seconds = 0;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return 0;
    *us = (hours * 60LL + minutes) * 60000000;
    *at = from += 5;
    if (from == end || *from != ':')
        return !wants_seconds;
    if (end - from < 3 || (seconds = two_digits(from + 1)) < 0 || seconds > 59)
        return 0;
    *us += seconds * 1000000LL;
    *at = from += 3;
    if (from == end || *from != '.')
        return 1;
    *at = from + 1;
    return read_fraction(at, end, us);
}

/* A moment as applications write it: a date, nothing or a clock's time, nothing or an offset from UTC. */
static outcome put_source_moment(buffer *out, const uint8_t *text, size_t size, int is_zoned)
{
    const uint8_t *at = text + 10, *end = text + size;
    int64_t days, us = 0;
    if (size < 10 || !read_day(text, &days))
        return ASK;
    if (at < end) {
        if (*at != ' ' && *at != 'T')
            return ASK;
        at++;
        if (!read_time_of_day(&at, end, 0, &us))
            return ASK;
        if (at < end && is_zoned) {
            if (*at == 'Z') {
                at++;
            } else if ((*at == '+' || *at == '-') && (end - at == 6 || end - at == 5 || end - at == 3)) {
                int hours = two_digits(at + 1), minutes = end - at == 3 ? 0 : two_digits(end - 2);
                if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || (end - at == 6 && at[3] != ':'))
                    return ASK;
                int64_t offset_us = (hours * 60LL + minutes) * 60000000;
                us += *at == '+' ? -offset_us : offset_us;
                at = end;
            }
        }
        if (at != end)
            return ASK;
    }
    return put_integer(out, is_zoned ? 'z' : 's', days * DAY_US + us);
}

/* A moment as PostgreSQL writes those of the years 1 to 9999. */
static outcome put_target_moment(buffer *out, const uint8_t *text, size_t size, int is_zoned)
{
    const uint8_t *at = text + 11, *end = text + size;
    int64_t days, us = 0;
    if (size < 19 || text[10] != ' ' || !read_day(text, &days) || !read_time_of_day(&at, end, 1, &us))
        return ASK;
    if (is_zoned) {
        if (end - at != 3 || memcmp(at, "+00", 3) != 0)
            return ASK;
        at += 3;
    }
    return at == end ? put_integer(out, is_zoned ? 'z' : 's', days * DAY_US + us) : ASK;
}

static outcome put_date(buffer *out, const uint8_t *text, size_t size)
{
    int64_t days;
    return size == 10 && read_day(text, &days) ? put_integer(out, 'd', days) : ASK;
}

static outcome put_time(buffer *out, const uint8_t *text, size_t size, int wants_seconds)
{
    const uint8_t *at = text;
    int64_t us;
    return read_time_of_day(&at, text + size, wants_seconds, &us) && at == text + size ? put_integer(out, 'h', us) : ASK;
}

/* An interval as PostgreSQL writes it, of days and hours: "-3 days +04:05:06.7". */
static outcome put_target_interval(buffer *out, const uint8_t *text, size_t size)
{
    const uint8_t *at = text, *end = text + size, *blank = memchr(text, ' ', size);
    int64_t days = 0, hours = 0, us = 0;
    if (blank) {
        int negative = *at == '-';
        at += negative;
        const uint8_t *digits = at;
        for (; is_digit(*at) && at - digits < 8; at++)
            days = days * 10 + (*at - '0');
        if (at == digits || at != blank || end - at < 4 || memcmp(at, " day", 4) != 0)
            return ASK;
        days = negative ? -days : days;
        at += 4;
        at += at < end && *at == 's';
        if (at < end && *at++ != ' ')
            return ASK;
        if (at == end)
            return at[-1] == ' ' ? ASK : put_integer(out, 'v', days * DAY_US);
    }
    int is_negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    const uint8_t *digits = at;
    for (; at < end && is_digit(*at) && at - digits < 8; at++)
        hours = hours * 10 + (*at - '0');
    if (at == digits || end - at < 6 || at[0] != ':' || at[3] != ':')
        return ASK;
    int minutes = two_digits(at + 1), seconds = two_digits(at + 4);
    at += 6;
    if (minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59)
        return ASK;
    us = hours * 3600000000 + minutes * 60000000LL + seconds * 1000000LL;
    if (at < end && *at == '.') {
        at++;
        if (!read_fraction(&at, end, &us))
            return ASK;
    }
    return at == end ? put_integer(out, 'v', days * DAY_US + (is_negative ? -us : us)) : ASK;
}

#endif
