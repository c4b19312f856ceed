/* Preset networks. */
#ifndef LS_NN_PRESET_H
#define LS_NN_PRESET_H

#include <lockstep/network.h>

/* Returns the layers of a model string: the layers of a preset if the string is its name, else a
 * copy of the string. Owned by the caller. Returns NULL when memory is short, with the error text
 * set.
 * Local. */
char *ls_preset_expand(const char *model, ls_preset_data data);

#endif
