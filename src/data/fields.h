/* Inputs and targets of the rows of a file: accepted names, shapes and types, and conversion to
 * samples. All functions are Local. */
#ifndef LS_DATA_FIELDS_H
#define LS_DATA_FIELDS_H

#include <lockstep/dataset.h>

#include "data/joint.h"
#include "data/labels.h"

/* Which datasets are inputs and targets. */
typedef struct ls_fields_choice {
    const char *group;                     /* "train": images or inputs, labels or targets of it */
    const ls_selections *inputs, *targets; /* not NULL: these; group is then unused */
    const ls_selection *weights; /* of the group, or selected; NULL: the rows have no weights */
    const ls_selection *lengths; /* the same; NULL: of a group, its lengths, if it has any */
    bool padded;                 /* the lengths follow from `padding`, which fills rows up */
    int64_t padding;
    int vocabulary;         /* the inputs of the group are tokens below it; 0: unknown */
    bool reconstructs;      /* the targets are the inputs: no others are opened */
    bool untargeted;        /* there are no targets */
    ls_target_kind kind;    /* of selected targets; of a group's: are they fractions */
    ls_layout_order layout; /* LS_LAYOUT_AUTO: an ambiguous shape is refused */
    bool column_major; /* the dimensions of datasets are in reverse order: the rows come last */
} ls_fields_choice;

typedef struct ls_fields {
    const ls_h5 *file; /* borrowed */
    ls_joint inputs;
    ls_labels labels; /* classes, of rows or steps */
    ls_joint targets; /* values; not open with labels, and if the targets are the inputs */
    /* A number of each row, read behind the values; not open without any. */
    ls_field lengths, weights;
    bool selected; /* by options, not by the layout of data sets */
    bool has_labels, has_lengths, has_weights;
    bool padded; /* the rows have lengths that follow from their padding */
    float padding;
    int values; /* of a row, or its steps of which each has a label; 0 with a label of the row */
    int64_t rows, channels, height, width;
    bool doubtful; /* read as [N,C,H,W], but the shape looks like [N,H,W,C] */
    bool column_major;
} ls_fields;

/* Returns true if the first dimensions of inputs, targets and lengths differ, but the last are
 * equal: the rows come last, as programs with column-major arrays write them.
 * choice  `column_major` is unused */
bool ls_fields_look_column_major(const ls_h5 *file, const ls_fields_choice *choice);

/* Opens inputs, targets, lengths and weights, and checks shapes and types.
 * Errors: LS_ERR_DATA; LS_ERR_USAGE for an ambiguous shape. *out is left alone. */
ls_status ls_fields_open(ls_fields *out, const ls_h5 *file,
                         const ls_fields_choice *choice) LS_MUST_CHECK;

/* Returns the name of the first dataset of the inputs; borrowed. */
const char *ls_fields_name(const ls_fields *fields);

/* Returns the bytes of all inputs and targets, unpacked. */
int64_t ls_fields_bytes(const ls_fields *fields);

/* Reads rows first .. first+count-1, and checks that labels are below `classes`, that inputs and
 * values are finite, values in the range of their kind, tokens in that of the vocabulary, lengths
 * at most the number of steps, and weights 0 to LS_MAX_WEIGHT. In samples
 * of a weighted format, rows without weights get the weight 1.
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE; LS_INTERRUPTED, see base/interrupt.h. */
ls_status ls_fields_read(const ls_fields *fields, int64_t first, int64_t count, int classes,
                         const ls_destination *to) LS_MUST_CHECK;

/* Closes inputs and targets, as far as they are open. */
void ls_fields_close(ls_fields *fields);

#endif
