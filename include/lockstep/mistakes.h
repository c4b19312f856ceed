/* The rows that a network gets wrong although it is sure of them: what to look at to understand it,
 * and where to look for labels that are wrong. */
#ifndef LOCKSTEP_MISTAKES_H
#define LOCKSTEP_MISTAKES_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_mistake {
    int64_t row;   /* number in its split */
    int32_t label; /* class that it is of */
    int32_t predicted;
    double probability; /* of the predicted class, by the network; under LS_MSE its output */
} ls_mistake;

/* Finds the wrong rows with the highest probabilities, of all ranks' rows, in falling order; of
 * equals the lower row comes first. Where the ranks' rows are ls_evaluation_shard()s, and each uses
 * one BLAS thread, the result has the same bits on any number of ranks. Collective.
 * network, loss   the network and the loss that it was made with
 * params, samples, mean, std, batch, classes  as for ls_evaluate()
 * most            how many at the most; the same on all ranks
 * out             [most] on return those found, the same on all ranks
 * count           how many they are
 * Errors, on all ranks alike: LS_ERR_FAILURE if any rank failed; LS_ERR_USAGE if mean or std is out
 * of range. */
ls_status ls_find_mistakes(ls_comm *comm, ls_network *network, ls_loss loss, const float *params,
                           const ls_samples *samples, double mean, double std, ls_batch *batch,
                           int classes, int64_t most, ls_mistake *out,
                           int64_t *count) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
