/* The sources of `import`: which one the options name, and its import. */
#ifndef LS_CLI_IMPORT_SOURCE_H
#define LS_CLI_IMPORT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#include "cli/options.h"

/* Values of the options of `import`; texts are "" if they are not given. */
typedef struct ls_import_options {
    const char *idx, *train_images, *train_labels, *test_images, *test_labels;
    const char *cifar, *emnist, *png, *synthetic;
    bool coarse;
    const char *resize;
    const char *csv, *csv_test, *target;
    const char *npy, *npy_test, *npz, *members;
    bool values;
    const char *text, *text_test, *text_column;
    int64_t vocabulary, steps;
    bool characters;
    double test_fraction;
    const char *out, *name;
    int64_t limit, limit_test, classes, seed;
    bool compress, force;
} ls_import_options;

/* Imports from the source that the options name. Local.
 * given  says which were given
 * s      their values
 * Errors: LS_ERR_USAGE if they name none or two, or an option belongs to another source; those of
 * the import. */
ls_status ls_import_from(const ls_options *given, const ls_import_options *s) LS_MUST_CHECK;

#endif
