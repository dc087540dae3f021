/* The entries of an index in their order, from its pages as the file has them.
 *
 * Nothing of a page is taken on trust: what does not say exactly what the format has it say is not understood.
 *
 * Source: https://sqlite.org/fileformat2.html. */

#ifndef LITEFERRY_CHECKER_PAGES_H
#define LITEFERRY_CHECKER_PAGES_H

#include "checker_values.h"

#include <unistd.h>

enum { FILE_HEADER = 100, LARGEST_PAGE = 65536, MOST_LEVELS = 20, INTERIOR = 2, LEAF = 10 };

typedef enum { TAKEN, AT_END, NOT_UNDERSTOOD, NO_ROOM } Reading;

typedef struct {
    unsigned int number;
    unsigned char *bytes;
    int cell, cells; /* the next one, and how many there are */
    int is_interior, has_descended; /* whether the next cell's child is done */
} Page;

typedef struct {
    int descriptor;
    size_t page_size, usable;
    sqlite3_int64 pages;
    Page levels[MOST_LEVELS]; /* from the index's root down to the page that is being read */
    int level;
    unsigned char *payload; /* of an entry that overflows its page */
    size_t payload_capacity;
    unsigned char *overflow; /* a page */
} File;

static unsigned int read_u32(const unsigned char *bytes)
{
    return (unsigned int)bytes[0] << 24 | (unsigned int)bytes[1] << 16 | (unsigned int)bytes[2] << 8 | bytes[3];
}

static size_t read_u16(const unsigned char *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

/* How many bytes a variable-length integer takes; 0 where it does not end before the limit. */
static size_t read_varint(const unsigned char *bytes, const unsigned char *limit, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < 9 && bytes + i < limit; i++) {
        if (i == 8) {
            *value = *value << 8 | bytes[i];
            return 9;
        }
        *value = *value << 7 | (bytes[i] & 0x7f);
        if (!(bytes[i] & 0x80))
            return i + 1;
    }
    return 0;
}

static int read_page(const File *file, unsigned int number, unsigned char *bytes)
{
    if (number < 2 || number > file->pages)
        return 0;
    off_t offset = (off_t)(number - 1) * (off_t)file->page_size;
    return pread(file->descriptor, bytes, file->page_size, offset) == (ssize_t)file->page_size;
}

/* Take the file's measures. False where they are none, or there is no memory. */
static int open_file(File *file, int descriptor)
{
    unsigned char header[FILE_HEADER];
    off_t size = lseek(descriptor, 0, SEEK_END);
    file->descriptor = descriptor;
    if (size < FILE_HEADER || pread(descriptor, header, sizeof header, 0) != sizeof header)
        return 0;
    size_t page_size = read_u16(header + 16);
    page_size = page_size == 1 ? LARGEST_PAGE : page_size;
    if (page_size < 512 || page_size & (page_size - 1) || header[20] > page_size - 480)
        return 0;
    file->page_size = page_size;
    file->usable = page_size - header[20];
    file->pages = size / (off_t)page_size;
    file->overflow = malloc(page_size);
    int made = file->overflow != NULL;
    for (int i = 0; i < MOST_LEVELS; i++)
        made &= (file->levels[i].bytes = malloc(page_size)) != NULL;
    return made;
}

static void close_file(File *file)
{
    for (int i = 0; i < MOST_LEVELS; i++)
        free(file->levels[i].bytes);
    free(file->overflow);
    free(file->payload);
}

/* Begin a page of the index at a level. */
static int enter_page(File *file, int level, unsigned int number)
{
    Page *page = &file->levels[level];
    *page = (Page){.number = number, .bytes = page->bytes};
    if (!read_page(file, number, page->bytes) || (page->bytes[0] != INTERIOR && page->bytes[0] != LEAF))
        return 0;
    page->is_interior = page->bytes[0] == INTERIOR;
    page->cells = (int)read_u16(page->bytes + 3);
    return (page->is_interior ? 12 : 8) + 2 * (size_t)page->cells <= file->usable;
}

/* Find the payload of the cell that a page stands at. It is in the page, or gathered from the pages it overflows to. */
static Reading find_payload(File *file, const Page *page, const unsigned char **payload, size_t *size)
{
    const unsigned char *limit = page->bytes + file->usable;
    size_t offset = read_u16(page->bytes + (page->is_interior ? 12 : 8) + 2 * (size_t)page->cell);
    const unsigned char *cell = page->bytes + offset + (page->is_interior ? 4 : 0);
    uint64_t whole;
    size_t length = cell < limit ? read_varint(cell, limit, &whole) : 0;
    if (!length || whole > (uint64_t)file->pages * file->page_size)
        return NOT_UNDERSTOOD;
    cell += length;
    size_t usable = file->usable, most = (usable - 12) * 64 / 255 - 23, least = (usable - 12) * 32 / 255 - 23;
    size_t local = (size_t)whole;
    if (whole > most) {
        local = least + (size_t)(whole - least) % (usable - 4);
        local = local <= most ? local : least;
    }
    if (local > (size_t)(limit - cell))
        return NOT_UNDERSTOOD;
    *size = (size_t)whole;
    *payload = cell;
    if (local == whole)
        return TAKEN;
    if ((size_t)(limit - cell) < local + 4)
        return NOT_UNDERSTOOD;
    if (whole > file->payload_capacity) {
        unsigned char *buffer = realloc(file->payload, (size_t)whole);
        if (!buffer)
            return NO_ROOM;
        file->payload = buffer;
        file->payload_capacity = (size_t)whole;
    }
    memcpy(file->payload, cell, local);
    unsigned int next = read_u32(cell + local);
    for (size_t done = local; done < whole;) {
        if (!read_page(file, next, file->overflow))
            return NOT_UNDERSTOOD;
        size_t piece = whole - done < usable - 4 ? (size_t)whole - done : usable - 4;
        memcpy(file->payload + done, file->overflow + 4, piece);
        done += piece;
        next = read_u32(file->overflow);
    }
    *payload = file->payload;
    return next ? NOT_UNDERSTOOD : TAKEN;
}

/* Read an entry's values. False where its header does not say exactly what its payload holds, for so many columns. */
static int read_entry(const unsigned char *payload, size_t size, Value *entry, int width)
{
    static const unsigned char sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
    const unsigned char *end = payload + size, *at = payload;
    uint64_t header, type;
    size_t length = read_varint(at, end, &header);
    if (!length || header > size || header < length)
        return 0;
    const unsigned char *body = payload + header, *types_end = body;
    at += length;
    for (int i = 0; i < width; i++) {
        if (!(length = read_varint(at, types_end, &type)))
            return 0;
        at += length;
        Value *value = &entry[i];
        *value = (Value){.type = SQLITE_NULL};
        if (type == 10 || type == 11)
            return 0;
        uint64_t bytes = type < 12 ? sizes[type] : (type - 12) / 2;
        if (bytes > (uint64_t)(end - body))
            return 0;
        if (type >= 12) {
            *value = (Value){.type = type % 2 ? SQLITE_TEXT : SQLITE_BLOB, .bytes = body, .size = (size_t)bytes};
        } else if (type) {
            uint64_t bits = type == 9 ? 1 : bytes && body[0] & 0x80 ? ~(uint64_t)0 : 0;
            for (size_t j = 0; j < bytes; j++)
                bits = bits << 8 | body[j];
            if (type == 7) {
                double real;
                memcpy(&real, &bits, sizeof real);
                if (!take_real(value, real))
                    return 0;
            } else {
                *value = (Value){.type = SQLITE_INTEGER};
                memcpy(&value->integer, &bits, sizeof bits);
            }
        }
        body += bytes;
    }
    return at == types_end && body == end;
}

/* Stand before the first entry of the index that has its root there. */
static int begin_entries(File *file, unsigned int root)
{
    file->level = 0;
    return enter_page(file, 0, root);
}

/* Read the index's next entry. Its bytes are those of a page, or of the file's payload, until the one after it. */
static Reading next_entry(File *file, Value *entry, int width)
{
    while (file->level >= 0) {
        Page *page = &file->levels[file->level];
        if (page->is_interior && !page->has_descended) {
            size_t offset = read_u16(page->bytes + 12 + 2 * (size_t)page->cell);
            int is_last = page->cell == page->cells;
            if (!is_last && offset + 4 > file->usable)
                return NOT_UNDERSTOOD;
            unsigned int child = read_u32(is_last ? page->bytes + 8 : page->bytes + offset);
            page->has_descended = 1;
            if (++file->level == MOST_LEVELS || !enter_page(file, file->level, child))
                return NOT_UNDERSTOOD;
        } else if (page->cell == page->cells) {
            file->level--;
        } else {
            const unsigned char *payload;
            size_t size;
            Reading reading = find_payload(file, page, &payload, &size);
            page->cell++;
            page->has_descended = 0;
            if (reading != TAKEN)
                return reading;
            return read_entry(payload, size, entry, width) ? TAKEN : NOT_UNDERSTOOD;
        }
    }
    return AT_END;
}

#endif
