/* Opening our own snapshot of the source, with every precaution of liteferry.source.connection, and SQLite's errors.
 *
 * What the compiled parts share: how the file is opened, and how an error reaches Python. Nothing here looks at a value.
 * Only the copy is opened, never the live file: a second SQLite in a process that holds a file open drops the first
 * one's locks. Both need the GIL. */

#ifndef LITEFERRY_SNAPSHOT_H
#define LITEFERRY_SNAPSHOT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A collation of the application's, for reading alone: compares byte for byte, as the Python connection's stand-in. */
static int snapshot_compare_bytes(void *unused, int left_size, const void *left, int right_size, const void *right)
{
    (void)unused;
    int smaller = left_size < right_size ? left_size : right_size;
    int order = smaller ? memcmp(left, right, (size_t)smaller) : 0;
    return order ? order : (left_size > right_size) - (left_size < right_size);
}

/* Raise sqlite3.OperationalError with sqlite_errorcode, which liteferry.source.connection explains. Needs the GIL. */
static void snapshot_raise(sqlite3 *db, int code)
{
    const char *message = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    PyObject *words = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace"); /* may quote a damaged name */
    PyObject *module = PyImport_ImportModule("sqlite3"), *type = NULL, *error = NULL, *number = NULL;
    if (words && module && (type = PyObject_GetAttrString(module, "OperationalError"))) {
        error = PyObject_CallFunctionObjArgs(type, words, NULL);
        number = PyLong_FromLong(db ? sqlite3_extended_errcode(db) : code);
        if (error && number && PyObject_SetAttrString(error, "sqlite_errorcode", number) == 0)
            PyErr_SetObject(type, error);
    }
    Py_XDECREF(words);
    Py_XDECREF(module);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(number);
}

/* Open the file of a "file:" URI read-only. stand_ins: a tuple of collations' names. NULL with an error set. */
static sqlite3 *snapshot_open(const char *uri, PyObject *stand_ins)
{
    static const char *const precautions[] = {
        "PRAGMA cell_size_check = ON", "PRAGMA query_only = ON", "PRAGMA cache_size = -16384",
    };
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    Py_ssize_t count = PyTuple_Size(stand_ins);
    if (count < 0)
        goto failed;
    for (Py_ssize_t i = 0; code == SQLITE_OK && i < count; i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(stand_ins, i));
        if (!name)
            goto failed;
        code = sqlite3_create_collation(db, name, SQLITE_UTF8, NULL, snapshot_compare_bytes);
    }
    for (size_t i = 0; code == SQLITE_OK && i < sizeof precautions / sizeof *precautions; i++)
        code = sqlite3_exec(db, precautions[i], NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return db;
    snapshot_raise(db, code);
failed:
    sqlite3_close_v2(db);
    return NULL;
}

#endif
