/* Loss functions for training. */
#ifndef LOCKSTEP_LOSS_H
#define LOCKSTEP_LOSS_H

#include <stdbool.h>

#include <lockstep/choice.h>

#ifdef __cplusplus
extern "C" {
#endif

/*    enumerator         name             one line of help */
#define LS_LOSS_LIST(X)                                                                            \
    X(LS_CROSS_ENTROPY, "cross-entropy", "-log softmax(outputs)[label]; fuses a final softmax")    \
    X(LS_MSE, "mse", "mean over the outputs of (output - one-hot label)^2")

typedef enum ls_loss { LS_LOSS_LIST(LS_CHOICE_ENUM) LS_LOSSES /* their number */ } ls_loss;

/* Returns the name of a loss, for example "mse". Local. */
const char *ls_loss_name(ls_loss loss);

/* Finds a loss by its name. Local. Returns false, and leaves *out alone, if the name is unknown. */
bool ls_loss_find(const char *name, ls_loss *out);

/* Returns true if a loss takes logits, since softmax is part of the loss. Local. */
bool ls_loss_takes_logits(ls_loss loss);

/* Returns true if a loss supports label smoothing. Local. */
bool ls_loss_smooths(ls_loss loss);

#ifdef __cplusplus
}
#endif

#endif
