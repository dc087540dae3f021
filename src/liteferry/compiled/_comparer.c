/* Rows of the snapshot against what COPY TO gives, value by value in canonical form, and the digests of both.
 *
 * The specification is liteferry.compare: what a form is, how COPY's text is read, what a digest is. Common values are
 * judged here without the GIL; every other value is handed to Python, whose form counts. Nothing is shared with the
 * load but the opening of the file. */

#include "snapshot.h"

#include "comparer_digest.h"
#include "comparer_forms.h"
#include "comparer_json.h"

#include <poll.h>

enum kind {
    INTEGER, FLOAT4, FLOAT8, NUMERIC, BOOL, TEXT, PADDED, BYTEA, TIMESTAMP, TIMESTAMPTZ, DATE, TIME, INTERVAL, JSON,
    JSONB, UUID, OTHER, KINDS
};

static const char *const kind_names[KINDS] = {
    "integer", "float4", "float8", "numeric", "bool", "text", "padded", "bytea", "timestamp", "timestamptz", "date",
    "time", "interval", "json", "jsonb", "uuid", "other",
};

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
    uint64_t form_size;
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

/* What SQLite stores: of a row, or of a test. */
typedef struct {
    int type;
    int64_t integer;
    double real;
    const uint8_t *bytes;
    size_t size;
} value;

/* ------------------------------------------------------------------------------------------------------------------
 * Forms of the source */

static outcome put_tagged(buffer *out, char tag, const uint8_t *bytes, size_t size)
{
    if (!buffer_reserve(out, size + 1))
        return NO_MEMORY;
    out->at[out->size++] = (uint8_t)tag;
    if (size)
        memcpy(out->at + out->size, bytes, size);
    out->size += size;
    return FORMED;
}

/* A text, or a number as Python spells it. */
static outcome put_spelled(buffer *out, char tag, const value *v)
{
    if (v->type == SQLITE_INTEGER)
        return put_integer(out, tag, v->integer);
    return v->type == SQLITE_FLOAT ? put_double(out, tag, v->real, 0) : put_tagged(out, tag, v->bytes, v->size);
}

static outcome put_source_bool(buffer *out, const value *v)
{
    static const char *const words[] = {"0", "1", "f", "t", "false", "true"};
    if (v->type == SQLITE_INTEGER && (v->integer == 0 || v->integer == 1))
        return put_tagged(out, 'b', (const uint8_t *)(v->integer ? "1" : "0"), 1);
    for (int i = 0; v->type == SQLITE_TEXT && i < 6; i++) {
        size_t size = strlen(words[i]), same = 0;
        while (size == v->size && same < size && (v->bytes[same] | 0x20) == (words[i][same] | 0x20))
            same++;
        /* the bit that makes a small letter makes nothing else of these but of two control characters */
        if (same == size && size == v->size && v->bytes[0] >= '0')
            return put_tagged(out, 'b', (const uint8_t *)(i % 2 ? "1" : "0"), 1);
    }
    return ASK;
}

static outcome put_source_uuid(buffer *out, const value *v)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t form[32];
    size_t count = 0;
    if (v->type == SQLITE_BLOB && v->size == 16) {
        for (; count < 32; count++)
            form[count] = (uint8_t)hex[v->bytes[count / 2] >> (count % 2 ? 0 : 4) & 15];
        return put_tagged(out, 'u', form, 32);
    }
    if (v->type != SQLITE_TEXT || (v->size != 32 && v->size != 36))
        return ASK;
    for (size_t i = 0; i < v->size; i++) {
        if (v->size == 36 && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (v->bytes[i] != '-')
                return ASK;
            continue;
        }
        int digit = hex_value(v->bytes[i]);
        if (digit < 0)
            return ASK;
        form[count++] = (uint8_t)hex[digit];
    }
    return put_tagged(out, 'u', form, 32);
}

/* A number that both integers of 64 bits and doubles hold. */
static int as_double(const value *v, double *number)
{
    *number = v->type == SQLITE_INTEGER ? (double)v->integer : v->real;
    return v->type == SQLITE_FLOAT || (v->type == SQLITE_INTEGER && v->integer <= 1LL << 53 && v->integer >= -(1LL << 53));
}

/* Append the form of a value that is not NULL. What was appended is to be dropped where the answer is not FORMED. */
static outcome put_source(buffer *out, json_work *work, enum kind kind, const value *v)
{
    int is_text = v->type == SQLITE_TEXT, is_blob = v->type == SQLITE_BLOB;
    double number;
    switch (kind) {
    case INTEGER:
        return v->type == SQLITE_INTEGER ? put_integer(out, 'i', v->integer) : ASK;
    case FLOAT8:
        return as_double(v, &number) ? put_float8(out, number) : ASK;
    case FLOAT4:
        return as_double(v, &number) ? put_float4(out, number, 1) : ASK;
    case NUMERIC:
        if (v->type == SQLITE_INTEGER)
            return put_integer(out, 'n', v->integer);
        if (v->type == SQLITE_FLOAT)
            return put_double(out, 'n', v->real, 1);
        if (!is_text)
            return ASK;
        return buffer_put(out, "n", 1) ? put_decimal_text(out, v->bytes, v->size) : NO_MEMORY;
    case BOOL:
        return put_source_bool(out, v);
    case PADDED:
        if (is_text && v->size && v->bytes[v->size - 1] == ' ')
            return ASK;
        return is_blob ? ASK : put_spelled(out, 't', v);
    case TEXT:
        return is_blob ? ASK : put_spelled(out, 't', v);
    case BYTEA:
        return put_spelled(out, 'x', v);
    case TIMESTAMP:
    case TIMESTAMPTZ:
        return is_text ? put_source_moment(out, v->bytes, v->size, kind == TIMESTAMPTZ) : ASK;
    case DATE:
        return is_text ? put_date(out, v->bytes, v->size) : ASK;
    case TIME:
        return is_text ? put_time(out, v->bytes, v->size, 0) : ASK;
    case INTERVAL:
        return v->type == SQLITE_INTEGER ? put_integer(out, 'v', v->integer) : ASK;
    case JSON:
        return is_blob ? ASK : put_spelled(out, 'J', v);
    case JSONB:
        if (!is_text)
            return ASK;
        return buffer_put(out, "j", 1) ? put_canonical_json(out, work, v->bytes, v->size) : NO_MEMORY;
    case UUID:
        return put_source_uuid(out, v);
    default:
        return ASK;
    }
}

/* ------------------------------------------------------------------------------------------------------------------
 * Forms of the target. A field is the text between two tabs, as COPY escapes it. */

static inline uint8_t unescape(uint8_t c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'v' ? '\v' : c;
}

/* Append a field's text. A backslash at its end stands for itself. */
static int put_unescaped(buffer *out, const uint8_t *field, size_t size)
{
    const uint8_t *end = field + size;
    if (!buffer_reserve(out, size))
        return 0;
    uint8_t *to = out->at + out->size;
    while (field < end) {
        const uint8_t *mark = memchr(field, '\\', (size_t)(end - field));
        size_t plain = (size_t)((mark ? mark : end) - field);
        memcpy(to, field, plain);
        to += plain, field += plain;
        if (mark && end - field > 1)
            *to++ = unescape(field[1]), field += 2;
        else if (mark)
            *to++ = *field++;
    }
    out->size = (size_t)(to - out->at);
    return 1;
}

static outcome put_target_bytes(buffer *out, const uint8_t *text, size_t size)
{
    if (size < 2 || text[0] != '\\' || text[1] != 'x' || size % 2)
        return ASK;
    if (!buffer_reserve(out, size / 2))
        return NO_MEMORY;
    uint8_t *to = out->at + out->size;
    *to++ = 'x';
    for (size_t i = 2; i < size; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return ASK;
        *to++ = (uint8_t)(high << 4 | low);
    }
    out->size = (size_t)(to - out->at);
    return FORMED;
}

static outcome put_target_uuid(buffer *out, const uint8_t *text, size_t size)
{
    if (!buffer_reserve(out, size + 1))
        return NO_MEMORY;
    uint8_t *to = out->at + out->size;
    *to++ = 'u';
    for (size_t i = 0; i < size; i++)
        if (text[i] != '-')
            *to++ = text[i];
    out->size = (size_t)(to - out->at);
    return FORMED;
}

/* Append the form of a text that is not NULL, as `put_source`. */
static outcome put_target(buffer *out, json_work *work, enum kind kind, const uint8_t *text, size_t size)
{
    double number;
    if (!text)
        text = (const uint8_t *)""; /* of an empty buffer */
    switch (kind) {
    case INTEGER:
        return put_tagged(out, 'i', text, size);
    case FLOAT8:
        return read_double(text, size, &number) ? put_float8(out, number) : ASK;
    case FLOAT4:
        return read_double(text, size, &number) ? put_float4(out, number, 0) : ASK;
    case NUMERIC:
        if (memchr(text, '.', size)) {
            while (size && text[size - 1] == '0')
                size--;
            while (size && text[size - 1] == '.')
                size--;
        }
        return put_tagged(out, 'n', text, size);
    case BOOL:
        if (size != 1 || (*text != 't' && *text != 'f'))
            return ASK;
        return put_tagged(out, 'b', (const uint8_t *)(*text == 't' ? "1" : "0"), 1);
    case PADDED:
        while (size && text[size - 1] == ' ')
            size--;
        return put_tagged(out, 't', text, size);
    case TEXT:
        return put_tagged(out, 't', text, size);
    case BYTEA:
        return put_target_bytes(out, text, size);
    case TIMESTAMP:
    case TIMESTAMPTZ:
        return put_target_moment(out, text, size, kind == TIMESTAMPTZ);
    case DATE:
        return put_date(out, text, size);
    case TIME:
        return put_time(out, text, size, 1);
    case INTERVAL:
        return put_target_interval(out, text, size);
    case JSON:
        return put_tagged(out, 'J', text, size);
    case JSONB:
        return buffer_put(out, "j", 1) ? put_canonical_json(out, work, text, size) : NO_MEMORY;
    case UUID:
        return put_target_uuid(out, text, size);
    default:
        return ASK;
    }
}

static inline int is_null(const uint8_t *field, size_t size)
{
    return size == 2 && field[0] == '\\' && field[1] == 'N';
}

/* ------------------------------------------------------------------------------------------------------------------
 * The comparer */

typedef struct {
    PyObject_HEAD
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
        answer = PyObject_CallFunction(self->ask_source, "iOO", position, asked, v && v->type == SQLITE_TEXT ? Py_True : Py_False);
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
    *large = (large_value){v->bytes, v->size, v->size + 1, kind == BYTEA ? 'x' : kind == TEXT ? 't' : kind == JSON ? 'J' : 'j'};
    if (kind != JSONB)
        return FORMED;
    outcome found = stream_canonical_json(&self->work, v->bytes, v->size, NULL, &large->form_size);
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
        v.bytes = v.type == SQLITE_TEXT ? sqlite3_column_text(statement, position) : sqlite3_column_blob(statement, position);
        v.size = (size_t)sqlite3_column_bytes(statement, position);
        if (!v.bytes && (v.size || v.type == SQLITE_TEXT))
            return NO_MEMORY;
        if (!v.bytes)
            v.bytes = (const uint8_t *)""; /* an empty blob */
    }
    size_t before = out->size;
    outcome found = c->is_converted ? ASK : c->piece >= 0 ? keep_large(self, position, &v) : put_source(out, &self->work, c->kind, &v);
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
    if (found > INT64_MAX)
        return 0; /* the smallest integer of all, too, which makes the rows unordered: no harm */
    *number = form[1] == '-' ? -(int64_t)found : (int64_t)found;
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
        if (self->orders[i] == BY_NUMBER && !read_form_number(self->row.at + start, self->ends[self->key[i]] - start, &number))
            self->is_ordered = 0;
        if (!buffer_put(&self->last, self->row.at + start, self->ends[self->key[i]] - start))
            return 0;
        self->last_ends[i] = self->last.size;
    }
    return 1;
}

/* The next field of a line. Returns where it ends. */
static inline const uint8_t *end_field(const uint8_t *field, const uint8_t *end)
{
    const uint8_t *tab = memchr(field, '\t', (size_t)(end - field));
    return tab ? tab : end;
}

/* Note that something differs. */
static outcome differ(comparer *self)
{
    self->is_equal = 0;
    return FORMED;
}

/* Compare a value that has come in pieces, or beside a large one, with the source's. */
static outcome compare_whole(comparer *self, pieced_column *pieced)
{
    int position = pieced->position;
    const large_value *large = self->large + position;
    enum kind kind = self->columns[position].kind;
    const uint8_t *text = pieced->text.at;
    size_t size = pieced->text.size, start = form_start(self, position), form_size = self->ends[position] - start;
    if (!pieced->has_come)
        return differ(self); /* NULL, which is no value of the source's: not even an empty one */
    if (large->bytes && kind != JSONB)
        return pieced->compared == large->size ? FORMED : differ(self);
    if (large->bytes) {
        blake_state states[2];
        uint64_t sizes[2], halves[4];
        for (int i = 0; i < 2; i++) {
            blake_begin(&states[i]);
            outcome found = i ? stream_canonical_json(&self->work, text, size, &states[i], &sizes[i])
                              : stream_canonical_json(&self->work, large->bytes, large->size, &states[i], &sizes[i]);
            if (found != FORMED)
                return found == ASK ? differ(self) : found; /* the proof in Python tells */
            blake_end(&states[i], &halves[2 * i], &halves[2 * i + 1]);
        }
        return sizes[0] == sizes[1] && halves[0] == halves[2] && halves[1] == halves[3] ? FORMED : differ(self);
    }
    const uint8_t *form = self->row.at + start;
    if (kind != JSONB) {
        char tag = kind == BYTEA ? 'x' : kind == TEXT ? 't' : 'J';
        int same = form_size == size + 1 && *form == (uint8_t)tag && (!size || memcmp(form + 1, text, size) == 0);
        return same ? FORMED : differ(self);
    }
    self->form.size = 0;
    outcome found = form_text(self, &self->form, position, text, size);
    if (found != FORMED)
        return found;
    return self->form.size == form_size && memcmp(self->form.at, form, form_size) == 0 ? FORMED : differ(self);
}

/* The row is complete: compare what came in pieces, and add the row's digest. */
static outcome close_row(comparer *self)
{
    if (!self->has_open_row)
        return FORMED;
    self->has_open_row = 0;
    for (Py_ssize_t i = 0; i < self->pieced_count && self->is_equal; i++) {
        if (!self->pieced[i].is_open)
            continue;
        self->pieced[i].is_open = 0;
        outcome found = compare_whole(self, self->pieced + i);
        if (found != FORMED)
            return found;
    }
    if (!self->is_equal)
        return FORMED;
    if (self->is_ordered && !check_order(self))
        return NO_MEMORY;
    uint64_t high, low;
    outcome found = end_row(self, &high, &low);
    if (found != FORMED)
        return found == ASK ? differ(self) : found;
    sum_digest(&self->source, high, low);
    sum_digest(&self->target, high, low);
    return FORMED;
}

/* Append bytes that COPY gave in hexadecimal, with the backslash before the x escaped. 0 when they are none. */
static int add_bytes(pieced_column *pieced, const uint8_t *field, size_t size)
{
    buffer *to = &pieced->text;
    size_t before = to->size;
    if (size < 3 || field[0] != '\\' || put_target_bytes(to, field + 1, size - 1) != FORMED)
        return 0;
    /* without the form's tag */
    memmove(to->at + before, to->at + before + 1, --to->size - before);
    return 1;
}

/* Compare what has come of a large value, and drop it, where it can be compared as it comes. */
static outcome compare_piece(comparer *self, pieced_column *pieced)
{
    const large_value *large = self->large + pieced->position;
    if (!large->bytes || self->columns[pieced->position].kind == JSONB)
        return FORMED;
    size_t size = pieced->text.size;
    pieced->text.size = 0;
    if (size > large->size - pieced->compared ||
        (size && memcmp(large->bytes + pieced->compared, pieced->text.at, size) != 0))
        return differ(self);
    pieced->compared += size;
    return FORMED;
}

/* The first field of a value in a column that may hold large ones: NULL where pieces are to come. */
static outcome begin_whole(comparer *self, int position, const uint8_t *field, size_t size, int *is_begun)
{
    const large_value *large = self->large + position;
    pieced_column *pieced = self->pieced + self->columns[position].piece;
    size_t start = form_start(self, position);
    int is_source_null = !large->bytes && self->ends[position] - start == 1 && self->row.at[start] == '-';
    *is_begun = !is_source_null && (large->bytes || is_null(field, size));
    if (!*is_begun)
        return FORMED;
    pieced->is_open = 1;
    pieced->has_come = !is_null(field, size);
    pieced->compared = pieced->text.size = 0;
    /* JSON is compared when all of it is there: room for it at once, since growing leaves holes */
    if (large->tag == 'j' && !buffer_reserve(&pieced->text, large->size + large->size / 16))
        return NO_MEMORY;
    if (is_null(field, size))
        return FORMED;
    if (self->columns[position].kind == BYTEA)
        return add_bytes(pieced, field, size) ? compare_piece(self, pieced) : differ(self);
    return put_unescaped(&pieced->text, field, size) ? compare_piece(self, pieced) : NO_MEMORY;
}

/* The fields behind a row's values: a piece each of the columns that may hold large values, or NULL. */
static outcome take_pieces(comparer *self, const uint8_t *line, const uint8_t *end)
{
    for (Py_ssize_t i = 0; i < self->pieced_count; i++) {
        pieced_column *pieced = self->pieced + i;
        if (line > end)
            return differ(self);
        const uint8_t *field_end = end_field(line, end);
        size_t size = (size_t)(field_end - line);
        if (!is_null(line, size)) {
            if (!pieced->is_open || !add_bytes(pieced, line, size))
                return differ(self);
            pieced->has_come = 1;
            compare_piece(self, pieced);
        }
        line = field_end + 1;
    }
    return line == end + 1 ? FORMED : differ(self);
}

/* Step over fields. */
static const uint8_t *skip_fields(const uint8_t *line, const uint8_t *end, Py_ssize_t count)
{
    for (; count && line <= end; count--)
        line = end_field(line, end) + 1;
    return line;
}

/* The number of a line of a row; -1 for none. */
static int64_t read_piece_number(const uint8_t *field, size_t size)
{
    int64_t number = 0;
    if (!size || size > 9)
        return -1;
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(field[i]))
            return -1;
        number = number * 10 + (field[i] - '0');
    }
    return number;
}

/* Compare a line with the source's next row; or a piece of a value with the row's. */
static outcome pair_line(comparer *self, const uint8_t *line, const uint8_t *end)
{
    outcome found;
    if (self->pieced_count) {
        const uint8_t *number_end = end_field(line, end);
        int64_t number = read_piece_number(line, (size_t)(number_end - line));
        line = number_end + 1;
        if (number < 0 || (number && (!self->has_open_row || number != self->last_piece + 1)))
            return differ(self);
        self->last_piece = number;
        if (number)
            return take_pieces(self, skip_fields(line, end, self->width), end);
        if ((found = close_row(self)) != FORMED || !self->is_equal)
            return found;
    }
    if ((found = read_row(self)) != FORMED)
        return found == ASK ? differ(self) : found;
    self->has_open_row = 1;
    for (Py_ssize_t i = 0; i < self->width; i++) {
        if (line > end)
            return differ(self);
        const uint8_t *field_end = end_field(line, end);
        size_t start = form_start(self, i), size = (size_t)(field_end - line);
        int same = 0;
        found = self->columns[i].piece >= 0 ? begin_whole(self, (int)i, line, size, &same) : FORMED;
        if (found == FORMED && !same)
            found = compare_field(self, (int)i, line, size, self->row.at + start, self->ends[i] - start, &same);
        if (found != FORMED)
            return found;
        if (!same)
            return differ(self);
        line = field_end + 1;
    }
    if (self->pieced_count)
        return take_pieces(self, line, end);
    return line == end + 1 ? close_row(self) : differ(self);
}

/* Add a line's digest. */
static outcome digest_line(comparer *self, const uint8_t *line, const uint8_t *end)
{
    if (!begin_row(self))
        return NO_MEMORY;
    for (Py_ssize_t i = 0; i < self->width && line <= end; i++) {
        const uint8_t *field_end = end_field(line, end);
        outcome found = form_target(self, &self->row, (int)i, line, (size_t)(field_end - line));
        if (found != FORMED)
            return found;
        self->ends[i] = self->row.size;
        line = field_end + 1;
        if (i + 1 == self->width && line == end + 1) {
            uint64_t high, low;
            found = end_row(self, &high, &low);
            sum_digest(&self->target, high, low);
            return found;
        }
    }
    return differ(self); /* too few fields, or too many */
}

static outcome take_line(comparer *self, const uint8_t *line, const uint8_t *end)
{
    return self->is_paired ? pair_line(self, line, end) : digest_line(self, line, end);
}

/* Take what COPY gave, cut anywhere. */
static outcome take_block(comparer *self, const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    while (at < end && self->is_equal) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end || self->pending.size) {
            if (!buffer_put(&self->pending, at, (size_t)((line_end ? line_end : end) - at)))
                return NO_MEMORY;
            if (!line_end)
                return FORMED;
        }
        outcome found = self->pending.size ? take_line(self, self->pending.at, self->pending.at + self->pending.size)
                                           : take_line(self, at, line_end);
        if (found != FORMED)
            return found;
        self->pending.size = 0;
        at = line_end + 1;
    }
    return FORMED;
}

/* What comes when the target has given all: the source's other rows. */
static outcome take_rest(comparer *self)
{
    outcome found = FORMED;
    if (self->pending.size && self->is_equal) { /* a last line without its end */
        found = take_line(self, self->pending.at, self->pending.at + self->pending.size);
        self->pending.size = 0;
    }
    if (found == FORMED && self->is_equal)
        found = close_row(self);
    if (found != FORMED || !self->is_equal || !self->statement)
        return found;
    while ((found = read_row(self)) == FORMED) {
        uint64_t high, low;
        if (self->is_paired)
            return differ(self);
        if ((found = end_row(self, &high, &low)) != FORMED)
            return found;
        sum_digest(&self->source, high, low);
    }
    return found == ASK ? FORMED : found;
}

/* ------------------------------------------------------------------------------------------------------------------
 * The comparer in Python */

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
    sqlite3_close_v2(self->db);
    self->statement = NULL;
    self->db = NULL;
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

/* Comparer(uri, stand_ins, sql, columns, key, pieced, large_size, is_paired, ask_source, ask_target); without a source where uri is
 * None. pieced: positions of columns whose values come in pieces: a line is then the number of the piece, the values,
 * and a piece each of these columns. */
static PyObject *comparer_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"uri", "stand_ins", "sql", "columns", "key", "pieced", "large_size", "is_paired", "ask_source", "ask_target", NULL};
    const char *uri, *sql;
    PyObject *stand_ins, *columns, *key, *pieced, *ask_source, *ask_target;
    Py_ssize_t large_size;
    int is_paired;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "zO!zO!O!O!npOO", names, &uri, &PyTuple_Type, &stand_ins, &sql,
                                     &PyTuple_Type, &columns, &PyTuple_Type, &key, &PyTuple_Type, &pieced, &large_size, &is_paired, &ask_source, &ask_target))
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
    if (uri && sql) {
        self->db = snapshot_open(uri, stand_ins);
        if (!self->db)
            goto failed;
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
 * COPY's rows, gathered: libpq gives one at a time, which costs Python more than all that is done with it here */

#define PATIENCE_MS 100

typedef int get_row_function(void *connection, char **row, int is_async);
typedef int consume_function(void *connection);
typedef void free_function(void *row);

/* gather(connection, socket, PQgetCopyData, PQconsumeInput, PQfreemem, limit): some rows, and what comes next:
 * 1 more, 0 nothing for a while, -1 the end or an error, which PQgetResult tells. */
static PyObject *gather(PyObject *module, PyObject *arguments)
{
    void *addresses[4];
    unsigned long long given[4];
    int socket, state = 1;
    Py_ssize_t limit;
    buffer rows = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "KiKKKn", &given[0], &socket, &given[1], &given[2], &given[3], &limit))
        return NULL;
    for (int i = 0; i < 4; i++) {
        addresses[i] = (void *)(uintptr_t)given[i];
        if (!addresses[i]) {
            PyErr_SetString(PyExc_ValueError, "there is nothing at address 0");
            return NULL;
        }
    }
    get_row_function *get_row = (get_row_function *)addresses[1];
    consume_function *consume = (consume_function *)addresses[2];
    free_function *free_row = (free_function *)addresses[3];
    int is_full = 0, has_memory = 1, was_read = 0;
    Py_BEGIN_ALLOW_THREADS
    while (has_memory && !is_full) {
        char *row = NULL;
        int size = get_row(addresses[0], &row, 1);
        if (size > 0) {
            has_memory = buffer_put(&rows, row, (size_t)size);
            free_row(row);
            is_full = rows.size >= (size_t)limit;
            was_read = 0;
            continue;
        }
        state = size;
        if (size < 0)
            break;
        if (was_read) { /* what has come is no whole row: wait for more, but let signals be noticed */
            struct pollfd waiting = {.fd = socket, .events = POLLIN};
            if (poll(&waiting, 1, PATIENCE_MS) <= 0)
                break;
        }
        if (!consume(addresses[0])) {
            state = -1;
            break;
        }
        was_read = 1;
        state = 1;
    }
    Py_END_ALLOW_THREADS
    PyObject *found = NULL;
    if (has_memory)
        found = Py_BuildValue("(y#i)", rows.at ? (char *)rows.at : "", (Py_ssize_t)rows.size, state);
    else
        PyErr_NoMemory();
    buffer_free(&rows);
    return found;
}

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
