/* The data loader: provides training batches and validation rows. It owns this rank's shard, the
 * plan, the exchange between epochs or the stream from the file, normalisation, augmentation and
 * corruption.
 *
 *     ls_loader_open(&loader, comm, &config, 0)
 *     for each epoch: ls_loader_epoch(loader, epoch, 0)
 *         for each step: ls_loader_next(loader, batch)
 *         ls_loader_rows(&rows, loader, true)
 *
 * Rows are resident in memory or streamed: callers see no difference; see loader_backend.h. */
#ifndef LS_TRAIN_LOADER_H
#define LS_TRAIN_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text_list.h"
#include "data/plan.h"
#include "train/census.h"
#include "train/rows.h"
#include "train/statistics.h"

#include <lockstep/batch.h>
#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/trainer.h>

typedef struct ls_loader ls_loader;

/* Opens the data set, makes the plan, and reads this rank's shard into memory or opens its stream.
 * Collective.
 * config      borrowed; the fields about data, batches, seed, augmentation and corruption are used
 * vocabulary  of tokens, for a stream whose rows are not read before training, where neither model
 *             nor data set has it; 0: not known
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_USAGE, LS_ERR_RANKS, LS_ERR_FAILURE; *out is left
 * alone. */
ls_status ls_loader_open(ls_loader **out, ls_comm *comm, const ls_train_config *config,
                         int64_t vocabulary) LS_MUST_CHECK;

/* Return the data set's description, the plan, and the census; borrowed. Local. */
const ls_dataset_info *ls_loader_dataset(const ls_loader *loader);
const ls_plan *ls_loader_plan(const ls_loader *loader);
const ls_census *ls_loader_census(const ls_loader *loader);

/* Returns the names of the classes, on rank 0; an empty list if they have none, and elsewhere.
 * Borrowed. Local. */
const ls_text_list *ls_loader_class_names(const ls_loader *loader);

/* The same, of the texts of the tokens that are the inputs. */
const ls_text_list *ls_loader_tokens(const ls_loader *loader);

/* Returns the statistics of --standardize; borrowed. Local. */
const ls_standardization *ls_loader_standardization(const ls_loader *loader);

/* Returns the most rows of a step on this rank. Local. */
int64_t ls_loader_step_rows(const ls_loader *loader);

/* Returns true if training rows have weights: their batches must then have, too. Local. */
bool ls_loader_weighs(const ls_loader *loader);

/* Returns a bound of the mean weight of any `rows` training rows, by step of all steps of a row,
 * see ls_weighting_bound(): a power of two. Local. */
double ls_loader_weight_bound(const ls_loader *loader, int64_t rows);

/* Returns true if the inputs are tokens; the data set's vocabulary is then known. Local. */
bool ls_loader_reads_tokens(const ls_loader *loader);

/* Returns true if training images are augmented; if inputs are corrupted. Local. */
bool ls_loader_augments(const ls_loader *loader);
bool ls_loader_corrupts(const ls_loader *loader);

/* Makes batches channels-last, see ls_network_channels_last(); they are not by default. Local. */
void ls_loader_set_channels_last(ls_loader *loader, bool channels_last);

/* Begins an epoch, or continues it from a step: moves its rows to this rank. Collective.
 * Errors, on all ranks alike: LS_ERR_FAILURE, LS_ERR_RANKS. */
ls_status ls_loader_epoch(ls_loader *loader, int64_t epoch, int64_t step) LS_MUST_CHECK;

/* Fills a batch with this rank's rows of the next step: normalised, augmented, corrupted and in the
 * network's memory format. Local.
 * batch  with room for ls_loader_step_rows() rows
 * Errors: LS_ERR_DATA, LS_ERR_FAILURE if the rows can't be read; the batch then has 0 rows, and the
 * rank must still take part in the step. */
ls_status ls_loader_next(ls_loader *loader, ls_batch *batch) LS_MUST_CHECK;

/* Fills a batch with rows that this rank has in the current epoch, in their order, as they are in
 * the data set but for normalisation. Not with --stream. Local.
 * first  of these rows, from 0
 * batch  with room for LS_EVALUATION_ROWS rows; on return as many, fewer at the end, 0 past it
 * Errors: LS_ERR_FAILURE. */
ls_status ls_loader_resident(ls_loader *loader, int64_t first, ls_batch *batch) LS_MUST_CHECK;

/* Creates the validation rows that this rank evaluates, in the network's memory format. Local.
 * out        owned by the caller, who destroys it before the loader
 * corrupted  those of an autoencoder are corrupted, alike in every epoch; false: as they are
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_loader_rows(ls_rows **out, ls_loader *loader, bool corrupted) LS_MUST_CHECK;

/* Returns the seconds of exchange and of waiting for the file since the previous call. Local. */
double ls_loader_take_wait(ls_loader *loader);

/* Frees and sets *loader to NULL; accepts NULL. Local. */
void ls_loader_destroy(ls_loader **loader);

#endif
