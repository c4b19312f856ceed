/* Fields that are joined along their features: the numbers of one, then those of the next. All
 * functions are Local. */
#ifndef LS_DATA_JOINT_H
#define LS_DATA_JOINT_H

#include "data/field.h"

typedef struct ls_joint {
    int count; /* of fields; 0: not open */
    ls_field *fields;
    ls_element element; /* type in memory: the fields' type, float32 if they differ */
    bool rounded;       /* a field is float64 in the file */
    int64_t rows;
    int64_t numbers; /* of a row */
} ls_joint;

/* Opens the selected fields, of as many rows each. `out` is owned: ls_joint_close().
 * Errors: LS_ERR_DATA. */
ls_status ls_joint_open(ls_joint *out, const ls_h5 *file, const ls_selections *selections,
                        ls_field_view view) LS_MUST_CHECK;

/* As ls_field_read(). */
ls_status ls_joint_read(const ls_joint *joint, bool targets, int64_t first, int64_t count,
                        const ls_destination *to) LS_MUST_CHECK;

/* Closes the fields, if they are open. */
void ls_joint_close(ls_joint *joint);

#endif
