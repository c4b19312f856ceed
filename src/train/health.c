#include "train/health.h"

#include "base/fault.h"

#include <math.h>
#include <stdio.h>

/* Which step of which epoch is being taken, in words. */
enum { WHERE = 64 };
static const char *where(const ls_trainer *t, char out[WHERE])
{
    snprintf(out, WHERE, "step %lld of epoch %lld", (long long)t->progress.step + 1,
             (long long)t->progress.epoch + 1);
    return out;
}

/* The first layer whose outputs in the latest pass are not all finite; "" if they are. */
static const char *first_broken_layer(const ls_network *network, int64_t rows)
{
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        const float *y = ls_network_activation(network, i);
        for (int64_t k = 0; k < rows * ls_shape_size(layer.output); k++)
            if (!isfinite(y[k]))
                return layer.name;
    }
    return "";
}

static ls_status check_score(const void *user, const ls_score *score)
{
    const ls_trainer *t = user;
    ls_status status = ls_fault(LS_FAULT_STEP);
    if (status != LS_OK || score->rows == 0)
        return status;
    const double mean = score->loss / (double)score->rows;
    if (isfinite(mean) && mean < LS_DIVERGED)
        return LS_OK;
    char place[WHERE];
    const char *layer = first_broken_layer(t->replica.network, score->rows);
    return ls_fail(
        LS_ERR_NUMERIC, "loss %g in %s%s%s: training diverged; try a smaller --lr (it is %g)", mean,
        where(t, place), *layer != '\0' ? ", beginning in layer " : "", layer, t->config->lr);
}

/* The name of the parameter at an offset. */
static const char *param_at(const ls_network *network, int64_t offset)
{
    int rows, at = 0;
    const ls_param *param = ls_network_params(network, &rows);
    while (at < rows - 1 && offset >= param[at + 1].offset)
        at++;
    return param[at].name;
}

static ls_status check_gradient(const void *user, int64_t offset)
{
    const ls_trainer *t = user;
    char place[WHERE];
    return ls_fail(LS_ERR_NUMERIC,
                   "the gradient of %s %s in %s: training diverged, or a processor or its memory "
                   "failed; try a smaller --lr (it is %g)",
                   param_at(t->replica.network, offset),
                   t->config->reproducible ? "is not finite, or too large for --reproducible,"
                                           : "is not finite",
                   where(t, place), t->config->lr);
}

ls_step_checks ls_health_checks(const ls_trainer *t)
{
    return (ls_step_checks){.user = t, .score = check_score, .gradient = check_gradient};
}

ls_status ls_health_check_params(const ls_trainer *t)
{
    const ls_network *network = t->replica.network;
    const float *params = ls_reducer_params(t->replica.reducer);
    ls_status status = ls_step_agree(&t->replica, t->comm);
    if (status != LS_OK)
        return status;
    for (int64_t i = 0; status == LS_OK && i < ls_network_size(network); i++)
        if (!(fabsf(params[i]) < LS_DIVERGED))
            status = ls_fail(LS_ERR_NUMERIC,
                             "a parameter in %s is %g after epoch %lld: training diverged; try a "
                             "smaller --lr (it is %g)",
                             param_at(network, i), (double)params[i],
                             (long long)t->progress.epoch + 1, t->config->lr);
    return ls_agree(t->comm, status);
}
