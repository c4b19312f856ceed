/* The census: training and validation rows are read once before training, for what must be known of
 * all of them. */
#ifndef LS_TRAIN_CENSUS_H
#define LS_TRAIN_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text_list.h"
#include "train/rows.h"
#include "train/statistics.h"
#include "train/weighting.h"

#include <lockstep/comm.h>
#include <lockstep/config.h>
#include <lockstep/dataset.h>

/* Facts about the rows of all ranks together. */
typedef struct ls_census {
    bool known; /* false: rows are streamed and trusted, so they were not read; zeros follow */
    uint64_t fingerprint;                /* see ls_samples_fingerprint(), of the training rows */
    uint64_t validation_fingerprint;     /* of the validation rows; 0: there are none */
    bool has_border;                     /* the inputs are pictures: uint8, 1 or 3 channels */
    double border;                       /* then the mean of the training rows' border, 0 to 1 */
    char class_gaps[LS_CLASS_GAPS_TEXT]; /* see ls_class_gaps(); with names on rank 0 */
    ls_constant_columns constant; /* with --standardize: of equal numbers in all training rows */
    bool two_valued; /* --loss auto, targets are values: those of the training rows are 0 or 1 */
    int64_t token;   /* the inputs are tokens: the largest of training and validation rows */
} ls_census;

/* What is to be counted, and where; all borrowed. */
typedef struct ls_census_plan {
    ls_comm *comm;
    const ls_train_config *config;
    const ls_dataset_info *dataset;
    ls_rows_origin rows[2]; /* this rank's, of LS_TRAIN and LS_VALIDATION */
    ls_normalization normalization;
    ls_weighting *weighting;         /* gets the training rows' weights; NULL: none */
    const ls_text_list *class_names; /* on rank 0 */
    bool tokens;                     /* the inputs are tokens */
    int64_t vocabulary;              /* which are below it; 0: not known */
} ls_census_plan;

/* Takes the census; sets all but `constant`. Collective.
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_USAGE for rows that don't fit; LS_ERR_FAILURE. */
ls_status ls_census_take(ls_census *out, const ls_census_plan *plan) LS_MUST_CHECK;

#endif
