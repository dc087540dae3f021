/* Rows of the snapshot to the bytes of PostgreSQL's binary COPY format.
 *
 * liteferry.codecs says what the bytes are: it is the specification. Here is what is common, written so that it runs
 * without the GIL; a value of which a function here is not certain goes, as a Python object, to the column's encoder of
 * liteferry.codecs, whose bytes or error count. So no function here ever refuses a value: it encodes it, or is UNSURE.
 *
 * encoder_kinds.h has the types; encoder_values.h what SQLite's values are; encoder_output.h where the bytes go. Here
 * is the Reader, which steps the rows. It is used by one thread at a time.
 *
 * Measured: 2 million rows of 11 columns (the benchmark's wide table, 436 MB) take 0.63 s of processor time, of which
 * SQLite's stepping takes 0.27 s and asking it for the values 0.15 s. The Python reference takes 14 s. */

#include "encoder_kinds.h"

/* The reader. */

typedef struct {
    PyObject_HEAD
    sqlite3 *db;
    sqlite3_stmt *statement;
    Column *columns;
    int count;
    int column;              /* the next one of the current row; -1 when the next row is to be stepped to */
    bool busy, ended;
    PyObject *invalid_text;  /* the class for texts that are not UTF-8; NULL: they are an error */
    PyObject *owner;         /* of the bytes that Output.rest points at, where they are not SQLite's */
    Output out;
    PyThreadState *released; /* while the GIL is not held */
    long long rows;          /* that were encoded since the statement began */
} Reader;

static PyObject *Undecodable; /* a text that is not UTF-8, where there is no class for it */

static void take_gil(Reader *self)
{
    if (self->released) {
        PyEval_RestoreThread(self->released);
        self->released = NULL;
    }
}

/* A value as liteferry.source gives it: None, int, float, str, InvalidText, bytes. Needs the GIL. */
static PyObject *make_object(const Reader *self, sqlite3_value *value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        Text text = text_of(value);
        if (!text.at)
            return PyErr_NoMemory();
        PyObject *made = PyUnicode_DecodeUTF8((const char *)text.at, (Py_ssize_t)text.size, NULL);
        if (made || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            return made;
        if (!self->invalid_text) {
            PyErr_SetString(Undecodable, "a text is not valid UTF-8");
            return NULL;
        }
        PyErr_Clear();
        return PyObject_CallFunction(self->invalid_text, "y#", (const char *)text.at, (Py_ssize_t)text.size);
    }
    case SQLITE_BLOB: {
        const void *bytes = sqlite3_value_blob(value);
        Py_ssize_t size = sqlite3_value_bytes(value);
        return bytes || !size ? PyBytes_FromStringAndSize(bytes, size) : PyErr_NoMemory();
    }
    default:
        Py_RETURN_NONE;
    }
}

/* Have Python encode the value. The GIL is kept for the rest of the chunk: taking it anew for each of a column's values
 * would let another thread keep it for 5 ms every time. */
static bool ask_reference(Reader *self, const Column *column, sqlite3_value *value)
{
    take_gil(self);
    PyObject *object = make_object(self, value);
    PyObject *field = object ? PyObject_CallOneArg(column->reference, object) : NULL;
    Py_XDECREF(object);
    if (field && !PyBytes_Check(field)) {
        PyErr_SetString(PyExc_TypeError, "an encoder gives bytes");
        Py_CLEAR(field);
    }
    if (!field)
        return false;
    put_bytes(&self->out, (unsigned char *)PyBytes_AS_STRING(field), (size_t)PyBytes_GET_SIZE(field));
    if (self->out.rest_size)
        self->owner = field; /* until its last byte is out */
    else
        Py_DECREF(field);
    return true;
}

enum Filled { FILLED, ENDED, FAILED };

/* Encode until the chunk is full. Begins without the GIL, and may end with it. */
static enum Filled fill(Reader *self)
{
    Output *out = &self->out;
    for (;;) {
        if (out->rest_size) {
            put_bytes(out, out->rest, out->rest_size);
            if (out->rest_size)
                return FILLED;
            if (self->owner) {
                take_gil(self);
                Py_CLEAR(self->owner);
            }
        }
        if (self->column == self->count) {
            self->rows++;
            self->column = -1;
        }
        if (out->end - out->at < ROOM)
            return FILLED;
        if (self->column < 0) {
            int code = sqlite3_step(self->statement);
            if (code == SQLITE_DONE)
                return ENDED;
            if (code != SQLITE_ROW) {
                take_gil(self);
                snapshot_raise(self->db, code);
                return FAILED;
            }
            self->column = 0;
            put_int16(out, self->count);
            if (!self->count)
                continue;
        }
        const Column *column = &self->columns[self->column];
        sqlite3_value *value = sqlite3_column_value(self->statement, self->column);
        int type = sqlite3_value_type(value);
        if (type == SQLITE_NULL && column->encode)
            put_int32(out, -1);
        else if (!(column->encode && column->encode(out, column, value, type)) && !ask_reference(self, column, value))
            return FAILED;
        self->column++;
    }
}

static void forget_statement(Reader *self)
{
    sqlite3_finalize(self->statement);
    self->statement = NULL;
    for (int i = 0; i < self->count; i++)
        Py_XDECREF(self->columns[i].reference);
    PyMem_Free(self->columns);
    self->columns = NULL;
    self->count = 0;
    self->out.rest_size = 0;
    Py_CLEAR(self->invalid_text);
    Py_CLEAR(self->owner);
}

static bool refuse_when_busy(const Reader *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError, "the reader is in use by another thread");
    else if (!self->db)
        PyErr_SetString(PyExc_RuntimeError, "the reader is closed");
    return self->busy || !self->db;
}

static int reader_init(Reader *self, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"uri", "stand_ins", NULL};
    const char *uri;
    PyObject *stand_ins;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "sO!", keywords, &uri, &PyTuple_Type, &stand_ins))
        return -1;
    if (self->db) {
        PyErr_SetString(PyExc_RuntimeError, "the reader is open");
        return -1;
    }
    self->db = snapshot_open(uri, stand_ins);
    if (!self->db)
        return -1;
    /* KiB: a page is read once, so that a larger cache would only hold what is done with */
    int code = sqlite3_exec(self->db, "PRAGMA cache_size = -1024", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        snapshot_raise(self->db, code);
    return code == SQLITE_OK ? 0 : -1;
}

static void reader_dealloc(Reader *self)
{
    PyTypeObject *type = Py_TYPE(self);
    forget_statement(self);
    sqlite3_close_v2(self->db);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static bool take_column(PyObject *given, Column *column)
{
    const char *kind;
    long long unit_us;
    PyObject *reference;
    if (!PyArg_ParseTuple(given, "siiiLO", &kind, &column->flags, &column->precision, &column->scale, &unit_us,
                          &reference))
        return false;
    if (column->precision < 0 || column->precision > 1000 || column->scale < 0 || column->scale > 1000) {
        PyErr_SetString(PyExc_ValueError, "a precision or scale that no column has");
        return false;
    }
    column->encode = find_kind(kind);
    if (*kind && !column->encode) {
        PyErr_Format(PyExc_ValueError, "%s is no kind", kind);
        return false;
    }
    column->unit_us = unit_us;
    Py_INCREF(reference);
    column->reference = reference;
    return true;
}

PyDoc_STRVAR(begin_doc, "begin(sql, columns, invalid_text)\n--\n\n"
                        "Begin to read. columns: a tuple of (kind, flags, precision, scale, unit_us, encoder) each.");

static PyObject *reader_begin(Reader *self, PyObject *arguments)
{
    const char *sql;
    Py_ssize_t sql_size;
    PyObject *columns, *invalid_text;
    if (refuse_when_busy(self) ||
        !PyArg_ParseTuple(arguments, "s#O!O", &sql, &sql_size, &PyTuple_Type, &columns, &invalid_text))
        return NULL;
    forget_statement(self);
    Py_ssize_t count = PyTuple_GET_SIZE(columns);
    if (count > INT16_MAX || sql_size > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many columns");
        return NULL;
    }
    self->columns = PyMem_Calloc(count ? (size_t)count : 1, sizeof *self->columns);
    if (!self->columns)
        return PyErr_NoMemory();
    self->count = (int)count;
    for (Py_ssize_t i = 0; i < count; i++)
        if (!take_column(PyTuple_GET_ITEM(columns, i), &self->columns[i])) {
            forget_statement(self);
            return NULL;
        }
    int code;
    self->busy = true;
    Py_BEGIN_ALLOW_THREADS
    code = sqlite3_prepare_v2(self->db, sql, (int)sql_size, &self->statement, NULL);
    Py_END_ALLOW_THREADS
    self->busy = false;
    if (code != SQLITE_OK || (count && sqlite3_column_count(self->statement) != count)) {
        if (code != SQLITE_OK)
            snapshot_raise(self->db, code);
        else
            PyErr_SetString(PyExc_ValueError, "the statement has another number of columns");
        forget_statement(self);
        return NULL;
    }
    if (invalid_text != Py_None) {
        Py_INCREF(invalid_text);
        self->invalid_text = invalid_text;
    }
    self->column = -1;
    self->rows = 0;
    self->ended = false;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(read_doc, "read()\n--\n\nGive how many rows ended in the next chunk, and its bytes; None after the last.");

static PyObject *reader_read(Reader *self, PyObject *unused)
{
    (void)unused;
    if (refuse_when_busy(self))
        return NULL;
    if (!self->statement) {
        PyErr_SetString(PyExc_RuntimeError, "nothing is being read");
        return NULL;
    }
    if (self->ended)
        Py_RETURN_NONE;
    PyObject *chunk = PyBytes_FromStringAndSize(NULL, CHUNK);
    if (!chunk)
        return NULL;
    unsigned char *start = (unsigned char *)PyBytes_AS_STRING(chunk);
    long long before = self->rows;
    self->out.at = start;
    self->out.end = start + CHUNK;
    self->busy = true;
    self->released = PyEval_SaveThread();
    enum Filled filled = fill(self);
    take_gil(self);
    self->busy = false;
    self->ended = filled != FILLED;
    if (filled == FAILED) {
        Py_DECREF(chunk);
        return NULL;
    }
    if (self->out.at == start) { /* nothing came after the last full chunk */
        Py_DECREF(chunk);
        Py_RETURN_NONE;
    }
    if (_PyBytes_Resize(&chunk, self->out.at - start) < 0)
        return NULL;
    return Py_BuildValue("LN", self->rows - before, chunk);
}

PyDoc_STRVAR(read_values_doc, "read_values()\n--\n\nGive the values of the row at which the last read failed.");

static PyObject *reader_read_values(Reader *self, PyObject *unused)
{
    (void)unused;
    if (refuse_when_busy(self))
        return NULL;
    if (!self->statement || self->column < 0) {
        PyErr_SetString(PyExc_RuntimeError, "there is no row");
        return NULL;
    }
    PyObject *row = PyTuple_New(self->count);
    for (int i = 0; row && i < self->count; i++) {
        PyObject *value = make_object(self, sqlite3_column_value(self->statement, i));
        if (value)
            PyTuple_SET_ITEM(row, i, value);
        else
            Py_CLEAR(row);
    }
    return row;
}

PyDoc_STRVAR(finish_doc, "finish()\n--\n\nForget the statement, and give back the memory that its pages took.");

static PyObject *reader_finish(Reader *self, PyObject *unused)
{
    (void)unused;
    if (refuse_when_busy(self))
        return NULL;
    forget_statement(self);
    sqlite3_db_release_memory(self->db);
    Py_RETURN_NONE;
}

static PyObject *reader_rows(Reader *self, void *unused)
{
    (void)unused;
    return PyLong_FromLongLong(self->rows);
}

static PyObject *reader_column(Reader *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(self->column);
}

static PyMethodDef reader_methods[] = {
    {"begin", (PyCFunction)reader_begin, METH_VARARGS, begin_doc},
    {"read", (PyCFunction)reader_read, METH_NOARGS, read_doc},
    {"read_values", (PyCFunction)reader_read_values, METH_NOARGS, read_values_doc},
    {"finish", (PyCFunction)reader_finish, METH_NOARGS, finish_doc},
    {NULL},
};

static PyGetSetDef reader_facts[] = {
    {"rows", (getter)reader_rows, NULL, "How many rows were encoded since the statement began.", NULL},
    {"column", (getter)reader_column, NULL, "The index of the column at which the last read failed.", NULL},
    {NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_doc, "A connection to the snapshot, which encodes the rows of one SELECT after the other."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, reader_init},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_methods, reader_methods},
    {Py_tp_getset, reader_facts},
    {0, NULL},
};

static PyType_Spec reader_spec = {
    "liteferry.compiled._encoder.Reader", sizeof(Reader), 0, Py_TPFLAGS_DEFAULT, reader_slots,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._encoder",
    "Rows of the snapshot to the bytes of PostgreSQL's binary COPY format.", -1, NULL,
};

PyMODINIT_FUNC PyInit__encoder(void)
{
    fill_hex();
    PyObject *module = PyModule_Create(&definition);
    PyObject *reader = PyType_FromSpec(&reader_spec);
    Undecodable = PyErr_NewException("liteferry.compiled._encoder.Undecodable", NULL, NULL);
    if (!module || !reader || !Undecodable || PyModule_AddObjectRef(module, "Reader", reader) < 0 ||
        PyModule_AddObjectRef(module, "Undecodable", Undecodable) < 0 ||
        PyModule_AddIntConstant(module, "REPAIRS_BACKSLASH", REPAIRS_BACKSLASH) < 0 ||
        PyModule_AddIntConstant(module, "KEEPS_INTEGERS", KEEPS_INTEGERS) < 0 ||
        PyModule_AddIntConstant(module, "JULIAN", JULIAN) < 0 ||
        PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0)
        Py_CLEAR(module);
    Py_XDECREF(reader);
    return module;
}
