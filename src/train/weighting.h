/* Weights of the training rows, of --weights and --class-weights: a row's loss and gradient are
 * multiplied by its weight, the number in the data set times the weight of the row's class.
 *
 * Losses and gradients are divided by the sum of the weights, so only their ratios matter: they are
 * scaled to a mean of 1 over all training rows. Then they are rounded to multiples of one power of
 * two, so that their sums do not depend on the order of addition, see base/exact.h.
 *
 *     ls_weighting_create(&weighting, config, dataset)
 *     ls_weighting_count(weighting, samples)           all training rows of this rank
 *     ls_weighting_finish(weighting, comm, rows)
 *     ls_weighting_apply(weighting, batch)             each batch of training rows */
#ifndef LS_TRAIN_WEIGHTING_H
#define LS_TRAIN_WEIGHTING_H

#include <lockstep/batch.h>
#include <lockstep/comm.h>
#include <lockstep/config.h>
#include <lockstep/dataset.h>

typedef struct ls_weighting ls_weighting;

/* Checks --class-weights' text: "none", "balanced" or "w0,w1,...". Local. Errors: LS_ERR_USAGE. */
ls_status ls_class_weights_check(const char *text) LS_MUST_CHECK;

/* Creates the weighting of a configuration. Local.
 * config  borrowed
 * out     on return NULL if all weights are 1
 * Errors: LS_ERR_USAGE if class weights are given, but rows have no class, or another number of
 * them; LS_ERR_FAILURE. */
ls_status ls_weighting_create(ls_weighting **out, const ls_train_config *config,
                              const ls_dataset_info *dataset) LS_MUST_CHECK;

/* Adds samples to the sums of weights; accepts NULL. Local. */
void ls_weighting_count(ls_weighting *weighting, const ls_samples *samples);

/* Sums over ranks, and finds the weights of the classes. "balanced": the rows of each class weigh
 * the same together: S / (K S_k), where S_k is the sum of the weights of class k's rows, S that of
 * all, and K the number of classes whose S_k is above 0 (scikit-learn's compute_class_weight).
 * Accepts NULL, on all ranks alike. Collective.
 * rows  training rows of all ranks
 * Errors: LS_ERR_DATA if no row has a weight above 0. */
ls_status ls_weighting_finish(ls_weighting *weighting, ls_comm *comm, int64_t rows) LS_MUST_CHECK;

/* Completes the weights of a batch, which has those of its samples, if it has weights: multiplies
 * them by the weights of the classes. NULL: sets them to 1. Local. */
void ls_weighting_apply(const ls_weighting *weighting, ls_batch *batch);

/* Returns the smallest power of two that is no less than the steps of a row, each of which has the
 * row's weight, if the targets are by step; else 1. Local. */
int64_t ls_weighting_steps(const ls_dataset_info *dataset);

/* Returns a bound of the mean weight of any `rows` training rows: a power of two, 1 or above; for
 * NULL 1. Local; the same on all ranks. */
double ls_weighting_bound(const ls_weighting *weighting, int64_t rows);

/* Frees and sets *weighting to NULL; accepts NULL. Local. */
void ls_weighting_destroy(ls_weighting **weighting);

#endif
