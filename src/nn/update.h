/* Internals of optimizers, shared by optimizer.c, which iterates over the parameter table, and the
 * kinds of update (update_*.c): each kind is one ls_update. */
#ifndef LS_NN_UPDATE_H
#define LS_NN_UPDATE_H

#include <lockstep/status.h>
#include <lockstep/optimizer.h>

#include "nn/optimizer.h"
#include "base/range.h"

/* Lanes of a sum of squares: the element at offset i of the arena belongs to lane i % LS_LANES, and
 * each lane is summed in the order of its elements. So the sum can be vectorised, and does not
 * depend on the boundaries of the ranges, if ranges come in ascending order. */
enum { LS_LANES = 16 };

/* Two sums of squares. */
typedef enum ls_square {
    LS_SQUARE_STEP,   /* of the gradients, or of the updates */
    LS_SQUARE_PARAMS, /* of the parameters; only if the ls_update uses norms */
    LS_SQUARES
} ls_square;

/* A range of the arena whose parameters are treated alike. */
typedef struct ls_param_span {
    int64_t first, count;
    bool running_statistic; /* see ls_param */
    bool matrix; /* rank 2 or more: layer-wise updates use norms and weight decay; undefined for
                    other updates, whose spans may have several parameters */
    double lane[LS_SQUARES][LS_LANES];
    double ratio; /* factor of this step's learning rate, from the norms */
} ls_param_span;

/* Coefficients of a step, the same for all parameters. For factors near 1 the difference to 1 is
 * stored, since rounding the factor to a float would lose digits: with rate = 1 - beta, beta x is
 * computed as x - rate x. */
typedef struct ls_coefficients {
    float running;        /* of the sums over rows, for running statistics */
    float scale;          /* of the gradients, clipping included */
    float step;           /* learning rate, bias correction included */
    float l2;             /* weight decay that is added to the gradient */
    float friction;       /* sgd, lars: 1 - momentum */
    float of_g, of_v;     /* sgd: weights of gradient and velocity in the update */
    float rate_m, rate_v; /* adam, adamw, lamb: 1 - beta1, 1 - beta2 */
    float root, epsilon;  /* adam, adamw, lamb: bias correction of sqrt(v); epsilon */
    float fade;           /* adamw: lr * weight decay */
    float moment;         /* lamb: bias correction of the first moment */
    float average;        /* weight of the new parameters in the moving average */
    double lr, mean;      /* as given: learning rate, scale of the gradients */
} ls_coefficients;

/* Consecutive parameters of one span, with their gradients and slots. */
typedef struct ls_chunk {
    const ls_param_span *span;
    int64_t count;
    const float *grads;
    float *params;
    float *slot[LS_OPTIMIZER_MAX_SLOTS];
} ls_chunk;

/* A kind of update. */
typedef struct ls_update {
    const char *slot[LS_OPTIMIZER_MAX_SLOTS]; /* names of the slots; NULL after the last */
    bool layerwise; /* true if each row of the parameter table is a span */
    ls_status (*check)(const ls_optimizer_config *config);

    /* Sets the coefficients of a step; t: number of the step, from 1. */
    void (*begin)(const ls_optimizer_config *config, double t, double lr, ls_coefficients *now);
    void (*update)(const ls_coefficients *now, const ls_chunk *s);

    /* Returns the factor of the learning rate, from the norms of LS_SQUARE_STEP and
     * LS_SQUARE_PARAMS, both above 0. NULL: the kind does not use norms. */
    double (*ratio)(const ls_optimizer_config *config, double step, double params);
    /* Computes the update [count] without learning rate and ratio, and advances the slots. NULL:
     * the ratio depends on the norm of the gradient. */
    void (*prepare)(const ls_coefficients *now, const ls_chunk *s, float *step);
} ls_update;

extern const ls_update ls_update_sgd;
extern const ls_update ls_update_momentum;
extern const ls_update ls_update_lars;
extern const ls_update ls_update_adam;
extern const ls_update ls_update_adamw;
extern const ls_update ls_update_lamb;

#endif
