/* The target's lines: each compared with the source's next row, which may come in pieces, or only digested. */

#ifndef LITEFERRY_COMPARER_LINES_H
#define LITEFERRY_COMPARER_LINES_H

#include "comparer_rows.h"

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
        blake_state state;
        uint64_t found_size, high, low;
        blake_begin(&state);
        outcome found = stream_canonical_json(&self->work, text, size, &state, &found_size);
        if (found != FORMED)
            return found == ASK ? differ(self) : found; /* the proof in Python tells */
        blake_end(&state, &high, &low);
        int same = found_size + 1 == large->form_size && high == large->form_high && low == large->form_low;
        return same ? FORMED : differ(self);
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

#endif
