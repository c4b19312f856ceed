/* Backends of the loader: rows are resident in memory, or streamed from the file. */
#ifndef LS_TRAIN_LOADER_BACKEND_H
#define LS_TRAIN_LOADER_BACKEND_H

#include <lockstep/trainer.h>

#include "train/rows.h"
#include "data/plan.h"
#include "train/source.h"

/* Arguments of open(); borrowed while the backend is open. */
typedef struct ls_backend_setup {
    ls_comm *comm;
    const ls_train_config *config;
    const ls_dataset_info *dataset;
    const ls_dataset_options *options;
    ls_source *source; /* only during open() */
    ls_plan *plan;     /* open() may set its window */
} ls_backend_setup;

typedef struct ls_backend_kind {
    /* Opens this rank's shards. Collective. Errors, on all ranks alike: as ls_loader_open(). */
    ls_status (*open)(void **out, const ls_backend_setup *setup);

    /* Moves an epoch's rows to this rank. Collective. Errors: as ls_loader_epoch(). */
    ls_status (*epoch)(void *backend, int64_t epoch);

    /* Returns the rows of a slice of the epoch's order. Local.
     * samples  on return borrowed until the next call
     * order    on return the rows' indices in *samples; NULL: the first slice.count
     * Errors: as ls_loader_next(). */
    ls_status (*take)(void *backend, int64_t epoch, ls_range slice, const ls_samples **samples,
                      const int32_t **order);

    /* Fills in the origin of this rank's rows of a split, training or validation. Local. */
    void (*origin)(void *backend, ls_split split, ls_rows_origin *origin);

    /* Frees the backend; accepts NULL. Local. */
    void (*close)(void *backend);
} ls_backend_kind;

extern const ls_backend_kind ls_backend_resident; /* in memory, exchanged between ranks */
extern const ls_backend_kind ls_backend_streamed; /* in the file, read a window at a time */

/* Returns this rank's shard of a split. Local. */
static inline ls_range ls_backend_shard(const ls_backend_setup *setup, ls_split split)
{
    const int64_t rows = setup->dataset->rows[split];
    const int ranks = ls_comm_size(setup->comm), rank = ls_comm_rank(setup->comm);
    return split == LS_TRAIN ? ls_shard(rows, ranks, rank) : ls_evaluation_shard(rows, ranks, rank);
}

#endif
