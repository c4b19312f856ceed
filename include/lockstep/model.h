/* A trained model from a checkpoint: a network, its parameters, and facts about its training.
 *
 *     ls_model *model;
 *     ls_status status = ls_model_open(&model, comm, "runs/first", LS_MODEL_EVALUATED);
 *     if (status == LS_OK)
 *         outputs = ls_network_forward(ls_model_network(model), ls_model_params(model), batch);
 *     ls_model_destroy(&model); */
#ifndef LOCKSTEP_MODEL_H
#define LOCKSTEP_MODEL_H

#include <stdbool.h>

#include <lockstep/checkpoint.h>
#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/rows.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_model ls_model;

/* Which parameters to load. */
typedef enum ls_model_load {
    LS_MODEL_EVALUATED, /* the validated ones: their average if one was kept */
    LS_MODEL_RAW,       /* the ones after the latest step */
    LS_MODEL_NONE       /* none: only a description; the network has room for 0 rows */
} ls_model_load;

/* Facts about a model and its training. The same on all ranks. */
typedef struct ls_model_facts {
    const char *path;           /* of the checkpoint, on rank 0; "" elsewhere */
    const ls_model_info *info;  /* model string, input, classes, ... */
    ls_progress progress;       /* of the training, at the checkpoint */
    ls_metrics latest;          /* of the latest epoch; zeros if progress.epoch is 0 */
    ls_dataset_options reading; /* how the training read its data set */
    bool has_average;           /* the checkpoint has an average of the parameters */
    bool averaged;              /* the loaded parameters are that average */
} ls_model_facts;

/* Opens a model: rank 0 reads the checkpoint, all ranks get the result. Collective.
 * comm  NULL: this process alone, without MPI
 * path  a checkpoint file, or a run folder: its best checkpoint is opened, else its last
 * Errors, on all ranks alike: LS_ERR_DATA if there is no such checkpoint or it is damaged;
 * LS_ERR_USAGE if the path is too long; LS_ERR_FAILURE. *out is left alone. */
ls_status ls_model_open(ls_model **out, ls_comm *comm, const char *path,
                        ls_model_load load) LS_MUST_CHECK;

/* Returns the facts; borrowed. Local. */
const ls_model_facts *ls_model_describe(const ls_model *model);

/* Return the network, for LS_EVALUATION_ROWS rows at a time; a scratch batch of that capacity (NULL
 * with LS_MODEL_NONE); and the parameters [ls_network_size] (NULL likewise); borrowed. Local. */
ls_network *ls_model_network(const ls_model *model);
ls_batch *ls_model_batch(const ls_model *model);
const float *ls_model_params(const ls_model *model);

/* Returns the format in which the network reads images. Local. */
ls_input_format ls_model_input(const ls_model *model);

/* Frees and sets *model to NULL; accepts NULL. Local. */
void ls_model_destroy(ls_model **model);

#ifdef __cplusplus
}
#endif

#endif
