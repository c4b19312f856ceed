#include "train/step.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/fault.h"
#include "nn/pass.h"
#include "train/replica_state.h"

#include <assert.h>
#include <math.h>

const char *ls_phase_name(int at)
{
    static const char *const names[LS_PHASES] = {"gather", "forward",   "backward", "exposed",
                                                 "hidden", "optimizer", "total"};
    assert(at >= 0 && at < LS_PHASES);
    return names[at];
}

void ls_phases_add(ls_phases *phases, const ls_phases *other)
{
    double *sums = (double *)phases;
    for (int i = 0; i < LS_PHASES; i++)
        sums[i] += ((const double *)other)[i];
}

/* Accumulates the norms that LARS, LAMB and clipping need before the first update. Collective. */
static void accumulate_norms(ls_replica *r)
{
    ls_owned_range piece;
    int count;
    for (int phase = 0; phase < ls_optimizer_phases(r->optimizer); phase++) {
        while (ls_reducer_next(r->reducer, &piece)) {
            const double begin = ls_now();
            ls_optimizer_accumulate_norms(r->optimizer, phase, piece.first, piece.count,
                                          piece.grads, piece.params);
            r->update_s += ls_now() - begin;
        }
        ls_reducer_rewind(r->reducer);
        double *sums = ls_optimizer_sums(r->optimizer, &count);
        ls_reducer_allreduce(r->reducer, sums, count);
        ls_optimizer_finish_norms(r->optimizer, phase);
    }
}

/* Ends a step without its update. Collective. */
static void end_without_update(ls_replica *r)
{
    ls_reducer_allgather_params(r->reducer);
    ls_optimizer_set_steps(r->optimizer, ls_optimizer_steps(r->optimizer) + 1);
}

void ls_step_skip(ls_replica *r)
{
    ls_replica_defer(r, LS_OK);
    end_without_update(r);
}

/* Ends a step whose rows weigh nothing: waits for its sums, and updates nothing. Collective. */
static void drop_update(ls_replica *r)
{
    ls_owned_range piece;
    while (ls_reducer_next(r->reducer, &piece))
        continue;
    end_without_update(r);
    r->settled = false;
}

/* A stopwatch of forward and backward computing: exposed reduction, pending updates and sums over
 * the global batch are left out. */
typedef struct stopwatch {
    const ls_replica *replica;
    double then;
} stopwatch;

static double compute_clock(const ls_replica *r)
{
    return ls_now() - ls_reducer_clock(r->reducer).exposed - r->update_s - r->sum_s;
}

static double lap(stopwatch *watch)
{
    const double before = watch->then;
    watch->then = compute_clock(watch->replica);
    return watch->then - before;
}

/* Test hook for LOCKSTEP_FAULT=gradient: puts a NaN into the gradients before the reducer sees
 * them. */
static void step_fault_grad_ready(void *user, int64_t from)
{
    ls_reducer *reducer = user;
    ls_reducer_grads(reducer)[from] = NAN;
    ls_grads_ready(ls_reducer_grad_hook(reducer), from);
}

static void step_fault_micro_batch(void *user, int64_t end)
{
    ls_next_micro_batch(ls_reducer_grad_hook(user), end);
}

/* Parameter hook: updates the parameters from this offset on. Collective. */
static void step_wait_params(void *user, int64_t from)
{
    ls_replica_update(user, from);
}

/* Sums batch statistics over ranks, for batchnorm. Collective. */
static void step_sum_over_ranks(void *user, double *values, int count)
{
    ls_replica *r = user;
    const double begin = ls_now();
    ls_allreduce_doubles(r->comm, values, count);
    r->sum_s += ls_now() - begin;
}

ls_pass ls_replica_pass(ls_replica *r, uint64_t key, ls_score *rest)
{
    ls_pass pass = {
        .group = ls_reducer_group(r->reducer),
        /* Always set if updates are lazy: how a matrix product is cut decides its last bits. */
        .param_hook = {.call = ls_reducer_updates_lazily(r->reducer) ? step_wait_params : NULL,
                       .user = r},
        .grad_hook = ls_reducer_grad_hook(r->reducer),
        .sum = {.call = step_sum_over_ranks, .user = r},
        .key = key,
        .label_smoothing = r->label_smoothing,
        .block = r->micro_batch,
        .quanta = {r->quanta[0], r->quanta[1]},
        .rest = rest};
    if (ls_fault(LS_FAULT_GRADIENT) != LS_OK)
        pass.grad_hook = (ls_grad_hook){
            .call = step_fault_grad_ready, .again = step_fault_micro_batch, .user = r->reducer};
    return pass;
}

/* The passes of a replica's own network. */
static ls_score network_forward(void *user, const ls_pass *pass)
{
    const ls_replica *r = user;
    return ls_network_loss(r->network, ls_reducer_params(r->reducer), r->batch, pass);
}

static void network_backward(void *user, const ls_pass *pass, float *grads)
{
    const ls_replica *r = user;
    ls_network_backward(r->network, ls_reducer_params(r->reducer), r->batch, pass, grads);
}

/* Runs forward and backward; the reduction begins in between. A failed rank continues with zero
 * rows, so that collectives match. Returns this rank's error, not yet agreed. */
static ls_status forward_backward(ls_replica *r, ls_step_io *io, ls_status status)
{
    const ls_step_passes passes = io->passes.forward != NULL
                                      ? io->passes
                                      : (ls_step_passes){r, network_forward, network_backward};
    ls_score rest = {0};
    const ls_pass pass = ls_replica_pass(r, io->key, &rest);
    stopwatch watch = {r, compute_clock(r)};
    io->score = passes.forward(passes.user, &pass);
    if (status == LS_OK && io->checks.score != NULL)
        status = io->checks.score(io->checks.user, r->network, &io->score);
    if (status != LS_OK)
        r->batch->rows = 0;
    io->phases.forward += lap(&watch);
    io->control.score = io->score;
    io->control.rest = rest;
    io->control.failed = status != LS_OK;
    ls_reducer_begin(r->reducer, &io->control);
    passes.backward(passes.user, &pass, ls_reducer_grads(r->reducer));
    io->phases.backward += lap(&watch);
    return status;
}

/* Returns the error of a step in which a rank failed. A deferred error of the previous step comes
 * first: it has damaged all replicas since. Collective. */
static ls_status agree_on_failure(ls_replica *r, ls_status status)
{
    const ls_status deferred = ls_agree(r->comm, ls_replica_deferred(r));
    return deferred != LS_OK ? deferred : ls_agree(r->comm, status);
}

/* Begins the update, and completes it unless it may stay pending. Collective. */
static void begin_update(ls_replica *r, const ls_step_io *io)
{
    const ls_score *score = &io->control.score;
    if (!(score->weight > 0)) {
        drop_update(r);
        return;
    }
    ls_optimizer_begin(r->optimizer, 1.0 / score->weight, io->lr);
    ls_optimizer_scale_statistics(r->optimizer, 1.0 / (double)score->rows);
    r->update_pending = true;
    r->settled = false;
    r->current_from = ls_network_size(r->network);
    accumulate_norms(r);
    if (io->last || !ls_reducer_updates_lazily(r->reducer))
        ls_replica_update(r, 0);
}

/* Clock readings; the times of a step are differences between two of them. */
typedef struct step_clock {
    ls_reducer_times reducer;
    double update_s, sum_s, now;
} step_clock;

static step_clock read_clock(const ls_replica *r)
{
    return (step_clock){ls_reducer_clock(r->reducer), r->update_s, r->sum_s, ls_now()};
}

/* Adds the times of a step that began at `then`. */
static void add_times(const ls_replica *r, const step_clock *then, double gather_s,
                      ls_phases *phases)
{
    const step_clock now = read_clock(r);
    phases->gather += gather_s;
    phases->optimizer += now.update_s - then->update_s;
    phases->exposed += now.reducer.exposed - then->reducer.exposed + (now.sum_s - then->sum_s);
    phases->hidden += now.reducer.hidden - then->reducer.hidden;
    phases->total += now.now - then->now + gather_s;
}

ls_status ls_step(ls_replica *r, ls_step_io *io)
{
    const step_clock begin = read_clock(r);
    if (io->loaded != LS_OK && ls_replica_deferred(r) == LS_OK)
        ls_replica_defer(r, io->loaded);
    ls_reducer_keep_pieces(r->reducer, ls_optimizer_phases(r->optimizer) > 0);
    ls_status status = forward_backward(r, io, ls_replica_deferred(r));
    const int64_t bad = ls_reducer_finish(r->reducer, &io->control);
    if (status == LS_OK && bad >= 0)
        status = io->checks.gradient != NULL ? io->checks.gradient(io->checks.user, r->network, bad)
                                             : ls_fail(LS_ERR_NUMERIC, "a gradient is NaN or Inf");
    if (io->control.failed > 0)
        return agree_on_failure(r, status);
    ls_replica_defer(r, status);
    begin_update(r, io);
    add_times(r, &begin, io->gather_s, &io->phases);
    return LS_OK;
}
