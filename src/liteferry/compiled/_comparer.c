/* Rows of the snapshot against what COPY TO gives, value by value in canonical form, and the digests of both.
 *
 * The specification is liteferry.compare: what a form is, how COPY's text is read, what a digest is. Common values are
 * judged here without the GIL; every other value is handed to Python, whose form counts. Nothing is shared with the
 * load but the opening of the file.
 *
 * comparer_values.h has the forms of values; comparer_rows.h a row of both sides; comparer_lines.h the lines of COPY,
 * compared or digested; comparer_gathering.h where they come from. Here is the comparer as Python has it. */

#include "comparer_gathering.h"
#include "comparer_lines.h"

static int parse_kind(const char *name, enum kind *kind)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(name, kind_names[i]) == 0) {
            *kind = (enum kind)i;
            return 1;
        }
    PyErr_Format(PyExc_ValueError, "no such kind: %s", name);
    return 0;
}

static int read_columns(comparer *self, PyObject *columns)
{
    self->width = PyTuple_GET_SIZE(columns);
    self->columns = PyMem_Calloc((size_t)self->width + 1, sizeof *self->columns);
    self->ends = PyMem_Calloc((size_t)self->width + 1, sizeof *self->ends);
    if (!self->columns || !self->ends) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < self->width; i++) {
        const char *kind;
        column *c = self->columns + i;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(columns, i), "sp", &kind, &c->is_converted) || !parse_kind(kind, &c->kind))
            return 0;
        c->piece = -1;
    }
    return 1;
}

static int read_pieced(comparer *self, PyObject *pieced)
{
    self->pieced_count = PyTuple_GET_SIZE(pieced);
    self->pieced = PyMem_Calloc((size_t)self->pieced_count + 1, sizeof *self->pieced);
    self->large = PyMem_Calloc((size_t)self->width + 1, sizeof *self->large);
    if (!self->pieced || !self->large) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < self->pieced_count; i++) {
        long position = PyLong_AsLong(PyTuple_GET_ITEM(pieced, i));
        if (position == -1 && PyErr_Occurred())
            return 0;
        enum kind kind = position >= 0 && position < self->width ? self->columns[position].kind : OTHER;
        if (kind != TEXT && kind != BYTEA && kind != JSON && kind != JSONB) {
            PyErr_SetString(PyExc_ValueError, "only texts, bytes and JSON come in pieces");
            return 0;
        }
        self->pieced[i].position = (int)position;
        self->columns[position].piece = (int)i;
    }
    return 1;
}

static int read_key(comparer *self, PyObject *key)
{
    self->key_size = PyTuple_GET_SIZE(key);
    self->key = PyMem_Calloc((size_t)self->key_size + 1, sizeof *self->key);
    self->orders = PyMem_Calloc((size_t)self->key_size + 1, sizeof *self->orders);
    self->last_ends = PyMem_Calloc((size_t)self->key_size + 1, sizeof *self->last_ends);
    if (!self->key || !self->orders || !self->last_ends) {
        PyErr_NoMemory();
        return 0;
    }
    for (Py_ssize_t i = 0; i < self->key_size; i++) {
        long position = PyLong_AsLong(PyTuple_GET_ITEM(key, i));
        if (position < 0 || position >= self->width) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "the key is none of the columns");
            return 0;
        }
        enum kind kind = self->columns[position].kind;
        self->key[i] = (int)position;
        self->orders[i] = kind == TEXT || kind == PADDED || kind == BYTEA || kind == UUID ? BY_BYTES : BY_NUMBER;
    }
    return 1;
}

static void comparer_close(comparer *self)
{
    sqlite3_finalize(self->statement);
    self->statement = NULL;
    self->db = NULL;
    Py_CLEAR(self->database);
}

static void comparer_dealloc(comparer *self)
{
    PyTypeObject *type = Py_TYPE(self);
    comparer_close(self);
    PyMem_Free(self->columns);
    PyMem_Free(self->ends);
    PyMem_Free(self->key);
    PyMem_Free(self->orders);
    PyMem_Free(self->last_ends);
    PyMem_Free(self->large);
    for (Py_ssize_t i = 0; self->pieced && i < self->pieced_count; i++)
        buffer_free(&self->pieced[i].text);
    PyMem_Free(self->pieced);
    buffer *const buffers[] = {&self->row, &self->text, &self->form, &self->pending, &self->last};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        buffer_free(buffers[i]);
    json_free(&self->work);
    Py_XDECREF(self->ask_source);
    Py_XDECREF(self->ask_target);
    type->tp_free(self);
    Py_DECREF(type);
}

static const char database_name[] = "liteferry.compiled._comparer.database";

static void database_close(PyObject *database)
{
    sqlite3_close_v2(PyCapsule_GetPointer(database, database_name));
}

/* open_copy(uri, stand_ins): a connection to the copy, for one comparison after another. Parsing a large schema costs
 * more than comparing a small table. */
static PyObject *open_copy(PyObject *module, PyObject *arguments)
{
    const char *uri;
    PyObject *stand_ins;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "sO!", &uri, &PyTuple_Type, &stand_ins))
        return NULL;
    sqlite3 *db = snapshot_open(uri, stand_ins);
    if (!db)
        return NULL;
    /* rows are read once, in order: pages kept for later would only be memory */
    int code = sqlite3_exec(db, "PRAGMA cache_size = -2048", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        snapshot_raise(db, code);
    PyObject *database = code == SQLITE_OK ? PyCapsule_New(db, database_name, database_close) : NULL;
    if (!database)
        sqlite3_close_v2(db);
    return database;
}

/* Comparer(database, sql, columns, key, pieced, large_size, is_paired, ask_source, ask_target); without a source where
 * the database is None. pieced: positions of columns whose values come in pieces: a line is then the number of the
 * piece, the values, and a piece each of these columns. */
static PyObject *comparer_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"database", "sql", "columns", "key", "pieced", "large_size", "is_paired", "ask_source",
                            "ask_target", NULL};
    const char *sql;
    PyObject *database, *columns, *key, *pieced, *ask_source, *ask_target;
    Py_ssize_t large_size;
    int is_paired;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OzO!O!O!npOO", names, &database, &sql,
                                     &PyTuple_Type, &columns, &PyTuple_Type, &key, &PyTuple_Type, &pieced, &large_size,
                                     &is_paired, &ask_source, &ask_target))
        return NULL;
    comparer *self = (comparer *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->ask_source = Py_NewRef(ask_source);
    self->ask_target = Py_NewRef(ask_target);
    self->is_paired = is_paired;
    self->is_ordered = PyTuple_GET_SIZE(key) > 0;
    self->is_equal = 1;
    self->large_size = large_size > 0 ? (size_t)large_size : 1;
    if (!read_columns(self, columns) || !read_key(self, key) || !read_pieced(self, pieced))
        goto failed;
    if (self->pieced_count && !is_paired) {
        PyErr_SetString(PyExc_ValueError, "pieces come only of rows that are compared in pairs");
        goto failed;
    }
    if (database != Py_None && sql) {
        self->db = PyCapsule_GetPointer(database, database_name);
        if (!self->db)
            goto failed;
        self->database = Py_NewRef(database);
        int code = sqlite3_prepare_v2(self->db, sql, -1, &self->statement, NULL);
        if (code != SQLITE_OK) {
            snapshot_raise(self->db, code);
            goto failed;
        }
        if (sqlite3_column_count(self->statement) != self->width) {
            PyErr_SetString(PyExc_ValueError, "the statement gives another number of columns");
            goto failed;
        }
    } else if (is_paired) {
        PyErr_SetString(PyExc_ValueError, "rows are compared with those of a source");
        goto failed;
    }
    return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

/* Run a step without the GIL. True: nothing has differed until now. */
static PyObject *run(comparer *self, const uint8_t *at, size_t size, int is_last)
{
    if (self->is_busy || self->is_done) {
        PyErr_SetString(PyExc_RuntimeError, "the comparison is over, or another thread is at it");
        return NULL;
    }
    self->is_busy = 1;
    self->released = PyEval_SaveThread();
    outcome found = take_block(self, at, size);
    if (found == FORMED && is_last)
        found = take_rest(self);
    PyEval_RestoreThread(self->released);
    self->is_busy = 0;
    if (found != FORMED || is_last || !self->is_equal) {
        self->is_done = 1;
        comparer_close(self);
    }
    if (found == NO_MEMORY)
        return PyErr_NoMemory();
    return found == FORMED ? PyBool_FromLong(self->is_equal) : NULL;
}

static PyObject *comparer_feed(comparer *self, PyObject *block)
{
    Py_buffer view;
    if (PyObject_GetBuffer(block, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *result = run(self, view.buf, (size_t)view.len, 0);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *comparer_finish(comparer *self, PyObject *unused)
{
    (void)unused;
    return run(self, NULL, 0, 1);
}

static PyObject *spell_sum(const digest_sum *sum)
{
    return Py_BuildValue("(KKKKK)", sum->rows, sum->high, sum->low, sum->xor_high, sum->xor_low);
}

static PyObject *comparer_sums(comparer *self, PyObject *unused)
{
    (void)unused;
    return Py_BuildValue("(NN)", spell_sum(&self->source), spell_sum(&self->target));
}

static PyObject *comparer_is_ordered(comparer *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(self->is_ordered);
}

static PyObject *comparer_changed(comparer *self, void *unused)
{
    (void)unused;
    PyObject *counts = PyTuple_New(self->width);
    for (Py_ssize_t i = 0; counts && i < self->width; i++) {
        PyObject *count = PyLong_FromLongLong(self->columns[i].changed);
        if (!count)
            Py_CLEAR(counts);
        else
            PyTuple_SET_ITEM(counts, i, count);
    }
    return counts;
}

static PyMethodDef comparer_methods[] = {
    {"feed", (PyCFunction)comparer_feed, METH_O, "Take the next bytes of COPY. Returns whether all was equal until now."},
    {"finish", (PyCFunction)comparer_finish, METH_NOARGS, "COPY gave no more. Returns whether all was equal."},
    {"sums", (PyCFunction)comparer_sums, METH_NOARGS, "Rows and digests of both sides."},
    {NULL},
};

static PyGetSetDef comparer_getters[] = {
    {"is_ordered", (getter)comparer_is_ordered, NULL, "Whether the key's values increased strictly.", NULL},
    {"changed", (getter)comparer_changed, NULL, "How many values of each column its conversions changed.", NULL},
    {NULL},
};

static PyType_Slot comparer_slots[] = {
    {Py_tp_new, comparer_new},
    {Py_tp_dealloc, comparer_dealloc},
    {Py_tp_methods, comparer_methods},
    {Py_tp_getset, comparer_getters},
    {0, NULL},
};

static PyType_Spec comparer_spec = {
    "liteferry.compiled._comparer.Comparer", sizeof(comparer), 0, Py_TPFLAGS_DEFAULT, comparer_slots,
};

/* ------------------------------------------------------------------------------------------------------------------
 * For tests: single forms, a digest */

static PyObject *give_form(outcome found, buffer *out, json_work *work)
{
    PyObject *form = NULL;
    if (found == NO_MEMORY)
        PyErr_NoMemory();
    else
        form = found == FORMED ? PyBytes_FromStringAndSize((const char *)out->at, (Py_ssize_t)out->size) : Py_NewRef(Py_None);
    buffer_free(out);
    json_free(work);
    return form;
}

static PyObject *form_of_source(PyObject *module, PyObject *arguments)
{
    const char *name;
    PyObject *given;
    int is_text;
    enum kind kind;
    value v = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "sOp", &name, &given, &is_text) || !parse_kind(name, &kind))
        return NULL;
    if (PyLong_Check(given)) {
        v.type = SQLITE_INTEGER;
        v.integer = PyLong_AsLongLong(given);
    } else if (PyFloat_Check(given)) {
        v.type = SQLITE_FLOAT;
        v.real = PyFloat_AS_DOUBLE(given);
    } else {
        char *bytes;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(given, &bytes, &size) < 0)
            return NULL;
        v = (value){.type = is_text ? SQLITE_TEXT : SQLITE_BLOB, .bytes = (uint8_t *)bytes, .size = (size_t)size};
    }
    if (PyErr_Occurred())
        return NULL;
    buffer out = {0};
    json_work work = {0};
    return give_form(put_source(&out, &work, kind, &v), &out, &work);
}

static PyObject *form_of_target(PyObject *module, PyObject *arguments)
{
    const char *name, *field;
    Py_ssize_t size;
    enum kind kind;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "sy#", &name, &field, &size) || !parse_kind(name, &kind))
        return NULL;
    buffer out = {0}, text = {0};
    json_work work = {0};
    outcome found = NO_MEMORY;
    if (is_null((const uint8_t *)field, (size_t)size))
        found = buffer_put(&out, "-", 1) ? FORMED : NO_MEMORY;
    else if (put_unescaped(&text, (const uint8_t *)field, (size_t)size))
        found = put_target(&out, &work, kind, text.at, text.size);
    buffer_free(&text);
    return give_form(found, &out, &work);
}

static PyObject *digest_of(PyObject *module, PyObject *message)
{
    char *bytes;
    Py_ssize_t size;
    uint64_t high, low;
    uint8_t digest[16];
    (void)module;
    if (PyBytes_AsStringAndSize(message, &bytes, &size) < 0)
        return NULL;
    blake_digest((const uint8_t *)bytes, (size_t)size, &high, &low);
    put_big(digest, high);
    put_big(digest + 8, low);
    return PyBytes_FromStringAndSize((const char *)digest, sizeof digest);
}

static PyMethodDef methods[] = {
    {"form_of_source", form_of_source, METH_VARARGS, "The form of a stored value; None where Python is asked."},
    {"form_of_target", form_of_target, METH_VARARGS, "The form of a field of COPY; None where Python is asked."},
    {"open_copy", open_copy, METH_VARARGS, "A connection to the copy."},
    {"gather", gather, METH_VARARGS, "Some rows of COPY, and what comes next."},
    {"digest_of", digest_of, METH_O, "The 16 bytes of BLAKE2b."},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._comparer", "Rows of the snapshot against what COPY TO gives.", -1, methods,
};

PyMODINIT_FUNC PyInit__comparer(void)
{
    PyObject *module = PyModule_Create(&definition);
    PyObject *type = module ? PyType_FromSpec(&comparer_spec) : NULL;
    if (!type || PyModule_AddObjectRef(module, "Comparer", type) < 0 ||
        PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0)
        Py_CLEAR(module);
    Py_XDECREF(type);
    return module;
}
