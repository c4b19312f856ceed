/* The objective of a GAN: a generator makes rows from noise, a discriminator tells them from the
 * rows of the data set.
 *
 *     discriminator's step    rows of the data          -> discriminator -> loss
 *                             noise -> generator        -> discriminator -> loss; its gradient
 *     generator's step        noise -> generator        -> discriminator -> loss; back through both
 *                             networks: the generator's gradient
 *
 * Each is a step with its own reduction over ranks, control word and optimizer; the other network's
 * parameters stay as they are. In both steps both networks are in training mode: batch statistics
 * are those of the rows at hand, of the data's and the generated rows separately; a network's
 * running statistics change in its own step only.
 *
 * Noise and classes depend on (seed, epoch, step's network, row): row i of a step's global batch
 * goes with generated row i, on whichever rank it is. */
#ifndef LS_TRAIN_ADVERSARIAL_H
#define LS_TRAIN_ADVERSARIAL_H

#include "run/checkpoint.h"
#include "train/step.h"

struct ls_trainer;

typedef struct ls_adversarial ls_adversarial;

/* Creates both replicas of a trainer, learner[LS_MODEL] being the generator, and what their steps
 * need beside them. Local.
 * rows  most rows of a step on this rank
 * Errors: LS_ERR_USAGE if a model string is wrong or does not fit the rows; LS_ERR_FAILURE. */
ls_status ls_adversarial_create(struct ls_trainer *trainer, int64_t rows) LS_MUST_CHECK;

/* Frees and sets *adversarial to NULL; accepts NULL. Local. */
void ls_adversarial_destroy(ls_adversarial **adversarial);

/* Describes the model, which is the generator, for checkpoints: a model from noise, and classes as
 * one-hot vectors, to rows in the units of the data set. Borrows its texts. Local. */
void ls_adversarial_describe(const struct ls_trainer *trainer, ls_model_info *info);

/* Trains a step of the discriminator, whose batch is filled, and of the generator if its turn has
 * come. Collective.
 * io       of the discriminator; on return its score has the generator's loss, too, and the times
 *          are of both
 * skipped  on return true if an update was skipped, see --on-nan
 * Errors, on all ranks alike: as ls_trainer_learn(). */
ls_status ls_adversarial_step(struct ls_trainer *trainer, ls_step_io *io,
                              bool *skipped) LS_MUST_CHECK;

/* Measures the networks after an epoch: the discriminator on validation rows and as many generated
 * ones. Collective.
 * params   [ls_replica_size] of the generator, to be measured
 * metrics  on return with the validation columns
 * Errors, on all ranks alike: LS_ERR_NUMERIC, LS_ERR_FAILURE, LS_INTERRUPTED, and those of reading
 * the validation rows. */
ls_status ls_adversarial_measure(struct ls_trainer *trainer, const float *params,
                                 ls_metrics *metrics) LS_MUST_CHECK;

#endif
