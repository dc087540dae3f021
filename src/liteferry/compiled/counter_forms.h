/* What texts, blobs and numbers look like: liteferry.census.forms and liteferry.census.shapes, for what is common. */

#ifndef LITEFERRY_COUNTER_FORMS_H
#define LITEFERRY_COUNTER_FORMS_H

#include "counter_characters.h"
#include "counter_json.h"
#include <math.h>

/* The names of liteferry.census.SHAPES and FORMS that can be told here. */
enum {
    SHAPE_EMPTY, SHAPE_INTEGER, SHAPE_DECIMAL, SHAPE_DATE, SHAPE_DATETIME, SHAPE_DATETIME_TZ, SHAPE_TIME,
    SHAPE_UUID_DASHED, SHAPE_UUID_HEX, SHAPE_BOOL_WORD, SHAPE_YES_NO, SHAPE_JSON_OBJECT, SHAPE_JSON_ARRAY, SHAPE_OTHER,
    SHAPE_EMPTY_BLOB, SHAPE_UUID_BLOB, SHAPE_TEXT_BLOB, SHAPE_OTHER_BLOB, SHAPES,
};
static const char *const shape_names[SHAPES] = {
    "empty", "integer", "decimal", "date", "datetime", "datetime-tz", "time", "uuid-dashed", "uuid-hex", "bool-word",
    "yes-no", "json-object", "json-array", "other", "empty-blob", "uuid-blob", "text-blob", "other-blob",
};
enum {
    FORM_DATE, FORM_DATETIME, FORM_DATETIME_F1, FORM_DATETIME_F9 = FORM_DATETIME_F1 + 8, FORM_DATETIME_T,
    FORM_DATETIME_SHORT, FORM_TIME, FORM_UUID, FORM_BOOL_WORD, FORM_JSONB, FORMS,
};
static const char *const form_names[FORMS] = {
    "date", "datetime", "datetime-f1", "datetime-f2", "datetime-f3", "datetime-f4", "datetime-f5", "datetime-f6",
    "datetime-f7", "datetime-f8", "datetime-f9", "datetime-t", "datetime-short", "time", "uuid", "bool-word",
    "json-jsonb",
};
#define FORM_DATETIME_TZ (-2) /* never ordinary in a column of dates and times, but a shape */

static int is_valid_day(const unsigned char *p)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century = two_digits(p), rest = two_digits(p + 2), month = two_digits(p + 5), day = two_digits(p + 8);
    if (century < 0 || rest < 0 || p[4] != '-' || p[7] != '-' || month < 1 || month > 12 || day < 1)
        return 0;
    int year = century * 100 + rest;
    int leaps = month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0);
    return year >= 1 && day <= days[month - 1] + leaps;
}

/* How many digits count of a fraction: those beyond the last that is not zero do not. */
static int significant(const unsigned char *p, size_t n)
{
    while (n && p[n - 1] == '0')
        n--;
    return n > INT32_MAX ? INT32_MAX : (int)n;
}

/* As liteferry.census.forms.text_form_datetime, of ASCII; ODD for "other". */
static int form_datetime(const unsigned char *p, size_t n, int *digits)
{
    *digits = 0;
    if (n < 10 || !is_valid_day(p))
        return ODD;
    if (n == 10)
        return FORM_DATE;
    if (n < 16 || (p[10] != ' ' && p[10] != 'T') || p[13] != ':')
        return ODD;
    int hour = two_digits(p + 11), minute = two_digits(p + 14);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return ODD;
    size_t i = 16, fraction = 0;
    int has_seconds = 0;
    if (i < n && p[i] == ':') {
        int second = n - i >= 3 ? two_digits(p + i + 1) : -1;
        if (second < 0 || second > 59)
            return ODD;
        has_seconds = 1;
        i += 3;
        if (i < n && p[i] == '.') {
            i++;
            while (i + fraction < n && is_digit(p[i + fraction]))
                fraction++;
            if (fraction < 1 || fraction > 9)
                return ODD;
            *digits = significant(p + i, fraction);
            i += fraction;
        }
    }
    if (i < n && (is_blank(p[i]) || p[i] == '\f' || p[i] == '\v'))
        i++;
    int has_zone = 0;
    if (i < n) {
        has_zone = 1;
        if (p[i] == 'Z')
            i++;
        else if (p[i] == '+' || p[i] == '-') {
            int hours = n - i >= 3 ? two_digits(p + i + 1) : -1;
            if (hours < 0 || hours > 15)
                return ODD;
            i += 3;
            if (i < n) {
                i += p[i] == ':';
                int minutes = n - i == 2 ? two_digits(p + i) : -1;
                if (minutes < 0 || minutes > 59)
                    return ODD;
                i += 2;
            }
        } else
            return ODD;
        if (i != n)
            return ODD;
    }
    if (has_zone)
        return FORM_DATETIME_TZ;
    if (!has_seconds)
        return FORM_DATETIME_SHORT;
    if (p[10] == 'T')
        return FORM_DATETIME_T;
    return fraction ? FORM_DATETIME_F1 + (int)fraction - 1 : FORM_DATETIME;
}

/* As liteferry.census.forms.text_form_time. */
static int form_time(const unsigned char *p, size_t n, int *digits)
{
    *digits = 0;
    if (n < 5 || p[2] != ':')
        return ODD;
    int hour = two_digits(p), minute = two_digits(p + 3);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return ODD;
    if (n == 5)
        return FORM_TIME;
    int second = n >= 8 && p[5] == ':' ? two_digits(p + 6) : -1;
    if (second < 0 || second > 59)
        return ODD;
    if (n == 8)
        return FORM_TIME;
    if (p[8] != '.' || n == 9)
        return ODD;
    for (size_t i = 9; i < n; i++)
        if (!is_digit(p[i]))
            return ODD;
    *digits = significant(p + 9, n - 9);
    return FORM_TIME;
}

/* Whether 32 bytes are all hexadecimal digits. Without a branch, so that the compiler looks at 16 at a time. */
static int are_hex(const unsigned char *p)
{
    unsigned char wrong = 0;
    for (int i = 0; i < 32; i++) {
        unsigned char digit = (unsigned char)(p[i] - '0'), letter = (unsigned char)((p[i] | 32) - 'a');
        wrong |= (unsigned char)((digit > 9) & (letter > 5));
    }
    return !wrong;
}

static int shape_uuid(const unsigned char *p, size_t n)
{
    unsigned char digits[32];
    if (n == 32)
        return are_hex(p) ? SHAPE_UUID_HEX : ODD;
    if (n != 36 || p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
        return ODD;
    memcpy(digits, p, 8);
    memcpy(digits + 8, p + 9, 4);
    memcpy(digits + 12, p + 14, 4);
    memcpy(digits + 16, p + 19, 4);
    memcpy(digits + 20, p + 24, 12);
    return are_hex(digits) ? SHAPE_UUID_DASHED : ODD;
}

static int equals_word(const unsigned char *p, size_t n, const char *word)
{
    if (strlen(word) != n)
        return 0;
    for (size_t i = 0; i < n; i++)
        if ((p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 32 : p[i]) != (unsigned char)word[i])
            return 0;
    return 1;
}

static int is_one_of(const unsigned char *p, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (equals_word(p, n, *words))
            return 1;
    return 0;
}

/* What a text looks like that begins like a number, of ASCII. */
static int shape_number(const unsigned char *p, size_t n)
{
    int digits;
    if (n > 4 && p[4] == '-') {
        int form = form_datetime(p, n, &digits);
        if (digits > 6 || form == ODD)
            return SHAPE_OTHER;
        return form == FORM_DATE ? SHAPE_DATE : form == FORM_DATETIME_TZ ? SHAPE_DATETIME_TZ : SHAPE_DATETIME;
    }
    if (n > 2 && p[2] == ':')
        return form_time(p, n, &digits) == ODD || digits > 6 ? SHAPE_OTHER : SHAPE_TIME;
    size_t i = p[0] == '+' || p[0] == '-', begin = i, count;
    while (i < n && is_digit(p[i]))
        i++;
    if (i == n)
        return i > begin ? SHAPE_INTEGER : SHAPE_OTHER;
    count = i - begin;
    if (p[i] == '.') {
        i++;
        while (i < n && is_digit(p[i])) {
            i++;
            count++;
        }
    }
    if (!count)
        return SHAPE_OTHER;
    if (i < n && (p[i] | 32) == 'e') {
        i++;
        i += i < n && (p[i] == '+' || p[i] == '-');
        begin = i;
        while (i < n && is_digit(p[i]))
            i++;
        if (i == begin)
            return SHAPE_OTHER;
    }
    return i == n ? SHAPE_DECIMAL : SHAPE_OTHER;
}

/* The digits of a decimal text without an exponent, as liteferry.census.forms.count_digits; 0 where it is none. */
static int count_text_digits(const unsigned char *p, size_t n, int *whole, int *fraction)
{
    size_t i = n && (p[0] == '+' || p[0] == '-'), begin = i;
    if (n > 10000)
        return 0;
    while (i < n && is_digit(p[i]))
        i++;
    size_t point = i, last = i, end = i;
    if (i < n && p[i] == '.') {
        i++;
        while (i < n && is_digit(p[i])) {
            if (p[i] != '0')
                last = i;
            i++;
        }
        end = i;
    }
    if (i != n || (point == begin && end <= point + 1))
        return 0;
    while (begin < point && p[begin] == '0')
        begin++;
    *whole = (int)(point - begin);
    *fraction = (int)(last - point);
    return 1;
}

/* What a text looks like, as liteferry.census.shapes.ShapeCounter.shape_text; ODD where that must be asked. */
static int shape_text(Json *json, const unsigned char *p, size_t n, int is_ascii)
{
    static const char *const truths[] = {"true", "false", "t", "f", NULL};
    static const char *const answers[] = {"yes", "no", "y", "n", "on", "off", NULL};
    if (!n)
        return SHAPE_EMPTY;
    int shape = is_ascii ? shape_uuid(p, n) : ODD;
    if (shape != ODD)
        return shape;
    if (is_digit(p[0]) || p[0] == '+' || p[0] == '-' || p[0] == '.')
        return is_ascii ? shape_number(p, n) : SHAPE_OTHER; /* digits of other scripts are no digits here */
    if (p[0] == '{' || p[0] == '[' || is_blank(p[0])) {
        size_t begin = 0, end = n;
        while (begin < end && is_blank(p[begin]))
            begin++;
        while (end > begin && is_blank(p[end - 1]))
            end--;
        if (begin == end || (p[begin] != '{' && p[begin] != '[') || p[end - 1] != (p[begin] == '{' ? '}' : ']'))
            return SHAPE_OTHER;
        if (!is_plain_json(json, p, n))
            return ODD;
        return p[begin] == '{' ? SHAPE_JSON_OBJECT : SHAPE_JSON_ARRAY;
    }
    if (is_ascii && n <= 5) {
        if (is_one_of(p, n, truths))
            return SHAPE_BOOL_WORD;
        if (is_one_of(p, n, answers))
            return SHAPE_YES_NO;
    }
    return SHAPE_OTHER;
}

/* As liteferry.census.shapes.shape_blob. */
static int shape_blob(const unsigned char *p, size_t n)
{
    if (!n)
        return SHAPE_EMPTY_BLOB;
    for (size_t i = 0; i < n;) {
        size_t step = p[i] >= 0x20 || p[i] == '\t' || p[i] == '\n' || p[i] == '\r' ? utf8_step(p + i, n - i) : 0;
        if (!step)
            return n == 16 ? SHAPE_UUID_BLOB : SHAPE_OTHER_BLOB;
        i += step;
    }
    return SHAPE_TEXT_BLOB;
}

static int count_integer_digits(uint64_t value)
{
    int digits = 0;
    for (; value; value /= 10)
        digits++;
    return digits;
}

/* The digits of the shortest decimal that reads back as the real, where it has 15 at most; 0 where it may have more.
 *
 * A decimal of 15 digits is the only one of so many that reads back as its double (DBL_DIG), and r / 10^f, of two exact
 * doubles, is the double nearest to the decimal. */
static int count_real_digits(double value, int *whole, int *fraction)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    double size = fabs(value);
    *whole = *fraction = 0;
    if (size == 0)
        return 1;
    for (int f = 0; f <= 15; f++) {
        double scaled = size * powers[f];
        if (!(scaled < 1e15))
            return 0;
        int64_t rounded = llrint(scaled);
        if (rounded && rounded < INT64_C(1000000000000000) && (double)rounded / powers[f] == size) {
            *whole = count_integer_digits((uint64_t)rounded / (uint64_t)powers[f]);
            *fraction = f;
            return 1;
        }
    }
    return 0;
}

#endif
