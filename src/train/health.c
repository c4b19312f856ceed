#include "train/trainer_state.h"

#include "parallel/collectives.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Most steps skipped in a row, and most rollbacks without progress, before the run ends. */
enum { MOST_IN_A_ROW = 10 };

struct ls_health {
    int skipped;           /* steps in a row, with --on-nan skip */
    int64_t rollback_step; /* step of the run that failed before the latest rollback; -1: none */
    int64_t furthest_step; /* the largest such step of all rollbacks; -1: none */
    int rollbacks;         /* since furthest_step was reached */
    int ranks;
    uint64_t *hashes; /* [ranks] of the ranks' parameters */
};

ls_status ls_health_create(ls_health **out, int ranks)
{
    ls_health *h = ls_alloc(1, sizeof *h);
    if (h == NULL)
        return LS_ERR_FAILURE;
    h->rollback_step = h->furthest_step = -1;
    h->ranks = ranks;
    h->hashes = ls_alloc(ranks, sizeof *h->hashes);
    if (h->hashes == NULL) {
        ls_health_destroy(&h);
        return LS_ERR_FAILURE;
    }
    *out = h;
    return LS_OK;
}

void ls_health_destroy(ls_health **health)
{
    if (health == NULL || *health == NULL)
        return;
    ls_free((*health)->hashes);
    ls_free(*health);
    *health = NULL;
}

/* Writes the current step: "step 3 of epoch 2". */
enum { WHERE = 64, RATES = 128 };
static const char *format_step(const ls_trainer *t, char out[WHERE])
{
    snprintf(out, WHERE, "step %lld of epoch %lld", (long long)t->progress.step + 1,
             (long long)t->progress.epoch + 1);
    return out;
}

/* Returns the name of the first layer with a NaN or Inf among its outputs in the latest pass; "" if
 * there is none. */
static const char *first_layer_with_nan(const ls_network *network, int64_t rows)
{
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        const float *y = ls_network_activation(network, i);
        for (int64_t k = 0; k < rows * ls_shape_size(layer.out); k++)
            if (!isfinite(y[k]))
                return layer.name;
    }
    return "";
}

/* Returns advice: values of the target as they are, such as pressures in Pa, may be too large from
 * the first step. */
static const char *describe_remedy(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    if (ls_trainer_dataset(t)->reconstructs)
        return strcmp(c->standardize, "none") == 0 ? "give --standardize fit, or" : "try";
    return t->task.kind == LS_TASK_REGRESSION && !c->standardize_targets
               ? "give --standardize-targets, or"
               : "try";
}

/* Names the learning rates as what to lower: "a smaller --lr (it is 0.1)". */
static const char *name_rates(const ls_trainer *t, char out[RATES])
{
    const ls_train_config *c = t->config;
    const int used = snprintf(out, RATES, "a smaller --lr (it is %g)", c->lr);
    if (c->objective == LS_GAN && c->discriminator_lr > 0)
        snprintf(out + used, RATES - (size_t)used, " or --discriminator-lr (it is %g)",
                 c->discriminator_lr);
    return out;
}

/* Returns what comes before a layer's name, "the discriminator's " or nothing: the generator may
 * have a layer of the same name. */
static const char *whose(const ls_trainer *t, const ls_network *network)
{
    return t->players > 1 && network != ls_replica_network(t->learner[LS_MODEL].replica)
               ? "the discriminator's "
               : "";
}

static ls_status health_check_score(const void *user, const ls_network *network,
                                    const ls_score *score)
{
    const ls_trainer *t = user;
    ls_status status = ls_fault(LS_FAULT_STEP);
    if (status != LS_OK || score->rows == 0)
        return status;
    const double mean = ls_metric_value(LS_METRIC_LOSS, &t->task, score);
    if (isfinite(mean) && mean < LS_DIVERGED)
        return LS_OK;
    char place[WHERE], rates[RATES];
    const char *layer = first_layer_with_nan(network, score->rows);
    return ls_fail(LS_ERR_NUMERIC, "loss %g in %s%s%s%s%s: training diverged; %s %s",
                   ls_plain_number(mean), format_step(t, place),
                   *layer != '\0' ? ", beginning in " : "", *layer != '\0' ? whose(t, network) : "",
                   *layer != '\0' ? "layer " : "", layer, describe_remedy(t), name_rates(t, rates));
}

/* Returns the parameter at an offset. */
static const ls_param *param_at(const ls_network *network, int64_t offset)
{
    int rows, at = 0;
    const ls_param *param = ls_network_params(network, &rows);
    while (at < rows - 1 && offset >= param[at + 1].offset)
        at++;
    return &param[at];
}

static ls_status health_check_gradient(const void *user, const ls_network *network, int64_t offset)
{
    const ls_trainer *t = user;
    char place[WHERE], rates[RATES];
    const ls_param *param = param_at(network, offset);
    if (param->running_statistic && t->config->reproducible)
        return ls_fail(LS_ERR_NUMERIC,
                       "the batch statistic for %s is NaN, Inf, or too large for --reproducible in "
                       "%s: scale the data down with --normalize",
                       param->name, format_step(t, place));
    return ls_fail(LS_ERR_NUMERIC,
                   "the gradient of %s%s %s in %s: training diverged, or a processor or its memory "
                   "failed; try %s",
                   whose(t, network), param->name,
                   t->config->reproducible ? "is NaN, Inf, or too large for --reproducible"
                                           : "is NaN or Inf",
                   format_step(t, place), name_rates(t, rates));
}

ls_step_checks ls_health_checks(const ls_trainer *t)
{
    return (ls_step_checks){
        .user = t, .score = health_check_score, .gradient = health_check_gradient};
}

void ls_health_step_taken(ls_trainer *t)
{
    t->health->skipped = 0;
}

/* Returns true for a running statistic that is a number: it follows the data, however large. */
static bool is_sound_statistic(const ls_network *network, int64_t at, float value)
{
    return param_at(network, at)->running_statistic && isfinite(value);
}

/* Checks the parameters of a network. Collective. */
static ls_status check_params(const ls_trainer *t, ls_replica *replica)
{
    const ls_network *network = ls_replica_network(replica);
    char rates[RATES];
    const float *params;
    ls_status status = ls_replica_params(replica, &params);
    if (status != LS_OK)
        return status;
    for (int64_t i = 0; status == LS_OK && i < ls_network_size(network); i++)
        if (!(fabsf(params[i]) < LS_DIVERGED) && !is_sound_statistic(network, i, params[i]))
            status = ls_fail(
                LS_ERR_NUMERIC,
                "a parameter in %s%s is %g after epoch %lld: training diverged; try %s",
                whose(t, network), param_at(network, i)->name, ls_plain_number((double)params[i]),
                (long long)t->progress.epoch + 1, name_rates(t, rates));
    return ls_agree(t->comm, status);
}

ls_status ls_health_check_params(const ls_trainer *t)
{
    ls_status status = LS_OK;
    for (int p = 0; status == LS_OK && p < t->players; p++)
        status = check_params(t, t->learner[p].replica);
    return status;
}

/* Reports an event to the observer and the log. Collective. */
static ls_status report_event(ls_trainer *t, ls_event event, const char *text)
{
    ls_trainer_note(t, "%s", text);
    return ls_agree_root(t->comm,
                         t->records.log == NULL
                             ? LS_OK
                             : ls_run_log_event(t->records.log, event, t->progress.epoch + 1,
                                                json_pack("{s:o}", "text", ls_json_text(text))));
}

ls_status ls_health_skip(ls_trainer *t, ls_replica *replica)
{
    char why[LS_ERROR_TEXT_MAX], text[LS_ERROR_TEXT_MAX + 64];
    snprintf(why, sizeof why, "%s", ls_error_text());
    ls_step_skip(replica);
    if (++t->health->skipped > MOST_IN_A_ROW)
        return ls_fail(LS_ERR_NUMERIC, "%s; the %d steps before it were skipped, too", why,
                       MOST_IN_A_ROW);
    snprintf(text, sizeof text, "%s; this step is skipped", why);
    return report_event(t, LS_EVENT_SKIP, text);
}

ls_status ls_health_rollback(ls_trainer *t)
{
    ls_health *h = t->health;
    char why[LS_ERROR_TEXT_MAX], text[LS_ERROR_TEXT_MAX + 128];
    const int64_t step = t->progress.epoch * ls_trainer_plan(t)->steps + t->progress.step;
    snprintf(why, sizeof why, "%s", ls_error_text());
    if (step > h->furthest_step) {
        h->furthest_step = step;
        h->rollbacks = 0;
    }
    if (step == h->rollback_step || ++h->rollbacks > MOST_IN_A_ROW)
        return ls_fail(LS_ERR_NUMERIC, "%s; it failed before, rolling back has not helped", why);
    h->rollback_step = step;
    ls_status status = ls_trainer_rollback(t);
    if (status != LS_OK) {
        snprintf(text, sizeof text, "%s", ls_error_text());
        return ls_fail(status, "%s; %s", why, text);
    }
    snprintf(text, sizeof text, "%s; rolling back to step %lld of epoch %lld", why,
             (long long)t->progress.step + 1, (long long)t->progress.epoch + 1);
    return report_event(t, LS_EVENT_ROLLBACK, text);
}

/* Counts the ranks with this hash. */
static int count_hash(const ls_health *h, uint64_t hash)
{
    int count = 0;
    for (int r = 0; r < h->ranks; r++)
        count += h->hashes[r] == hash;
    return count;
}

/* Returns the lowest rank of the majority, more than half of all ranks; -1 if there is none.
 * Boyer, Moore: MJRTY, a fast majority vote algorithm, 1981. */
static int find_majority(const ls_health *h)
{
    uint64_t candidate = 0;
    int votes = 0;
    for (int r = 0; r < h->ranks; r++) {
        if (votes == 0)
            candidate = h->hashes[r];
        votes += h->hashes[r] == candidate ? 1 : -1;
    }
    if (2 * count_hash(h, candidate) <= h->ranks)
        return -1;
    int first = 0;
    while (h->hashes[first] != candidate)
        first++;
    return first;
}

/* Writes the ranks whose hash differs from that of rank `than`: "rank 2", "ranks 2, 5". */
static void name_others(const ls_health *h, int than, char *out, size_t size)
{
    int others = 0;
    size_t used = (size_t)snprintf(
        out, size, "%s", ls_plural(h->ranks - count_hash(h, h->hashes[than]), "rank").text);
    for (int r = 0; r < h->ranks && used < size; r++)
        if (h->hashes[r] != h->hashes[than])
            used += (size_t)snprintf(out + used, size - used, "%s %d", others++ > 0 ? "," : "", r);
}

/* Compares the ranks' parameters of a network. Collective. */
static ls_status check_replica(ls_trainer *t, ls_replica *replica)
{
    ls_health *h = t->health;
    char place[WHERE], ranks[256], text[512];
    const float *params;
    ls_status status = ls_replica_params(replica, &params);
    if (status != LS_OK)
        return status;
    const uint64_t mine = ls_replica_hash(replica);
    ls_allgather_bytes(t->comm, &mine, sizeof mine, h->hashes);
    if (count_hash(h, h->hashes[0]) == h->ranks)
        return LS_OK;
    const int majority = find_majority(h);
    name_others(h, majority >= 0 ? majority : 0, ranks, sizeof ranks);
    snprintf(text, sizeof text, "before %s the parameters of %s differ from those of %s",
             format_step(t, place), ranks,
             majority >= 0 ? "most ranks: a processor or its memory failed there"
                           : "rank 0, and there is no majority to decide which are right");
    if (majority < 0 || !t->config->heal)
        return ls_fail(LS_ERR_RANKS, "%s; continue from the latest checkpoint with --resume auto",
                       text);
    status = ls_replica_copy_from(replica, majority);
    if (status != LS_OK)
        return status;
    snprintf(text + strlen(text), sizeof text - strlen(text), "; replaced by those of rank %d",
             majority);
    return report_event(t, LS_EVENT_HEAL, text);
}

ls_status ls_health_check_replicas(ls_trainer *t)
{
    ls_status status = LS_OK;
    if (t->health->ranks == 1 || t->config->check_replicas == 0)
        return LS_OK;
    for (int p = 0; status == LS_OK && p < t->players; p++)
        status = check_replica(t, t->learner[p].replica);
    return status;
}
