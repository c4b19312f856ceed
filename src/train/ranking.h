/* The area under the ROC curve of rows that are spread over ranks: the fraction of the pairs of a
 * true and a false row in which the true row has the larger output, where equal outputs count half
 * (Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, 1982). Pairs are counted
 * in integers: the result is exact. */
#ifndef LS_TRAIN_RANKING_H
#define LS_TRAIN_RANKING_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/status.h>

typedef struct ls_ranking ls_ranking;

/* Creates a ranking of at most `rows` rows of this rank. Local.
 * Errors: LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_ranking_create(ls_ranking **out, int64_t rows) LS_MUST_CHECK;

/* Adds a row. Local. */
void ls_ranking_add(ls_ranking *ranking, float output, bool truth);

/* Counts the pairs over all ranks. Collective. */
void ls_ranking_sum(ls_ranking *ranking, ls_comm *comm);

/* Returns the area, after ls_ranking_sum(); NaN if there is no true or no false row, or an output
 * is NaN. Local. */
double ls_ranking_auc(const ls_ranking *ranking);

/* Frees and sets *ranking to NULL; accepts NULL. Local. */
void ls_ranking_destroy(ls_ranking **ranking);

#endif
