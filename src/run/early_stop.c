#include "run/early_stop.h"

#include "base/fraction.h"

#include <math.h>

bool ls_early_stop_update(ls_early_stop *state, const ls_early_stop_config *config, int64_t epoch,
                          double value)
{
    /* 0.95 - 0.94 must not exceed 0.01 because of rounding. */
    const double least = config->min_delta > 0 ? config->min_delta + LS_ROUNDING * fabs(value) : 0;
    double gain = config->maximise ? value - state->best : state->best - value;
    bool improved = !isnan(value) && (state->best_epoch == 0 || gain > least);
    if (improved) {
        state->best = value;
        state->best_epoch = epoch;
        state->waited = 0;
    } else {
        state->waited++;
    }
    return improved;
}

bool ls_early_stop_reached(const ls_early_stop *state, const ls_early_stop_config *config)
{
    return config->patience > 0 && state->waited >= config->patience;
}

bool ls_early_stop_plateau(ls_early_stop *state, const ls_early_stop_config *config, int64_t epoch,
                           double value)
{
    (void)ls_early_stop_update(state, config, epoch, value);
    if (!ls_early_stop_reached(state, config))
        return false;
    state->waited = 0;
    return true;
}
