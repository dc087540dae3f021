/* Rows of the snapshot to the bytes of PostgreSQL's binary COPY format. */

#include "snapshot.h"

static PyMethodDef methods[] = {{NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "liteferry.compiled._encoder", "Rows of the snapshot to the bytes of PostgreSQL's binary COPY format.", -1, methods,
};

PyMODINIT_FUNC PyInit__encoder(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddStringConstant(module, "sqlite_version", sqlite3_libversion()) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
