/* Optimizers: from a gradient to new parameters, element by element, over flat arenas. */
#ifndef LOCKSTEP_OPTIMIZER_H
#define LOCKSTEP_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

typedef enum ls_optimizer_kind {
    LS_SGD,  /* v = momentum v + g; p -= lr v (Nesterov: p -= lr (g + momentum v)) */
    LS_ADAM, /* Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015; weight decay, if
                any, is added to the gradient */
    LS_ADAMW /* Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019 */
} ls_optimizer_kind;

typedef struct ls_optimizer_config {
    ls_optimizer_kind kind;
    double momentum;     /* sgd: 0 <= momentum < 1 */
    bool nesterov;       /* sgd: only with momentum > 0 */
    double beta1, beta2; /* adam, adamw: decay of the first and second moment, in [0, 1) */
    double epsilon;      /* adam, adamw: > 0 */
    double weight_decay; /* 0 or more; of all parameters. adamw: p -= lr weight_decay p; others:
                            g += weight_decay p */
} ls_optimizer_config;

typedef struct ls_optimizer ls_optimizer;

/* The state of an optimizer: arenas of the parameters' layout, and the steps taken. A checkpoint
 * that holds them holds all. */
enum { LS_OPTIMIZER_MAX_SLOTS = 2 };

/* Makes an optimizer for `count` parameters, its state all zeros. Local.
 * Errors: LS_ERR_USAGE if a setting is out of its range; LS_ERR_FAILURE when memory is short. *out
 * is left alone. */
ls_status ls_optimizer_create(ls_optimizer **out, const ls_optimizer_config *config,
                              int64_t count) LS_MUST_CHECK;

/* Frees an optimizer and sets *optimizer to NULL; accepts NULL. Local. */
void ls_optimizer_destroy(ls_optimizer **optimizer);

/* One update, with g = scale * grads. Local. In pieces: begins a step, then updates any ranges of
 * the parameters, each at most once; the slots of others stay as they are. scale   of the
 * gradients: 1 / rows, as they are sums over rows lr      learning rate of this step, 0 or more
 * first   parameter that grads[0] and params[0] belong to
 * grads   [count]
 * params  [count] updated in place */
void ls_optimizer_begin(ls_optimizer *optimizer, double scale, double lr);
void ls_optimizer_update(ls_optimizer *optimizer, int64_t first, int64_t count, const float *grads,
                         float *params);

/* The same at once, for all parameters. */
void ls_optimizer_step(ls_optimizer *optimizer, const float *grads, double scale, double lr,
                       float *params);

/* Steps taken, for bias correction; settable to resume. Local. */
int64_t ls_optimizer_steps(const ls_optimizer *optimizer);
void ls_optimizer_set_steps(ls_optimizer *optimizer, int64_t steps);

/* How many slots of state there are (0 .. LS_OPTIMIZER_MAX_SLOTS), the name of each ("momentum",
 * "m", "v"), and its arena [count], borrowed, to be read or filled. Local. */
int ls_optimizer_slots(const ls_optimizer *optimizer);
const char *ls_optimizer_slot_name(const ls_optimizer *optimizer, int slot);
float *ls_optimizer_slot(ls_optimizer *optimizer, int slot);

#endif
