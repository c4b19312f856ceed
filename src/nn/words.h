/* The words of the model string: grammar and help. What a word computes is its operation's matter,
 * see op.h. */
#ifndef LS_NN_WORDS_H
#define LS_NN_WORDS_H

#include "nn/op.h"

typedef struct ls_layer_word {
    const char *name;     /* "conv" */
    const char *argument; /* form of what follows the colon, "UNITS"; NULL: takes none */
    const char *help;     /* one line */
    const ls_op_kind *op; /* NULL: changes nothing but the shape */

    /* Reads the argument; NULL: takes none.
     * Errors: LS_ERR_USAGE with the reason. */
    ls_status (*parse)(const char *argument, ls_attributes *out);
} ls_layer_word;

/* Word `at`, from 0; NULL past the last. Local. */
const ls_layer_word *ls_layer_word_at(int at);

/* The word that the start of a text names, up to a colon, comma or semicolon; NULL: none. Local. */
const ls_layer_word *ls_layer_word_find(const char *text);

/* Words of the graph. */
enum {
    LS_WORD_NAME = ':',  /* names the current value */
    LS_WORD_GO = '@',    /* makes a named value the current one */
    LS_WORD_ADD = '+',   /* adds a named value to the current one */
    LS_WORD_CONCAT = '&' /* appends a named value's channels to the current one's */
};

#endif
