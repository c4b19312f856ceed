/* Classes in tables and lines: their number, and their name if they have names. All functions are
 * Local.
 * names  [classes], or NULL: they have none */
#ifndef LS_CLI_CLASS_LABEL_H
#define LS_CLI_CLASS_LABEL_H

#include <stdint.h>

enum { LS_CLASS_LABEL = 128 /* bytes of a label */, LS_CLASS_COLUMNS = 24 /* most columns */ };

/* A label by value: it lives until the end of the expression that contains the call. */
typedef struct ls_class_text {
    char text[LS_CLASS_LABEL];
} ls_class_text;

/* Returns "3" or "3 cat"; a long name is cut. */
ls_class_text ls_class_label(const char *const *names, int64_t k);

/* Returns "3" or "3 (cat)". */
ls_class_text ls_class_words(const char *const *names, int64_t k);

/* Returns the columns of the widest label of classes 0 .. classes-1. */
int ls_class_columns(const char *const *names, int64_t classes);

/* Returns a text with blanks behind it up to `columns`, at most LS_CLASS_COLUMNS. */
ls_class_text ls_padded(const char *text, int columns);

#endif
