/* Preset networks. */
#ifndef LS_NN_PRESET_H
#define LS_NN_PRESET_H

#include <stdbool.h>

/* The rows that a preset is for. All but `outputs` 0: rows of features, a target for each row. */
typedef struct ls_preset_data {
    int outputs;  /* of the network, see ls_loss_outputs() */
    bool tokens;  /* the inputs are tokens: the first layer is an embedding */
    bool by_step; /* a target for each step: no step sees those after it, all have outputs */
} ls_preset_data;

/* Returns the layers of a model string: the layers of a preset if the string is its name, else a
 * copy of the string. Owned by the caller. Returns NULL when memory is short, with the error text
 * set.
 * Local. */
char *ls_preset_expand(const char *model, ls_preset_data data);

#endif
