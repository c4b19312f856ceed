/* The words of the model string: grammar and help. Their mathematics is in the operations, see
 * op.h. */
#ifndef LS_NN_WORDS_H
#define LS_NN_WORDS_H

#include "nn/op.h"

typedef struct ls_layer_word {
    const char *name;     /* "conv" */
    const char *argument; /* form of the argument after the colon, "UNITS"; NULL: no argument; the
                             letters with which it begins in lower case, "pixels", are literal */
    const char *help;     /* one line */
    const ls_op_kind *op;

    /* Parses the argument, or sets what holds without one if it is NULL; NULL: nothing to do.
     * Errors: LS_ERR_USAGE with the reason. */
    ls_status (*parse)(const char *argument, ls_attributes *out);
} ls_layer_word;

/* Returns word `at`, from 0; NULL after the last. Local. */
const ls_layer_word *ls_layer_word_at(int at);

/* Returns true if no word before word `at` has its name. Local. */
bool ls_layer_word_is_first(int at);

/* Finds the word at the start of a text, which ends at a colon, comma or semicolon. Returns NULL if
 * the word is unknown. Local. */
const ls_layer_word *ls_layer_word_find(const char *text);

/* Words of the graph. */
enum {
    LS_WORD_NAME = ':',  /* names the current value */
    LS_WORD_GO = '@',    /* makes a named value the current one */
    LS_WORD_ADD = '+',   /* adds a named value to the current one */
    LS_WORD_CONCAT = '&' /* appends a named value's channels to the current one's */
};

#endif
