/* Odd values, and the first row of each shape, on their way to Python: what they are and their rows' keys, as cells.
 *
 * They wait in a buffer, so that Python's lock is taken once for many; and not for long, so that memory stays bounded. */

#ifndef LITEFERRY_COUNTER_WAITING_H
#define LITEFERRY_COUNTER_WAITING_H

#include "snapshot.h"
#include "counter_forms.h"

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
        if (size && !data)
            return 0;
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

/* An object of a class derived from bytes. To call the class would mean two copies, and the value may be large. */
static PyObject *make_invalid_text(PyObject *class, const char *data, Py_ssize_t size)
{
    PyTypeObject *type = (PyTypeObject *)class;
    if (!PyType_Check(class) || !PyType_IsSubtype(type, &PyBytes_Type)) {
        PyErr_SetString(PyExc_TypeError, "a class derived from bytes was expected");
        return NULL;
    }
    PyObject *text = type->tp_alloc(type, size);
    if (!text)
        return NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    ((PyBytesObject *)text)->ob_shash = -1; /* not computed yet, as bytes.__new__ leaves it */
#pragma GCC diagnostic pop
    memcpy(PyBytes_AS_STRING(text), data, (size_t)size);
    return text;
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
    return make_invalid_text(run->invalid_text, data, (Py_ssize_t)size);
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

#endif
