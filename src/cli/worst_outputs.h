/* The outputs of a regression that tables show if there are too many for all. Local. */
#ifndef LS_CLI_WORST_OUTPUTS_H
#define LS_CLI_WORST_OUTPUTS_H

enum { LS_WORST_OUTPUTS = 20 };

/* Finds the outputs of largest RMSE, in descending order; of equal ones the first comes first; NaN
 * comes last. Returns their number, LS_WORST_OUTPUTS or, if there are fewer, that of all outputs.
 * rmse   returns the RMSE of output k of `user`
 * worst  on return their numbers */
int ls_worst_outputs(double (*rmse)(const void *user, int k), const void *user, int outputs,
                     int worst[LS_WORST_OUTPUTS]);

#endif
