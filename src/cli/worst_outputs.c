#include "cli/worst_outputs.h"

#include <math.h>
#include <stdbool.h>

static bool is_larger(double a, double b)
{
    return a > b || (isnan(b) && !isnan(a));
}

int ls_worst_outputs(double (*rmse)(const void *user, int k), const void *user, int outputs,
                     int worst[LS_WORST_OUTPUTS])
{
    int count = 0;
    for (int k = 0; k < outputs; k++) {
        int at = count;
        while (at > 0 && is_larger(rmse(user, k), rmse(user, worst[at - 1])))
            at--;
        count += count < LS_WORST_OUTPUTS;
        for (int i = count - 1; i > at; i--)
            worst[i] = worst[i - 1];
        if (at < LS_WORST_OUTPUTS)
            worst[at] = k;
    }
    return count;
}
