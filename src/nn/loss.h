/* Loss functions: from a network's outputs and the targets to a score and the gradient with respect
 * to the outputs. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>

/* How a loss interprets the network's outputs. */
typedef enum ls_outputs {
    LS_OUTPUTS_LOGITS,  /* softmax is part of the loss: a final softmax layer is fused with it */
    LS_OUTPUTS_SIGMOID, /* logits, too: sigmoid is part of the loss */
    LS_OUTPUTS_VALUES   /* final values */
} ls_outputs;

/* The constants of a loss. */
typedef struct ls_loss_terms {
    ls_loss loss;
    int outputs;      /* K; of a task by step of each step */
    double smoothing; /* label smoothing e, see ls_pass; ignored by losses without smoothing */
    double delta;     /* of LS_HUBER */
    /* [K] factors of the errors in the sums of a regression, 0 .. 1; NULL: 1 */
    const double *scale;
    bool summed;     /* the loss is the sum over the outputs, not their mean, see
                        ls_network_latent() */
    bool regression; /* the task is regression with any loss, see ls_network_set_reconstructs() */
} ls_loss_terms;

/* The target of a row. */
typedef struct ls_target {
    const float *values; /* [K]; NULL: a class */
    int32_t label;
} ls_target;

/* Returns the target's value for output k: of a class the one-hot value; with a single output the
 * class itself. Local. */
static inline float ls_target_value(const ls_target *target, int K, int k)
{
    if (target->values != NULL)
        return target->values[k];
    return K == 1 ? (float)target->label : k == target->label ? 1.0f : 0.0f;
}

typedef struct ls_loss_kind {
    ls_outputs outputs;
    bool smooths; /* supports label smoothing */

    /* Adds the loss of a row to *sum.
     * y   [K] outputs
     * dy  [K] on return the gradient of the row's loss with respect to y; may be NULL */
    void (*row)(const ls_loss_terms *terms, const float *y, const ls_target *target, float *dy,
                double *sum);
} ls_loss_kind;

/* Returns the value that an output stands for in a regression: sigmoid(y) with LS_BCE. Local. */
double ls_loss_value(ls_loss loss, float y);

/* Returns a loss's row of the table. Local. */
const ls_loss_kind *ls_loss_describe(ls_loss loss);

/* Returns the class of the largest of a row's outputs [K]; of equal outputs the first. Local. */
int32_t ls_largest_output(int K, const float *y);

/* Returns the score of rows first .. first+rows-1 of a batch. Local.
 * y          [rows][K] their outputs; of a task by step, T steps: [rows][T][K]
 * dy         the same: on return the gradient of the sum of the weighted losses with respect to y,
 *            0 in the steps from a row's length on; may be NULL
 * predicted  [rows] on return the class of each row, see ls_network_evaluate(); may be NULL; by
 *            step [rows][T] */
ls_score ls_loss_score(const ls_loss_terms *terms, const ls_batch *batch, int64_t first,
                       int64_t rows, const float *y, float *dy, int32_t *predicted);

#endif
