/* JSON that jsonb surely keeps by value, told without recursion: ordinary documents, in the place where they are.
 *
 * Whatever is refused here, liteferry.census.json_forms looks at: deep nesting, objects of very many keys, keys with
 * escapes, keys that occur twice, long numbers, escapes of NUL and of lone surrogates; and what is no JSON. */

#ifndef LITEFERRY_COUNTER_JSON_H
#define LITEFERRY_COUNTER_JSON_H

#include "counter_characters.h"

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

#endif
