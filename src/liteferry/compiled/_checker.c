/* Whether an index holds exactly its table's entries, in order.
 *
 * SQLite's integrity check looks up every row in every index, which for a large table is a random access a row and
 * index. Here the table is read once from end to end, by SQLite, and each index once from end to end, as its pages are:
 * the entries that the rows should have, and those that the index has, are hashed with a key made up for the occasion,
 * and added up. Equal counts and sums, and an index that is in order (and unique, where it has to be), leave nothing for
 * the lookup to find. What is not equal, or not understood, is called doubtful: there SQLite's own check decides, and
 * says what is wrong.
 *
 * The pages, and not SQLite's scan of them: a scan forgives an entry whose header claims other lengths than its payload
 * has, and such an entry is not found by a lookup. That pages belong to one tree each, and once, quick_check knows.
 *
 * Source: https://sqlite.org/fileformat2.html. No value leaves this file, and none is changed. */

#include "snapshot.h"

#include <stdlib.h>
#include <unistd.h>

enum { POLL_ROWS = 4096 };
enum { FILE_HEADER = 100, LARGEST_PAGE = 65536, MOST_LEVELS = 20, INTERIOR = 2, LEAF = 10 };
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

typedef struct {
    unsigned int root;
    const char *orders; /* a byte a column of an entry: its collation, and whether it descends */
    int width; /* of an entry, the rowid being its last column */
    int unique; /* how many columns must not be equal to the entry's before; 0 for any */
    int *columns; /* for each column of an entry, that of the table's SELECT */
    uint64_t sum;
    sqlite3_int64 count;
} Index;

typedef struct {
    const char *sql;
    int width;
    Py_ssize_t count;
    Index *indexes;
} Table;

typedef enum { EQUAL, DOUBTFUL, STOPPED, NO_MEMORY } Verdict;

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

/* Whether this entry may follow the one before: above it, and another one in what has to be unique. */
static int follows(const Index *index, const Kept *before, const Value *entry, int *sure)
{
    int has_null = 0;
    for (int i = 0; i < index->width; i++) {
        if (index->unique && i == index->unique && !has_null)
            return 0; /* equal so far, and no NULL among it */
        int order = compare_values(&before[i].value, &entry[i], index->orders[i] & COLLATION_MASK, sure);
        if (order)
            return index->orders[i] & DESCENDING ? order > 0 : order < 0;
        has_null |= entry[i].type == SQLITE_NULL;
    }
    return 0; /* the same entry twice */
}

/* ------------------------------------------------------------------------------------------------------------------
 * Reading. Nothing here needs the GIL. */

static int is_stopped(const char *stop)
{
    return __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
}

/* Add up, from the table's rows, the entries that each index should have. */
static Verdict add_rows(sqlite3 *db, Table *table, uint64_t key, Value *row, const char *stop)
{
    sqlite3_stmt *statement = NULL;
    Verdict verdict = EQUAL;
    int code = sqlite3_prepare_v2(db, table->sql, -1, &statement, NULL);
    if (code == SQLITE_OK && sqlite3_column_count(statement) != table->width)
        code = SQLITE_MISUSE;
    sqlite3_int64 rows = 0;
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        code = SQLITE_OK;
        if (++rows % POLL_ROWS == 0 && is_stopped(stop)) {
            verdict = STOPPED;
            break;
        }
        for (int i = 0; i < table->width; i++) {
            if (!read_value(statement, i, &row[i])) {
                verdict = NO_MEMORY;
                goto end;
            }
        }
        for (Py_ssize_t i = 0; i < table->count; i++) {
            Index *index = &table->indexes[i];
            uint64_t hash = begin_hash(key);
            for (int j = 0; j < index->width; j++)
                hash = hash_value(key, hash, &row[index->columns[j]]);
            index->sum += hash;
            index->count++;
        }
    }
    if (verdict == EQUAL && code != SQLITE_DONE)
        verdict = DOUBTFUL;
end:
    sqlite3_finalize(statement);
    return verdict;
}

/* ------------------------------------------------------------------------------------------------------------------
 * The pages of an index. */

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
    Page levels[MOST_LEVELS];
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
static Verdict find_payload(File *file, const Page *page, const unsigned char **payload, size_t *size)
{
    const unsigned char *limit = page->bytes + file->usable;
    size_t offset = read_u16(page->bytes + (page->is_interior ? 12 : 8) + 2 * (size_t)page->cell);
    const unsigned char *cell = page->bytes + offset + (page->is_interior ? 4 : 0);
    uint64_t whole;
    size_t length = cell < limit ? read_varint(cell, limit, &whole) : 0;
    if (!length || whole > (uint64_t)file->pages * file->page_size)
        return DOUBTFUL;
    cell += length;
    size_t usable = file->usable, most = (usable - 12) * 64 / 255 - 23, least = (usable - 12) * 32 / 255 - 23;
    size_t local = (size_t)whole;
    if (whole > most) {
        local = least + (size_t)(whole - least) % (usable - 4);
        local = local <= most ? local : least;
    }
    if (local > (size_t)(limit - cell))
        return DOUBTFUL;
    *size = (size_t)whole;
    *payload = cell;
    if (local == whole)
        return EQUAL;
    if ((size_t)(limit - cell) < local + 4)
        return DOUBTFUL;
    if (whole > file->payload_capacity) {
        unsigned char *buffer = realloc(file->payload, (size_t)whole);
        if (!buffer)
            return NO_MEMORY;
        file->payload = buffer;
        file->payload_capacity = (size_t)whole;
    }
    memcpy(file->payload, cell, local);
    unsigned int next = read_u32(cell + local);
    for (size_t done = local; done < whole;) {
        if (!read_page(file, next, file->overflow))
            return DOUBTFUL;
        size_t piece = whole - done < usable - 4 ? (size_t)whole - done : usable - 4;
        memcpy(file->payload + done, file->overflow + 4, piece);
        done += piece;
        next = read_u32(file->overflow);
    }
    *payload = file->payload;
    return next ? DOUBTFUL : EQUAL;
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

/* Take an entry off the index's sum, and see that it follows the one before. */
static Verdict subtract_entry(Index *index, uint64_t key, const Value *entry, Kept *before, int is_first)
{
    int sure = 1;
    uint64_t hash = begin_hash(key);
    for (int i = 0; i < index->width; i++)
        hash = hash_value(key, hash, &entry[i]);
    index->sum -= hash;
    if (--index->count < 0 || (!is_first && !follows(index, before, entry, &sure)) || !sure)
        return DOUBTFUL;
    for (int i = 0; i < index->width; i++) {
        if (!keep_value(&before[i], &entry[i]))
            return NO_MEMORY;
    }
    return EQUAL;
}

/* Take off the sum, in their order, the entries that the index has: nothing must remain. entry: room for one. */
static Verdict subtract_entries(File *file, Index *index, uint64_t key, Value *entry, Kept *before, const char *stop)
{
    int level = 0, is_first = 1;
    Verdict verdict = EQUAL;
    if (!enter_page(file, 0, index->root))
        return DOUBTFUL;
    while (verdict == EQUAL && level >= 0) {
        Page *page = &file->levels[level];
        if (page->is_interior && !page->has_descended) {
            size_t offset = read_u16(page->bytes + 12 + 2 * (size_t)page->cell);
            int is_last = page->cell == page->cells;
            if (!is_last && offset + 4 > file->usable)
                return DOUBTFUL;
            unsigned int child = read_u32(is_last ? page->bytes + 8 : page->bytes + offset);
            page->has_descended = 1;
            if (++level == MOST_LEVELS || !enter_page(file, level, child))
                return DOUBTFUL;
        } else if (page->cell == page->cells) {
            level--;
        } else {
            const unsigned char *payload;
            size_t size;
            verdict = find_payload(file, page, &payload, &size);
            if (verdict == EQUAL && !read_entry(payload, size, entry, index->width))
                verdict = DOUBTFUL;
            if (verdict == EQUAL)
                verdict = subtract_entry(index, key, entry, before, is_first);
            if (index->count % POLL_ROWS == 0 && is_stopped(stop))
                verdict = STOPPED;
            is_first = 0;
            page->cell++;
            page->has_descended = 0;
        }
    }
    return verdict == EQUAL && (index->count || index->sum) ? DOUBTFUL : verdict;
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

/* row: room for a row of this table; before: for an entry of any of its indexes. */
static Verdict compare_table(sqlite3 *db, File *file, Table *table, uint64_t key, Value *row, Kept *before, const char *stop)
{
    Verdict verdict = add_rows(db, table, key, row, stop);
    for (Py_ssize_t i = 0; verdict == EQUAL && i < table->count; i++)
        verdict = subtract_entries(file, &table->indexes[i], key, row, before, stop);
    return verdict;
}

/* ------------------------------------------------------------------------------------------------------------------
 * What Python hands over. The strings stay Python's, which holds them as long as the call takes. */

static void free_tables(Table *tables, Py_ssize_t count)
{
    for (Py_ssize_t i = 0; tables && i < count; i++) {
        for (Py_ssize_t j = 0; tables[i].indexes && j < tables[i].count; j++)
            free(tables[i].indexes[j].columns);
        free(tables[i].indexes);
    }
    free(tables);
}

static int parse_index(PyObject *item, Index *index, int table_width)
{
    PyObject *columns;
    Py_ssize_t size;
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "an index is a tuple");
        return 0;
    }
    if (!PyArg_ParseTuple(item, "IO!y#i", &index->root, &PyTuple_Type, &columns, &index->orders, &size, &index->unique))
        return 0;
    index->width = (int)PyTuple_GET_SIZE(columns);
    if (size != index->width || size < 1 || index->unique < 0 || index->unique >= index->width) {
        PyErr_SetString(PyExc_ValueError, "an index has an order for each of its columns, the rowid being the last");
        return 0;
    }
    if (!(index->columns = calloc((size_t)index->width, sizeof *index->columns))) {
        PyErr_NoMemory();
        return 0;
    }
    for (int i = 0; i < index->width; i++) {
        long column = PyLong_AsLong(PyTuple_GET_ITEM(columns, i));
        if (column < 0 || column >= table_width) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "an index has a column that its table has not");
            return 0;
        }
        index->columns[i] = (int)column;
    }
    return 1;
}

/* *widest: the most values of a row or an entry. */
static Table *parse_tables(PyObject *items, Py_ssize_t count, int *widest)
{
    Table *tables = calloc(count ? (size_t)count : 1, sizeof *tables);
    if (!tables) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i), *indexes;
        if (!PyTuple_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "a table is a tuple");
            goto failed;
        }
        if (!PyArg_ParseTuple(item, "siO!", &tables[i].sql, &tables[i].width, &PyTuple_Type, &indexes))
            goto failed;
        *widest = tables[i].width > *widest ? tables[i].width : *widest;
        Py_ssize_t number = PyTuple_GET_SIZE(indexes);
        if (!(tables[i].indexes = calloc(number ? (size_t)number : 1, sizeof *tables[i].indexes))) {
            PyErr_NoMemory();
            goto failed;
        }
        tables[i].count = number;
        for (Py_ssize_t j = 0; j < number; j++) {
            Index *index = &tables[i].indexes[j];
            if (!parse_index(PyTuple_GET_ITEM(indexes, j), index, tables[i].width))
                goto failed;
            *widest = index->width > *widest ? index->width : *widest;
        }
    }
    return tables;
failed:
    free_tables(tables, count);
    return NULL;
}

PyDoc_STRVAR(find_doubtful_doc,
             "find_doubtful(uri, descriptor, tables, key, stop) -> list of the positions of tables in doubt, None when stopped.\n\n"
             "tables: (sql, width, indexes) each; sql gives the rowid and the indexed columns of every row.\n"
             "indexes: (root, columns, orders, unique) each; root: its first page; columns: where the table's sql gives\n"
             "what an entry holds, the rowid last; orders: a byte a column, 0 BINARY, 1 NOCASE, 2 RTRIM, and 4 for\n"
             "descending; unique: how many columns are, 0 for none.\n"
             "descriptor: of the same file, for reading. It has no -wal file, and nobody writes to it.\n"
             "stop: a buffer whose first byte, once set, ends the work. The GIL is released.");

static PyObject *find_doubtful(PyObject *module, PyObject *args)
{
    (void)module;
    const char *uri;
    PyObject *items, *no_collations, *found = NULL;
    unsigned long long key;
    Py_buffer stop;
    int descriptor;
    File file = {0};
    if (!PyArg_ParseTuple(args, "siO!Ky*", &uri, &descriptor, &PyTuple_Type, &items, &key, &stop))
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    int widest = 1;
    Table *tables = NULL;
    Value *row = NULL;
    Kept *before = NULL;
    sqlite3 *db = NULL;
    if (stop.len < 1) {
        PyErr_SetString(PyExc_ValueError, "stop is empty");
        goto end;
    }
    if (!(tables = parse_tables(items, count, &widest)))
        goto end;
    row = calloc((size_t)widest, sizeof *row);
    before = calloc((size_t)widest, sizeof *before);
    if (!row || !before) {
        PyErr_NoMemory();
        goto end;
    }
    if (!open_file(&file, descriptor)) {
        PyErr_SetString(PyExc_ValueError, "this is no database, or there is no memory to read it");
        goto end;
    }
    if (!(no_collations = PyTuple_New(0)))
        goto end;
    db = snapshot_open(uri, no_collations);
    Py_DECREF(no_collations);
    if (!db || !(found = PyList_New(0)))
        goto end;
    for (Py_ssize_t i = 0; i < count; i++) {
        Verdict verdict;
        Py_BEGIN_ALLOW_THREADS
        verdict = is_stopped(stop.buf) ? STOPPED : compare_table(db, &file, &tables[i], key, row, before, stop.buf);
        Py_END_ALLOW_THREADS
        if (verdict == STOPPED) {
            Py_SETREF(found, Py_NewRef(Py_None));
            break;
        }
        PyObject *position = verdict == NO_MEMORY ? PyErr_NoMemory() : PyLong_FromSsize_t(i);
        if (!position || (verdict == DOUBTFUL && PyList_Append(found, position) < 0)) {
            Py_XDECREF(position);
            Py_CLEAR(found);
            break;
        }
        Py_DECREF(position);
    }
end:
    sqlite3_close_v2(db);
    close_file(&file);
    for (int i = 0; before && i < widest; i++)
        free(before[i].buffer);
    free(before);
    free(row);
    free_tables(tables, count);
    PyBuffer_Release(&stop);
    return found;
}

static PyMethodDef methods[] = {
    {"find_doubtful", find_doubtful, METH_VARARGS, find_doubtful_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._checker", "Whether an index holds its table's entries.", -1, methods,
};

PyMODINIT_FUNC PyInit__checker(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
