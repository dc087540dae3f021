/* The form of a value that SQLite stores, and of a text of COPY's, for each kind of column.
 *
 * liteferry.compare.forms is the specification; the answer is ASK where Python judges. */

#ifndef LITEFERRY_COMPARER_VALUES_H
#define LITEFERRY_COMPARER_VALUES_H

#include "snapshot.h"

#include "comparer_forms.h"
#include "comparer_json.h"

enum kind {
    INTEGER, FLOAT4, FLOAT8, NUMERIC, BOOL, TEXT, PADDED, BYTEA, TIMESTAMP, TIMESTAMPTZ, DATE, TIME, INTERVAL, JSON,
    JSONB, UUID, OTHER, KINDS
};

static const char *const kind_names[KINDS] = {
    "integer", "float4", "float8", "numeric", "bool", "text", "padded", "bytea", "timestamp", "timestamptz", "date",
    "time", "interval", "json", "jsonb", "uuid", "other",
};

/* What SQLite stores: of a row, or of a test. */
typedef struct {
    int type;
    int64_t integer;
    double real;
    const uint8_t *bytes;
    size_t size;
} value;

/* ------------------------------------------------------------------------------------------------------------------
 * Forms of the source */

static outcome put_tagged(buffer *out, char tag, const uint8_t *bytes, size_t size)
{
    if (!buffer_reserve(out, size + 1))
        return NO_MEMORY;
    out->at[out->size++] = (uint8_t)tag;
    if (size)
        memcpy(out->at + out->size, bytes, size);
    out->size += size;
    return FORMED;
}

/* A text, or a number as Python spells it. */
static outcome put_spelled(buffer *out, char tag, const value *v)
{
    if (v->type == SQLITE_INTEGER)
        return put_integer(out, tag, v->integer);
    return v->type == SQLITE_FLOAT ? put_double(out, tag, v->real, 0) : put_tagged(out, tag, v->bytes, v->size);
}

static outcome put_source_bool(buffer *out, const value *v)
{
    static const char *const words[] = {"0", "1", "f", "t", "false", "true"};
    if (v->type == SQLITE_INTEGER && (v->integer == 0 || v->integer == 1))
        return put_tagged(out, 'b', (const uint8_t *)(v->integer ? "1" : "0"), 1);
    for (int i = 0; v->type == SQLITE_TEXT && i < 6; i++) {
        size_t size = strlen(words[i]), same = 0;
        while (size == v->size && same < size && (v->bytes[same] | 0x20) == (words[i][same] | 0x20))
            same++;
        /* the bit that makes a small letter makes nothing else of these but of two control characters */
        if (same == size && size == v->size && v->bytes[0] >= '0')
            return put_tagged(out, 'b', (const uint8_t *)(i % 2 ? "1" : "0"), 1);
    }
    return ASK;
}

static outcome put_source_uuid(buffer *out, const value *v)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t form[32];
    size_t count = 0;
    if (v->type == SQLITE_BLOB && v->size == 16) {
        for (; count < 32; count++)
            form[count] = (uint8_t)hex[v->bytes[count / 2] >> (count % 2 ? 0 : 4) & 15];
        return put_tagged(out, 'u', form, 32);
    }
    if (v->type != SQLITE_TEXT || (v->size != 32 && v->size != 36))
        return ASK;
    for (size_t i = 0; i < v->size; i++) {
        if (v->size == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (v->bytes[i] != '-')
                return ASK;
            continue;
        }
        int digit = hex_value(v->bytes[i]);
        if (digit < 0)
            return ASK;
        form[count++] = (uint8_t)hex[digit];
    }
    return put_tagged(out, 'u', form, 32);
}

/* A number that both integers of 64 bits and doubles hold. */
static int as_double(const value *v, double *number)
{
    *number = v->type == SQLITE_INTEGER ? (double)v->integer : v->real;
    return v->type == SQLITE_FLOAT || (v->type == SQLITE_INTEGER && v->integer <= 1LL << 53 && v->integer >= -(1LL << 53));
}

/* Append the form of a value that is not NULL. What was appended is to be dropped where the answer is not FORMED. */
static outcome put_source(buffer *out, json_work *work, enum kind kind, const value *v)
{
    int is_text = v->type == SQLITE_TEXT, is_blob = v->type == SQLITE_BLOB;
    double number;
    switch (kind) {
    case INTEGER:
        return v->type == SQLITE_INTEGER ? put_integer(out, 'i', v->integer) : ASK;
    case FLOAT8:
        return as_double(v, &number) ? put_float8(out, number) : ASK;
    case FLOAT4:
        return as_double(v, &number) ? put_float4(out, number, 1) : ASK;
    case NUMERIC:
        if (v->type == SQLITE_INTEGER)
            return put_integer(out, 'n', v->integer);
        if (v->type == SQLITE_FLOAT)
            return put_double(out, 'n', v->real, 1);
        if (!is_text)
            return ASK;
        return buffer_put(out, "n", 1) ? put_decimal_text(out, v->bytes, v->size) : NO_MEMORY;
    case BOOL:
        return put_source_bool(out, v);
    case PADDED:
        if (is_text && v->size && v->bytes[v->size - 1] == ' ')
            return ASK;
        return is_blob ? ASK : put_spelled(out, 't', v);
    case TEXT:
        return is_blob ? ASK : put_spelled(out, 't', v);
    case BYTEA:
        return put_spelled(out, 'x', v);
    case TIMESTAMP:
    case TIMESTAMPTZ:
        return is_text ? put_source_moment(out, v->bytes, v->size, kind == TIMESTAMPTZ) : ASK;
    case DATE:
        return is_text ? put_date(out, v->bytes, v->size) : ASK;
    case TIME:
        return is_text ? put_time(out, v->bytes, v->size, 0) : ASK;
    case INTERVAL:
        return v->type == SQLITE_INTEGER ? put_integer(out, 'v', v->integer) : ASK;
    case JSON:
        return is_blob ? ASK : put_spelled(out, 'J', v);
    case JSONB:
        if (!is_text)
            return ASK;
        return buffer_put(out, "j", 1) ? put_canonical_json(out, work, v->bytes, v->size) : NO_MEMORY;
    case UUID:
        return put_source_uuid(out, v);
    default:
        return ASK;
    }
}

/* ------------------------------------------------------------------------------------------------------------------
 * Forms of the target. A field is the text between two tabs, as COPY escapes it. */

static inline uint8_t unescape(uint8_t c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'v' ? '\v' : c;
}

/* Append a field's text. A backslash at its end stands for itself. */
static int put_unescaped(buffer *out, const uint8_t *field, size_t size)
{
    const uint8_t *end = field + size;
    if (!buffer_reserve(out, size))
        return 0;
    uint8_t *to = out->at + out->size;
    while (field < end) {
        const uint8_t *mark = memchr(field, '\\', (size_t)(end - field));
        size_t plain = (size_t)((mark ? mark : end) - field);
        memcpy(to, field, plain);
        to += plain, field += plain;
        if (mark && end - field > 1)
            *to++ = unescape(field[1]), field += 2;
        else if (mark)
            *to++ = *field++;
    }
    out->size = (size_t)(to - out->at);
    return 1;
}

static outcome put_target_bytes(buffer *out, const uint8_t *text, size_t size)
{
    if (size < 2 || text[0] != '\\' || text[1] != 'x' || size % 2)
        return ASK;
    if (!buffer_reserve(out, size / 2))
        return NO_MEMORY;
    uint8_t *to = out->at + out->size;
    *to++ = 'x';
    int sign = 0; /* negative after all where any of them was */
    for (size_t i = 2; i < size; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        sign |= high | low;
        *to++ = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (sign < 0)
        return ASK;
    out->size = (size_t)(to - out->at);
    return FORMED;
}

static outcome put_target_uuid(buffer *out, const uint8_t *text, size_t size)
{
    if (!buffer_reserve(out, size + 1))
        return NO_MEMORY;
    uint8_t *to = out->at + out->size;
    *to++ = 'u';
    for (size_t i = 0; i < size; i++)
        if (text[i] != '-')
            *to++ = text[i];
    out->size = (size_t)(to - out->at);
    return FORMED;
}

/* Append the form of a text that is not NULL, as `put_source`. */
static outcome put_target(buffer *out, json_work *work, enum kind kind, const uint8_t *text, size_t size)
{
    double number;
    if (!text)
        text = (const uint8_t *)""; /* of an empty buffer */
    switch (kind) {
    case INTEGER:
        return put_tagged(out, 'i', text, size);
    case FLOAT8:
        return read_double(text, size, &number) ? put_float8(out, number) : ASK;
    case FLOAT4:
        return read_double(text, size, &number) ? put_float4(out, number, 0) : ASK;
    case NUMERIC:
        if (memchr(text, '.', size)) {
            while (size && text[size - 1] == '0')
                size--;
            while (size && text[size - 1] == '.')
                size--;
        }
        return put_tagged(out, 'n', text, size);
    case BOOL:
        if (size != 1 || (*text != 't' && *text != 'f'))
            return ASK;
        return put_tagged(out, 'b', (const uint8_t *)(*text == 't' ? "1" : "0"), 1);
    case PADDED:
        while (size && text[size - 1] == ' ')
            size--;
        return put_tagged(out, 't', text, size);
    case TEXT:
        return put_tagged(out, 't', text, size);
    case BYTEA:
        return put_target_bytes(out, text, size);
    case TIMESTAMP:
    case TIMESTAMPTZ:
        return put_target_moment(out, text, size, kind == TIMESTAMPTZ);
    case DATE:
        return put_date(out, text, size);
    case TIME:
        return put_time(out, text, size, 1);
    case INTERVAL:
        return put_target_interval(out, text, size);
    case JSON:
        return put_tagged(out, 'J', text, size);
    case JSONB:
        return buffer_put(out, "j", 1) ? put_canonical_json(out, work, text, size) : NO_MEMORY;
    case UUID:
        return put_target_uuid(out, text, size);
    default:
        return ASK;
    }
}

static inline int is_null(const uint8_t *field, size_t size)
{
    return size == 2 && field[0] == '\\' && field[1] == 'N';
}

#endif
