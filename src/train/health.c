#include "train/health.h"

#include "base/fault.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* Steps left out one after the other, and returns to a checkpoint without getting further, after
 * which a run is given up. */
enum { MOST_IN_A_ROW = 10 };

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
    return ls_fail(LS_ERR_NUMERIC,
                   "loss %g in %s%s%s: training diverged; try a smaller --lr (it is %g)",
                   ls_plain_number(mean), where(t, place),
                   *layer != '\0' ? ", beginning in layer " : "", layer, t->config->lr);
}

/* The parameter at an offset. */
static const ls_param *param_at(const ls_network *network, int64_t offset)
{
    int rows, at = 0;
    const ls_param *param = ls_network_params(network, &rows);
    while (at < rows - 1 && offset >= param[at + 1].offset)
        at++;
    return &param[at];
}

static ls_status check_gradient(const void *user, int64_t offset)
{
    const ls_trainer *t = user;
    char place[WHERE];
    const ls_param *param = param_at(t->replica.network, offset);
    if (param->tracks && t->config->reproducible)
        return ls_fail(LS_ERR_NUMERIC,
                       "what the batch in %s makes of %s is not finite, or too large for "
                       "--reproducible: bring the data to a smaller scale by --normalize",
                       where(t, place), param->name);
    return ls_fail(LS_ERR_NUMERIC,
                   "the gradient of %s %s in %s: training diverged, or a processor or its memory "
                   "failed; try a smaller --lr (it is %g)",
                   param->name,
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
    ls_status status = ls_step_agree(&t->replica);
    if (status != LS_OK)
        return status;
    for (int64_t i = 0; status == LS_OK && i < ls_network_size(network); i++)
        if (!(fabsf(params[i]) < LS_DIVERGED))
            status = ls_fail(LS_ERR_NUMERIC,
                             "a parameter in %s is %g after epoch %lld: training diverged; try a "
                             "smaller --lr (it is %g)",
                             param_at(network, i)->name, ls_plain_number((double)params[i]),
                             (long long)t->progress.epoch + 1, t->config->lr);
    return ls_agree(t->comm, status);
}

/* Lets the user and the log know. Collective. */
static ls_status tell(ls_trainer *t, ls_event event, const char *text)
{
    ls_trainer_note(t, "%s", text);
    return ls_agree(
        t->comm, t->log == NULL ? LS_OK
                                : ls_run_log_event(t->log, event, t->progress.epoch + 1,
                                                   json_pack("{s:o}", "text", ls_json_text(text))));
}

ls_status ls_health_skip(ls_trainer *t)
{
    char why[LS_ERROR_TEXT_MAX], text[LS_ERROR_TEXT_MAX + 64];
    snprintf(why, sizeof why, "%s", ls_error_text());
    ls_step_skip(&t->replica);
    if (++t->skipped > MOST_IN_A_ROW)
        return ls_fail(LS_ERR_NUMERIC, "%s; %d steps before it were left out already", why,
                       MOST_IN_A_ROW);
    snprintf(text, sizeof text, "%s; this step is left out", why);
    return tell(t, LS_EVENT_SKIP, text);
}

ls_status ls_health_roll_back(ls_trainer *t)
{
    char why[LS_ERROR_TEXT_MAX], text[LS_ERROR_TEXT_MAX + 128];
    const int64_t step = t->progress.epoch * t->plan.steps + t->progress.step;
    snprintf(why, sizeof why, "%s", ls_error_text());
    if (step > t->furthest) {
        t->furthest = step;
        t->rollbacks = 0;
    }
    if (step == t->rolled_back || ++t->rollbacks > MOST_IN_A_ROW)
        return ls_fail(LS_ERR_NUMERIC, "%s; so it was before, going back has not helped", why);
    t->rolled_back = step;
    ls_status status = ls_trainer_go_back(t);
    if (status != LS_OK) {
        snprintf(text, sizeof text, "%s", ls_error_text());
        return ls_fail(status, "%s; %s", why, text);
    }
    snprintf(text, sizeof text, "%s; going back to step %lld of epoch %lld", why,
             (long long)t->progress.step + 1, (long long)t->progress.epoch + 1);
    return tell(t, LS_EVENT_ROLLBACK, text);
}

/* How many ranks have this hash. */
static int count_of(const ls_trainer *t, uint64_t hash)
{
    int count = 0;
    for (int r = 0; r < t->plan.ranks; r++)
        count += t->hashes[r] == hash;
    return count;
}

/* The lowest rank that more than half of all agree with; -1 if there is none. */
static int find_majority(const ls_trainer *t)
{
    for (int r = 0; 2 * r < t->plan.ranks; r++)
        if (2 * count_of(t, t->hashes[r]) > t->plan.ranks)
            return r;
    return -1;
}

/* "rank 2", "ranks 2, 5", those whose hash is another than this rank's. */
static void name_others(const ls_trainer *t, int than, char *out, size_t size)
{
    int others = 0;
    size_t used = (size_t)snprintf(
        out, size, "%s", ls_plural(t->plan.ranks - count_of(t, t->hashes[than]), "rank").text);
    for (int r = 0; r < t->plan.ranks && used < size; r++)
        if (t->hashes[r] != t->hashes[than])
            used += (size_t)snprintf(out + used, size - used, "%s %d", others++ > 0 ? "," : "", r);
}

/* Gives one rank's parameters and optimizer's state to all. Collective. */
static ls_status spread(ls_trainer *t, int from)
{
    ls_replica *r = &t->replica;
    const int64_t size = ls_network_size(r->network);
    const size_t bytes = (size_t)size * sizeof(float);
    float *params = ls_alloc(size, sizeof *params);
    ls_status status = ls_agree(t->comm, params == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK) {
        memcpy(params, ls_reducer_params(r->reducer), bytes);
        ls_broadcast_from(t->comm, params, bytes, from);
        ls_reducer_set_params(r->reducer, params);
        for (int i = 0; i < ls_optimizer_slots(r->optimizer); i++) {
            float *slot = ls_optimizer_slot(r->optimizer, i);
            ls_reducer_complete(r->reducer, slot);
            ls_broadcast_from(t->comm, slot, bytes, from);
        }
    }
    ls_free(params);
    return status;
}

/* A hash of what must be the same on all ranks: the parameters, and their average where every rank
 * keeps all of it. Local. */
static uint64_t hash_replica(const ls_replica *r)
{
    const size_t bytes = (size_t)ls_network_size(r->network) * sizeof(float);
    const float *average = ls_optimizer_average(r->optimizer);
    const uint64_t hash = XXH3_64bits(ls_reducer_params(r->reducer), bytes);
    if (average == NULL || ls_reducer_divides(r->reducer))
        return hash;
    return XXH3_64bits_withSeed(average, bytes, hash);
}

ls_status ls_health_check_replicas(ls_trainer *t)
{
    char place[WHERE], ranks[256], text[512];
    if (t->plan.ranks == 1 || t->config->check_replicas == 0)
        return LS_OK;
    ls_step_finish(&t->replica, NULL);
    const uint64_t mine = hash_replica(&t->replica);
    ls_share_bytes(t->comm, &mine, sizeof mine, t->hashes);
    if (count_of(t, t->hashes[0]) == t->plan.ranks)
        return LS_OK;
    const int majority = find_majority(t);
    name_others(t, majority >= 0 ? majority : 0, ranks, sizeof ranks);
    snprintf(text, sizeof text, "before %s the parameters of %s are not those of %s",
             where(t, place), ranks,
             majority >= 0 ? "most ranks: a processor or its memory failed there"
                           : "rank 0, and no majority tells who is right");
    if (majority < 0 || !t->config->heal)
        return ls_fail(LS_ERR_RANKS, "%s; go on from the latest checkpoint by --resume auto", text);
    ls_status status = spread(t, majority);
    if (status != LS_OK)
        return status;
    snprintf(text + strlen(text), sizeof text - strlen(text), "; they get those of rank %d",
             majority);
    return tell(t, LS_EVENT_HEAL, text);
}
