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

ls_status ls_step(ls_replica *r, const ls_samples *samples, const int64_t *order, int64_t count,
                  double lr, ls_comm *comm, ls_step_check *check, const void *user, ls_score *score,
                  ls_control *control, ls_phases *phases)
{
    const ls_reducer_times before = ls_reducer_clock(r->reducer);
    const double begin = ls_now();
    ls_samples_gather(samples, order, 0, count, r->normalization, r->batch);

    const double gathered = ls_now();
    const float *params = ls_reducer_params(r->reducer);
    *score = ls_network_loss(r->network, params, r->batch);
    ls_status status = check != NULL ? check(user, score) : LS_OK;

    const double forwarded = ls_now();
    *control = (ls_control){.rows = score->rows, .loss = score->loss, .failed = status != LS_OK};
    ls_reducer_begin(r->reducer, control);
    if (status == LS_OK)
        ls_network_backward(r->network, params, r->batch, ls_reducer_grads(r->reducer),
                            ls_reducer_ready(r->reducer));

    const double backwarded = ls_now();
    const double exposed_then = ls_reducer_clock(r->reducer).exposed;
    ls_reducer_finish(r->reducer, control);
    if (control->failed > 0)
        return ls_agree(comm, status);

    /* Each rank updates the pieces that are its. */
    ls_piece piece;
    ls_optimizer_begin(r->optimizer, 1.0 / (double)control->rows, lr);
    while (ls_reducer_next(r->reducer, &piece))
        ls_optimizer_update(r->optimizer, piece.first, piece.count, piece.grads, piece.params);
    ls_reducer_publish(r->reducer);

    const double end = ls_now();
    const ls_reducer_times now = ls_reducer_clock(r->reducer);
    phases->gather += gathered - begin;
    phases->forward += forwarded - gathered;
    phases->backward += backwarded - forwarded - (exposed_then - before.exposed);
    phases->optimizer += end - backwarded - (now.exposed - exposed_then);
    phases->exposed += now.exposed - before.exposed;
    phases->hidden += now.hidden - before.hidden;
    phases->total += end - begin;
    return LS_OK;
}
