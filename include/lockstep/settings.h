/* The table of settings: one row for each field of ls_train_config. Defaults, parsing, range
 * checks, the text in config.conf and checkpoints, permitted changes of a resumed run, and help
 * come from it. A row can describe a value in any struct, so a program can have its own tables. All
 * functions are Local. */
#ifndef LOCKSTEP_SETTINGS_H
#define LOCKSTEP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <lockstep/choice.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a value is stored and written. */
typedef enum ls_setting_type {
    LS_TYPE_TEXT,     /* const char *, never NULL, a single line */
    LS_TYPE_INT,      /* int64_t, or uint64_t with min >= 0 */
    LS_TYPE_REAL,     /* double */
    LS_TYPE_CHOICE,   /* an enumeration of the size of int: index in `choices`; "": not given */
    LS_TYPE_FLAG,     /* bool: true, false */
    LS_TYPE_PAIR,     /* two consecutive doubles: 0.5,2; the range is of the second */
    LS_TYPE_INTERVAL, /* ls_interval: 500steps, 1epoch, 10min */
    LS_TYPE_TIME,     /* double, seconds: 90s, 10min, 2h; "" is 0 */
    LS_TYPE_SIZE,     /* int64_t, bytes: 256M, 2G */
    LS_TYPE_LOSS,     /* as LS_TYPE_CHOICE, an ls_loss, and the double behind it, D: mse, huber:1.5;
                       * the range is D's */
    LS_TYPE_SCALING   /* scaling and base_batch of an ls_schedule_config: linear:128; "" is none */
} ls_setting_type;

enum {
    LS_SETTING_ABOVE = 1,     /* min itself is out of range */
    LS_SETTING_BELOW = 2,     /* max itself is out of range */
    LS_SETTING_FLOAT = 4,     /* used as a float, which must be in the range, too */
    LS_SETTING_REQUIRED = 8,  /* a text that must not be empty */
    LS_SETTING_ARGUMENT = 16, /* may be given on the command line without its name */
};

/* Permission to change a setting when a run is resumed.
 * FREE       always
 * FIXED      only with resume_anyway
 * ORDER      only with resume_anyway and between epochs: it determines the samples of each step
 * BOUND      never, not even with resume_anyway
 * SPAN       as FIXED if the learning rate depends on the end of the run, else as FREE
 * NOT_SAVED  always: it is for one invocation, and neither in files nor in checkpoints
 * RESULT     set of all settings that results depend on, for ls_config_diff() */
typedef enum ls_change {
    LS_CHANGE_FREE = 0,
    LS_CHANGE_FIXED = 1,
    LS_CHANGE_ORDER = 2,
    LS_CHANGE_BOUND = 4,
    LS_CHANGE_SPAN = 8,
    LS_CHANGE_NOT_SAVED = 16,
    LS_CHANGE_RESULT = LS_CHANGE_FIXED | LS_CHANGE_ORDER | LS_CHANGE_BOUND | LS_CHANGE_SPAN
} ls_change;

typedef struct ls_setting {
    const char *name;     /* of the option, without its dashes; the key in files */
    const char *argument; /* name of the value in help; NULL for a flag */
    ls_setting_type type;
    ls_change change;
    size_t offset;       /* of the value in its struct */
    const char *initial; /* default, as text; NULL is "" for texts and false for a flag */
    double min, max;     /* range of numbers, inclusive unless `flags` say otherwise */
    int flags;
    const ls_choice *choices; /* ends with a row of NULLs */
    const char *group;        /* heading of the help text */
    const char *help;         /* one line */
} ls_setting;

/* Returns the table of ls_train_config, [*count]; the rows of a group are consecutive. */
const ls_setting *ls_settings(int *count);

/* Returns the row of a name of `length` bytes; NULL if there is none. */
const ls_setting *ls_setting_find(const char *name, size_t length);

/* Sets a value from its text.
 * values  the struct to which row->offset refers
 * text    borrowed by a value of LS_TYPE_TEXT
 * Errors: LS_ERR_USAGE, the value is left alone. */
ls_status ls_setting_parse(const ls_setting *row, void *values, const char *text) LS_MUST_CHECK;

/* Sets a value to the row's default. */
void ls_setting_reset(const ls_setting *row, void *values);

/* Writes a value as text that ls_setting_parse() parses to the same value. Returns the length, as
 * snprintf(). */
int ls_setting_format(const ls_setting *row, const void *values, char *out, size_t size);

/* Writes values as lines `key = value`, without LS_CHANGE_NOT_SAVED. Returns the length, as
 * snprintf(). */
size_t ls_settings_text(const ls_setting *rows, int count, const void *values, char *out,
                        size_t size);

/* Checks that a value is in the row's range. Errors: LS_ERR_USAGE. */
ls_status ls_setting_check(const ls_setting *row, const void *values) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
