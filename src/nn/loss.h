/* Losses: from a network's outputs and the labels to numbers and the gradient of the outputs. */
#ifndef LS_NN_LOSS_H
#define LS_NN_LOSS_H

#include <stdint.h>

#include <lockstep/network.h>

/* The sum of the rows' losses, and how many are right. Local.
 * smoothing  e of cross-entropy, see ls_pass
 * y          [rows][classes] outputs: logits for cross-entropy
 * labels     [rows]
 * dy         [rows][classes] on return the gradient of the sum with respect to y; may be NULL
 * predicted  [rows] on return the class of each row's largest output; may be NULL */
ls_score ls_loss_score(ls_loss loss, double smoothing, int64_t rows, int classes, const float *y,
                       const int32_t *labels, float *dy, int32_t *predicted);

#endif
