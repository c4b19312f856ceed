/* Rows that a model makes during its training, of a GAN by the generator, of a variational
 * autoencoder by the decoder: their scores after each epoch, and a sheet of them. */
#ifndef LS_TRAIN_SAMPLER_H
#define LS_TRAIN_SAMPLER_H

#include <lockstep/metrics.h>

#include "train/generator.h"
#include "train/scoring.h"

struct ls_trainer;

typedef struct ls_sampler {
    ls_generator generator; /* its parameters are set when rows are made */
    int64_t first;          /* offset of its parameters in the model's */
    ls_network *decoder; /* that the generator uses, like the batch; owned; NULL: of a GAN, whose */
    ls_batch *noise;     /* generator is the model */
    ls_scoring *scoring; /* NULL: without --score */
    float *rows;         /* [LS_EVALUATION_ROWS][picture] scratch, in the data set's units */
    double real_nearest; /* of validation rows, see ls_nearest_distance(); 0: not measured */
} ls_sampler;

/* Creates a sampler of a trainer, without a network and a batch. Local.
 * units  of the rows, see ls_generator
 * Errors: LS_ERR_FAILURE. */
ls_status ls_sampler_create(struct ls_trainer *trainer, const ls_columns *units) LS_MUST_CHECK;

/* Creates that of a variational autoencoder. Local.
 * Errors: LS_ERR_USAGE if its decoder is no network of its own; LS_ERR_FAILURE. */
ls_status ls_sampler_create_decoder(struct ls_trainer *trainer) LS_MUST_CHECK;

/* Frees and sets *sampler to NULL; accepts NULL. Local. */
void ls_sampler_destroy(ls_sampler **sampler);

/* Returns the generator with parameters of the model, for rows by the training's seed. Local.
 * params  [ls_replica_size] of the model */
ls_generator ls_sampler_generator(const struct ls_trainer *trainer, const float *params);

/* Opens the classifier of --score, and measures the validation rows. Collective.
 * Errors, on all ranks alike: as ls_scoring_open(), ls_scoring_finish(), and those of reading the
 * rows. */
ls_status ls_sampler_open_scoring(struct ls_trainer *trainer) LS_MUST_CHECK;

/* Scores generated rows after an epoch, and shows some to the observer; does nothing without a
 * sampler. Collective.
 * params   [ls_replica_size] of the model, to be measured
 * metrics  on return with the columns of generated rows
 * Errors, on all ranks alike: LS_ERR_NUMERIC, LS_ERR_FAILURE, LS_INTERRUPTED, and those of the
 * observer. */
ls_status ls_sampler_measure(struct ls_trainer *trainer, const float *params,
                             ls_metrics *metrics) LS_MUST_CHECK;

#endif
