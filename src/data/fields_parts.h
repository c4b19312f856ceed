/* How the parts of ls_fields are opened and read. Included in fields*.c only. All functions are
 * Local. */
#ifndef LS_DATA_FIELDS_PARTS_H
#define LS_DATA_FIELDS_PARTS_H

#include "data/fields.h"

/* Writes the name of a dataset of a group. */
const char *ls_fields_name_of(const char *group, const char *what, char name[LS_FIELD_NAME]);

/* Returns how a dataset is opened.
 * shapes  the accepted ones, for messages */
ls_field_view ls_fields_view(const ls_fields *fields, const char *shapes);

/* Checks that a dataset has as many rows as the inputs.
 * Errors: LS_ERR_DATA. */
ls_status ls_fields_check_rows(const ls_fields *fields, const char *name,
                               int64_t rows) LS_MUST_CHECK;

/* Return the steps of a row, see ls_dataset_steps(); true if the rows have lengths. */
int64_t ls_fields_steps(const ls_fields *fields);
static inline bool ls_fields_are_ragged(const ls_fields *fields)
{
    return fields->has_lengths || fields->padded;
}

/* Open the targets, then the lengths, then the weights, of fields whose inputs are open.
 * Errors: LS_ERR_DATA; LS_ERR_USAGE. */
ls_status ls_fields_open_targets(ls_fields *fields, const ls_fields_choice *choice) LS_MUST_CHECK;
ls_status ls_fields_open_lengths(ls_fields *fields, const ls_fields_choice *choice) LS_MUST_CHECK;
ls_status ls_fields_open_weights(ls_fields *fields, const ls_fields_choice *choice) LS_MUST_CHECK;

/* Read lengths and weights of rows whose inputs are read: without weights 1, if samples have any.
 * Errors: as ls_fields_read(). */
ls_status ls_fields_read_lengths(const ls_fields *fields, int64_t first, int64_t count,
                                 const ls_destination *to) LS_MUST_CHECK;
ls_status ls_fields_read_weights(const ls_fields *fields, int64_t first, int64_t count,
                                 const ls_destination *to) LS_MUST_CHECK;

#endif
