#include "train/step.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/rng.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

const char *ls_phase_name(int at)
{
    static const char *const names[LS_PHASES] = {"gather", "forward",   "backward", "exposed",
                                                 "hidden", "optimizer", "total"};
    assert(at >= 0 && at < LS_PHASES);
    return names[at];
}

/* Updates pieces of this rank's until the parameters from `from` on are new; for 0, until all are.
 * Collective. */
static void update(void *user, int64_t from)
{
    ls_replica *r = user;
    ls_piece piece;
    while (r->unfinished && (from == 0 || r->fresh > from)) {
        if (!ls_reducer_next(r->reducer, &piece)) {
            ls_reducer_publish(r->reducer);
            r->unfinished = false;
            break;
        }
        const double begin = ls_now();
        ls_optimizer_update(r->optimizer, piece.first, piece.count, piece.grads, piece.params);
        r->updating += ls_now() - begin;
        r->fresh = piece.fresh;
    }
}

/* Looks at all pieces as often as the optimizer has to before it updates the first. Collective. */
static void measure(ls_replica *r)
{
    ls_piece piece;
    int count;
    for (int phase = 0; phase < ls_optimizer_phases(r->optimizer); phase++) {
        while (ls_reducer_next(r->reducer, &piece)) {
            const double begin = ls_now();
            ls_optimizer_measure(r->optimizer, phase, piece.first, piece.count, piece.grads,
                                 piece.params);
            r->updating += ls_now() - begin;
        }
        ls_reducer_rewind(r->reducer);
        double *sums = ls_optimizer_sums(r->optimizer, &count);
        ls_reducer_add_up(r->reducer, sums, count);
        ls_optimizer_conclude(r->optimizer, phase);
    }
}

void ls_step_finish(ls_replica *r, ls_phases *phases)
{
    const double begin = ls_now(), updating = r->updating;
    const ls_reducer_times before = ls_reducer_clock(r->reducer);
    update(r, 0);
    if (phases == NULL)
        return;
    const ls_reducer_times now = ls_reducer_clock(r->reducer);
    phases->optimizer += r->updating - updating;
    phases->exposed += now.exposed - before.exposed;
    phases->hidden += now.hidden - before.hidden;
    phases->total += ls_now() - begin;
}

/* What was found too late in the latest step, as this rank's failure. */
static ls_status late(const ls_replica *r)
{
    return r->late == LS_OK ? LS_OK : ls_fail(r->late, "%s", r->late_text);
}

ls_status ls_step_agree(const ls_replica *r)
{
    return ls_agree(r->comm, late(r));
}

void ls_step_fail(ls_replica *r, ls_status status)
{
    if (r->late != LS_OK)
        return;
    snprintf(r->late_text, sizeof r->late_text, "%s", ls_error_text());
    r->late = status;
}

void ls_step_skip(ls_replica *r)
{
    r->late = LS_OK;
    ls_reducer_publish(r->reducer);
    ls_optimizer_set_steps(r->optimizer, ls_optimizer_steps(r->optimizer) + 1);
}

/* A stopwatch that does not count what the reducer exposes and what deferred updates take. */
typedef struct stopwatch {
    const ls_replica *replica;
    double then;
} stopwatch;

static double own_time(const ls_replica *r)
{
    return ls_now() - ls_reducer_clock(r->reducer).exposed - r->updating - r->summing;
}

static double lap(stopwatch *watch)
{
    const double before = watch->then;
    watch->then = own_time(watch->replica);
    return watch->then - before;
}

/* Tells the reducer of gradients that have a NaN among them. */
static void spoil(void *user, int64_t from)
{
    ls_reducer *reducer = user;
    ls_reducer_grads(reducer)[from] = NAN;
    ls_ready_call(ls_reducer_ready(reducer), from);
}

static void spoil_again(void *user, int64_t end)
{
    ls_ready_again(ls_reducer_ready(user), end);
}

/* For statistics of the global batch. */
static void sum_over_ranks(void *user, double *values, int count)
{
    ls_replica *r = user;
    const double begin = ls_now();
    ls_sum_doubles(r->comm, values, count);
    r->summing += ls_now() - begin;
}

/* How passes go. */
static ls_pass describe_pass(ls_replica *r)
{
    ls_pass pass = {.team = ls_reducer_team(r->reducer),
                    /* Asked for in any case where it may be needed: how a product is cut decides
                       its last bits. */
                    .need = {.call = ls_reducer_defers(r->reducer) ? update : NULL, .user = r},
                    .ready = ls_reducer_ready(r->reducer),
                    .sum = {.call = sum_over_ranks, .user = r},
                    .key = ls_rng_key(r->seed, LS_RNG_PASS, (uint64_t)r->epoch),
                    .label_smoothing = r->label_smoothing,
                    .block = r->block,
                    .quantum = r->loss_quantum};
    if (ls_fault(LS_FAULT_GRADIENT) != LS_OK)
        pass.ready = (ls_ready){.call = spoil, .again = spoil_again, .user = r->reducer};
    return pass;
}

/* Forward and backward through this rank's rows; the sum over ranks begins as soon as what this
 * rank has to say is known. After a failure it goes on with the others, with nothing of its own. */
static ls_status pass_through(ls_replica *r, const ls_samples *samples, const int64_t *order,
                              int64_t count, ls_status status, const ls_step_checks *checks,
                              ls_score *score, ls_control *control, ls_phases *phases)
{
    const float *params = ls_reducer_params(r->reducer);
    const ls_pass pass = describe_pass(r);
    stopwatch watch = {r, own_time(r)};
    ls_samples_gather(samples, order, 0, count, r->normalization, r->batch);
    ls_augment_apply(r->augment, r->seed, r->epoch, r->normalization.shift, r->batch);
    phases->gather += lap(&watch);
    *score = ls_network_loss(r->network, params, r->batch, &pass);
    if (status == LS_OK && checks != NULL)
        status = checks->score(checks->user, score);
    if (status != LS_OK)
        r->batch->rows = 0;
    phases->forward += lap(&watch);
    control->score = *score;
    control->failed = status != LS_OK;
    ls_reducer_begin(r->reducer, control);
    ls_network_backward(r->network, params, r->batch, &pass, ls_reducer_grads(r->reducer));
    phases->backward += lap(&watch);
    return status;
}

ls_status ls_step(ls_replica *r, const ls_samples *samples, const int64_t *order, int64_t count,
                  double lr, const ls_step_checks *checks, ls_score *score, ls_control *control,
                  ls_phases *phases)
{
    const ls_reducer_times before = ls_reducer_clock(r->reducer);
    const double updating = r->updating, summing = r->summing, begin = ls_now();
    ls_reducer_hold(r->reducer, ls_optimizer_phases(r->optimizer) > 0);
    ls_status status =
        pass_through(r, samples, order, count, late(r), checks, score, control, phases);
    const int64_t bad = ls_reducer_finish(r->reducer, control);
    if (status == LS_OK && bad >= 0)
        status = checks != NULL ? checks->gradient(checks->user, bad)
                                : ls_fail(LS_ERR_NUMERIC, "a gradient is not finite");
    if (control->failed > 0) {
        /* What a rank found too late in the step before has spoiled all replicas since: it counts.
         */
        const ls_status before_this = ls_step_agree(r);
        return before_this != LS_OK ? before_this : ls_agree(r->comm, status);
    }
    if (status != LS_OK)
        snprintf(r->late_text, sizeof r->late_text, "%s", ls_error_text());
    r->late = status;
    ls_optimizer_begin(r->optimizer, 1.0 / (double)control->score.rows, lr);
    r->unfinished = true;
    r->fresh = ls_network_size(r->network);
    measure(r);
    if (!ls_reducer_defers(r->reducer))
        ls_step_finish(r, NULL);

    const double end = ls_now();
    const ls_reducer_times now = ls_reducer_clock(r->reducer);
    phases->optimizer += r->updating - updating;
    phases->exposed += now.exposed - before.exposed + (r->summing - summing);
    phases->hidden += now.hidden - before.hidden;
    phases->total += end - begin;
    return LS_OK;
}
