/* Shared by parsing, formatting and checking a setting's value. */
#ifndef LS_TRAIN_SETTING_VALUE_H
#define LS_TRAIN_SETTING_VALUE_H

#include <lockstep/settings.h>

enum { LS_NUMBER_TEXT = 40 }; /* bytes of a number's text */

/* Units of intervals and times: counts first, then times, the largest last; ends with a NULL. */
typedef struct ls_unit {
    const char *name;
    double seconds; /* 0: a count of epochs or steps */
} ls_unit;
extern const ls_unit ls_units[];

/* Offset of the number of a value of LS_TYPE_LOSS, behind its choice. */
#define LS_LOSS_NUMBER_AT(offset) ((offset) + sizeof(double))

/* Returns "linear" or "sqrt"; "" for LS_LR_AS_GIVEN. */
const char *ls_scaling_name(int scaling);

/* Writes the shortest text that parses to the same number; returns its length, as snprintf(). */
int ls_format_real(double value, char *out, size_t size);

/* Returns true if a number is in the row's range. */
bool ls_setting_contains(const ls_setting *row, double value);

/* Checks that a number is in the row's range.
 * text  the number as text, for the message
 * Errors: LS_ERR_USAGE. */
ls_status ls_setting_check_number(const ls_setting *row, double value,
                                  const char *text) LS_MUST_CHECK;

#endif
