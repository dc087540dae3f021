/* JSON by value: liteferry.compare.json_values is the specification.
 *
 * What is not surely JSON that jsonb keeps (another spelling, a key twice, U+0000, half a surrogate pair, great depth,
 * long numbers) is not judged here: the answer is ASK, and Python judges. */

#ifndef LITEFERRY_COMPARER_JSON_H
#define LITEFERRY_COMPARER_JSON_H

#include "comparer_digest.h"
#include "comparer_forms.h"

#define JSON_DEPTH 128
#define JSON_DIGITS 1000
#define JSON_FLUSHED 65536
#define JSON_FEW 12  /* members that are sorted by insertion */
#define JSON_AHEAD 8 /* members whose keys are asked of the memory before they are compared */

/* A member of an object, as it stands in the output: where it begins, with its key, and how long it is. */
typedef struct {
    size_t start, size;
} json_member;

/* What is kept from text to text, so that none is allocated for each. */
typedef struct {
    json_member *members;
    size_t count, capacity;
    uint32_t *places; /* of the members of objects that are too large to stand in the output: where in the text */
    size_t places_count, places_capacity;
    buffer sorted, key, streamed;
} json_work;

/* Where a form goes that is too large to be kept: to its digest. */
typedef struct {
    blake_state *hash;
    uint64_t size;
} json_sink;

typedef struct {
    const uint8_t *text, *at, *end;
    buffer *out;
    json_work *work;
    json_sink *sink; /* NULL: all stays in the output */
    int is_open; /* what is in the output can go to the sink: no object begins there that has to be sorted */
} json_reader;

static void json_free(json_work *work)
{
    free(work->members);
    free(work->places);
    buffer_free(&work->sorted);
    buffer_free(&work->key);
    buffer_free(&work->streamed);
    memset(work, 0, sizeof *work);
}

static inline void json_skip_white(json_reader *in)
{
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r'))
        in->at++;
}

/* The length of a well-formed UTF-8 sequence of two bytes or more; 0 for none. Source: The Unicode Standard, table 3-7 */
static int measure_utf8(const uint8_t *at, size_t size)
{
    uint8_t first = at[0];
    int length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (!length || size < (size_t)length)
        return 0;
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < least || at[1] > most)
        return 0;
    for (int i = 2; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return length;
}

/* The number of \uXXXX, of which the four digits are here; -1 for none. */
static int json_code_unit(const json_reader *in)
{
    int unit = 0;
    if (in->end - in->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(in->at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* A character that came as an escape, as the form spells it. The buffer has room. */
static void json_put_character(buffer *out, uint32_t c)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t *to = out->at + out->size;
    if (c == '"' || c == '\\') {
        *to++ = '\\', *to++ = (uint8_t)c;
    } else if (c < 0x20) {
        const char *spelled = c == '\n' ? "n" : c == '\r' ? "r" : c == '\t' ? "t" : c == '\f' ? "f" : c == '\b' ? "b" : "";
        *to++ = '\\';
        if (*spelled) {
            *to++ = (uint8_t)*spelled;
        } else {
            memcpy(to, "u00", 3);
            to[3] = (uint8_t)hex[c >> 4], to[4] = (uint8_t)hex[c & 15];
            to += 5;
        }
    } else if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xc0 | c >> 6), *to++ = (uint8_t)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xe0 | c >> 12), *to++ = (uint8_t)(0x80 | (c >> 6 & 63)), *to++ = (uint8_t)(0x80 | (c & 63));
    } else {
        *to++ = (uint8_t)(0xf0 | c >> 18), *to++ = (uint8_t)(0x80 | (c >> 12 & 63));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 63)), *to++ = (uint8_t)(0x80 | (c & 63));
    }
    out->size = (size_t)(to - out->at);
}

/* The escape after a backslash. */
static outcome json_escape(json_reader *in)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (in->at >= in->end)
        return ASK;
    uint8_t name = *in->at++;
    const char *known = name ? strchr(names, name) : NULL;
    if (known) {
        json_put_character(in->out, (uint8_t)meanings[known - names]);
        return FORMED;
    }
    int unit = name == 'u' ? json_code_unit(in) : -1;
    if (unit <= 0 || (unit >= 0xdc00 && unit < 0xe000))
        return ASK;
    in->at += 4;
    uint32_t c = (uint32_t)unit;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
            return ASK;
        in->at += 2;
        int low = json_code_unit(in);
        if (low < 0xdc00 || low >= 0xe000)
            return ASK;
        in->at += 4;
        c = 0x10000 + ((c - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    }
    json_put_character(in->out, c);
    return FORMED;
}

/* A string, of which the first quote is read. */
static outcome json_string(json_reader *in)
{
    buffer *out = in->out;
    if (!buffer_reserve(out, 1))
        return NO_MEMORY;
    out->at[out->size++] = '"';
    for (;;) {
        const uint8_t *from = in->at, *at = from;
        while (at < in->end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
            at++;
        if (at >= in->end)
            return ASK;
        int sequence = *at < 0x80 ? 0 : measure_utf8(at, (size_t)(in->end - at));
        in->at = at + sequence;
        if (!buffer_put(out, from, (size_t)(in->at - from)) || !buffer_reserve(out, 8))
            return NO_MEMORY;
        if (sequence)
            continue;
        in->at++;
        if (*at == '"') {
            out->at[out->size++] = '"';
            return FORMED;
        }
        if (*at != '\\')
            return ASK;
        outcome found = json_escape(in);
        if (found != FORMED)
            return found;
    }
}

static outcome json_number(json_reader *in)
{
    static const char mark[7] = {'"', '\\', 'u', '0', '0', '0', '0'};
    const uint8_t *at = in->at, *end = in->end, *start = at;
    int negative = *at == '-';
    at += negative;
    const uint8_t *whole = at;
    while (at < end && is_digit(*at))
        at++;
    size_t whole_size = (size_t)(at - whole), fraction_size = 0;
    if (!whole_size || (whole_size > 1 && *whole == '0'))
        return ASK;
    const uint8_t *fraction = at;
    if (at < end && *at == '.') {
        fraction = ++at;
        while (at < end && is_digit(*at))
            at++;
        fraction_size = (size_t)(at - fraction);
        if (!fraction_size)
            return ASK;
    }
    long exponent = 0;
    int is_plain = fraction_size ? at[-1] != '0' : !(negative && *whole == '0');
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        int down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        const uint8_t *digits = at;
        for (; at < end && is_digit(*at) && at - digits < 6; at++)
            exponent = exponent * 10 + (*at - '0');
        if (at == digits || (at < end && is_digit(*at)))
            return ASK;
        exponent = down ? -exponent : exponent;
        is_plain = 0;
    }
    if (at - start > JSON_DIGITS || exponent > JSON_DIGITS || exponent < -JSON_DIGITS)
        return ASK;
    in->at = at;
    if (!buffer_put(in->out, mark, sizeof mark))
        return NO_MEMORY;
    if (is_plain) {
        if (!buffer_put(in->out, start, (size_t)(at - start)))
            return NO_MEMORY;
    } else {
        outcome found = put_plain_decimal(in->out, negative, whole, whole_size, fraction, fraction_size, exponent);
        if (found != FORMED)
            return found;
    }
    return buffer_put(in->out, "\"", 1) ? FORMED : NO_MEMORY;
}

static outcome json_value(json_reader *in, int depth);

static void json_flush(json_reader *in)
{
    in->sink->size += in->out->size;
    blake_add(in->sink->hash, in->out->at, in->out->size);
    in->out->size = 0;
}

/* To be called where a value has ended. */
static inline void json_flush_some(json_reader *in)
{
    if (in->is_open && in->out->size >= JSON_FLUSHED)
        json_flush(in);
}

static outcome json_array(json_reader *in, int depth)
{
    if (!buffer_put(in->out, "[", 1))
        return NO_MEMORY;
    json_skip_white(in);
    if (in->at < in->end && *in->at == ']') {
        in->at++;
        return buffer_put(in->out, "]", 1) ? FORMED : NO_MEMORY;
    }
    for (;;) {
        outcome found = json_value(in, depth);
        if (found != FORMED)
            return found;
        json_skip_white(in);
        if (in->at >= in->end || (*in->at != ',' && *in->at != ']'))
            return ASK;
        uint8_t mark = *in->at++;
        if (!buffer_put(in->out, &mark, 1))
            return NO_MEMORY;
        json_flush_some(in);
        if (mark == ']')
            return FORMED;
    }
}

/* The code unit of four digits, of which it is known that they are. */
static uint32_t json_known_unit(const uint8_t *digits)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit * 16 + (uint32_t)hex_value(digits[i]);
    return unit;
}

/* The next character of a key that is known to be well-formed, up to its last quote; -1 at that. */
static int64_t json_next_character(const uint8_t **key)
{
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const uint8_t *at = *key;
    uint32_t c = *at++;
    if (c == '"')
        return -1;
    if (c == '\\') {
        const char *known = strchr(names, c = *at++);
        if (known) {
            c = (uint8_t)meanings[known - names];
        } else if (c == 'u') {
            c = json_known_unit(at);
            at += 4;
            if (c >= 0xd800 && c < 0xdc00) {
                c = 0x10000 + ((c - 0xd800) << 10) + (json_known_unit(at + 2) - 0xdc00);
                at += 6;
            }
        }
    } else if (c >= 0x80) {
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        c &= 0x3fu >> more;
        while (more--)
            c = c << 6 | (*at++ & 0x3f);
    }
    *key = at;
    return c;
}

/* The order of keys by their code points, however they are spelled; each begins behind its quote, and ends with one. */
static int json_order(const uint8_t *left, const uint8_t *right)
{
    for (;;) {
        while (*left == *right && *left != '"' && *left != '\\' && *left < 0x80)
            left++, right++;
        int64_t one = json_next_character(&left), other = json_next_character(&right);
        if (one != other)
            return one < other ? -1 : 1;
        if (one < 0)
            return 0;
    }
}

/* What is put in order: members as they stand in the output, or places in the text where members' keys begin. */
typedef struct {
    const uint8_t *base;
    json_member *members; /* NULL: the places */
    uint32_t *places;
} json_items;

static inline const uint8_t *json_key(const json_items *items, size_t i)
{
    return items->base + (items->members ? items->members[i].start : items->places[i]) + 1;
}

/* items[to] = from[at] */
static inline void json_put_item(const json_items *items, size_t to, const json_items *from, size_t at)
{
    if (items->members)
        items->members[to] = from->members[at];
    else
        items->places[to] = from->places[at];
}

/* Sort few items from "first" by insertion. */
static outcome json_sort_few(const json_items *items, size_t first, size_t count, int *moved)
{
    for (size_t i = first + 1; i < first + count; i++) {
        json_member member = {0};
        uint32_t place = 0;
        json_items kept = {items->base, items->members ? &member : NULL, &place};
        size_t to = i;
        json_put_item(&kept, 0, items, i);
        const uint8_t *key = json_key(&kept, 0);
        int order = 1;
        while (to > first && (order = json_order(key, json_key(items, to - 1))) < 0) {
            json_put_item(items, to, items, to - 1);
            to--;
        }
        if (!order)
            return ASK;
        if (to < i) {
            json_put_item(items, to, &kept, 0);
            *moved = 1;
        }
    }
    return FORMED;
}

/* Sort items by merging halves, the left one of which is put aside: each key is compared with those that stand near it
 * in the text until few are left, and halves that are in order already are not touched. A heap takes five times as
 * long for millions. The depth is the logarithm of the count. */
static outcome json_sort_many(const json_items *items, const json_items *spare, size_t first, size_t count, int *moved)
{
    if (count <= JSON_FEW)
        return json_sort_few(items, first, count, moved);
    size_t half = count / 2, right = first + half, end = first + count, to = first;
    outcome found = json_sort_many(items, spare, first, half, moved);
    if (found == FORMED)
        found = json_sort_many(items, spare, right, count - half, moved);
    if (found != FORMED)
        return found;
    int order = json_order(json_key(items, right - 1), json_key(items, right));
    if (order <= 0)
        return order ? FORMED : ASK;
    *moved = 1;
    for (size_t i = 0; i < half; i++)
        json_put_item(spare, i, items, first + i);
    for (size_t left = 0; left < half; to++) { /* what is left of the right half is where it belongs */
        if (right + JSON_AHEAD < end) /* the keys of millions lie all over a text that no cache holds */
            __builtin_prefetch(json_key(items, right + JSON_AHEAD));
        if (left + JSON_AHEAD < half)
            __builtin_prefetch(json_key(spare, left + JSON_AHEAD));
        order = right < end ? json_order(json_key(spare, left), json_key(items, right)) : -1;
        if (!order)
            return ASK;
        if (order < 0)
            json_put_item(items, to, spare, left++);
        else
            json_put_item(items, to, items, right++);
    }
    return FORMED;
}

/* Sort items by their keys. ASK when a key comes twice: two that are equal are compared by any way of sorting. */
static outcome json_sort(const json_items *items, size_t count, buffer *room, int *moved)
{
    size_t each = items->members ? sizeof *items->members : sizeof *items->places;
    *moved = 0;
    room->size = 0;
    if (count > JSON_FEW && !buffer_reserve(room, count / 2 * each))
        return NO_MEMORY;
    json_items spare = {items->base, items->members ? (json_member *)room->at : NULL, (uint32_t *)room->at};
    return json_sort_many(items, &spare, 0, count, moved);
}

/* Put an object's members, which stand at the end of the output from "from", into their keys' order. */
static outcome json_close_object(json_reader *in, size_t from, size_t first)
{
    json_work *work = in->work;
    buffer *out = in->out;
    int moved = 0;
    json_items items = {out->at, work->members + first, NULL};
    outcome found = json_sort(&items, work->count - first, &work->sorted, &moved);
    if (found == FORMED && moved) {
        work->sorted.size = 0;
        for (size_t i = first; i < work->count; i++) {
            if ((i > first && !buffer_put(&work->sorted, ",", 1)) ||
                !buffer_put(&work->sorted, out->at + work->members[i].start, work->members[i].size))
                return NO_MEMORY;
        }
        memcpy(out->at + from, work->sorted.at, work->sorted.size); /* the same members: the same size */
    }
    work->count = first;
    return found;
}

/* Step over a value, whose brackets and quotes are looked at and nothing else. 0 when it has no end. */
static int json_skip_value(json_reader *in)
{
    size_t depth = 0;
    do {
        json_skip_white(in);
        if (in->at >= in->end)
            return 0;
        uint8_t c = *in->at++;
        if (c == '"') {
            while (in->at < in->end && *in->at != '"')
                in->at += *in->at == '\\' && in->end - in->at > 1 ? 2 : 1;
            if (in->at >= in->end)
                return 0;
            in->at++;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (!depth--)
                return 0;
        } else if (c != ',' && c != ':') {
            while (in->at < in->end && !memchr(",:[]{}\" \t\r\n", *in->at, 11))
                in->at++;
        } else if (!depth) {
            return 0;
        }
    } while (depth);
    return 1;
}

/* Room for more items of a size. NULL where there is no memory, and all stays as it was. */
static void *json_grow(void *items, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? 2 * *capacity : 64;
    void *larger = wanted < SIZE_MAX / size ? realloc(items, wanted * size) : NULL;
    if (larger)
        *capacity = wanted;
    return larger;
}

static int json_add_member(json_work *work, json_member member)
{
    if (work->count == work->capacity) {
        json_member *larger = json_grow(work->members, &work->capacity, sizeof *larger);
        if (!larger)
            return 0;
        work->members = larger;
    }
    work->members[work->count++] = member;
    return 1;
}

static int json_add_place(json_work *work, size_t place)
{
    if (work->places_count == work->places_capacity) {
        uint32_t *larger = json_grow(work->places, &work->places_capacity, sizeof *larger);
        if (!larger)
            return 0;
        work->places = larger;
    }
    work->places[work->places_count++] = (uint32_t)place;
    return 1;
}

/* The key that begins here, its form in work->key; then its colon. */
static outcome json_read_key(json_reader *in)
{
    buffer *out = in->out;
    if (in->at >= in->end || *in->at++ != '"')
        return ASK;
    in->work->key.size = 0;
    in->out = &in->work->key;
    outcome found = json_string(in);
    in->out = out;
    if (found != FORMED)
        return found;
    json_skip_white(in);
    if (in->at >= in->end || *in->at++ != ':')
        return ASK;
    return FORMED;
}

/* Note where the members of a large object are, of which the first brace is read, and sort them. */
static outcome json_index_members(json_reader *in, size_t first)
{
    json_work *work = in->work;
    int moved;
    if ((size_t)(in->end - in->text) > UINT32_MAX)
        return ASK;
    for (;;) {
        json_skip_white(in); /* an empty object is not large: a member has to come */
        if (!json_add_place(work, (size_t)(in->at - in->text)))
            return NO_MEMORY;
        outcome found = json_read_key(in);
        if (found != FORMED)
            return found;
        if (!json_skip_value(in))
            return ASK;
        json_skip_white(in);
        if (in->at >= in->end || (*in->at != ',' && *in->at != '}'))
            return ASK;
        if (*in->at++ == '}') {
            json_items items = {in->text, NULL, work->places + first};
            return json_sort(&items, work->places_count - first, &work->sorted, &moved);
        }
    }
}

/* An object that does not stay in the output: its members are written in their order, from where they are. */
static outcome json_large_object(json_reader *in, int depth)
{
    json_work *work = in->work;
    size_t first = work->places_count;
    outcome found = json_index_members(in, first);
    const uint8_t *end = in->at;
    size_t last = work->places_count;
    for (size_t i = first; found == FORMED && i < last; i++) {
        in->at = in->text + work->places[i];
        found = json_read_key(in);
        if (found != FORMED)
            break;
        if (!buffer_put(in->out, i == first ? "{" : ",", 1) ||
            !buffer_put(in->out, work->key.at, work->key.size) || !buffer_put(in->out, ":", 1))
            return NO_MEMORY;
        found = json_value(in, depth);
        json_skip_white(in);
        if (found == FORMED && (in->at >= in->end || (*in->at != ',' && *in->at != '}')))
            found = ASK; /* what was stepped over ends elsewhere */
        json_flush_some(in);
    }
    work->places_count = first;
    in->at = end;
    if (found != FORMED)
        return found;
    return buffer_put(in->out, "}", 1) ? FORMED : NO_MEMORY;
}

static outcome json_small_object(json_reader *in, int depth);

/* An object, of which the first brace is read. */
static outcome json_object(json_reader *in, int depth)
{
    if (!in->is_open)
        return json_small_object(in, depth);
    const uint8_t *from = in->at--;
    if (!json_skip_value(in))
        return ASK;
    int is_large = in->at - from > JSON_FLUSHED;
    in->at = from;
    if (is_large)
        return json_large_object(in, depth);
    in->is_open = 0;
    outcome found = json_small_object(in, depth);
    in->is_open = 1;
    return found;
}

static outcome json_small_object(json_reader *in, int depth)
{
    json_work *work = in->work;
    buffer *out = in->out;
    size_t first = work->count;
    if (!buffer_put(out, "{", 1))
        return NO_MEMORY;
    size_t from = out->size;
    json_skip_white(in);
    if (in->at < in->end && *in->at == '}') {
        in->at++;
        return buffer_put(out, "}", 1) ? FORMED : NO_MEMORY;
    }
    for (;;) {
        json_skip_white(in);
        if (in->at >= in->end || *in->at++ != '"')
            return ASK;
        size_t start = out->size;
        outcome found = json_string(in);
        if (found != FORMED)
            return found;
        json_skip_white(in);
        if (in->at >= in->end || *in->at++ != ':')
            return ASK;
        if (!buffer_put(out, ":", 1))
            return NO_MEMORY;
        if ((found = json_value(in, depth)) != FORMED)
            return found;
        if (!json_add_member(work, (json_member){start, out->size - start}))
            return NO_MEMORY;
        json_skip_white(in);
        if (in->at >= in->end || (*in->at != ',' && *in->at != '}'))
            return ASK;
        uint8_t mark = *in->at++;
        if (mark == '}') {
            if ((found = json_close_object(in, from, first)) != FORMED)
                return found;
            return buffer_put(out, "}", 1) ? FORMED : NO_MEMORY;
        }
        if (!buffer_put(out, ",", 1))
            return NO_MEMORY;
    }
}

static outcome json_word(json_reader *in, const char *word, size_t size)
{
    if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0)
        return ASK;
    in->at += size;
    return buffer_put(in->out, word, size) ? FORMED : NO_MEMORY;
}

static outcome json_value(json_reader *in, int depth)
{
    json_skip_white(in);
    if (in->at >= in->end || depth >= JSON_DEPTH)
        return ASK;
    switch (*in->at) {
    case '[':
        in->at++;
        return json_array(in, depth + 1);
    case '{':
        in->at++;
        return json_object(in, depth + 1);
    case '"':
        in->at++;
        return json_string(in);
    case 't':
        return json_word(in, "true", 4);
    case 'f':
        return json_word(in, "false", 5);
    case 'n':
        return json_word(in, "null", 4);
    default:
        return *in->at == '-' || is_digit(*in->at) ? json_number(in) : ASK;
    }
}

/* Append the canonical form of a text. What was appended is to be dropped where the answer is another than FORMED. */
static outcome put_canonical_json(buffer *out, json_work *work, const uint8_t *text, size_t size)
{
    json_reader in = {text, text, text + size, out, work, NULL, 0};
    work->count = 0;
    outcome found = json_value(&in, 0);
    json_skip_white(&in);
    return found == FORMED && in.at != in.end ? ASK : found;
}

/* Add the canonical form of a large text to a digest, and tell its size. */
static outcome stream_canonical_json(json_work *work, const uint8_t *text, size_t size, blake_state *hash,
                                     uint64_t *form_size)
{
    json_sink sink = {hash, 0};
    json_reader in = {text, text, text + size, &work->streamed, work, &sink, 1};
    work->count = work->places_count = work->streamed.size = 0;
    outcome found = json_value(&in, 0);
    json_skip_white(&in);
    if (found == FORMED && in.at != in.end)
        found = ASK;
    if (found == FORMED)
        json_flush(&in);
    *form_size = sink.size;
    return found;
}

#endif
