/* JSON that jsonb surely keeps by value, told without recursion: ordinary documents, in the place where they are.
 *
 * Whatever is refused here, liteferry.census.json_forms looks at: deep nesting, keys that occur twice, long numbers,
 * escapes of NUL and of lone surrogates; and what is no JSON. Objects of very many keys, and keys with escapes, are
 * looked at a second time, with all keys' hashes. */

#ifndef LITEFERRY_COUNTER_JSON_H
#define LITEFERRY_COUNTER_JSON_H

#include "counter_characters.h"

#define JSON_DEPTH 100
#define JSON_KEYS 256    /* of one object, at first sight */
#define JSON_PENDING 2048 /* of all open objects together, at first sight */
#define JSON_NUMBER 1000

typedef struct {
    uint32_t hash;
    uint32_t size;
    const unsigned char *text;
} Key;

typedef struct {
    Key keys[JSON_PENDING];
    int levels[JSON_DEPTH]; /* of an object: where its keys begin; -1 for an array */
    int is_thorough;        /* all keys of open objects are kept as hashes: eight bytes each */
    int is_beyond;          /* at first sight there were too many keys, or one with an escape */
    uint64_t *hashes;
    size_t room;
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
    if (*pending - first >= JSON_KEYS || *pending >= JSON_PENDING || size > UINT32_MAX) {
        json->is_beyond = 1;
        return 0;
    }
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

/* A hash of a key's characters as UTF-8, however they are spelled. The key's escapes are known to be whole. */
static uint64_t hash_key(const unsigned char *p, size_t size)
{
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const unsigned char *end = p + size; p < end;) {
        unsigned char bytes[4] = {*p++};
        int count = 1;
        if (bytes[0] == '\\') {
            const char *known = *p ? strchr(names, *p) : NULL;
            bytes[0] = known ? (unsigned char)meanings[known - names] : *p;
            if (*p++ == 'u') {
                uint32_t c = (uint32_t)hex_value(p);
                p += 4;
                if (c >= 0xD800 && c <= 0xDBFF) {
                    c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)hex_value(p + 2) - 0xDC00);
                    p += 6;
                }
                count = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
                for (int i = count - 1; i > 0; i--, c >>= 6)
                    bytes[i] = (unsigned char)(0x80 | (c & 0x3F));
                bytes[0] = (unsigned char)(count == 1 ? c : (0xF00u >> count & 0xF0) | c);
            }
        }
        for (int i = 0; i < count; i++)
            hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

/* Note a key's hash; 0 without memory, which Python will miss in its turn. */
static int note_hash(Json *json, int *pending, uint64_t hash)
{
    if ((size_t)*pending == json->room) {
        size_t room = json->room ? 2 * json->room : JSON_PENDING;
        uint64_t *hashes = room < INT32_MAX ? realloc(json->hashes, room * sizeof *hashes) : NULL;
        if (!hashes)
            return 0;
        json->hashes = hashes;
        json->room = room;
    }
    json->hashes[(*pending)++] = hash;
    return 1;
}

static void sift_hash(uint64_t *hashes, size_t top, size_t count)
{
    uint64_t hash = hashes[top];
    for (size_t child; (child = 2 * top + 1) < count; top = child) {
        child += child + 1 < count && hashes[child] < hashes[child + 1];
        if (hash >= hashes[child])
            break;
        hashes[top] = hashes[child];
    }
    hashes[top] = hash;
}

/* Whether no two are equal. Sorts them in place: there may be millions. */
static int are_distinct(uint64_t *hashes, size_t count)
{
    for (size_t i = count / 2; i--;)
        sift_hash(hashes, i, count);
    for (size_t i = count; i > 1;) {
        uint64_t most = hashes[0];
        hashes[0] = hashes[--i];
        hashes[i] = most;
        sift_hash(hashes, 0, i);
    }
    for (size_t i = 1; i < count; i++)
        if (hashes[i] == hashes[i - 1])
            return 0;
    return 1;
}

/* Whether a valid text is surely JSON that jsonb keeps by value, in one way of looking at keys. Without recursion. */
static int check_json(Json *json, const unsigned char *p, size_t n)
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
                if (level >= 0) {
                    if (json->is_thorough && !are_distinct(json->hashes + level, (size_t)(pending - level)))
                        return 0;
                    pending = level;
                }
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
            if (!p)
                return 0;
            size_t size = (size_t)(p - 1 - begin);
            if (json->is_thorough) {
                if (!note_hash(json, &pending, hash_key(begin, size)))
                    return 0;
            } else if (escaped) {
                json->is_beyond = 1;
                return 0;
            } else if (!note_key(json, json->levels[depth - 1], &pending, begin, size)) {
                return 0;
            }
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

/* Whether a valid text is surely JSON that jsonb keeps by value. */
static int is_plain_json(Json *json, const unsigned char *p, size_t n)
{
    json->is_thorough = json->is_beyond = 0;
    if (check_json(json, p, n))
        return 1;
    json->is_thorough = 1;
    return json->is_beyond && check_json(json, p, n);
}

static void free_json(Json *json)
{
    if (json)
        free(json->hashes);
    PyMem_Free(json);
}

#endif
