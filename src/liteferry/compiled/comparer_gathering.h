/* COPY's rows, gathered: libpq gives one at a time, which costs Python more than all that is done with it here. */

#ifndef LITEFERRY_COMPARER_GATHERING_H
#define LITEFERRY_COMPARER_GATHERING_H

#include "snapshot.h"

#include "comparer_forms.h"

#include <poll.h>
#include <time.h>

#define PATIENCE_MS 100

typedef int get_row_function(void *connection, char **row, int is_async);
typedef int consume_function(void *connection);
typedef void free_function(void *row);

static int64_t read_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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
    int64_t began = read_clock_ms();
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
        if (was_read) { /* what has come is no whole row: wait for more, but let signals be noticed, even if it trickles */
            struct pollfd waiting = {.fd = socket, .events = POLLIN};
            if (read_clock_ms() - began >= PATIENCE_MS || poll(&waiting, 1, PATIENCE_MS) <= 0)
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

#endif
