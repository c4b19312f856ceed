/* Optimizers: update parameters from gradients, in flat arenas.
 *
 *     ls_optimizer_begin(optimizer, 1.0 / rows, lr);
 *     for (int phase = 0; phase < ls_optimizer_phases(optimizer); phase++) {
 *         for each range:  ls_optimizer_accumulate_norms(optimizer, phase, ...);
 *         sums = ls_optimizer_sums(optimizer, &count);     allreduce if ranges are on several ranks
 *         ls_optimizer_finish_norms(optimizer, phase);
 *     }
 *     for each range:  ls_optimizer_update(optimizer, ...);
 *
 * Ranges may begin and end anywhere in the arena. All functions are Local. */
#ifndef LS_NN_OPTIMIZER_H
#define LS_NN_OPTIMIZER_H

#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/status.h>

/* Weight of a step's observation in running statistics, PyTorch's `momentum`. */
#define LS_RUNNING_RATE 0.1

/* Checks that settings, each in its range, are compatible.
 * Errors: LS_ERR_USAGE. */
ls_status ls_optimizer_check(const ls_optimizer_config *config) LS_MUST_CHECK;

typedef struct ls_optimizer ls_optimizer;

/* The state of an optimizer: slots, arenas with the layout of the parameters; and the number of
 * steps. A checkpoint needs no other state of the optimizer. */
enum { LS_OPTIMIZER_MAX_SLOTS = 3 };

/* Creates an optimizer for the parameters of a table, with a state of zeros.
 * table   [rows] as from ls_network_params(), without gaps; copied
 * config  each value in its range, see ls_config_check()
 * Errors: those of ls_optimizer_check(); LS_ERR_FAILURE when memory is short. *out is left
 * alone. */
ls_status ls_optimizer_create(ls_optimizer **out, const ls_optimizer_config *config,
                              const ls_param *table, int rows) LS_MUST_CHECK;

/* Frees an optimizer and sets *optimizer to NULL; accepts NULL. */
void ls_optimizer_destroy(ls_optimizer **optimizer);

/* Initialises the moving average with the initial parameters. */
void ls_optimizer_start(ls_optimizer *optimizer, const float *params);

/* Begins a step, with g = scale * grads.
 * scale   1 / rows, as gradients are sums over rows; with weights of rows 1 / their sum
 * lr      learning rate of this step, 0 or more */
void ls_optimizer_begin(ls_optimizer *optimizer, double scale, double lr);

/* Sets the scale of running statistics in this step, after ls_optimizer_begin(): they are sums over
 * rows without weights.
 * scale  1 / rows; as in ls_optimizer_begin() if this is not called */
void ls_optimizer_scale_statistics(ls_optimizer *optimizer, double scale);

/* Returns the number of phases: how many times norms must be accumulated over all ranges before the
 * first update. 0 if the optimizer does not need norms; the same in all steps. */
int ls_optimizer_phases(const ls_optimizer *optimizer);

/* Accumulates the norms of a range, to be called once for each range in each phase, with the
 * parameters as before the step. If ranges come in ascending order, the bits do not depend on their
 * boundaries.
 * first   offset of grads[0] and params[0] in the arena
 * grads   [count]
 * params  [count] */
void ls_optimizer_accumulate_norms(ls_optimizer *optimizer, int phase, int64_t first, int64_t count,
                                   const float *grads, const float *params);

/* Returns the sums [*count] over all ranges of this phase. If ranges are on several ranks, the
 * caller sums them over the ranks, in place. Borrowed. */
double *ls_optimizer_sums(ls_optimizer *optimizer, int *count);

/* Ends a phase: computes norms from the sums. */
void ls_optimizer_finish_norms(ls_optimizer *optimizer, int phase);

/* Updates a range, each at most once in a step. Slots outside the range do not change.
 * first   offset of grads[0] and params[0] in the arena
 * grads   [count]
 * params  [count] updated in place */
void ls_optimizer_update(ls_optimizer *optimizer, int64_t first, int64_t count, const float *grads,
                         float *params);

/* Makes a complete step for all parameters. */
void ls_optimizer_step(ls_optimizer *optimizer, const float *grads, double scale, double lr,
                       float *params);

/* Returns the number of steps, for bias correction. */
int64_t ls_optimizer_steps(const ls_optimizer *optimizer);

/* Sets the number of steps, to resume. */
void ls_optimizer_set_steps(ls_optimizer *optimizer, int64_t steps);

/* Returns the number of slots, 0 .. LS_OPTIMIZER_MAX_SLOTS. */
int ls_optimizer_slots(const ls_optimizer *optimizer);

/* Returns the name of a slot: "momentum", "m", "v", "average". */
const char *ls_optimizer_slot_name(const ls_optimizer *optimizer, int slot);

/* Returns the arena of a slot, to be read or written; borrowed. */
float *ls_optimizer_slot(ls_optimizer *optimizer, int slot);

/* Returns the slot with the moving average of the parameters; NULL if there is none. */
float *ls_optimizer_average(ls_optimizer *optimizer);

#endif
