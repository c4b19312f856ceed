/* Autoencoders: the targets are the inputs as the network sees them, normalised and standardised.
 * All functions are Local. */
#ifndef LS_TRAIN_RECONSTRUCTION_H
#define LS_TRAIN_RECONSTRUCTION_H

#include <lockstep/network.h>

#include "data/samples.h"
#include "data/standardize.h"

/* Makes the columns by which outputs become numbers of the data set's units, mean + std * output,
 * like those of standardised targets.
 * mean, std  of the normalisation
 * inputs     the standardisation of the inputs
 * out        on return [features]; no columns if the network sees the inputs as they are
 * Errors: LS_ERR_FAILURE. */
ls_status ls_reconstruction_columns(ls_columns *out, const ls_dataset_info *dataset, double mean,
                                    double std, const ls_columns *inputs) LS_MUST_CHECK;

/* Checks that normalised inputs are from 0 to 1, as LS_BCE needs.
 * name  of the rows' split
 * Errors: LS_ERR_USAGE, with the row. */
ls_status ls_reconstruction_check_range(const ls_samples *samples, const char *name,
                                        ls_normalization normalization) LS_MUST_CHECK;

/* Checks that a network's outputs are in the order of the inputs, [channels][height][width].
 * Errors: LS_ERR_USAGE. */
ls_status ls_reconstruction_check_network(const ls_network *network) LS_MUST_CHECK;

#endif
