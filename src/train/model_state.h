/* The definition of ls_model, and what its functions share. Included in src/train only. */
#ifndef LS_TRAIN_MODEL_STATE_H
#define LS_TRAIN_MODEL_STATE_H

#include <lockstep/model.h>

#include "base/file.h"
#include "run/checkpoint.h"
#include "train/source.h"

struct ls_model {
    ls_comm *comm; /* NULL: one process without MPI; borrowed */
    ls_model_load load;
    ls_model_facts facts;
    ls_model_info info;       /* its texts are owned; without names of classes and tokens: */
    ls_text_list class_names; /* on rank 0, like the next */
    ls_text_list tokens;      /* the texts of the inputs' tokens */
    char path[LS_PATH_MAX];
    ls_network *network;
    ls_batch *batch;
    float *params;       /* [ls_network_size] */
    char *reading_texts; /* of facts.reading */
    ls_standardization standardization;
    bool reconstructs; /* an autoencoder: the targets of the training were the inputs */
};

/* Creates the network that a model's info describes, and allocates parameters and a batch. Local.
 * Errors: LS_ERR_USAGE, LS_ERR_FAILURE. */
ls_status ls_model_create_network(ls_model *model) LS_MUST_CHECK;

/* Copies a model's info to its facts; the texts are borrowed. Local. */
void ls_model_publish(ls_model *model);

/* Opens a data set whose rows fit the network. Collective on the model's ranks.
 * info  on return the description of the data set
 * Errors: as ls_model_read(). */
ls_status ls_model_open_data(ls_source **out, const ls_model *model, const ls_model_data *data,
                             ls_dataset_info *info) LS_MUST_CHECK;

/* Returns the true classes of a sample, [steps]: of a model by step those of the steps, -1 from the
 * row's length on; -1 also where the samples have no such targets. Local. */
void ls_model_labels(const ls_model *model, const ls_samples *samples, int64_t at, int32_t *labels);

/* Checks that a data set has targets, with which outputs can be compared.
 * Errors: LS_ERR_USAGE. Local. */
ls_status ls_model_check_targets(const ls_dataset_info *info) LS_MUST_CHECK;

/* Returns the format in which the network takes a data set's rows. Local. */
ls_input_format ls_model_format(const ls_model *model);

#endif
