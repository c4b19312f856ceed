/* Enumerations with names. One list,
 *
 *     #define LS_MODE_LIST(X) X(LS_MODE_AUTO, "auto", "by the metric's name") ...
 *
 * generates the enumeration, its names in options and files, and their help texts. */
#ifndef LOCKSTEP_CHOICE_H
#define LOCKSTEP_CHOICE_H

/* One value of an enumeration. Arrays of choices are indexed by the value and end with NULLs. */
typedef struct ls_choice {
    const char *name;
    const char *help; /* one line */
} ls_choice;

/* Macros to apply a list to: an enumerator, a row of an array of names, a row of ls_choice. */
#define LS_CHOICE_ENUM(value, name, help) value,
#define LS_CHOICE_NAME(value, name, help) [value] = (name),
#define LS_CHOICE_ROW(value, name, help)  [value] = {name, help},

#endif
