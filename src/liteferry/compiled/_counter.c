/* The census's counting of ordinary values.
 *
 * What liteferry.census would count of a value is counted here, where the value is surely as its column ought to have
 * it. Every other value is handed, with its row's key, to the accumulators in Python: see liteferry.compiled.counting,
 * which makes a column's rules of its declared type. A value is counted in one of the two places, and never in both.
 *
 * "Odd" is therefore always a safe answer, and "ordinary" never a guess. Values are looked at where SQLite has them;
 * only odd ones are copied, and flushed to Python before they come to much. */

#include "snapshot.h"

#include "counter_forms.h"
#include "counter_waiting.h"

#include <float.h>
#include <math.h>

enum { INT_ODD, INT_BETWEEN, INT_DIGITS };
enum { REAL_ODD, REAL_ANY, REAL_FINITE, REAL_SINGLE, REAL_DECIMAL };
enum { TEXT_ODD, TEXT_PLAIN, TEXT_DECIMAL, TEXT_DATETIME, TEXT_DATE, TEXT_TIME, TEXT_JSON, TEXT_UUID, TEXT_BOOL };
enum { BLOB_ODD, BLOB_ANY, BLOB_UUID };

static int count_shape(Run *run, int index, Column *column, int shape)
{
    return column->shapes[shape]++ ? 0 : wait_for_python(run, index, shape);
}

static inline void raise_to(int64_t *most, int64_t value)
{
    if (value > *most)
        *most = value;
}

static inline void raise_digits(Column *column, int whole, int fraction)
{
    if (whole > column->most_whole)
        column->most_whole = whole;
    if (fraction > column->most_fraction)
        column->most_fraction = fraction;
}

static inline int exceeds(const Column *column, int whole, int fraction)
{
    return column->whole >= 0 && (whole > column->whole || fraction > column->fraction);
}

/* Each count_… counts an ordinary value; returns ODD, having counted nothing, for another; -2 with an error set. */

#define FAILED (-2)

static int count_integer(Column *column, int64_t value)
{
    if (column->int_rule == INT_ODD || value < column->low || value > column->high)
        return ODD;
    if (column->int_rule == INT_DIGITS) {
        int whole = count_integer_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
        if (exceeds(column, whole, 0))
            return ODD;
        raise_digits(column, whole, 0);
    }
    if (!column->integers || value < column->min_integer)
        column->min_integer = value;
    if (!column->integers || value > column->max_integer)
        column->max_integer = value;
    column->integers++;
    column->size_bytes += 8;
    return 0;
}

static int count_real(Column *column, double value)
{
    int is_infinite = isinf(value) != 0, whole, fraction;
    if (column->real_rule == REAL_ODD || isnan(value))
        return ODD;
    if (is_infinite && column->real_rule != REAL_ANY && column->real_rule != REAL_SINGLE)
        return ODD;
    if (column->real_rule == REAL_SINGLE && !is_infinite && (fabs(value) > FLT_MAX || (double)(float)value != value))
        return ODD;
    if (column->real_rule == REAL_DECIMAL) {
        if (!count_real_digits(value, &whole, &fraction) || exceeds(column, whole, fraction))
            return ODD;
        if (column->whole >= 0)
            raise_digits(column, whole, fraction);
    }
    column->reals++;
    column->size_bytes += 8;
    if (is_infinite) {
        if (value > 0)
            column->positive_infinities++;
        else
            column->negative_infinities++;
        return 0;
    }
    column->negative_zeros += value == 0 && signbit(value);
    if (!column->has_finite || value < column->min_real)
        column->min_real = value;
    if (!column->has_finite || value > column->max_real)
        column->max_real = value;
    column->has_finite = 1;
    return 0;
}

static int count_text(Run *run, int index, Column *column, const unsigned char *p, size_t n)
{
    static const char *const words[] = {"true", "false", "t", "f", "0", "1", NULL};
    int form = ODD, shape = ODD, digits = 0, whole = 0;
    if (column->text_rule == TEXT_ODD)
        return ODD;
    int64_t chars = count_chars(p, n);
    if (chars == ODD || (column->most_chars >= 0 && chars > column->most_chars))
        return ODD;
    int is_ascii = (size_t)chars == n;
    switch (column->text_rule) {
    case TEXT_DECIMAL:
        if (!count_text_digits(p, n, &whole, &digits) || exceeds(column, whole, digits))
            return ODD;
        /* fall through */
    case TEXT_PLAIN:
        shape = shape_text(run->json, p, n, is_ascii);
        if (shape == ODD)
            return ODD;
        break;
    case TEXT_DATETIME:
    case TEXT_DATE:
        form = is_ascii ? form_datetime(p, n, &digits) : ODD;
        if (form < 0 || digits > column->fraction || (column->text_rule == TEXT_DATE && form != FORM_DATE))
            return ODD;
        break;
    case TEXT_TIME:
        form = is_ascii ? form_time(p, n, &digits) : ODD;
        if (form < 0 || digits > column->fraction)
            return ODD;
        break;
    case TEXT_JSON:
        if (!is_plain_json(run->json, p, n))
            return ODD;
        form = FORM_JSONB;
        break;
    case TEXT_UUID:
        if (shape_uuid(p, n) == ODD)
            return ODD;
        form = FORM_UUID;
        break;
    default:
        if (!is_one_of(p, n, words))
            return ODD;
        form = FORM_BOOL_WORD;
    }
    column->texts++;
    column->size_bytes += (int64_t)n;
    raise_to(&column->longest_text, chars);
    raise_to(&column->longest_bytes, (int64_t)n);
    raise_digits(column, whole, digits);
    if (form != ODD)
        column->forms[form]++;
    if (shape != ODD && count_shape(run, index, column, shape) < 0)
        return FAILED;
    return 0;
}

static int count_blob(Run *run, int index, Column *column, const unsigned char *p, size_t n)
{
    if (column->blob_rule == BLOB_ODD || (column->blob_rule == BLOB_UUID && n != 16))
        return ODD;
    column->blobs++;
    column->size_bytes += (int64_t)n;
    raise_to(&column->longest_bytes, (int64_t)n);
    return count_shape(run, index, column, shape_blob(p, n)) < 0 ? FAILED : 0;
}

/* Step through the rows. Without the GIL. SQLITE_DONE; another of SQLite's codes; -1 with an error set. */
static int count_rows(Run *run, int64_t *rows, int64_t *max_rowid)
{
    int64_t untold_bytes = 0;
    int code;
    *rows = 0;
    while ((code = sqlite3_step(run->statement)) == SQLITE_ROW) {
        for (int i = 0; i < run->width + run->has_rowid; i++) {
            run->values[i] = sqlite3_column_value(run->statement, i);
            run->types[i] = (unsigned char)sqlite3_value_type(run->values[i]);
        }
        for (int i = 0; i < run->width; i++) {
            Column *column = &run->columns[i];
            sqlite3_value *value = run->values[i];
            int found = ODD;
            switch (run->types[i]) {
            case SQLITE_NULL:
                if (!column->null_is_odd) {
                    column->nulls++;
                    found = 0;
                }
                break;
            case SQLITE_INTEGER:
                found = count_integer(column, sqlite3_value_int64(value));
                break;
            case SQLITE_FLOAT:
                found = count_real(column, sqlite3_value_double(value));
                break;
            case SQLITE_TEXT: { /* as a blob: in UTF-8, SQLite then need not copy it to end it with NUL */
                const unsigned char *text = sqlite3_value_blob(value);
                size_t size = (size_t)sqlite3_value_bytes(value);
                untold_bytes += (int64_t)size;
                if (text || !size)
                    found = count_text(run, i, column, text, size);
                else
                    return fail_without_memory(run);
                break;
            }
            default: {
                const unsigned char *blob = sqlite3_value_blob(value);
                size_t size = (size_t)sqlite3_value_bytes(value);
                untold_bytes += (int64_t)size;
                if (blob || !size)
                    found = count_blob(run, i, column, blob, size);
                else
                    return fail_without_memory(run);
            }
            }
            if (found == FAILED || (found == ODD && wait_for_python(run, i, ODD) < 0))
                return -1;
        }
        if (run->has_rowid) {
            int64_t rowid = sqlite3_value_int64(run->values[run->width]);
            if (!*rows || rowid > *max_rowid)
                *max_rowid = rowid;
        }
        ++*rows;
        ++run->order;
        if (*rows % TELL_ROWS == 0 || untold_bytes > TELL_BYTES) {
            untold_bytes = 0;
            if (tell(run, *rows) < 0)
                return -1;
        }
    }
    if (flush(run) < 0)
        return -1;
    return code;
}

static int read_columns(Run *run, PyObject *columns)
{
    for (int i = 0; i < run->width; i++) {
        Column *c = &run->columns[i];
        long long low, high, most_chars;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(columns, i), "piLLiiiiiL", &c->null_is_odd, &c->int_rule, &low, &high,
                              &c->real_rule, &c->text_rule, &c->blob_rule, &c->whole, &c->fraction, &most_chars))
            return -1;
        c->low = low;
        c->high = high;
        c->most_chars = most_chars;
    }
    return 0;
}

static PyObject *list_counts(const int64_t *counts, const char *const *names, int number)
{
    PyObject *found = PyDict_New();
    for (int i = 0; found && i < number; i++) {
        if (!counts[i])
            continue;
        PyObject *count = PyLong_FromLongLong(counts[i]);
        if (!count || PyDict_SetItemString(found, names[i], count) < 0)
            Py_CLEAR(found);
        Py_XDECREF(count);
    }
    return found;
}

static PyObject *make_tally(const Column *c)
{
    PyObject *forms = list_counts(c->forms, form_names, FORMS), *shapes = list_counts(c->shapes, shape_names, SHAPES);
    PyObject *least = c->integers ? PyLong_FromLongLong(c->min_integer) : Py_NewRef(Py_None);
    PyObject *most = c->integers ? PyLong_FromLongLong(c->max_integer) : Py_NewRef(Py_None);
    PyObject *low = c->has_finite ? PyFloat_FromDouble(c->min_real) : Py_NewRef(Py_None);
    PyObject *high = c->has_finite ? PyFloat_FromDouble(c->max_real) : Py_NewRef(Py_None);
    if (!forms || !shapes || !least || !most || !low || !high) {
        Py_XDECREF(forms);
        Py_XDECREF(shapes);
        Py_XDECREF(least);
        Py_XDECREF(most);
        Py_XDECREF(low);
        Py_XDECREF(high);
        return NULL;
    }
    return Py_BuildValue(
        "{sLsLsLsLsLsNsNsNsNsLsLsLsLsLsLsisisNsN}", "nulls", (long long)c->nulls, "integers", (long long)c->integers,
        "reals", (long long)c->reals, "texts", (long long)c->texts, "blobs", (long long)c->blobs, "min_integer", least,
        "max_integer", most, "min_real", low, "max_real", high, "negative_zeros", (long long)c->negative_zeros,
        "positive_infinities", (long long)c->positive_infinities, "negative_infinities",
        (long long)c->negative_infinities, "longest_text_chars", (long long)c->longest_text, "longest_value_bytes",
        (long long)c->longest_bytes, "size_bytes", (long long)c->size_bytes, "max_fraction_digits", c->most_fraction,
        "max_integer_digits", c->most_whole, "forms", forms, "shapes", shapes);
}

static PyObject *make_result(const Run *run, int64_t rows, int64_t max_rowid)
{
    PyObject *tallies = PyList_New(0);
    for (int i = 0; tallies && i < run->width; i++)
        if (append_new(tallies, make_tally(&run->columns[i])) < 0)
            Py_CLEAR(tallies);
    if (!tallies)
        return NULL;
    if (!run->has_rowid || !rows)
        return Py_BuildValue("LON", (long long)rows, Py_None, tallies);
    return Py_BuildValue("LLN", (long long)rows, (long long)max_rowid, tallies);
}

#define READER "liteferry.compiled._counter.reader"

static PyObject *count(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *capsule, *columns, *keys, *result = NULL;
    const char *sql;
    Py_ssize_t sql_size;
    long long first_order;
    Run *run = PyMem_Calloc(1, sizeof *run);
    if (!run)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(args, "Os#O!O!pLOOO", &capsule, &sql, &sql_size, &PyTuple_Type, &columns, &PyTuple_Type,
                          &keys, &run->has_rowid, &first_order, &run->invalid_text, &run->take, &run->tell)) {
        PyMem_Free(run);
        return NULL;
    }
    Reader *reader = PyCapsule_GetPointer(capsule, READER);
    if (!reader || reader->is_used || sql_size > INT32_MAX) {
        if (reader)
            PyErr_SetString(PyExc_RuntimeError, "the reader is in use");
        PyMem_Free(run);
        return NULL;
    }
    reader->is_used = 1;
    run->order = first_order;
    run->width = (int)PyTuple_GET_SIZE(columns);
    int key_columns = (int)PyTuple_GET_SIZE(keys);
    run->key_width = key_columns + run->has_rowid;
    run->columns = PyMem_Calloc((size_t)run->width + 1, sizeof *run->columns);
    run->key_items = PyMem_Calloc((size_t)run->key_width + 1, sizeof *run->key_items);
    run->types = PyMem_Malloc((size_t)run->width + 1);
    run->values = PyMem_Calloc((size_t)run->width + 1, sizeof *run->values);
    run->json = PyMem_Calloc(1, sizeof *run->json);
    if (!run->columns || !run->key_items || !run->types || !run->values || !run->json) {
        PyErr_NoMemory();
        goto done;
    }
    if (read_columns(run, columns) < 0)
        goto done;
    for (int i = 0; i < run->key_width; i++) {
        long item = i < key_columns ? PyLong_AsLong(PyTuple_GET_ITEM(keys, i)) : run->width;
        if (item < 0 || item >= run->width + run->has_rowid) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "a key's column is none of the table's");
            goto done;
        }
        run->key_items[i] = (int)item;
    }
    int64_t rows = 0, max_rowid = 0;
    int code;
    run->saved = PyEval_SaveThread();
    code = sqlite3_prepare_v2(reader->db, sql, (int)sql_size, &run->statement, NULL);
    int is_prepared = code == SQLITE_OK && sqlite3_column_count(run->statement) == run->width + run->has_rowid;
    if (is_prepared)
        code = count_rows(run, &rows, &max_rowid);
    PyEval_RestoreThread(run->saved);
    if (is_prepared && code == SQLITE_DONE)
        result = make_result(run, rows, max_rowid);
    else if (code != SQLITE_OK && code != -1)
        snapshot_raise(reader->db, code);
    else if (code == SQLITE_OK)
        PyErr_SetString(PyExc_ValueError, "the SELECT has another number of items");
done:
    sqlite3_finalize(run->statement);
    free(run->buffer);
    PyMem_Free(run->columns);
    PyMem_Free(run->key_items);
    PyMem_Free(run->types);
    PyMem_Free(run->values);
    free_json(run->json);
    PyMem_Free(run);
    reader->is_used = 0;
    return result;
}

static void close_reader(PyObject *capsule)
{
    Reader *reader = PyCapsule_GetPointer(capsule, READER);
    if (reader) {
        sqlite3_close_v2(reader->db);
        PyMem_Free(reader);
    }
}

static PyObject *open_reader(PyObject *module, PyObject *args)
{
    (void)module;
    const char *uri;
    PyObject *stand_ins;
    if (!PyArg_ParseTuple(args, "sO!", &uri, &PyTuple_Type, &stand_ins))
        return NULL;
    Reader *reader = PyMem_Calloc(1, sizeof *reader);
    if (!reader)
        return PyErr_NoMemory();
    reader->db = snapshot_open(uri, stand_ins);
    PyObject *capsule = reader->db ? PyCapsule_New(reader, READER, close_reader) : NULL;
    if (!capsule) {
        sqlite3_close_v2(reader->db);
        PyMem_Free(reader);
    }
    return capsule;
}

static PyMethodDef methods[] = {
    {"open_reader", open_reader, METH_VARARGS, "Open the snapshot: URI, collations that need stand-ins."},
    {"count", count, METH_VARARGS, "Count a SELECT's ordinary values, and hand over the others."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._counter", "The census's counting of ordinary values.", -1, methods,
};

PyMODINIT_FUNC PyInit__counter(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
