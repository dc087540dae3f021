/* Rows of the snapshot to the bytes of PostgreSQL's binary COPY format.
 *
 * liteferry.codecs says what the bytes are: it is the specification. Here is what is common, written so that it runs
 * without the GIL; a value of which a function here is not certain goes, as a Python object, to the column's encoder of
 * liteferry.codecs, whose bytes or error count. So no function here ever refuses a value: it encodes it, or says UNSURE.
 *
 * Parts: output and its pieces; texts and numbers as texts; then one section a family of types; the table of kinds; the
 * reader, which steps the rows. A Reader is used by one thread at a time. */

#include "snapshot.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Output.
 *
 * A chunk is full at 128 KiB: what psycopg hands to libpq in one piece, without cutting and copying it. A value larger
 * than what is left of the chunk is written as far as it goes, and the rest of it stays where it is (SQLite's memory,
 * or the reference's bytes) while the statement stays on its row: so a value of any size costs its own size and a
 * chunk, and no more. */

enum { CHUNK = 128 * 1024 };
enum { ROOM = 512 }; /* what is free of the chunk when an encoder is called: enough for every field of bounded size */
enum { MOST_DIGITS = 400 }; /* of a number that is encoded here: 8 + 2 * 102 bytes */
static const int64_t FIELD_LIMIT = 1073741823; /* Source: PostgreSQL docs, "Limits": field size */

typedef struct {
    unsigned char *at, *end;   /* where the next byte goes; the chunk's end */
    const unsigned char *rest; /* of a value that is larger than the chunk */
    size_t rest_size;
} Output;

typedef struct Column Column;
typedef bool Encode(Output *out, const Column *column, sqlite3_value *value);
enum { UNSURE = false, DONE = true };

struct Column {
    Encode *encode;       /* NULL: every value goes to the reference */
    PyObject *reference;  /* the column's encoder of liteferry.codecs */
    int flags;            /* as below */
    int precision, scale; /* of a quantised column */
    int64_t unit_us;      /* of a number that is a moment: microseconds since 1970, 0 for none */
};

enum {
    REPAIRS_BACKSLASH = 1, /* a text with a backslash is another one when it is encoded */
    KEEPS_INTEGERS = 2,    /* quantised: an integer counts with all its digits */
    JULIAN = 4,            /* a number is a Julian day */
};

static void put_int16(Output *out, int value)
{
    *out->at++ = (unsigned char)((unsigned)value >> 8);
    *out->at++ = (unsigned char)value;
}

static void put_int32(Output *out, int64_t value)
{
    uint32_t swapped = __builtin_bswap32((uint32_t)value);
    memcpy(out->at, &swapped, 4);
    out->at += 4;
}

static void put_int64(Output *out, int64_t value)
{
    uint64_t swapped = __builtin_bswap64((uint64_t)value);
    memcpy(out->at, &swapped, 8);
    out->at += 8;
}

static bool put_sized_int64(Output *out, int64_t value)
{
    put_int32(out, 8);
    put_int64(out, value);
    return DONE;
}

/* Any number of bytes: what does not fit into the chunk is left for the next. */
static void put_bytes(Output *out, const unsigned char *bytes, size_t size)
{
    size_t room = (size_t)(out->end - out->at), now = size < room ? size : room;
    if (now)
        memcpy(out->at, bytes, now);
    out->at += now;
    out->rest = bytes + now;
    out->rest_size = size - now;
}

static bool put_sized(Output *out, const unsigned char *bytes, size_t size)
{
    put_int32(out, (int64_t)size);
    put_bytes(out, bytes, size);
    return DONE;
}

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
 * one (DBL_DIG). digits and TENS[scale] are doubles exactly, and the division rounds correctly: its result is the double
 * that the decimal reads back as. So when it is the value, no other decimal of up to 15 digits is, and no shorter one.
 * That the product was rounded does no harm: a wrong guess fails the comparison. */
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

/* Write a number as Python's repr() does; 0 where that would be with an exponent, or a negative zero. text: 48 bytes. */
static int write_number(sqlite3_value *value, char *text)
{
    char digits[20];
    int size = 0;
    Decimal found;
    bool is_real = sqlite3_value_type(value) == SQLITE_FLOAT;
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

/* Integers. */

static bool encode_int8(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    if (sqlite3_value_type(value) != SQLITE_INTEGER)
        return UNSURE;
    return put_sized_int64(out, sqlite3_value_int64(value));
}

static bool encode_int4(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    int64_t number = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) != SQLITE_INTEGER || number < INT32_MIN || number > INT32_MAX)
        return UNSURE;
    put_int32(out, 4);
    put_int32(out, number);
    return DONE;
}

static bool encode_int2(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    int64_t number = sqlite3_value_int64(value);
    if (sqlite3_value_type(value) != SQLITE_INTEGER || number < INT16_MIN || number > INT16_MAX)
        return UNSURE;
    put_int32(out, 2);
    put_int16(out, (int)number);
    return DONE;
}

static bool put_bool(Output *out, bool value)
{
    put_int32(out, 1);
    *out->at++ = value;
    return DONE;
}

/* Whether a text is this word, in letters of any case. word: in lower-case letters. */
static bool is_word(Text text, const char *word)
{
    if (text.size != strlen(word))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = text.at[i];
        if ((byte >= 'A' && byte <= 'Z' ? byte + 32 : byte) != (unsigned char)word[i])
            return false;
    }
    return true;
}

static bool encode_bool(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER) {
        int64_t number = sqlite3_value_int64(value);
        return number == 0 || number == 1 ? put_bool(out, number == 1) : UNSURE;
    }
    if (type != SQLITE_TEXT)
        return UNSURE;
    Text text = text_of(value);
    if (is_word(text, "true") || is_word(text, "t") || is_word(text, "1"))
        return put_bool(out, true);
    if (is_word(text, "false") || is_word(text, "f") || is_word(text, "0"))
        return put_bool(out, false);
    return UNSURE;
}

/* Floating point. */

static bool encode_float8(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    int type = sqlite3_value_type(value);
    if (type != SQLITE_FLOAT) {
        int64_t number = sqlite3_value_int64(value), most = (int64_t)1 << 53;
        if (type != SQLITE_INTEGER || number < -most || number > most)
            return UNSURE; /* beyond 2^53 not every integer is a double */
    }
    double number = sqlite3_value_double(value);
    int64_t bits;
    memcpy(&bits, &number, 8);
    return put_sized_int64(out, bits);
}

static bool encode_float4(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    int type = sqlite3_value_type(value);
    double number = sqlite3_value_double(value);
    if (type == SQLITE_INTEGER ? fabs(number) > 16777216.0 : type != SQLITE_FLOAT)
        return UNSURE; /* beyond 2^24 not every integer is a number of single precision */
    if (type == SQLITE_FLOAT && !(fabs(number) <= FLT_MAX))
        return UNSURE; /* converting it would be undefined */
    float single = (float)number;
    if ((double)single != number)
        return UNSURE;
    int32_t bits;
    memcpy(&bits, &single, 4);
    put_int32(out, 4);
    put_int32(out, bits);
    return DONE;
}

/* Numeric: how many base-10000 digits, the first one's weight, sign, digits after the point, then the digits. */

/* digits: ASCII, of which so many (or a negative number) stand before the point; scale: how many are shown after it. */
static bool put_numeric(Output *out, bool negative, const char *digits, int count, int point, int scale)
{
    while (count && *digits == '0') {
        digits++;
        count--;
        point--;
    }
    while (count && digits[count - 1] == '0')
        count--;
    if (!count) {
        put_int32(out, 8);
        put_int32(out, 0); /* no digits, weight 0 */
        put_int16(out, 0);
        put_int16(out, scale);
        return DONE;
    }
    int weight = point > 0 ? (point - 1) / 4 : -((4 - point) / 4); /* rounded down */
    int lead = weight * 4 + 4 - point, groups = (lead + count + 3) / 4;
    put_int32(out, 8 + 2 * groups);
    put_int16(out, groups);
    put_int16(out, weight);
    put_int16(out, negative ? 0x4000 : 0);
    put_int16(out, scale);
    for (int group = 0, at = -lead; group < groups; group++) {
        int number = 0;
        for (int i = 0; i < 4; i++, at++)
            number = number * 10 + (at >= 0 && at < count ? digits[at] - '0' : 0);
        put_int16(out, number);
    }
    return DONE;
}

/* shown: how many digits after the point at least, and exactly where the number has no more. */
static bool put_decimal(Output *out, Decimal number, int shown)
{
    char digits[20];
    int count = write_digits(number.digits, digits);
    return put_numeric(out, number.negative, digits, count, count - number.scale,
                       number.scale > shown ? number.scale : shown);
}

static bool encode_numeric_text(Output *out, Text text)
{
    char digits[MOST_DIGITS];
    size_t i = 0, before = 0, count = 0;
    bool negative = false;
    if (!text.size || text.size > MOST_DIGITS)
        return UNSURE;
    if (text.at[0] == '-' || text.at[0] == '+') {
        negative = text.at[0] == '-';
        i = 1;
    }
    for (; i < text.size && is_digit(text.at[i]); i++)
        digits[count++] = (char)text.at[i];
    before = count;
    if (i < text.size && text.at[i] == '.')
        for (i++; i < text.size && is_digit(text.at[i]); i++)
            digits[count++] = (char)text.at[i];
    if (i < text.size || !count)
        return UNSURE;
    return put_numeric(out, negative, digits, (int)count, (int)before, (int)(count - before));
}

static bool encode_numeric(Output *out, const Column *column, sqlite3_value *value)
{
    Decimal number;
    (void)column;
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        return put_decimal(out, decimal_of_integer(sqlite3_value_int64(value)), 0);
    case SQLITE_FLOAT:
        return decimal_of_real(sqlite3_value_double(value), &number) ? put_decimal(out, number, 0) : UNSURE;
    case SQLITE_TEXT:
        return encode_numeric_text(out, text_of(value));
    default:
        return UNSURE;
    }
}

/* As Django reads a decimal: a real by its 15 digits, rounded half to even to the column's places.
 *
 * A decimal of at most 15 digits that reads back as the double is what the double's exact value is when it is rounded to
 * 15 digits: the two differ by at most half of the doubles' distance, which is smaller than half of the decimals'. */
static bool encode_quantised(Output *out, const Column *column, sqlite3_value *value)
{
    Decimal number;
    int type = sqlite3_value_type(value);
    if (type == SQLITE_TEXT)
        return encode_numeric_text(out, text_of(value));
    if (type == SQLITE_INTEGER)
        number = decimal_of_integer(sqlite3_value_int64(value));
    else if (type != SQLITE_FLOAT || !decimal_of_real(sqlite3_value_double(value), &number) || number.scale < 0)
        return UNSURE;
    if (number.digits >= WHOLE_TENS[15] && !(type == SQLITE_INTEGER && column->flags & KEEPS_INTEGERS))
        return UNSURE;
    int beyond = number.scale - column->scale;
    if (beyond > 18)
        return UNSURE;
    if (beyond > 0) {
        uint64_t unit = WHOLE_TENS[beyond], kept = number.digits / unit, gone = number.digits % unit;
        number.digits = kept + (gone > unit / 2 || (gone == unit / 2 && kept % 2));
        number.scale = column->scale;
    }
    char digits[20];
    int count = number.digits ? write_digits(number.digits, digits) : 0;
    if (number.digits && count + column->scale - number.scale > column->precision)
        return UNSURE;
    return put_decimal(out, number, column->scale);
}

/* Texts, blobs and JSON. */

static bool put_number_text(Output *out, sqlite3_value *value, bool versioned)
{
    char text[48];
    int size = write_number(value, text);
    if (!size)
        return UNSURE;
    put_int32(out, size + versioned);
    if (versioned)
        *out->at++ = 1;
    memcpy(out->at, text, (size_t)size);
    out->at += size;
    return DONE;
}

static bool encode_text(Output *out, const Column *column, sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
        return put_number_text(out, value, false);
    if (type != SQLITE_TEXT)
        return UNSURE;
    Text text = text_of(value);
    if (!text.at || (int64_t)text.size > FIELD_LIMIT || !is_valid_text(text.at, text.size, false))
        return UNSURE;
    if (column->flags & REPAIRS_BACKSLASH && text.size && memchr(text.at, '\\', text.size))
        return UNSURE;
    return put_sized(out, text.at, text.size);
}

static bool encode_bytea(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
        return put_number_text(out, value, false);
    Text bytes = {NULL, 0}; /* a text's bytes as they are, valid or not */
    if (type == SQLITE_TEXT)
        bytes = text_of(value);
    else {
        bytes.at = sqlite3_value_blob(value);
        bytes.size = (size_t)sqlite3_value_bytes(value);
    }
    if ((!bytes.at && (bytes.size || type == SQLITE_TEXT)) || (int64_t)bytes.size > FIELD_LIMIT)
        return UNSURE;
    return put_sized(out, bytes.at, bytes.size);
}

static bool put_json(Output *out, sqlite3_value *value, bool versioned)
{
    int type = sqlite3_value_type(value);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
        return put_number_text(out, value, versioned);
    if (type != SQLITE_TEXT)
        return UNSURE;
    Text text = text_of(value);
    if (!text.at || (int64_t)text.size >= FIELD_LIMIT || !is_valid_text(text.at, text.size, true))
        return UNSURE;
    put_int32(out, (int64_t)text.size + versioned);
    if (versioned)
        *out->at++ = 1;
    put_bytes(out, text.at, text.size);
    return DONE;
}

static bool encode_json(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    return put_json(out, value, false);
}

static bool encode_jsonb(Output *out, const Column *column, sqlite3_value *value)
{
    (void)column;
    return put_json(out, value, true);
}

/* Dates and times. */

static const int64_t SECOND_US = 1000000, DAY_US = 86400000000;
static const int64_t UNIX_DAYS = 10957;                 /* from 1970-01-01 to 2000-01-01 */
static const int64_t EARLIEST_US = -210866803200000000; /* 4714-11-24 BC, since 1970: liteferry.conversions */

/* YYYY-MM-DD, as days since 2000-01-01. */
static bool read_date(const unsigned char *at, int64_t *days)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int century = read_two(at), year = read_two(at + 2), month = read_two(at + 5), day = read_two(at + 8);
    if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || at[4] != '-' || at[7] != '-')
        return false;
    year += century * 100;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year == 0 || day > before[month] - before[month - 1] + (is_leap && month == 2))
        return false;
    int past = year - 1; /* whole years since 0001-01-01, which is 730,119 days before 2000-01-01 */
    *days = past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] + (is_leap && month > 2) + day - 730120;
    return true;
}

/* HH:MM[:SS[.f…]], as microseconds. Returns how many bytes it takes; 0 where there is none, or one finer than that. */
static size_t read_clock(const unsigned char *at, size_t size, int64_t *found_us)
{
    if (size < 5 || at[2] != ':')
        return 0;
    int hour = read_two(at), minute = read_two(at + 3), second = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return 0;
    size_t i = 5;
    int64_t fraction = 0;
    if (size >= 8 && at[5] == ':') {
        second = read_two(at + 6);
        if (second < 0 || second > 59)
            return 0;
        i = 8;
        if (i < size && at[i] == '.') {
            size_t start = ++i;
            int64_t unit = SECOND_US / 10;
            for (; i < size && is_digit(at[i]); i++, unit /= 10) {
                if (!unit && at[i] != '0')
                    return 0;
                fraction += unit * (at[i] - '0');
            }
            if (i == start)
                return 0;
        }
    }
    *found_us = ((hour * 60 + minute) * 60 + second) * SECOND_US + fraction;
    return i;
}

/* A date, with or without a clock, an offset where it may have one; as microseconds since 2000-01-01. */
static bool read_timestamp(Text text, bool zoned, int64_t *found_us)
{
    int64_t days, clock_us = 0, offset_us = 0;
    if (text.size < 10 || !read_date(text.at, &days))
        return false;
    if (text.size > 10) {
        if (text.at[10] != ' ' && text.at[10] != 'T')
            return false;
        size_t taken = read_clock(text.at + 11, text.size - 11, &clock_us), i = 11 + taken;
        if (!taken)
            return false;
        if (i < text.size && (text.at[i] == ' ' || (text.at[i] >= '\t' && text.at[i] <= '\r')))
            i++;
        if (i < text.size) {
            const unsigned char *at = text.at + i;
            size_t left = text.size - i;
            if (!zoned)
                return false;
            if (*at == 'Z' && left == 1)
                left = 0;
            else if ((*at == '+' || *at == '-') && left >= 3) {
                int hours = read_two(at + 1), minutes = 0;
                if (left > 3) {
                    size_t colon = at[3] == ':';
                    if (left != 5 + colon)
                        return false;
                    minutes = read_two(at + 3 + colon);
                }
                if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59)
                    return false;
                offset_us = (hours * 60 + minutes) * 60 * SECOND_US * (*at == '-' ? 1 : -1);
            } else
                return false;
        }
    }
    *found_us = days * DAY_US + clock_us + offset_us;
    return true;
}

/* A number that is a moment, as microseconds since 2000-01-01. */
static bool read_moment(const Column *column, sqlite3_value *value, int64_t *found_us)
{
    bool is_integer = sqlite3_value_type(value) == SQLITE_INTEGER;
    int64_t moment;
    if (column->flags & JULIAN) {
        int64_t number = sqlite3_value_int64(value);
        double day = sqlite3_value_double(value);
        if (!(day >= 0.0 && day < 5373484.5) || (is_integer && (number < 0 || number > 5373484)))
            return false;
        moment = ((int64_t)(day * 86400000.0 + 0.5) - 210866760000000) * 1000;
    } else if (is_integer) {
        if (__builtin_mul_overflow(sqlite3_value_int64(value), column->unit_us, &moment))
            return false;
    } else {
        Decimal number;
        if (!decimal_of_real(sqlite3_value_double(value), &number) || number.scale < 0 || number.scale > 18 ||
            number.digits > 99999999999999999u)
            return false;
        __int128 wide = (__int128)number.digits * column->unit_us;
        if (wide % (int64_t)WHOLE_TENS[number.scale])
            return false;
        wide /= (int64_t)WHOLE_TENS[number.scale];
        if (wide > INT64_MAX)
            return false;
        moment = number.negative ? -(int64_t)wide : (int64_t)wide;
    }
    if (moment < EARLIEST_US) /* the last moment of all is later than 64 bits can say: Python's */
        return false;
    *found_us = moment - UNIX_DAYS * DAY_US;
    return true;
}

static bool find_moment(const Column *column, sqlite3_value *value, bool zoned, int64_t *found_us)
{
    int type = sqlite3_value_type(value);
    if (type == SQLITE_TEXT)
        return read_timestamp(text_of(value), zoned, found_us);
    return type != SQLITE_BLOB && (column->unit_us || column->flags & JULIAN) && read_moment(column, value, found_us);
}

static bool encode_timestamp(Output *out, const Column *column, sqlite3_value *value)
{
    int64_t moment;
    return find_moment(column, value, false, &moment) ? put_sized_int64(out, moment) : UNSURE;
}

static bool encode_timestamptz(Output *out, const Column *column, sqlite3_value *value)
{
    int64_t moment;
    return find_moment(column, value, true, &moment) ? put_sized_int64(out, moment) : UNSURE;
}

static bool encode_date(Output *out, const Column *column, sqlite3_value *value)
{
    int64_t moment, days;
    if (sqlite3_value_type(value) == SQLITE_TEXT) {
        Text text = text_of(value);
        if (text.size != 10 || !read_date(text.at, &days))
            return UNSURE;
    } else {
        if (!find_moment(column, value, false, &moment) || moment % DAY_US)
            return UNSURE;
        days = moment / DAY_US;
    }
    put_int32(out, 4);
    put_int32(out, days);
    return DONE;
}

static bool encode_time(Output *out, const Column *column, sqlite3_value *value)
{
    int64_t clock_us;
    (void)column;
    if (sqlite3_value_type(value) != SQLITE_TEXT)
        return UNSURE;
    Text text = text_of(value);
    if (!text.size || read_clock(text.at, text.size, &clock_us) != text.size)
        return UNSURE;
    return put_sized_int64(out, clock_us);
}

/* Whole days, and a rest of less than a day that is not negative. */
static bool encode_interval(Output *out, const Column *column, sqlite3_value *value)
{
    int64_t span_us;
    int type = sqlite3_value_type(value);
    (void)column;
    if (type == SQLITE_INTEGER)
        span_us = sqlite3_value_int64(value);
    else if (type == SQLITE_TEXT) {
        Text text = text_of(value);
        if (text.size < 10 || (memcmp(text.at, "1970-", 5) && memcmp(text.at, "1969-", 5)) ||
            !read_timestamp(text, false, &span_us))
            return UNSURE;
        span_us += UNIX_DAYS * DAY_US;
    } else
        return UNSURE;
    int64_t days = span_us / DAY_US, rest_us = span_us % DAY_US;
    if (rest_us < 0) {
        rest_us += DAY_US;
        days--;
    }
    put_int32(out, 16);
    put_int64(out, rest_us);
    put_int32(out, days);
    put_int32(out, 0); /* months */
    return DONE;
}

/* UUIDs and addresses. */

/* What a hexadecimal digit is, with a bit that no digit has for anything else. A table, since the processor cannot guess
 * whether the next digit is a letter: 2 million UUIDs take 0.09 s, with a comparison a digit 0.33 s. */
enum { NO_DIGIT = 0x100 };
static uint16_t HEX[256];

static void fill_hex(void)
{
    for (int i = 0; i < 256; i++)
        HEX[i] = (uint16_t)(i >= '0' && i <= '9'   ? i - '0'
                            : i >= 'a' && i <= 'f' ? i - 'a' + 10
                            : i >= 'A' && i <= 'F' ? i - 'A' + 10
                                                   : NO_DIGIT);
}

static bool encode_uuid(Output *out, const Column *column, sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    (void)column;
    if (type == SQLITE_BLOB) {
        const void *bytes = sqlite3_value_blob(value);
        return bytes && sqlite3_value_bytes(value) == 16 ? put_sized(out, bytes, 16) : UNSURE;
    }
    if (type != SQLITE_TEXT)
        return UNSURE;
    Text text = text_of(value);
    bool hyphened = text.size == 36;
    if (text.size != 32 && !hyphened)
        return UNSURE;
    if (hyphened && (text.at[8] != '-' || text.at[13] != '-' || text.at[18] != '-' || text.at[23] != '-'))
        return UNSURE;
    unsigned char *at = out->at + 4; /* not taken yet: the digits may turn out to be none */
    unsigned seen = 0;
    for (size_t i = 0; i < text.size; i += 2) {
        i += hyphened && (i == 8 || i == 13 || i == 18 || i == 23);
        unsigned high = HEX[text.at[i]], low = HEX[text.at[i + 1]];
        seen |= high | low;
        *at++ = (unsigned char)(high * 16 + low);
    }
    if (seen & NO_DIGIT)
        return UNSURE;
    put_int32(out, 16);
    out->at += 16;
    return DONE;
}

/* a.b.c.d, with or without /bits; IPv6 is left to Python. Family, bits, a flag, length, bytes. */
static bool encode_inet(Output *out, const Column *column, sqlite3_value *value)
{
    int parts[5] = {0, 0, 0, 0, 32}, count = 0;
    (void)column;
    if (sqlite3_value_type(value) != SQLITE_TEXT)
        return UNSURE;
    Text text = text_of(value);
    size_t i = 0;
    for (;;) {
        size_t start = i;
        int number = 0;
        for (; i < text.size && i - start < 3 && is_digit(text.at[i]); i++)
            number = number * 10 + (text.at[i] - '0');
        if (i == start || (i - start > 1 && text.at[start] == '0') || number > (count < 4 ? 255 : 32))
            return UNSURE;
        parts[count++] = number;
        if (i == text.size && count >= 4)
            break;
        if (i == text.size || count == 5 || text.at[i++] != (count < 4 ? '.' : '/'))
            return UNSURE;
    }
    put_int32(out, 8);
    *out->at++ = 2; /* PGSQL_AF_INET */
    *out->at++ = (unsigned char)parts[4];
    *out->at++ = 0;
    *out->at++ = 4;
    for (int part = 0; part < 4; part++)
        *out->at++ = (unsigned char)parts[part];
    return DONE;
}

/* The kinds, by the names of liteferry.model.Kind; "quantised" is a numeric with that conversion. */

static const struct {
    const char *name;
    Encode *encode;
} KINDS[] = {
    {"int2", encode_int2},           {"int4", encode_int4},
    {"int8", encode_int8},           {"float4", encode_float4},
    {"float8", encode_float8},       {"numeric", encode_numeric},
    {"quantised", encode_quantised}, {"bool", encode_bool},
    {"text", encode_text},           {"bytea", encode_bytea},
    {"timestamp", encode_timestamp}, {"timestamptz", encode_timestamptz},
    {"date", encode_date},           {"time", encode_time},
    {"interval", encode_interval},   {"json", encode_json},
    {"jsonb", encode_jsonb},         {"uuid", encode_uuid},
    {"inet", encode_inet},
};

static Encode *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (!strcmp(KINDS[i].name, name))
            return KINDS[i].encode;
    return NULL;
}

/* The reader. */

typedef struct {
    PyObject_HEAD
    sqlite3 *db;
    sqlite3_stmt *statement;
    Column *columns;
    int count;
    int column;              /* the next one of the current row; -1 when the next row is to be stepped to */
    bool busy, ended;
    PyObject *invalid_text;  /* the class for texts that are not UTF-8; NULL: they are an error */
    PyObject *owner;         /* of the bytes that Output.rest points at, where they are not SQLite's */
    Output out;
    PyThreadState *released; /* while the GIL is not held */
    long long rows;          /* that were encoded since the statement began */
} Reader;

static PyObject *Undecodable; /* a text that is not UTF-8, where there is no class for it */

static void take_gil(Reader *self)
{
    if (self->released) {
        PyEval_RestoreThread(self->released);
        self->released = NULL;
    }
}

/* A value as liteferry.source gives it: None, int, float, str, InvalidText, bytes. Needs the GIL. */
static PyObject *make_object(const Reader *self, sqlite3_value *value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        Text text = text_of(value);
        if (!text.at)
            return PyErr_NoMemory();
        PyObject *made = PyUnicode_DecodeUTF8((const char *)text.at, (Py_ssize_t)text.size, NULL);
        if (made || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            return made;
        if (!self->invalid_text) {
            PyErr_SetString(Undecodable, "a text is not valid UTF-8");
            return NULL;
        }
        PyErr_Clear();
        return PyObject_CallFunction(self->invalid_text, "y#", (const char *)text.at, (Py_ssize_t)text.size);
    }
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_value_blob(value);
        Py_ssize_t size = sqlite3_value_bytes(value);
        return bytes || !size ? PyBytes_FromStringAndSize(bytes, size) : PyErr_NoMemory();
    }
    default:
        Py_RETURN_NONE;
    }
}

/* Have Python encode the value. The GIL is kept for the rest of the chunk: taking it anew for each of a column's values
 * would let another thread keep it for 5 ms every time. */
static bool ask_reference(Reader *self, const Column *column, sqlite3_value *value)
{
    take_gil(self);
    PyObject *object = make_object(self, value);
    PyObject *field = object ? PyObject_CallOneArg(column->reference, object) : NULL;
    Py_XDECREF(object);
    if (field && !PyBytes_Check(field)) {
        PyErr_SetString(PyExc_TypeError, "an encoder gives bytes");
        Py_CLEAR(field);
    }
    if (!field)
        return false;
    put_bytes(&self->out, (unsigned char *)PyBytes_AS_STRING(field), (size_t)PyBytes_GET_SIZE(field));
    if (self->out.rest_size)
        self->owner = field; /* until its last byte is out */
    else
        Py_DECREF(field);
    return true;
}

enum Filled { FILLED, ENDED, FAILED };

/* Encode until the chunk is full. Begins without the GIL, and may end with it. */
static enum Filled fill(Reader *self)
{
    Output *out = &self->out;
    for (;;) {
        if (out->rest_size) {
            put_bytes(out, out->rest, out->rest_size);
            if (out->rest_size)
                return FILLED;
            if (self->owner) {
                take_gil(self);
                Py_CLEAR(self->owner);
            }
        }
        if (self->column == self->count) {
            self->rows++;
            self->column = -1;
        }
        if (out->end - out->at < ROOM)
            return FILLED;
        if (self->column < 0) {
            int code = sqlite3_step(self->statement);
            if (code == SQLITE_DONE)
                return ENDED;
            if (code != SQLITE_ROW) {
                take_gil(self);
                snapshot_raise(self->db, code);
                return FAILED;
            }
            self->column = 0;
            put_int16(out, self->count);
            if (!self->count)
                continue;
        }
        const Column *column = &self->columns[self->column];
        sqlite3_value *value = sqlite3_column_value(self->statement, self->column);
        if (sqlite3_value_type(value) == SQLITE_NULL && column->encode)
            put_int32(out, -1);
        else if (!(column->encode && column->encode(out, column, value)) && !ask_reference(self, column, value))
            return FAILED;
        self->column++;
    }
}

static void forget_statement(Reader *self)
{
    sqlite3_finalize(self->statement);
    self->statement = NULL;
    for (int i = 0; i < self->count; i++)
        Py_XDECREF(self->columns[i].reference);
    PyMem_Free(self->columns);
    self->columns = NULL;
    self->count = 0;
    self->out.rest_size = 0;
    Py_CLEAR(self->invalid_text);
    Py_CLEAR(self->owner);
}

static bool refuse_when_busy(const Reader *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError, "the reader is in use by another thread");
    else if (!self->db)
        PyErr_SetString(PyExc_RuntimeError, "the reader is closed");
    return self->busy || !self->db;
}

static int reader_init(Reader *self, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"uri", "stand_ins", NULL};
    const char *uri;
    PyObject *stand_ins;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "sO!", keywords, &uri, &PyTuple_Type, &stand_ins))
        return -1;
    if (self->db) {
        PyErr_SetString(PyExc_RuntimeError, "the reader is open");
        return -1;
    }
    self->db = snapshot_open(uri, stand_ins);
    return self->db ? 0 : -1;
}

static void reader_dealloc(Reader *self)
{
    PyTypeObject *type = Py_TYPE(self);
    forget_statement(self);
    sqlite3_close_v2(self->db);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static bool take_column(PyObject *given, Column *column)
{
    const char *kind;
    long long unit_us;
    PyObject *reference;
    if (!PyArg_ParseTuple(given, "siiiLO", &kind, &column->flags, &column->precision, &column->scale, &unit_us,
                          &reference))
        return false;
    if (column->precision < 0 || column->precision > 1000 || column->scale < 0 || column->scale > 1000) {
        PyErr_SetString(PyExc_ValueError, "a precision or scale that no column has");
        return false;
    }
    column->encode = find_kind(kind);
    if (*kind && !column->encode) {
        PyErr_Format(PyExc_ValueError, "%s is no kind", kind);
        return false;
    }
    column->unit_us = unit_us;
    Py_INCREF(reference);
    column->reference = reference;
    return true;
}

PyDoc_STRVAR(begin_doc, "begin(sql, columns, invalid_text)\n--\n\n"
                        "Begin to read. columns: a tuple of (kind, flags, precision, scale, unit_us, encoder) each.");

static PyObject *reader_begin(Reader *self, PyObject *arguments)
{
    const char *sql;
    Py_ssize_t sql_size;
    PyObject *columns, *invalid_text;
    if (refuse_when_busy(self) ||
        !PyArg_ParseTuple(arguments, "s#O!O", &sql, &sql_size, &PyTuple_Type, &columns, &invalid_text))
        return NULL;
    forget_statement(self);
    Py_ssize_t count = PyTuple_GET_SIZE(columns);
    if (count > INT16_MAX || sql_size > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many columns");
        return NULL;
    }
    self->columns = PyMem_Calloc(count ? (size_t)count : 1, sizeof *self->columns);
    if (!self->columns)
        return PyErr_NoMemory();
    self->count = (int)count;
    for (Py_ssize_t i = 0; i < count; i++)
        if (!take_column(PyTuple_GET_ITEM(columns, i), &self->columns[i])) {
            forget_statement(self);
            return NULL;
        }
    int code;
    self->busy = true;
    Py_BEGIN_ALLOW_THREADS
    code = sqlite3_prepare_v2(self->db, sql, (int)sql_size, &self->statement, NULL);
    Py_END_ALLOW_THREADS
    self->busy = false;
    if (code != SQLITE_OK || (count && sqlite3_column_count(self->statement) != count)) {
        if (code != SQLITE_OK)
            snapshot_raise(self->db, code);
        else
            PyErr_SetString(PyExc_ValueError, "the statement has another number of columns");
        forget_statement(self);
        return NULL;
    }
    if (invalid_text != Py_None) {
        Py_INCREF(invalid_text);
        self->invalid_text = invalid_text;
    }
    self->column = -1;
    self->rows = 0;
    self->ended = false;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(read_doc, "read()\n--\n\nGive how many rows ended in the next chunk, and its bytes; None after the last.");

static PyObject *reader_read(Reader *self, PyObject *unused)
{
    (void)unused;
    if (refuse_when_busy(self))
        return NULL;
    if (!self->statement) {
        PyErr_SetString(PyExc_RuntimeError, "nothing is being read");
        return NULL;
    }
    if (self->ended)
        Py_RETURN_NONE;
    PyObject *chunk = PyBytes_FromStringAndSize(NULL, CHUNK);
    if (!chunk)
        return NULL;
    unsigned char *start = (unsigned char *)PyBytes_AS_STRING(chunk);
    long long before = self->rows;
    self->out.at = start;
    self->out.end = start + CHUNK;
    self->busy = true;
    self->released = PyEval_SaveThread();
    enum Filled filled = fill(self);
    take_gil(self);
    self->busy = false;
    self->ended = filled != FILLED;
    if (filled == FAILED) {
        Py_DECREF(chunk);
        return NULL;
    }
    if (self->out.at == start) { /* nothing came after the last full chunk */
        Py_DECREF(chunk);
        Py_RETURN_NONE;
    }
    if (_PyBytes_Resize(&chunk, self->out.at - start) < 0)
        return NULL;
    return Py_BuildValue("LN", self->rows - before, chunk);
}

PyDoc_STRVAR(read_values_doc, "read_values()\n--\n\nGive the values of the row at which the last read failed.");

static PyObject *reader_read_values(Reader *self, PyObject *unused)
{
    (void)unused;
    if (refuse_when_busy(self))
        return NULL;
    if (!self->statement || self->column < 0) {
        PyErr_SetString(PyExc_RuntimeError, "there is no row");
        return NULL;
    }
    PyObject *row = PyTuple_New(self->count);
    for (int i = 0; row && i < self->count; i++) {
        PyObject *value = make_object(self, sqlite3_column_value(self->statement, i));
        if (value)
            PyTuple_SET_ITEM(row, i, value);
        else
            Py_CLEAR(row);
    }
    return row;
}

PyDoc_STRVAR(finish_doc, "finish()\n--\n\nForget the statement, and give back the memory that its pages took.");

static PyObject *reader_finish(Reader *self, PyObject *unused)
{
    (void)unused;
    if (refuse_when_busy(self))
        return NULL;
    forget_statement(self);
    sqlite3_db_release_memory(self->db);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(close_doc, "close()\n--\n\nClose the connection.");

static PyObject *reader_close(Reader *self, PyObject *unused)
{
    (void)unused;
    if (!self->db)
        Py_RETURN_NONE;
    if (refuse_when_busy(self))
        return NULL;
    forget_statement(self);
    sqlite3_close_v2(self->db);
    self->db = NULL;
    Py_RETURN_NONE;
}

static PyObject *reader_rows(Reader *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(self->rows);
}

static PyObject *reader_column(Reader *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(self->column);
}

static PyMethodDef reader_methods[] = {
    {"begin", (PyCFunction)reader_begin, METH_VARARGS, begin_doc},
    {"read", (PyCFunction)reader_read, METH_NOARGS, read_doc},
    {"read_values", (PyCFunction)reader_read_values, METH_NOARGS, read_values_doc},
    {"finish", (PyCFunction)reader_finish, METH_NOARGS, finish_doc},
    {"close", (PyCFunction)reader_close, METH_NOARGS, close_doc},
    {NULL},
};

static PyGetSetDef reader_facts[] = {
    {"rows", (getter)reader_rows, NULL, "How many rows were encoded since the statement began.", NULL},
    {"column", (getter)reader_column, NULL, "The index of the column at which the last read failed.", NULL},
    {NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "A connection to the snapshot, which encodes the rows of one SELECT after the other."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, reader_init},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {Py_tp_getset, reader_facts},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    "liteferry.compiled._encoder.Reader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT, reader_slots,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._encoder",
    "Rows of the snapshot to the bytes of PostgreSQL's binary COPY format.", -1, NULL,
};

PyMODINIT_FUNC PyInit__encoder(void)
{
    fill_hex();
    PyObject *module = PyModule_Create(&definition);
    PyObject *reader = PyType_FromSpec(&reader_spec);
    Undecodable = PyErr_NewException("liteferry.compiled._encoder.Undecodable", NULL, NULL);
    if (!module || !reader || !Undecodable || PyModule_AddObjectRef(module, "Reader", reader) < 0 ||
        PyModule_AddObjectRef(module, "Undecodable", Undecodable) < 0 ||
        PyModule_AddIntConstant(module, "REPAIRS_BACKSLASH", REPAIRS_BACKSLASH) < 0 ||
        PyModule_AddIntConstant(module, "KEEPS_INTEGERS", KEEPS_INTEGERS) < 0 ||
        PyModule_AddIntConstant(module, "JULIAN", JULIAN) < 0 ||
        PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0)
        Py_CLEAR(module);
    Py_XDECREF(reader);
    return module;
}
