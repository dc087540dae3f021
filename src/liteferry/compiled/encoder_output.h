/* What the load's encoder writes into, and what it knows of a column. */

#ifndef LITEFERRY_ENCODER_OUTPUT_H
#define LITEFERRY_ENCODER_OUTPUT_H

#include "snapshot.h"

#include <stdbool.h>

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
/* type: the value's, as SQLite says it: asked for once, since every question to SQLite costs 2 to 4 ns a value. */
typedef bool Encode(Output *out, const Column *column, sqlite3_value *value, int type);
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

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TO_BIG_ENDIAN(bits, number) (number)
#else
#define TO_BIG_ENDIAN(bits, number) __builtin_bswap##bits(number)
#endif

static void put_int32(Output *out, int64_t value)
{
    uint32_t ordered = TO_BIG_ENDIAN(32, (uint32_t)value);
    memcpy(out->at, &ordered, 4);
    out->at += 4;
}

static void put_int64(Output *out, int64_t value)
{
    uint64_t ordered = TO_BIG_ENDIAN(64, (uint64_t)value);
    memcpy(out->at, &ordered, 8);
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

#endif
