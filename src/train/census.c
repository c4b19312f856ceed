#include "train/census.h"

#include "base/integer.h"
#include "base/memory.h"
#include "parallel/collectives.h"
#include "train/reconstruction.h"
#include "train/tokens.h"

#include <lockstep/picture.h>

/* Sums over rows of a split. */
typedef struct counts {
    uint64_t fingerprint;
    int64_t border; /* of pictures */
    int64_t others; /* values other than 0 and 1, if that matters */
    int64_t *rows;  /* [classes] of each class */
} counts;

/* Returns true if the inputs are pictures, whose border is known. Local. */
static bool are_pictures(const ls_dataset_info *d)
{
    return d->element == LS_U8 && d->vocabulary == 0 && (d->channels == 1 || d->channels == 3) &&
           d->height * d->width > 1;
}

/* Returns the sum of the borders of pictures. Local. */
static int64_t sum_borders(const ls_dataset_info *d, const ls_samples *piece)
{
    int64_t sum = 0;
    for (int64_t i = 0; are_pictures(d) && i < piece->rows; i++)
        sum +=
            ls_picture_border_sum(ls_sample_at(piece, i)->inputs, d->channels, d->height, d->width);
    return sum;
}

/* Returns the mean of the training rows' border, 0 to 1, from the sum over all ranks. Local. */
static double mean_border(const ls_dataset_info *d, int64_t sum)
{
    const double count = (double)d->rows[LS_TRAIN] *
                         (double)ls_picture_border_count(d->channels, d->height, d->width);
    return (double)sum / count / UINT8_MAX;
}

/* Returns true if each row has a class. Local. */
static bool has_labels(const ls_dataset_info *d)
{
    return d->classes > 0 && !ls_dataset_by_step(d);
}

/* Returns true if --loss auto takes targets for values. */
static bool guesses_values(const ls_census_plan *p)
{
    const ls_dataset_info *d = p->dataset;
    return p->config->loss == LS_LOSS_AUTO && d->values > 0 && d->classes == 0 && !d->reconstructs;
}

/* Returns the number of values other than 0 and 1, if that matters. */
static int64_t count_others(const ls_census_plan *p, const ls_samples *piece)
{
    int64_t others = 0;
    for (int64_t i = 0; guesses_values(p) && i < piece->rows; i++) {
        const float *values = ls_sample_targets(piece, ls_sample_at(piece, i));
        for (int64_t k = 0; k < p->dataset->values; k++)
            others += values[k] != 0 && values[k] != 1;
    }
    return others;
}

/* Checks rows that the network could not take. Local.
 * token  on return at least the largest token */
static ls_status check_piece(const ls_census_plan *p, ls_split split, const ls_samples *piece,
                             int64_t *token)
{
    ls_status status = LS_OK;
    if (p->dataset->reconstructs && p->config->loss == LS_BCE)
        status = ls_reconstruction_check_range(piece, ls_split_name(split), p->normalization);
    if (status == LS_OK && p->tokens)
        status = ls_tokens_check_samples(piece, p->config->data, split, p->vocabulary, token);
    return status;
}

/* Adds rows to the counts, and the weights of training rows to their sums. Local. */
static void count_piece(const ls_census_plan *p, ls_split split, const ls_samples *piece, counts *c)
{
    c->fingerprint += ls_samples_split_fingerprint(piece, split);
    c->border += sum_borders(p->dataset, piece);
    c->others += split == LS_TRAIN ? count_others(p, piece) : 0;
    ls_weighting_count(split == LS_TRAIN ? p->weighting : NULL, piece);
    for (int64_t i = 0; has_labels(p->dataset) && i < piece->rows; i++)
        c->rows[ls_sample_at(piece, i)->label]++;
}

/* Counts this rank's rows of a split. Local. */
static ls_status count_split(const ls_census_plan *p, ls_split split, counts *c, int64_t *token)
{
    const ls_samples *piece = NULL;
    ls_rows *rows = NULL;
    ls_status status = ls_rows_create(&rows, &p->rows[split], NULL, NULL);
    while (status == LS_OK && (status = ls_rows_piece(rows, &piece)) == LS_OK && piece != NULL) {
        status = check_piece(p, split, piece, token);
        count_piece(p, split, piece, c);
    }
    ls_rows_destroy(&rows);
    return status;
}

/* Sums over ranks. Collective.
 * of      [2] of training and validation rows
 * number  [LS_SPLITS][classes] the rows of each class */
static void sum_ranks(const ls_census_plan *p, const counts *of, int64_t *number, int64_t token,
                      ls_census *out)
{
    const ls_text_list *names = p->class_names;
    double most = (double)token;
    int64_t sums[] = {(int64_t)of[LS_TRAIN].fingerprint, (int64_t)of[LS_VALIDATION].fingerprint,
                      of[LS_TRAIN].border, of[LS_TRAIN].others};
    ls_allreduce_integers(p->comm, sums, 4);
    ls_allreduce_integers(p->comm, number, ls_int(2 * (int64_t)p->dataset->classes));
    if (p->tokens)
        ls_allreduce_max(p->comm, &most, 1);
    *out = (ls_census){.known = true,
                       .fingerprint = (uint64_t)sums[LS_TRAIN],
                       .validation_fingerprint = (uint64_t)sums[LS_VALIDATION],
                       .two_valued = guesses_values(p) && sums[3] == 0,
                       .has_border = are_pictures(p->dataset),
                       .border = mean_border(p->dataset, sums[2]),
                       .token = (int64_t)most};
    if (has_labels(p->dataset))
        ls_class_gaps(p->dataset, number,
                      names->count > 0 ? (const char *const *)names->text : NULL, out->class_gaps);
}

ls_status ls_census_take(ls_census *out, const ls_census_plan *p)
{
    const int64_t classes = p->dataset->classes;
    int64_t *number = ls_alloc(LS_SPLITS * classes, sizeof *number); /* test rows stay 0 */
    int64_t token = 0;
    counts of[2] = {{.rows = number}, {.rows = number != NULL ? number + classes : NULL}};
    ls_status status = number == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int split = LS_TRAIN; status == LS_OK && split <= LS_VALIDATION; split++)
        status = count_split(p, (ls_split)split, &of[split], &token);
    status = ls_agree(p->comm, status);
    if (status == LS_OK)
        sum_ranks(p, of, number, token, out);
    ls_free(number);
    return status;
}
