/* The optimizer's inside: what optimizer.c, which walks through the parameter table, shares with
 * the kinds of update, of which each is one ls_update. */
#ifndef LS_NN_OPTIMIZER_H
#define LS_NN_OPTIMIZER_H

#include <lockstep/optimizer.h>
#include <lockstep/range.h>

/* Lanes of a sum of squares: the element at offset i of the arena belongs to lane i % LS_LANES, and
 * each lane is added up in the order in which its elements come. So a sum can be vectorised, and
 * does not depend on where ranges that come in ascending order are cut. */
enum { LS_LANES = 16 };

/* Two sums of squares. */
typedef enum ls_square {
    LS_SQUARE_STEP,   /* of the gradients, or of the update that is to be made */
    LS_SQUARE_PARAMS, /* of the parameters; only where an ls_update wants norms */
    LS_SQUARES
} ls_square;

/* A range of the arena that is treated alike. */
typedef struct ls_param_span {
    int64_t first, count;
    bool running_statistic; /* see ls_param */
    bool matrix; /* of rank 2 or more: a layer-wise update goes by its norms and decays it; without
                    meaning for others, whose spans may be of several parameters */
    double lane[LS_SQUARES][LS_LANES];
    double ratio; /* what the norms make of this step's learning rate */
} ls_param_span;

/* What is the same for all parameters in a step. What a factor near 1 lacks to 1 is lost when it
 * becomes a float, so that it is kept instead of the factor: x - rate x for beta x. */
typedef struct ls_coefficients {
    float track;                /* of the sums over rows, for parameters that track */
    float scale;                /* of the gradients, clipping included */
    float step;                 /* learning rate, bias correction included */
    float l2;                   /* weight decay that is added to the gradient */
    float friction, of_g, of_v; /* sgd, lars: 1 - momentum */
    float rate_m, rate_v;       /* adam, adamw, lamb: 1 - beta1, 1 - beta2 */
    float root, epsilon;        /* likewise: bias correction of sqrt(v) */
    float fade;                 /* adamw: the part of a parameter that is taken away */
    float moment;               /* lamb: bias correction of the first moment */
    float average;              /* weight of the new parameters in their average */
    double lr, mean;            /* as given: learning rate, scale of the gradients */
} ls_coefficients;

/* Consecutive parameters of one span, and what goes with them. */
typedef struct ls_chunk {
    const ls_param_span *span;
    int64_t count;
    const float *grads;
    float *params;
    float *slot[LS_OPTIMIZER_MAX_SLOTS];
} ls_chunk;

/* A kind of update. */
typedef struct ls_update {
    const char *slot[LS_OPTIMIZER_MAX_SLOTS]; /* names of its state, NULL behind the last */
    bool layerwise;                           /* each row of the parameter table is a span */
    ls_status (*check)(const ls_optimizer_config *config);

    /* Sets what is the same for all; t: steps taken, this one included. */
    void (*begin)(const ls_optimizer_config *config, double t, double lr, ls_coefficients *now);
    void (*update)(const ls_coefficients *now, const ls_chunk *s);

    /* Of a kind that goes by norms, NULL else. Ratio of the learning rate, from the norms of
     * LS_SQUARE_STEP and LS_SQUARE_PARAMS, both above 0. */
    double (*ratio)(const ls_optimizer_config *config, double step, double params);
    /* Where that step is not the gradient: makes all of it [count] that can be known without the
     * ratio, and advances the slots. */
    void (*prepare)(const ls_coefficients *now, const ls_chunk *s, float *step);
} ls_update;

extern const ls_update ls_update_sgd;
extern const ls_update ls_update_momentum;
extern const ls_update ls_update_lars;
extern const ls_update ls_update_adam;
extern const ls_update ls_update_adamw;
extern const ls_update ls_update_lamb;

#endif
