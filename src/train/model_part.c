/* A part of a variational autoencoder as a model of its own. */
#include "train/model_state.h"

#include "base/memory.h"
#include "nn/latent.h"

#include <string.h>

/* Describes the decoder: a generator, from latent variables to rows in the units of the data
 * set. */
static void describe_decoder(ls_model *m)
{
    ls_model_info *id = &m->info;
    id->generates = true;
    m->facts.reading.targets = "none";
    id->picture = id->input;
    id->picture_element = id->element;
    id->element = LS_F32;
    id->mean = 0;
    id->std = 1;
    id->has_border = false;
    ls_columns_destroy(&m->standardization.inputs);
}

/* Describes the encoder: a model from rows to values that no data set has. */
static void describe_encoder(ls_model *m)
{
    m->facts.reading.targets = "none";
    ls_columns_destroy(&m->standardization.targets);
}

/* Replaces the network by a part of it. */
static ls_status replace_network(ls_model *m, ls_latent_part *part)
{
    ls_network *whole = m->network;
    float *params = m->params;
    ls_batch_destroy(&m->batch);
    m->network = NULL;
    m->params = NULL;
    ls_free(m->info.model);
    m->info.model = part->model;
    part->model = NULL;
    m->info.input = part->input;
    m->info.values = part->outputs;
    m->info.loss = LS_MSE;
    m->info.huber = 1;
    m->reconstructs = false;
    const ls_status status = ls_model_create_network(m);
    if (status == LS_OK && params != NULL)
        memcpy(m->params, params + part->params.first, (size_t)part->params.count * sizeof *params);
    ls_network_destroy(&whole);
    ls_free(params);
    return status;
}

ls_status ls_model_take_part(ls_model *m, ls_network_part part)
{
    ls_latent_part cut = {0};
    if (part == LS_PART_WHOLE)
        return LS_OK;
    if (ls_network_latent(m->network) == 0)
        return ls_fail(LS_ERR_USAGE,
                       "%s: has no encoder and decoder: it was not trained with --objective vae",
                       m->path);
    ls_status status = ls_latent_cut(&cut, m->network, part);
    if (status != LS_OK)
        return status;
    (part == LS_PART_DECODER ? describe_decoder : describe_encoder)(m);
    status = replace_network(m, &cut);
    ls_latent_part_destroy(&cut);
    if (status == LS_OK)
        ls_model_publish(m);
    return status;
}
