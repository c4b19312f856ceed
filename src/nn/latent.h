/* The two parts of a variational autoencoder, which is one network: the encoder, a layer of latent
 * variables, the decoder. As one network it is trained, saved and resumed like any other; each part
 * is a network of its own, with a range of the same parameters. All functions are Local. */
#ifndef LS_NN_LATENT_H
#define LS_NN_LATENT_H

#include "base/range.h"

#include <lockstep/network.h>

typedef struct ls_latent_part {
    char *model; /* model string; owned */
    ls_shape input;
    int outputs;
    ls_range params; /* in the parameters of the whole */
} ls_latent_part;

/* Cuts a part out of a network with latent variables.
 * part  LS_PART_ENCODER: from a row to the means and the logarithms of the variances of the latent
 *       variables; LS_PART_DECODER: from latent variables to a row, the sigmoid of LS_BCE included
 * Errors: LS_ERR_FAILURE. */
ls_status ls_latent_cut(ls_latent_part *out, const ls_network *network,
                        ls_network_part part) LS_MUST_CHECK;

/* Frees the model string. */
void ls_latent_part_destroy(ls_latent_part *part);

#endif
