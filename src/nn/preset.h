/* Networks that have a name. */
#ifndef LS_NN_PRESET_H
#define LS_NN_PRESET_H

/* The layers that a model string means: those of a well-known network if it is the name of one,
 * else the string itself. Owned by the caller. NULL when memory is short, with the text set.
 * Local. */
char *ls_preset_expand(const char *model, int classes);

#endif
