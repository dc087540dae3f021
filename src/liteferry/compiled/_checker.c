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
 * What a page holds, checker_pages.h knows; what a value is, its hash and its order, checker_values.h.
 *
 * No value leaves this file, and none is changed. */

#include "checker_pages.h"

enum { POLL_ROWS = 4096 };

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
 * Adding up and taking off. Nothing here needs the GIL. */

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
    Reading reading;
    if (!begin_entries(file, index->root))
        return DOUBTFUL;
    for (int is_first = 1; (reading = next_entry(file, entry, index->width)) == TAKEN; is_first = 0) {
        Verdict verdict = subtract_entry(index, key, entry, before, is_first);
        if (index->count % POLL_ROWS == 0 && is_stopped(stop))
            verdict = STOPPED;
        if (verdict != EQUAL)
            return verdict;
    }
    if (reading != AT_END)
        return reading == NO_ROOM ? NO_MEMORY : DOUBTFUL;
    return index->count || index->sum ? DOUBTFUL : EQUAL;
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
