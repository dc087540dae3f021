/* The census's counting of ordinary values.
 *
 * What liteferry.census would count of a value is counted here, where the value is surely as its column ought to have
 * it. Every other value is handed, with its row's key, to the accumulators in Python: see liteferry.compiled.counting,
 * which makes a column's rules of its declared type. A value is counted in one of the two places, and never in both.
 *
 * "Odd" is therefore always a safe answer, and "ordinary" never a guess. Values are looked at where SQLite has them;
 * only odd ones are copied, and flushed to Python before they come to much. */

#include "snapshot.h"

#include <float.h>
#include <math.h>

enum { INT_ODD, INT_BETWEEN, INT_DIGITS };
enum { REAL_ODD, REAL_ANY, REAL_FINITE, REAL_SINGLE, REAL_DECIMAL };
enum { TEXT_ODD, TEXT_PLAIN, TEXT_DECIMAL, TEXT_DATETIME, TEXT_DATE, TEXT_TIME, TEXT_JSON, TEXT_UUID, TEXT_BOOL };
enum { BLOB_ODD, BLOB_ANY, BLOB_UUID };

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
#define ODD (-1)

typedef struct {
    int null_is_odd, int_rule, real_rule, text_rule, blob_rule;
    int64_t low, high;          /* of integers */
    int whole, fraction;        /* digits that a decimal may have, -1 for any; fraction: of seconds, too */
    int64_t most_chars;         /* of a text; -1 for any */

    int64_t nulls, integers, reals, texts, blobs;
    int64_t min_integer, max_integer;
    double min_real, max_real;
    int has_finite;
    int64_t negative_zeros, positive_infinities, negative_infinities;
    int64_t longest_text, longest_bytes, size_bytes;
    int most_fraction, most_whole;
    int64_t forms[FORMS], shapes[SHAPES];
} Column;

/* Texts. */

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

/* JSON. */

#define JSON_DEPTH 100
#define JSON_KEYS 256    /* of one object */
#define JSON_PENDING 2048 /* of all open objects together */
#define JSON_NUMBER 1000

typedef struct {
    uint32_t hash;
    uint32_t size;
    const unsigned char *text;
} Key;

typedef struct {
    Key keys[JSON_PENDING];
    int levels[JSON_DEPTH]; /* of an object: where its keys begin; -1 for an array */
} Json;

static int hex_value(const unsigned char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        if (!is_hex(p[i]))
            return -1;
        value = value * 16 + (is_digit(p[i]) ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    }
    return value;
}

/* Behind the string that begins at the quote p; NULL where it is none, or has an escape that jsonb does not keep. */
static const unsigned char *skip_string(const unsigned char *p, const unsigned char *end, int *escaped)
{
    *escaped = 0;
    for (p++; p < end; p++) {
        if (*p == '"')
            return p + 1;
        if (*p < 0x20)
            return NULL;
        if (*p != '\\')
            continue;
        *escaped = 1;
        if (end - p < 2)
            return NULL;
        p++;
        if (*p != 'u') {
            if (!strchr("\"\\/bfnrt", *p))
                return NULL;
            continue;
        }
        int code = end - p >= 5 ? hex_value(p + 1) : -1;
        if (code <= 0 || (code >= 0xDC00 && code <= 0xDFFF))
            return NULL;
        p += 4;
        if (code >= 0xD800 && code <= 0xDBFF) {
            int low = end - p >= 7 && p[1] == '\\' && p[2] == 'u' ? hex_value(p + 3) : -1;
            if (low < 0xDC00 || low > 0xDFFF)
                return NULL;
            p += 6;
        }
    }
    return NULL;
}

static const unsigned char *skip_number(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *begin = p;
    p += *p == '-';
    if (p == end || !is_digit(*p))
        return NULL;
    if (*p == '0')
        p++;
    else
        while (p < end && is_digit(*p))
            p++;
    if (p < end && *p == '.') {
        const unsigned char *point = p++;
        while (p < end && is_digit(*p))
            p++;
        if (p == point + 1)
            return NULL;
    }
    if (p < end && (*p | 32) == 'e') {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        const unsigned char *exponent = p;
        while (p < end && is_digit(*p))
            p++;
        if (p == exponent || p - exponent > 3)
            return NULL;
    }
    return p - begin <= JSON_NUMBER ? p : NULL;
}

/* Note a key of the innermost object; 0 where it is there already, or there are too many to look at. */
static int note_key(Json *json, int first, int *pending, const unsigned char *text, size_t size)
{
    if (*pending - first >= JSON_KEYS || *pending >= JSON_PENDING || size > UINT32_MAX)
        return 0;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ text[i]) * 16777619u;
    for (int i = first; i < *pending; i++) {
        const Key *other = &json->keys[i];
        if (other->hash == hash && other->size == size && memcmp(other->text, text, size) == 0)
            return 0;
    }
    json->keys[(*pending)++] = (Key){hash, (uint32_t)size, text};
    return 1;
}

/* Whether a valid text is surely JSON that jsonb keeps by value. Without recursion. */
static int is_plain_json(Json *json, const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;
    int depth = 0, pending = 0, escaped;
    enum { VALUE, FIRST, KEY, FIRST_KEY, NEXT } state = VALUE;
    for (;;) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            return state == NEXT && depth == 0;
        if (state == NEXT) {
            if (depth == 0)
                return 0;
            int level = json->levels[depth - 1];
            if (*p == ',')
                state = level < 0 ? VALUE : KEY;
            else if (*p == (level < 0 ? ']' : '}')) {
                if (level >= 0)
                    pending = level;
                depth--;
            } else
                return 0;
            p++;
            continue;
        }
        if (state == KEY || state == FIRST_KEY) {
            if (*p == '}' && state == FIRST_KEY) {
                pending = json->levels[--depth];
                state = NEXT;
                p++;
                continue;
            }
            if (*p != '"')
                return 0;
            const unsigned char *begin = p + 1;
            p = skip_string(p, end, &escaped);
            if (!p || escaped || !note_key(json, json->levels[depth - 1], &pending, begin, (size_t)(p - 1 - begin)))
                return 0;
            while (p < end && is_blank(*p))
                p++;
            if (p == end || *p != ':')
                return 0;
            p++;
            state = VALUE;
            continue;
        }
        if (*p == ']' && state == FIRST) {
            depth--;
            state = NEXT;
            p++;
            continue;
        }
        if (*p == '"') {
            p = skip_string(p, end, &escaped);
        } else if (*p == '{' || *p == '[') {
            if (depth == JSON_DEPTH)
                return 0;
            json->levels[depth++] = *p == '{' ? pending : -1;
            state = *p == '{' ? FIRST_KEY : FIRST;
            p++;
            continue;
        } else if (*p == '-' || is_digit(*p)) {
            p = skip_number(p, end);
        } else if (end - p >= 4 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)) {
            p += 4;
        } else if (end - p >= 5 && memcmp(p, "false", 5) == 0) {
            p += 5;
        } else
            return 0;
        if (!p)
            return 0;
        state = NEXT;
    }
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

/* Numbers. */

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

/* Odd values, and the first row of each shape, on their way to Python: what they are and their rows' keys, as cells. */

#define MOST_WAITING 1024
#define MOST_WAITING_BYTES (1 << 20)
#define LARGE_BYTES (64 << 10) /* a larger one is not copied, but flushed at once */
#define TELL_ROWS 16384
#define TELL_BYTES (64 << 20)

typedef struct {
    int column;
    int shape; /* of whose first row this is; ODD for an odd value */
    int64_t order;
    size_t at; /* of its cells in the buffer */
} Waiting;

typedef struct {
    sqlite3 *db;
    int is_used;
} Reader;

typedef struct {
    sqlite3_stmt *statement;
    Column *columns;
    int width, has_rowid;
    int *key_items;
    unsigned char *types; /* of the row's items, as SQLite stores them: looked at before anything may convert them */
    sqlite3_value **values; /* the same items. They are of this thread's connection alone, and need no protection */
    int key_width; /* with the rowid, if there is one */
    int64_t order;
    Json *json;
    Waiting waiting[MOST_WAITING];
    int waiting_count, is_large;
    unsigned char *buffer;
    size_t size, room;
    PyObject *invalid_text, *take, *tell;
    PyThreadState *saved;
} Run;

#define CELL_POINTER 16

static int reserve(Run *run, size_t more)
{
    if (run->room - run->size >= more)
        return 1;
    size_t room = run->room ? run->room : 4096;
    while (room - run->size < more) {
        if (room > SIZE_MAX / 2)
            return 0;
        room *= 2;
    }
    unsigned char *buffer = realloc(run->buffer, room);
    if (!buffer)
        return 0;
    run->buffer = buffer;
    run->room = room;
    return 1;
}

static void put(Run *run, const void *data, size_t size)
{
    if (size)
        memcpy(run->buffer + run->size, data, size);
    run->size += size;
}

/* Keep the value of a result's item. Only a column's own value may be left where SQLite has it. 0 without memory. */
static int put_cell(Run *run, int item, int may_point)
{
    unsigned char type = run->types[item];
    if (!reserve(run, 1 + sizeof(size_t) + sizeof(int64_t)))
        return 0;
    if (type == SQLITE_INTEGER) {
        int64_t value = sqlite3_value_int64(run->values[item]);
        put(run, &type, 1);
        put(run, &value, sizeof value);
    } else if (type == SQLITE_FLOAT) {
        double value = sqlite3_value_double(run->values[item]);
        put(run, &type, 1);
        put(run, &value, sizeof value);
    } else if (type == SQLITE_NULL) {
        put(run, &type, 1);
    } else {
        const void *data = sqlite3_value_blob(run->values[item]);
        size_t size = (size_t)sqlite3_value_bytes(run->values[item]);
        if (may_point && size > LARGE_BYTES) {
            unsigned char marked = type | CELL_POINTER;
            put(run, &marked, 1);
            put(run, &size, sizeof size);
            put(run, &data, sizeof data);
            run->is_large = 1;
        } else {
            put(run, &type, 1);
            put(run, &size, sizeof size);
            if (!reserve(run, size))
                return 0;
            put(run, data, size);
        }
    }
    return 1;
}

/* Make a cell's object. Needs the GIL. */
static PyObject *take_cell(Run *run, size_t *at)
{
    unsigned char type = run->buffer[(*at)++];
    if ((type & 15) == SQLITE_INTEGER) {
        int64_t value;
        memcpy(&value, run->buffer + *at, sizeof value);
        *at += sizeof value;
        return PyLong_FromLongLong(value);
    }
    if ((type & 15) == SQLITE_FLOAT) {
        double value;
        memcpy(&value, run->buffer + *at, sizeof value);
        *at += sizeof value;
        return PyFloat_FromDouble(value);
    }
    if ((type & 15) == SQLITE_NULL)
        Py_RETURN_NONE;
    size_t size;
    const char *data;
    memcpy(&size, run->buffer + *at, sizeof size);
    *at += sizeof size;
    if (type & CELL_POINTER) {
        memcpy(&data, run->buffer + *at, sizeof data);
        *at += sizeof data;
    } else {
        data = (const char *)run->buffer + *at;
        *at += size;
    }
    if ((type & 15) == SQLITE_BLOB)
        return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
    PyObject *text = PyUnicode_DecodeUTF8(data, (Py_ssize_t)size, "strict");
    if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
        return text;
    PyErr_Clear();
    return PyObject_CallFunction(run->invalid_text, "y#", data, (Py_ssize_t)size);
}

static PyObject *take_key(Run *run, size_t *at)
{
    PyObject *key = PyTuple_New(run->key_width);
    for (int i = 0; key && i < run->key_width; i++) {
        PyObject *part = take_cell(run, at);
        if (!part)
            Py_CLEAR(key);
        else
            PyTuple_SET_ITEM(key, i, part);
    }
    return key;
}

static int append_new(PyObject *list, PyObject *item)
{
    int code = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return code;
}

/* Hand over what waits: for each column its values, their keys and places; then the first rows of shapes. */
static int flush_with_gil(Run *run)
{
    int code = -1;
    PyObject *odd = PyList_New(0), *firsts = PyList_New(0), **groups = PyMem_Calloc((size_t)run->width + 1, sizeof *groups);
    if (!odd || !firsts || !groups) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        goto done;
    }
    for (int i = 0; i < run->waiting_count; i++) {
        const Waiting *one = &run->waiting[i];
        size_t at = one->at;
        if (one->shape != ODD) {
            PyObject *key = take_key(run, &at);
            if (!key || append_new(firsts, Py_BuildValue("isNL", one->column, shape_names[one->shape], key,
                                                         (long long)one->order)) < 0)
                goto done;
            continue;
        }
        PyObject *group = groups[one->column];
        if (!group) {
            group = Py_BuildValue("i[][][]", one->column);
            if (!group || PyList_Append(odd, group) < 0) {
                Py_XDECREF(group);
                goto done;
            }
            Py_DECREF(group); /* the list has it */
            groups[one->column] = group;
        }
        if (append_new(PyTuple_GET_ITEM(group, 1), take_cell(run, &at)) < 0
            || append_new(PyTuple_GET_ITEM(group, 2), take_key(run, &at)) < 0
            || append_new(PyTuple_GET_ITEM(group, 3), PyLong_FromLongLong(one->order)) < 0)
            goto done;
    }
    PyObject *result = PyObject_CallFunctionObjArgs(run->take, odd, firsts, NULL);
    Py_XDECREF(result);
    code = result ? 0 : -1;
done:
    Py_XDECREF(odd);
    Py_XDECREF(firsts);
    PyMem_Free(groups);
    run->waiting_count = 0;
    run->size = 0;
    run->is_large = 0;
    if (run->room > 2 * MOST_WAITING_BYTES) { /* a large key was among them */
        free(run->buffer);
        run->buffer = NULL;
        run->room = 0;
    }
    return code;
}

static int flush(Run *run)
{
    if (!run->waiting_count)
        return 0;
    PyEval_RestoreThread(run->saved);
    int code = flush_with_gil(run);
    run->saved = PyEval_SaveThread();
    return code;
}

static int tell(Run *run, int64_t rows)
{
    PyEval_RestoreThread(run->saved);
    PyObject *result = PyObject_CallFunction(run->tell, "L", (long long)rows);
    Py_XDECREF(result);
    run->saved = PyEval_SaveThread();
    return result ? 0 : -1;
}

static int fail_without_memory(Run *run)
{
    PyEval_RestoreThread(run->saved);
    PyErr_NoMemory();
    run->saved = PyEval_SaveThread();
    return -1;
}

/* Let a row's value, or the first row of a shape, wait for Python. -1 with an error set. */
static int wait_for_python(Run *run, int column, int shape)
{
    Waiting *one = &run->waiting[run->waiting_count];
    *one = (Waiting){column, shape, run->order, run->size};
    int ok = shape != ODD || put_cell(run, column, 1);
    for (int i = 0; ok && i < run->key_width; i++)
        ok = put_cell(run, run->key_items[i], 0);
    if (!ok)
        return fail_without_memory(run);
    run->waiting_count++;
    if (run->waiting_count == MOST_WAITING || run->size >= MOST_WAITING_BYTES || run->is_large)
        return flush(run);
    return 0;
}

static int count_shape(Run *run, int index, Column *column, int shape)
{
    return column->shapes[shape]++ ? 0 : wait_for_python(run, index, shape);
}

static inline void raise_to(int64_t *most, int64_t value)
{
    if (value > *most)
        *most = value;
}

static inline void raise_digits(Column *column, int whole, int fraction)
{
    if (whole > column->most_whole)
        column->most_whole = whole;
    if (fraction > column->most_fraction)
        column->most_fraction = fraction;
}

static inline int exceeds(const Column *column, int whole, int fraction)
{
    return column->whole >= 0 && (whole > column->whole || fraction > column->fraction);
}

/* Each count_… counts an ordinary value; returns ODD, having counted nothing, for another; -2 with an error set. */

#define FAILED (-2)

static int count_integer(Column *column, int64_t value)
{
    if (column->int_rule == INT_ODD || value < column->low || value > column->high)
        return ODD;
    if (column->int_rule == INT_DIGITS) {
        int whole = count_integer_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
        if (exceeds(column, whole, 0))
            return ODD;
        raise_digits(column, whole, 0);
    }
    if (!column->integers || value < column->min_integer)
        column->min_integer = value;
    if (!column->integers || value > column->max_integer)
        column->max_integer = value;
    column->integers++;
    column->size_bytes += 8;
    return 0;
}

static int count_real(Column *column, double value)
{
    int is_infinite = isinf(value) != 0, whole, fraction;
    if (column->real_rule == REAL_ODD || isnan(value))
        return ODD;
    if (is_infinite && column->real_rule != REAL_ANY && column->real_rule != REAL_SINGLE)
        return ODD;
    if (column->real_rule == REAL_SINGLE && !is_infinite && (fabs(value) > FLT_MAX || (double)(float)value != value))
        return ODD;
    if (column->real_rule == REAL_DECIMAL) {
        if (!count_real_digits(value, &whole, &fraction) || exceeds(column, whole, fraction))
            return ODD;
        if (column->whole >= 0)
            raise_digits(column, whole, fraction);
    }
    column->reals++;
    column->size_bytes += 8;
    if (is_infinite) {
        if (value > 0)
            column->positive_infinities++;
        else
            column->negative_infinities++;
        return 0;
    }
    column->negative_zeros += value == 0 && signbit(value);
    if (!column->has_finite || value < column->min_real)
        column->min_real = value;
    if (!column->has_finite || value > column->max_real)
        column->max_real = value;
    column->has_finite = 1;
    return 0;
}

static int count_text(Run *run, int index, Column *column, const unsigned char *p, size_t n)
{
    static const char *const words[] = {"true", "false", "t", "f", "0", "1", NULL};
    int form = ODD, shape = ODD, digits = 0, whole = 0;
    if (column->text_rule == TEXT_ODD)
        return ODD;
    int64_t chars = count_chars(p, n);
    if (chars == ODD || (column->most_chars >= 0 && chars > column->most_chars))
        return ODD;
    int is_ascii = (size_t)chars == n;
    switch (column->text_rule) {
    case TEXT_DECIMAL:
        if (!count_text_digits(p, n, &whole, &digits) || exceeds(column, whole, digits))
            return ODD;
        /* fall through */
    case TEXT_PLAIN:
        shape = shape_text(run->json, p, n, is_ascii);
        if (shape == ODD)
            return ODD;
        break;
    case TEXT_DATETIME:
    case TEXT_DATE:
        form = is_ascii ? form_datetime(p, n, &digits) : ODD;
        if (form < 0 || digits > column->fraction || (column->text_rule == TEXT_DATE && form != FORM_DATE))
            return ODD;
        break;
    case TEXT_TIME:
        form = is_ascii ? form_time(p, n, &digits) : ODD;
        if (form < 0 || digits > column->fraction)
            return ODD;
        break;
    case TEXT_JSON:
        if (!is_plain_json(run->json, p, n))
            return ODD;
        form = FORM_JSONB;
        break;
    case TEXT_UUID:
        if (shape_uuid(p, n) == ODD)
            return ODD;
        form = FORM_UUID;
        break;
    default:
        if (!is_one_of(p, n, words))
            return ODD;
        form = FORM_BOOL_WORD;
    }
    column->texts++;
    column->size_bytes += (int64_t)n;
    raise_to(&column->longest_text, chars);
    raise_to(&column->longest_bytes, (int64_t)n);
    raise_digits(column, whole, digits);
    if (form != ODD)
        column->forms[form]++;
    if (shape != ODD && count_shape(run, index, column, shape) < 0)
        return FAILED;
    return 0;
}

static int count_blob(Run *run, int index, Column *column, const unsigned char *p, size_t n)
{
    if (column->blob_rule == BLOB_ODD || (column->blob_rule == BLOB_UUID && n != 16))
        return ODD;
    column->blobs++;
    column->size_bytes += (int64_t)n;
    raise_to(&column->longest_bytes, (int64_t)n);
    return count_shape(run, index, column, shape_blob(p, n)) < 0 ? FAILED : 0;
}

/* Step through the rows. Without the GIL. SQLITE_DONE; another of SQLite's codes; -1 with an error set. */
static int count_rows(Run *run, int64_t *rows, int64_t *max_rowid)
{
    int64_t untold_bytes = 0;
    int code;
    *rows = 0;
    while ((code = sqlite3_step(run->statement)) == SQLITE_ROW) {
        for (int i = 0; i < run->width + run->has_rowid; i++) {
            run->values[i] = sqlite3_column_value(run->statement, i);
            run->types[i] = (unsigned char)sqlite3_value_type(run->values[i]);
        }
        for (int i = 0; i < run->width; i++) {
            Column *column = &run->columns[i];
            sqlite3_value *value = run->values[i];
            int found = ODD;
            switch (run->types[i]) {
            case SQLITE_NULL:
                if (!column->null_is_odd) {
                    column->nulls++;
                    found = 0;
                }
                break;
            case SQLITE_INTEGER:
                found = count_integer(column, sqlite3_value_int64(value));
                break;
            case SQLITE_FLOAT:
                found = count_real(column, sqlite3_value_double(value));
                break;
            case SQLITE_TEXT: { /* as a blob: in UTF-8, SQLite then need not copy it to end it with NUL */
                const unsigned char *text = sqlite3_value_blob(value);
                size_t size = (size_t)sqlite3_value_bytes(value);
                untold_bytes += (int64_t)size;
                if (text || !size)
                    found = count_text(run, i, column, text, size);
                else
                    return fail_without_memory(run);
                break;
            }
            default: {
                const unsigned char *blob = sqlite3_value_blob(value);
                size_t size = (size_t)sqlite3_value_bytes(value);
                untold_bytes += (int64_t)size;
                if (blob || !size)
                    found = count_blob(run, i, column, blob, size);
                else
                    return fail_without_memory(run);
            }
            }
            if (found == FAILED || (found == ODD && wait_for_python(run, i, ODD) < 0))
                return -1;
        }
        if (run->has_rowid) {
            int64_t rowid = sqlite3_value_int64(run->values[run->width]);
            if (!*rows || rowid > *max_rowid)
                *max_rowid = rowid;
        }
        ++*rows;
        ++run->order;
        if (*rows % TELL_ROWS == 0 || untold_bytes > TELL_BYTES) {
            untold_bytes = 0;
            if (tell(run, *rows) < 0)
                return -1;
        }
    }
    if (flush(run) < 0)
        return -1;
    return code;
}

static int read_columns(Run *run, PyObject *columns)
{
    for (int i = 0; i < run->width; i++) {
        Column *c = &run->columns[i];
        long long low, high, most_chars;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(columns, i), "piLLiiiiiL", &c->null_is_odd, &c->int_rule, &low, &high,
                              &c->real_rule, &c->text_rule, &c->blob_rule, &c->whole, &c->fraction, &most_chars))
            return -1;
        c->low = low;
        c->high = high;
        c->most_chars = most_chars;
    }
    return 0;
}

static PyObject *list_counts(const int64_t *counts, const char *const *names, int number)
{
    PyObject *found = PyDict_New();
    for (int i = 0; found && i < number; i++) {
        if (!counts[i])
            continue;
        PyObject *count = PyLong_FromLongLong(counts[i]);
        if (!count || PyDict_SetItemString(found, names[i], count) < 0)
            Py_CLEAR(found);
        Py_XDECREF(count);
    }
    return found;
}

static PyObject *make_tally(const Column *c)
{
    PyObject *forms = list_counts(c->forms, form_names, FORMS), *shapes = list_counts(c->shapes, shape_names, SHAPES);
    PyObject *least = c->integers ? PyLong_FromLongLong(c->min_integer) : Py_NewRef(Py_None);
    PyObject *most = c->integers ? PyLong_FromLongLong(c->max_integer) : Py_NewRef(Py_None);
    PyObject *low = c->has_finite ? PyFloat_FromDouble(c->min_real) : Py_NewRef(Py_None);
    PyObject *high = c->has_finite ? PyFloat_FromDouble(c->max_real) : Py_NewRef(Py_None);
    if (!forms || !shapes || !least || !most || !low || !high) {
        Py_XDECREF(forms);
        Py_XDECREF(shapes);
        Py_XDECREF(least);
        Py_XDECREF(most);
        Py_XDECREF(low);
        Py_XDECREF(high);
        return NULL;
    }
    return Py_BuildValue(
        "{sLsLsLsLsLsNsNsNsNsLsLsLsLsLsLsisisNsN}", "nulls", (long long)c->nulls, "integers", (long long)c->integers,
        "reals", (long long)c->reals, "texts", (long long)c->texts, "blobs", (long long)c->blobs, "min_integer", least,
        "max_integer", most, "min_real", low, "max_real", high, "negative_zeros", (long long)c->negative_zeros,
        "positive_infinities", (long long)c->positive_infinities, "negative_infinities",
        (long long)c->negative_infinities, "longest_text_chars", (long long)c->longest_text, "longest_value_bytes",
        (long long)c->longest_bytes, "size_bytes", (long long)c->size_bytes, "max_fraction_digits", c->most_fraction,
        "max_integer_digits", c->most_whole, "forms", forms, "shapes", shapes);
}

static PyObject *make_result(const Run *run, int64_t rows, int64_t max_rowid)
{
    PyObject *tallies = PyList_New(0);
    for (int i = 0; tallies && i < run->width; i++)
        if (append_new(tallies, make_tally(&run->columns[i])) < 0)
            Py_CLEAR(tallies);
    if (!tallies)
        return NULL;
    if (!run->has_rowid || !rows)
        return Py_BuildValue("LON", (long long)rows, Py_None, tallies);
    return Py_BuildValue("LLN", (long long)rows, (long long)max_rowid, tallies);
}

#define READER "liteferry.compiled._counter.reader"

static PyObject *count(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *capsule, *columns, *keys, *result = NULL;
    const char *sql;
    Py_ssize_t sql_size;
    long long first_order;
    Run *run = PyMem_Calloc(1, sizeof *run);
    if (!run)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "Os#O!O!pLOOO", &capsule, &sql, &sql_size, &PyTuple_Type, &columns, &PyTuple_Type,
                          &keys, &run->has_rowid, &first_order, &run->invalid_text, &run->take, &run->tell)) {
        PyMem_Free(run);
        return NULL;
    }
    Reader *reader = PyCapsule_GetPointer(capsule, READER);
    if (!reader || reader->is_used || sql_size > INT32_MAX) {
        if (reader)
            PyErr_SetString(PyExc_RuntimeError, "the reader is in use");
        PyMem_Free(run);
        return NULL;
    }
    reader->is_used = 1;
    run->order = first_order;
    run->width = (int)PyTuple_GET_SIZE(columns);
    int key_columns = (int)PyTuple_GET_SIZE(keys);
    run->key_width = key_columns + run->has_rowid;
    run->columns = PyMem_Calloc((size_t)run->width + 1, sizeof *run->columns);
    run->key_items = PyMem_Calloc((size_t)run->key_width + 1, sizeof *run->key_items);
    run->types = PyMem_Malloc((size_t)run->width + 1);
    run->values = PyMem_Calloc((size_t)run->width + 1, sizeof *run->values);
    run->json = PyMem_Malloc(sizeof *run->json);
    if (!run->columns || !run->key_items || !run->types || !run->values || !run->json) {
        PyErr_NoMemory();
        goto done;
    }
    if (read_columns(run, columns) < 0)
        goto done;
    for (int i = 0; i < run->key_width; i++) {
        long item = i < key_columns ? PyLong_AsLong(PyTuple_GET_ITEM(keys, i)) : run->width;
        if (item < 0 || item > run->width) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "a key's column is none of the table's");
            goto done;
        }
        run->key_items[i] = (int)item;
    }
    int64_t rows = 0, max_rowid = 0;
    int code;
    run->saved = PyEval_SaveThread();
    code = sqlite3_prepare_v2(reader->db, sql, (int)sql_size, &run->statement, NULL);
    int is_prepared = code == SQLITE_OK && sqlite3_column_count(run->statement) == run->width + run->has_rowid;
    if (is_prepared)
        code = count_rows(run, &rows, &max_rowid);
    PyEval_RestoreThread(run->saved);
    if (is_prepared && code == SQLITE_DONE)
        result = make_result(run, rows, max_rowid);
    else if (code != SQLITE_OK && code != -1)
        snapshot_raise(reader->db, code);
    else if (code == SQLITE_OK)
        PyErr_SetString(PyExc_ValueError, "the SELECT has another number of items");
done:
    sqlite3_finalize(run->statement);
    free(run->buffer);
    PyMem_Free(run->columns);
    PyMem_Free(run->key_items);
    PyMem_Free(run->types);
    PyMem_Free(run->values);
    PyMem_Free(run->json);
    PyMem_Free(run);
    reader->is_used = 0;
    return result;
}

static void close_reader(PyObject *capsule)
{
    Reader *reader = PyCapsule_GetPointer(capsule, READER);
    if (reader) {
        sqlite3_close_v2(reader->db);
        PyMem_Free(reader);
    }
}

static PyObject *open_reader(PyObject *module, PyObject *args)
{
    (void)module;
    const char *uri;
    PyObject *stand_ins;
    if (!PyArg_ParseTuple(args, "sO!", &uri, &PyTuple_Type, &stand_ins))
        return NULL;
    Reader *reader = PyMem_Calloc(1, sizeof *reader);
    if (!reader)
        return PyErr_NoMemory();
    reader->db = snapshot_open(uri, stand_ins);
    PyObject *capsule = reader->db ? PyCapsule_New(reader, READER, close_reader) : NULL;
    if (!capsule) {
        sqlite3_close_v2(reader->db);
        PyMem_Free(reader);
    }
    return capsule;
}

static PyMethodDef methods[] = {
    {"open_reader", open_reader, METH_VARARGS, "Open the snapshot: URI, collations that need stand-ins."},
    {"count", count, METH_VARARGS, "Count a SELECT's ordinary values, and hand over the others."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._counter", "The census's counting of ordinary values.", -1, methods,
};

PyMODINIT_FUNC PyInit__counter(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
