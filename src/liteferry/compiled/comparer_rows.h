/* What a comparison knows, and one row of it: the source's values in their forms, a field of the target's, the row's
 * digest, and whether the keys increase. */

#ifndef LITEFERRY_COMPARER_ROWS_H
#define LITEFERRY_COMPARER_ROWS_H

#include "comparer_digest.h"
#include "comparer_values.h"

/* How a column's forms order, for the check that a key's values do. */
enum order { BY_NUMBER, BY_BYTES };

typedef struct {
    enum kind kind;
    int is_converted; /* Python converts each value first */
    long long changed; /* how many values the conversions have changed */
    int piece; /* which of the columns that may come in pieces it is; -1 for none */
} column;

/* A value of the current row that is too large for a copy of it: its form is a tag and these bytes, which SQLite holds;
 * or the canonical form of this JSON. */
typedef struct {
    const uint8_t *bytes; /* NULL: the row's buffer has the form */
    size_t size;
    uint64_t form_size, form_high, form_low; /* of JSON: its form's digest, without the tag */
    char tag;
} large_value;

/* A column whose large values the target gives in pieces, in lines of their own behind the row's. */
typedef struct {
    int position;
    int is_open; /* the row's value is compared when all of it has come */
    int has_come; /* something of the value, if only an empty text: without, the target has NULL */
    size_t compared; /* bytes of a large value that is compared piece by piece: JSON is not */
    buffer text;
} pieced_column;

typedef struct {
    PyObject_HEAD
    PyObject *database; /* what holds the connection */
    sqlite3 *db;
    sqlite3_stmt *statement;
    PyObject *ask_source, *ask_target;
    PyThreadState *released; /* while the GIL is not held */
    column *columns;
    Py_ssize_t width;
    int *key; /* positions of columns */
    enum order *orders;
    Py_ssize_t key_size;
    int is_paired; /* row by row; else as two multisets */
    int is_ordered; /* the key's values have increased strictly until now */
    int is_equal; /* nothing has differed until now */
    int is_busy, is_done;
    digest_sum source, target;
    size_t *ends; /* of the row's forms in it */
    buffer row, text, form, pending, last;
    size_t *last_ends;
    json_work work;
    pieced_column *pieced;
    Py_ssize_t pieced_count;
    large_value *large; /* of each column, for the current row */
    size_t large_size; /* bytes of a value that is not copied, in a column whose values may come in pieces */
    int has_open_row; /* of which pieces may come */
    int64_t last_piece; /* the number of the last line of the open row */
} comparer;

/* Hand a value to Python, and append the form that it gives. */
static outcome ask(comparer *self, buffer *out, int position, int is_source, const value *v)
{
    PyObject *asked = NULL, *answer = NULL;
    outcome found = FAILED;
    PyEval_RestoreThread(self->released);
    if (!v)
        asked = Py_NewRef(Py_None);
    else if (v->type == SQLITE_INTEGER)
        asked = PyLong_FromLongLong(v->integer);
    else if (v->type == SQLITE_FLOAT)
        asked = PyFloat_FromDouble(v->real);
    else
        asked = PyBytes_FromStringAndSize((const char *)v->bytes, (Py_ssize_t)v->size);
    if (asked && is_source)
        answer = PyObject_CallFunction(self->ask_source, "iOO", position, asked,
                                       v && v->type == SQLITE_TEXT ? Py_True : Py_False);
    else if (asked)
        answer = PyObject_CallFunction(self->ask_target, "iO", position, asked);
    Py_XDECREF(asked);
    PyObject *form = answer;
    if (answer && is_source) { /* the form, and whether the conversions changed the value */
        if (!PyTuple_Check(answer) || PyTuple_GET_SIZE(answer) != 2) {
            PyErr_SetString(PyExc_TypeError, "a pair was expected");
            form = NULL;
        } else {
            form = PyTuple_GET_ITEM(answer, 0);
            self->columns[position].changed += PyTuple_GET_ITEM(answer, 1) == Py_True;
        }
    }
    if (form && !PyBytes_Check(form))
        PyErr_SetString(PyExc_TypeError, "bytes were expected");
    else if (form)
        found = buffer_put(out, PyBytes_AS_STRING(form), (size_t)PyBytes_GET_SIZE(form)) ? FORMED : NO_MEMORY;
    Py_XDECREF(answer);
    self->released = PyEval_SaveThread();
    return found;
}

/* The form of a value in a column that may hold large ones. Those are left where they are. */
static outcome keep_large(comparer *self, int position, const value *v)
{
    enum kind kind = self->columns[position].kind;
    large_value *large = self->large + position;
    if ((v->type != SQLITE_TEXT && (v->type != SQLITE_BLOB || kind != BYTEA)) || v->size < self->large_size)
        return put_source(&self->row, &self->work, kind, v);
    char tag = kind == BYTEA ? 'x' : kind == TEXT ? 't' : kind == JSON ? 'J' : 'j';
    *large = (large_value){.bytes = v->bytes, .size = v->size, .form_size = v->size + 1, .tag = tag};
    if (kind != JSONB)
        return FORMED;
    blake_state state;
    blake_begin(&state);
    outcome found = stream_canonical_json(&self->work, v->bytes, v->size, &state, &large->form_size);
    blake_end(&state, &large->form_high, &large->form_low);
    large->form_size++;
    if (found != FORMED)
        large->bytes = NULL;
    return found;
}

static outcome form_source(comparer *self, int position)
{
    sqlite3_stmt *statement = self->statement;
    column *c = self->columns + position;
    buffer *out = &self->row;
    value v = {.type = sqlite3_column_type(statement, position)};
    if (v.type == SQLITE_NULL)
        return buffer_put(out, "-", 1) ? FORMED : NO_MEMORY;
    if (v.type == SQLITE_INTEGER) {
        v.integer = sqlite3_column_int64(statement, position);
    } else if (v.type == SQLITE_FLOAT) {
        v.real = sqlite3_column_double(statement, position);
    } else {
        v.bytes = v.type == SQLITE_TEXT ? sqlite3_column_text(statement, position)
                                        : sqlite3_column_blob(statement, position);
        v.size = (size_t)sqlite3_column_bytes(statement, position);
        if (!v.bytes && (v.size || v.type == SQLITE_TEXT))
            return NO_MEMORY;
        if (!v.bytes)
            v.bytes = (const uint8_t *)""; /* an empty blob */
    }
    size_t before = out->size;
    outcome found = c->is_converted ? ASK
                    : c->piece >= 0 ? keep_large(self, position, &v)
                                    : put_source(out, &self->work, c->kind, &v);
    if (found != ASK)
        return found;
    out->size = before;
    return ask(self, out, position, 1, &v);
}

/* Append the form of a text of the target's that is not NULL, and unescaped. */
static outcome form_text(comparer *self, buffer *out, int position, const uint8_t *text, size_t size)
{
    size_t before = out->size;
    outcome found = put_target(out, &self->work, self->columns[position].kind, text, size);
    if (found != ASK)
        return found;
    out->size = before;
    value v = {.type = SQLITE_BLOB, .bytes = text, .size = size};
    return ask(self, out, position, 0, &v);
}

static outcome form_target(comparer *self, buffer *out, int position, const uint8_t *field, size_t size)
{
    if (is_null(field, size))
        return buffer_put(out, "-", 1) ? FORMED : NO_MEMORY;
    if (memchr(field, '\\', size)) {
        self->text.size = 0;
        if (!put_unescaped(&self->text, field, size))
            return NO_MEMORY;
        field = self->text.at, size = self->text.size;
    }
    return form_text(self, out, position, field, size);
}

/* Whether the field has the form at "form". FORMED, and "same". */
static outcome compare_field(comparer *self, int position, const uint8_t *field, size_t size, const uint8_t *form,
                             size_t form_size, int *same)
{
    enum kind kind = self->columns[position].kind;
    if (form_size == size + 1 && (kind == INTEGER || kind == TEXT || kind == JSON) && !memchr(field, '\\', size)) {
        *same = memcmp(form + 1, field, size) == 0 && *form == (kind == INTEGER ? 'i' : kind == TEXT ? 't' : 'J');
        return FORMED;
    }
    self->form.size = 0;
    outcome found = form_target(self, &self->form, position, field, size);
    *same = found == FORMED && self->form.size == form_size && memcmp(self->form.at, form, form_size) == 0;
    return found;
}

/* Begin a row in the buffer: room for the number of its values, and for their lengths. */
static int begin_row(comparer *self)
{
    size_t header = 4 + 8 * (size_t)self->width;
    self->row.size = 0;
    if (!buffer_reserve(&self->row, header))
        return 0;
    self->row.size = header;
    return 1;
}

/* A number in big-endian order, of eight bytes. */
static inline void put_big(uint8_t *to, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(number >> (56 - 8 * i));
}

/* Where a form of the row begins. */
static inline size_t form_start(const comparer *self, Py_ssize_t position)
{
    return position ? self->ends[position - 1] : 4 + 8 * (size_t)self->width;
}

/* Write the lengths, and digest the row. */
static outcome end_row(comparer *self, uint64_t *high, uint64_t *low)
{
    int is_whole = 1;
    for (int i = 0; i < 4; i++)
        self->row.at[i] = (uint8_t)((uint64_t)self->width >> (24 - 8 * i));
    for (Py_ssize_t i = 0; i < self->width; i++) {
        int is_large = self->large[i].bytes != NULL;
        uint64_t size = is_large ? self->large[i].form_size : self->ends[i] - form_start(self, i);
        put_big(self->row.at + 4 + 8 * i, size);
        is_whole &= !is_large;
    }
    if (is_whole) {
        blake_digest(self->row.at, self->row.size, high, low);
        return FORMED;
    }
    blake_state state;
    blake_begin(&state);
    blake_add(&state, self->row.at, form_start(self, 0));
    for (Py_ssize_t i = 0; i < self->width; i++) {
        const large_value *large = self->large + i;
        uint64_t form_size;
        if (!large->bytes) {
            blake_add(&state, self->row.at + form_start(self, i), self->ends[i] - form_start(self, i));
            continue;
        }
        blake_add(&state, (const uint8_t *)&large->tag, 1);
        if (large->tag != 'j') {
            blake_add(&state, large->bytes, large->size);
            continue;
        }
        outcome found = stream_canonical_json(&self->work, large->bytes, large->size, &state, &form_size);
        if (found != FORMED)
            return found;
    }
    blake_end(&state, high, low);
    return FORMED;
}

/* Step to the source's next row, and form it. FORMED: there is one; ASK: there is none. */
static outcome read_row(comparer *self)
{
    int code = sqlite3_step(self->statement);
    if (code == SQLITE_DONE)
        return ASK;
    if (code != SQLITE_ROW) {
        PyEval_RestoreThread(self->released);
        snapshot_raise(self->db, code);
        self->released = PyEval_SaveThread();
        return FAILED;
    }
    if (!begin_row(self))
        return NO_MEMORY;
    memset(self->large, 0, (size_t)self->width * sizeof *self->large);
    for (Py_ssize_t i = 0; i < self->width; i++) {
        outcome found = form_source(self, (int)i);
        if (found != FORMED)
            return found;
        self->ends[i] = self->row.size;
    }
    return FORMED;
}

/* A form of decimal digits as a number; 0 when it is none. */
static int read_form_number(const uint8_t *form, size_t size, int64_t *number)
{
    size_t at = 1 + (size > 1 && form[1] == '-');
    uint64_t found = 0;
    if (size <= at || size - at > 19)
        return 0;
    for (; at < size; at++) {
        if (!is_digit(form[at]))
            return 0;
        found = found * 10 + (form[at] - '0');
    }
    int is_negative = form[1] == '-';
    if (found > (uint64_t)INT64_MAX + (uint64_t)is_negative)
        return 0;
    *number = (int64_t)(is_negative ? 0 - found : found); /* so the smallest of all has no overflow */
    return 1;
}

/* Compare the row's key with that of the row before, and keep it. Returns 0 when memory ran out. */
static int check_order(comparer *self)
{
    int order = self->source.rows ? 0 : 1; /* the first row is in order */
    size_t from = 0;
    for (Py_ssize_t i = 0; i < self->key_size && !order; i++) {
        const uint8_t *form = self->row.at + form_start(self, self->key[i]), *last = self->last.at + from;
        size_t size = self->ends[self->key[i]] - form_start(self, self->key[i]), last_size = self->last_ends[i] - from;
        int64_t number, last_number;
        from = self->last_ends[i];
        if (self->orders[i] == BY_NUMBER) {
            if (!read_form_number(form, size, &number) || !read_form_number(last, last_size, &last_number))
                break;
            order = (number > last_number) - (number < last_number);
        } else {
            order = memcmp(form, last, size < last_size ? size : last_size);
            order = order ? order : (size > last_size) - (size < last_size);
        }
    }
    if (order <= 0)
        self->is_ordered = 0;
    self->last.size = 0;
    for (Py_ssize_t i = 0; i < self->key_size; i++) {
        size_t start = form_start(self, self->key[i]);
        int64_t number;
        if (self->orders[i] == BY_NUMBER &&
            !read_form_number(self->row.at + start, self->ends[self->key[i]] - start, &number))
            self->is_ordered = 0;
        if (!buffer_put(&self->last, self->row.at + start, self->ends[self->key[i]] - start))
            return 0;
        self->last_ends[i] = self->last.size;
    }
    return 1;
}

#endif
