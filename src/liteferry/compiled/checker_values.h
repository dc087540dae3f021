/* Values as the checker of indexes holds them: what they are, their hash, and their order.
 *
 * They come from a row that SQLite reads and from the pages of an index (checker_pages.h), and mean the same. */

#ifndef LITEFERRY_CHECKER_VALUES_H
#define LITEFERRY_CHECKER_VALUES_H

#include "snapshot.h"

#include <stdlib.h>

enum { COLLATION_MASK = 3, BINARY = 0, NOCASE = 1, RTRIM = 2, DESCENDING = 4 };

/* Doubles hold whole numbers up to here exactly. */
#define EXACT_DOUBLE ((sqlite3_int64)1 << 53)

__extension__ typedef unsigned __int128 Wide;

typedef struct {
    int type;
    sqlite3_int64 integer;
    double real;
    const unsigned char *bytes;
    size_t size;
} Value;

/* A value of the entry before, whose bytes are a copy. */
typedef struct {
    Value value;
    unsigned char *buffer;
    size_t capacity;
} Kept;

/* ------------------------------------------------------------------------------------------------------------------
 * Hashing: a multiplication whose halves are folded together, a word at a time. Both factors depend on the key, which is
 * random, so that no file can have been made to make two different sets of entries look alike: a word that makes its
 * factor nought, and so wipes out what was hashed before it, is nobody's to choose. */

static uint64_t fold(uint64_t key, uint64_t left, uint64_t right)
{
    Wide product = (Wide)(left ^ 0x9e3779b97f4a7c15u) * (right ^ key);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* What an entry's hash begins with: another number than the key, that the key makes. */
static uint64_t begin_hash(uint64_t key)
{
    return fold(key, key * 0xc2b2ae3d27d4eb4fu, key << 32 | key >> 32) ^ 0xc2b2ae3d27d4eb4fu;
}

static uint64_t hash_value(uint64_t key, uint64_t hash, const Value *value)
{
    uint64_t word;
    hash = fold(key, hash, (uint64_t)value->type + ((uint64_t)value->size << 3));
    switch (value->type) {
    case SQLITE_INTEGER:
        return fold(key, hash, (uint64_t)value->integer);
    case SQLITE_FLOAT:
        memcpy(&word, &value->real, sizeof word);
        return fold(key, hash, word);
    case SQLITE_NULL:
        return hash;
    }
    size_t size = value->size;
    const unsigned char *bytes = value->bytes;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = fold(key, hash, word);
    }
    if (size) {
        word = 0;
        memcpy(&word, bytes, size);
        hash = fold(key, hash, word);
    }
    return hash;
}

/* A whole number is one, whether it is stored as such or not: a REAL column stores 1.0 as 1. A NaN is not understood. */
static int take_real(Value *value, double real)
{
    *value = (Value){.type = SQLITE_FLOAT, .real = real};
    if (real >= -(double)EXACT_DOUBLE && real <= (double)EXACT_DOUBLE && (double)(sqlite3_int64)real == real)
        *value = (Value){.type = SQLITE_INTEGER, .integer = (sqlite3_int64)real};
    return real == real;
}

/* One column of the current row; the bytes are SQLite's, until the next step. False: there is no memory for them. */
static int read_value(sqlite3_stmt *statement, int column, Value *value)
{
    *value = (Value){.type = sqlite3_column_type(statement, column)};
    switch (value->type) {
    case SQLITE_INTEGER:
        value->integer = sqlite3_column_int64(statement, column);
        return 1;
    case SQLITE_FLOAT:
        return take_real(value, sqlite3_column_double(statement, column)); /* SQLite gives no NaN */
    case SQLITE_NULL:
        return 1;
    case SQLITE_TEXT:
        value->bytes = sqlite3_column_text(statement, column);
        break;
    default:
        value->bytes = sqlite3_column_blob(statement, column);
    }
    value->size = (size_t)sqlite3_column_bytes(statement, column);
    return value->bytes || value->size == 0;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Order. Source: https://sqlite.org/datatype3.html#sort_order and #collating_sequences. */

static int compare_bytes(const Value *left, const Value *right, int collation)
{
    size_t left_size = left->size, right_size = right->size;
    if (collation == RTRIM) {
        while (left_size && left->bytes[left_size - 1] == ' ')
            left_size--;
        while (right_size && right->bytes[right_size - 1] == ' ')
            right_size--;
    }
    size_t smaller = left_size < right_size ? left_size : right_size;
    int order = 0;
    if (collation == NOCASE) {
        for (size_t i = 0; i < smaller && !order; i++) {
            int l = left->bytes[i], r = right->bytes[i];
            l += l >= 'A' && l <= 'Z' ? 'a' - 'A' : 0;
            r += r >= 'A' && r <= 'Z' ? 'a' - 'A' : 0;
            order = l - r;
            if (!l && !r)
                break; /* SQLite looks no further than NUL here, and goes by the sizes then */
        }
    } else if (smaller) {
        order = memcmp(left->bytes, right->bytes, smaller);
    }
    return order ? order : (left_size > right_size) - (left_size < right_size);
}

static int rank(int type)
{
    return type == SQLITE_NULL ? 0 : type == SQLITE_INTEGER || type == SQLITE_FLOAT ? 1 : type == SQLITE_TEXT ? 2 : 3;
}

/* Below, equal or above zero. *sure becomes 0 where a large integer meets a double, which SQLite itself must judge. */
static int compare_values(const Value *left, const Value *right, int collation, int *sure)
{
    int left_rank = rank(left->type), right_rank = rank(right->type);
    if (left_rank != right_rank)
        return left_rank - right_rank;
    if (left_rank == 0)
        return 0;
    if (left_rank > 1)
        return compare_bytes(left, right, left_rank == 2 ? collation : BINARY);
    if (left->type == SQLITE_INTEGER && right->type == SQLITE_INTEGER)
        return (left->integer > right->integer) - (left->integer < right->integer);
    for (int i = 0; i < 2; i++) {
        const Value *value = i ? right : left;
        if (value->type == SQLITE_INTEGER && (value->integer > EXACT_DOUBLE || value->integer < -EXACT_DOUBLE))
            *sure = 0;
    }
    double l = left->type == SQLITE_INTEGER ? (double)left->integer : left->real;
    double r = right->type == SQLITE_INTEGER ? (double)right->integer : right->real;
    return (l > r) - (l < r);
}

static int keep_value(Kept *kept, const Value *value)
{
    if (value->size > kept->capacity) {
        unsigned char *buffer = realloc(kept->buffer, value->size);
        if (!buffer)
            return 0;
        kept->buffer = buffer;
        kept->capacity = value->size;
    }
    if (value->size)
        memcpy(kept->buffer, value->bytes, value->size);
    kept->value = *value;
    kept->value.bytes = kept->buffer;
    return 1;
}

#endif
