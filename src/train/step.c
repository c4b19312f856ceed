#include "train/step.h"

#include "base/clock.h"

#include <assert.h>

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

ls_status ls_step(ls_replica *r, const ls_samples *samples, const int64_t *order, int64_t count,
                  double lr, ls_comm *comm, ls_step_check *check, const void *user, ls_score *score,
                  ls_control *control, ls_phases *phases)
{
    const ls_reducer_times before = ls_reducer_clock(r->reducer);
    const double updating_before = r->updating, begin = ls_now();
    const ls_team *team = ls_reducer_team(r->reducer);
    ls_samples_gather(samples, order, 0, count, r->normalization, r->batch);

    const double gathered = ls_now();
    const float *params = ls_reducer_params(r->reducer);
    /* Asked for in any case where it may be needed: how a product is cut decides its last bits. */
    const ls_need need = {ls_reducer_defers(r->reducer) ? update : NULL, r};
    *score = ls_network_loss(r->network, params, r->batch, team, need);
    ls_status status = check != NULL ? check(user, score) : LS_OK;
    if (status != LS_OK)
        r->batch->rows = 0; /* it goes on with the others, with nothing of its own */

    const double forwarded = ls_now();
    const double exposed_then = ls_reducer_clock(r->reducer).exposed;
    const double updating_then = r->updating;
    control->rows = score->rows;
    control->correct = score->correct;
    control->loss = score->loss;
    control->failed = status != LS_OK;
    ls_reducer_begin(r->reducer, control);
    ls_network_backward(r->network, params, r->batch, team, ls_reducer_grads(r->reducer),
                        ls_reducer_ready(r->reducer));

    const double backwarded = ls_now();
    const double exposed_after = ls_reducer_clock(r->reducer).exposed;
    ls_reducer_finish(r->reducer, control);
    if (control->failed > 0)
        return ls_agree(comm, status);
    ls_optimizer_begin(r->optimizer, 1.0 / (double)control->rows, lr);
    r->unfinished = true;
    r->fresh = ls_network_size(r->network);
    if (!ls_reducer_defers(r->reducer))
        ls_step_finish(r, NULL);

    const double end = ls_now();
    const ls_reducer_times now = ls_reducer_clock(r->reducer);
    phases->gather += gathered - begin;
    phases->forward +=
        forwarded - gathered - (exposed_then - before.exposed) - (updating_then - updating_before);
    phases->backward += backwarded - forwarded - (exposed_after - exposed_then);
    phases->optimizer += r->updating - updating_before;
    phases->exposed += now.exposed - before.exposed;
    phases->hidden += now.hidden - before.hidden;
    phases->total += end - begin;
    return LS_OK;
}
