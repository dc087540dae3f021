/* What SQLite's values are: texts, whether they are valid, and numbers as the decimals that Python shows. */

#ifndef LITEFERRY_ENCODER_VALUES_H
#define LITEFERRY_ENCODER_VALUES_H

#include "snapshot.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Texts. */

typedef struct {
    const unsigned char *at;
    size_t size;
} Text;

/* Without an address and of no size when memory ran out, so that nobody is sure of it: make_object raises that. */
static Text text_of(sqlite3_value *value)
{
    const unsigned char *found = sqlite3_value_text(value);
    Text text = {found, found ? (size_t)sqlite3_value_bytes(value) : 0};
    return text;
}

/* How many bytes the character beyond ASCII takes, as strictly as Python: 0 for none that is valid. */
static size_t measure_character(const unsigned char *at, size_t left)
{
    unsigned first = at[0];
    if (first < 0xC2 || first > 0xF4)
        return 0;
    size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F) || (first == 0xF0 && at[1] < 0x90) ||
        (first == 0xF4 && at[1] > 0x8F)) /* written too long, half of a pair, beyond U+10FFFF */
        return 0;
    return size;
}

/* Whether bytes are valid UTF-8, without NUL where it is not allowed. */
static bool is_valid_text(const unsigned char *at, size_t size, bool allows_nul)
{
    const unsigned char *end = at + size;
    while (at < end) {
        /* eight bytes from 1 to 127 at once: no high bit, and none that borrowing gives */
        while (end - at >= 8) {
            uint64_t eight;
            memcpy(&eight, at, 8);
            if (((eight - 0x0101010101010101u) | eight) & 0x8080808080808080u)
                break;
            at += 8;
        }
        while (at < end && (*at - 1u) < 0x7Fu)
            at++;
        if (at == end)
            return true;
        if (*at == 0) {
            if (!allows_nul)
                return false;
            at++;
            continue;
        }
        do {
            size_t taken = measure_character(at, (size_t)(end - at));
            if (!taken)
                return false;
            at += taken;
        } while (at < end && *at >= 0x80);
    }
    return true;
}

/* Two digits of a text as a number; -1 for anything else. */
static int read_two(const unsigned char *at)
{
    unsigned tens = at[0] - (unsigned)'0', ones = at[1] - (unsigned)'0';
    return tens > 9 || ones > 9 ? -1 : (int)(tens * 10 + ones);
}

static bool is_digit(unsigned char byte) { return byte - (unsigned)'0' <= 9; }

/* Numbers as decimal digits: (-1)^negative * digits * 10^-scale. */

typedef struct {
    uint64_t digits; /* at most 19 of them */
    int scale;       /* may be negative; never with a zero at the end of the digits when it is positive */
    bool negative;
} Decimal;

static Decimal decimal_of_integer(int64_t value)
{
    Decimal found = {value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0, value < 0};
    return found;
}

static const double TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const uint64_t WHOLE_TENS[] = {1u,
                                      10u,
                                      100u,
                                      1000u,
                                      10000u,
                                      100000u,
                                      1000000u,
                                      10000000u,
                                      100000000u,
                                      1000000000u,
                                      10000000000u,
                                      100000000000u,
                                      1000000000000u,
                                      10000000000000u,
                                      100000000000000u,
                                      1000000000000000u,
                                      10000000000000000u,
                                      100000000000000000u,
                                      1000000000000000000u};

/* The shortest decimal of a positive double that reads back as it, by division.
 *
 * Why it is the shortest: of all decimals with at most 15 digits no two read back as the same double, if it is a normal
 * one (DBL_DIG). digits and TENS[scale] are doubles exactly, and the division rounds correctly: its result is the
 * double that the decimal reads back as. So when it is the value, no other decimal of up to 15 digits is, and no shorter
 * one. That the product was rounded does no harm: a wrong guess fails the comparison. */
static bool divide_to_decimal(double value, Decimal *found)
{
    for (int scale = 0; scale < (int)(sizeof TENS / sizeof *TENS); scale++) {
        double scaled = value * TENS[scale];
        if (scaled >= 1e15)
            return false;
        uint64_t digits = (uint64_t)(scaled + 0.5);
        if ((double)digits / TENS[scale] == value) {
            while (scale > 0 && digits % 10 == 0) {
                digits /= 10;
                scale--;
            }
            found->digits = digits;
            found->scale = scale;
            return digits < 1000000000000000u;
        }
    }
    return false;
}

/* The same for the others, by the C library's printing and reading, both of which round correctly.
 *
 * With 15 digits the argument is as above. If any decimal of 16 digits reads back as the value, the nearest one does,
 * which is what is printed: for the doubles that round to a value lie on both sides of it alike. That does not hold for
 * powers of two, whose lower neighbour is nearer; they are left to Python. With 17 digits the nearest always does, and
 * it is what Python shows. */
static bool print_to_decimal(double value, Decimal *found)
{
    int exponent;
    if (frexp(value, &exponent) == 0.5)
        return false;
    for (int precision = 15; precision <= 17; precision++) {
        char text[48];
        int size = snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (size < 0 || size >= (int)sizeof text || strtod(text, NULL) != value)
            continue;
        const char *at = text;
        found->digits = 0;
        for (; *at && *at != 'e'; at++) /* whatever the locale's decimal point is */
            if (is_digit((unsigned char)*at))
                found->digits = found->digits * 10 + (uint64_t)(*at - '0');
        if (*at != 'e')
            return false;
        found->scale = precision - 1 - atoi(at + 1);
        while (found->digits % 10 == 0) {
            found->digits /= 10;
            found->scale--;
        }
        return true;
    }
    return false;
}

/* The shortest decimal that reads back as the double, whose digits Python's repr() gives. Not of infinities, and not of
 * subnormal numbers, which have fewer than 15 digits. */
static bool decimal_of_real(double value, Decimal *found)
{
    double size = fabs(value);
    found->negative = signbit(value) != 0;
    found->digits = 0;
    found->scale = 0;
    if (size == 0.0)
        return true;
    if (!(size >= DBL_MIN && size <= DBL_MAX))
        return false;
    return divide_to_decimal(size, found) || print_to_decimal(size, found);
}

/* Write digits without leading zeros, "0" for zero; returns how many. text: 20 bytes. */
static int write_digits(uint64_t number, char *text)
{
    char reversed[20];
    int size = 0;
    do
        reversed[size++] = (char)('0' + number % 10);
    while (number /= 10);
    for (int i = 0; i < size; i++)
        text[i] = reversed[size - 1 - i];
    return size;
}

/* Write a number as Python's repr() does; 0 for a real that it shows with an exponent, or as -0.0. text: 48 bytes. */
static int write_number(sqlite3_value *value, int type, char *text)
{
    char digits[20];
    int size = 0;
    Decimal found;
    bool is_real = type == SQLITE_FLOAT;
    if (!is_real)
        found = decimal_of_integer(sqlite3_value_int64(value));
    else {
        double real = sqlite3_value_double(value);
        if (!(fabs(real) < 1e15 && (fabs(real) >= 1e-4 || real == 0.0)) || !decimal_of_real(real, &found))
            return 0;
        if (found.digits == 0 && found.negative)
            return 0;
        for (; found.scale < 0; found.scale++)
            found.digits *= 10; /* below 10^15 */
    }
    if (found.negative)
        text[size++] = '-';
    int count = write_digits(found.digits, digits), whole = count - found.scale;
    if (whole <= 0) {
        text[size++] = '0';
        text[size++] = '.';
        for (; whole < 0; whole++)
            text[size++] = '0';
        memcpy(text + size, digits, (size_t)count);
        return size + count;
    }
    memcpy(text + size, digits, (size_t)whole);
    size += whole;
    if (is_real) {
        text[size++] = '.';
        if (whole == count)
            text[size++] = '0';
        memcpy(text + size, digits + whole, (size_t)(count - whole));
        size += count - whole;
    }
    return size;
}

#endif
