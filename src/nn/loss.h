/* Loss functions: from a network's outputs and the targets to a score and the gradient with respect
 * to the outputs. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/metrics.h>

/* Kind of a row's target. */
typedef enum ls_targets {
    LS_TARGETS_CLASS /* the number of the row's class */
} ls_targets;

/* How a loss interprets the network's outputs. */
typedef enum ls_outputs {
    LS_OUTPUTS_LOGITS, /* softmax is part of the loss: a final softmax layer is fused with it */
    LS_OUTPUTS_VALUES  /* final values */
} ls_outputs;

typedef struct ls_loss_kind {
    ls_targets targets;
    ls_outputs outputs;
    bool smooths; /* supports label smoothing */

    /* Adds the loss of a row to *sum.
     * e   label smoothing, see ls_pass; ignored unless `smooths`
     * y   [K] outputs
     * dy  [K] on return the gradient of the row's loss with respect to y; may be NULL */
    void (*row)(double e, int K, const float *y, int32_t label, float *dy, double *sum);
} ls_loss_kind;

/* Returns a loss's row of the table. Local. */
const ls_loss_kind *ls_loss_describe(ls_loss loss);

/* Returns the class of the largest of a row's outputs [K]; of equal outputs the first. Local. */
int32_t ls_largest_output(int K, const float *y);

/* Returns the score of a number of rows. Local.
 * smoothing  label smoothing e, see ls_pass; ignored by losses without smoothing
 * y          [rows][classes] outputs: logits for cross-entropy
 * labels     [rows]
 * dy         [rows][classes] on return the gradient of the sum of the losses with respect to y;
 *            may be NULL
 * predicted  [rows] on return the class of each row's largest output; may be NULL */
ls_score ls_loss_score(ls_loss loss, double smoothing, int64_t rows, int classes, const float *y,
                       const int32_t *labels, float *dy, int32_t *predicted);

#endif
