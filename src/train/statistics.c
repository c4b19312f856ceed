#include "train/statistics.h"

#include "base/integer.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "data/element.h"
#include "data/h5.h"
#include "parallel/collectives.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char FILE_PREFIX[] = "file:";
enum { NAME = 512 };

/* A file and two of its datasets. */
typedef struct stats_file {
    char path[NAME], mean[NAME], std[NAME];
} stats_file;

/* Splits "file:STATS.h5:/mean,/std". */
static ls_status parse_file(const char *text, stats_file *out)
{
    const char *path = text + strlen(FILE_PREFIX), *colon = strrchr(path, ':');
    const char *comma = colon != NULL ? strchr(colon, ',') : NULL;
    if (comma == NULL || colon == path || comma == colon + 1 || comma[1] == '\0' ||
        strlen(path) >= NAME)
        return ls_fail(LS_ERR_USAGE,
                       "--standardize %s: expected file:FILE.h5:/mean,/std, a file and two of its "
                       "datasets",
                       text);
    snprintf(out->path, NAME, "%.*s", (int)(colon - path), path);
    snprintf(out->mean, NAME, "%.*s", (int)(comma - colon - 1), colon + 1);
    snprintf(out->std, NAME, "%s", comma + 1);
    return LS_OK;
}

static bool is_file(const char *text)
{
    return strncmp(text, FILE_PREFIX, strlen(FILE_PREFIX)) == 0;
}

ls_status ls_statistics_check(const char *inputs)
{
    stats_file file;
    if (strcmp(inputs, "none") == 0 || strcmp(inputs, "fit") == 0)
        return LS_OK;
    if (is_file(inputs))
        return parse_file(inputs, &file);
    return ls_fail(LS_ERR_USAGE, "--standardize %s: expected none, fit or file:FILE.h5:/mean,/std",
                   inputs);
}

/* Reads one dataset of `count` numbers. Local. */
static ls_status read_numbers(const ls_h5 *file, const char *name, int64_t count, double *out)
{
    ls_h5_shape shape;
    ls_status status = ls_h5_describe(file, name, &shape);
    if (status != LS_OK)
        return status;
    if (shape.type > LS_H5_F16 || shape.rank != 1 || shape.dims[0] != count)
        return ls_fail(LS_ERR_DATA, "%s: '%s' does not hold %s, one for each column of the inputs",
                       ls_h5_path(file), name, ls_counted(count, "number").text);
    return ls_h5_read(file, name, LS_H5_F64, 0, count, out);
}

/* Fails at the first column by which nothing can be standardised; a std of 0 is of a constant one.
 * what  whose statistics they are */
static ls_status check_columns(const ls_columns *c, const char *what)
{
    const int64_t bad = ls_columns_find_impossible(c);
    return bad < 0 ? LS_OK
                   : ls_fail(LS_ERR_DATA,
                             "%s: a mean of %g and a standard deviation of %g in column %lld: "
                             "standardised numbers would not be finite",
                             what, ls_plain_number(c->mean[bad]), ls_plain_number(c->std[bad]),
                             (long long)bad);
}

/* Reads the columns from a file. Local. */
static ls_status read_file(const char *text, ls_columns *out)
{
    stats_file from;
    ls_h5 *file = NULL;
    ls_status status = parse_file(text, &from);
    if (status == LS_OK)
        status = ls_h5_open(&file, from.path);
    if (status == LS_OK)
        status = read_numbers(file, from.mean, out->count, out->mean);
    if (status == LS_OK)
        status = read_numbers(file, from.std, out->count, out->std);
    if (status == LS_OK)
        status = check_columns(out, text + strlen(FILE_PREFIX));
    (void)ls_h5_close(&file);
    return status;
}

/* A passage over the training rows. */
typedef struct passage {
    const ls_dataset_info *dataset;
    const ls_rows_origin *rows;
    ls_normalization normalization;
    ls_column_sums inputs, targets; /* of no columns: not needed */
    int64_t numbers;                /* of each column of the inputs */
    float *x;                       /* [features] a row */
} passage;

typedef void (*add_row)(ls_column_sums *sums, int64_t pixels, const float *x);

/* Moves the steps that count, of planes [T] of lines, together. Returns the numbers of a plane. */
static int64_t pack_steps(const ls_dataset_info *d, int64_t length, float *x)
{
    const int64_t plane = d->height * d->width, used = length * d->width;
    for (int64_t c = 1; c < d->channels; c++)
        memmove(x + c * used, x + c * plane, (size_t)used * sizeof *x);
    return used;
}

/* Adds a sample to the sums of its inputs and its target. */
static void add_sample(passage *p, const ls_samples *samples, const ls_sample *sample, add_row add)
{
    const ls_dataset_info *d = p->dataset;
    const ls_normalization *n = &p->normalization;
    if (p->inputs.columns > 0) {
        ls_element_convert(d->element, d->features, sample->inputs,
                           d->element == LS_U8 ? n->byte_scale : n->scale, n->shift, p->x);
        const int64_t count = d->ragged
                                  ? pack_steps(d, (int64_t)*ls_sample_length(samples, sample), p->x)
                                  : d->height * d->width;
        if (count > 0)
            add(&p->inputs, count, p->x);
        p->numbers += count;
    }
    if (p->targets.columns > 0)
        add(&p->targets, 1, ls_sample_targets(samples, sample));
}

/* Adds this rank's rows. Local. */
static ls_status add_rows(passage *p, add_row add)
{
    const ls_samples *piece = NULL;
    ls_rows *rows = NULL;
    ls_status status = ls_rows_create(&rows, p->rows, NULL, NULL);
    p->numbers = 0;
    while (status == LS_OK && (status = ls_rows_piece(rows, &piece)) == LS_OK && piece != NULL)
        for (int64_t i = 0; i < piece->rows; i++)
            add_sample(p, piece, ls_sample_at(piece, i), add);
    ls_rows_destroy(&rows);
    return status;
}

/* Makes the two passes. Collective. */
static ls_status sum_rows(ls_comm *comm, passage *p)
{
    const int64_t rows = p->dataset->rows[LS_TRAIN];
    ls_status status = ls_agree(comm, add_rows(p, ls_column_sums_extend));
    if (status != LS_OK)
        return status;
    ls_allreduce_max(comm, p->inputs.extremes, ls_int(2 * p->inputs.columns));
    ls_allreduce_max(comm, p->targets.extremes, ls_int(2 * p->targets.columns));
    ls_allreduce_integers(comm, &p->numbers, 1);
    const int64_t numbers = p->numbers;
    ls_column_sums_middle(&p->inputs, numbers);
    ls_column_sums_middle(&p->targets, rows);
    status = ls_agree(comm, add_rows(p, ls_column_sums_add));
    if (status != LS_OK)
        return status;
    p->numbers = numbers;
    ls_allreduce_doubles(comm, p->inputs.sums, ls_int(2 * p->inputs.columns));
    ls_allreduce_doubles(comm, p->targets.sums, ls_int(2 * p->targets.columns));
    return LS_OK;
}

/* Allocates the sums and the statistics. Local. */
static ls_status create_columns(ls_standardization *out, passage *p, int64_t inputs, bool fits,
                                int64_t targets)
{
    ls_status status = ls_columns_create(&out->inputs, inputs);
    if (status == LS_OK)
        status = ls_columns_create(&out->targets, targets);
    if (status == LS_OK)
        status = ls_column_sums_create(&p->inputs, fits ? inputs : 0);
    if (status == LS_OK)
        status = ls_column_sums_create(&p->targets, targets);
    p->x = status == LS_OK ? ls_alloc(p->dataset->features, sizeof *p->x) : NULL;
    return p->x != NULL ? LS_OK : LS_ERR_FAILURE;
}

/* Reads the inputs' statistics on rank 0 and sends them to all. Collective. */
static ls_status share_file(ls_comm *comm, const char *text, ls_columns *columns)
{
    const bool root = ls_comm_rank(comm) == 0;
    const ls_status status = ls_agree_root(comm, root ? read_file(text, columns) : LS_OK);
    if (status == LS_OK)
        ls_broadcast(comm, columns->mean, 2 * (size_t)columns->count * sizeof *columns->mean);
    return status;
}

/* Appends the first columns of equal numbers, counts all of them, and completes the columns. */
static void add_constant(ls_constant_columns *c, const char *what, ls_columns *columns)
{
    enum { SHOWN = 5 };
    int64_t found = 0;
    for (int64_t k = 0; k < columns->count; k++) {
        const size_t used = strlen(c->first);
        if (columns->std[k] != 0 || ++found > SHOWN + 1)
            continue;
        if (found > SHOWN)
            snprintf(c->first + used, sizeof c->first - used, ", ...");
        else
            snprintf(c->first + used, sizeof c->first - used, "%s%s %lld",
                     found == 1 && used > 0 ? ", " : "", found == 1 ? what : ",", (long long)k);
    }
    c->count += ls_columns_complete(columns);
}

ls_status ls_statistics_find(ls_standardization *out, ls_comm *comm, const ls_statistics_plan *plan,
                             const ls_dataset_info *dataset, const ls_rows_origin *rows,
                             ls_normalization normalization, ls_constant_columns *constant)
{
    const bool file = is_file(plan->inputs), fits = strcmp(plan->inputs, "fit") == 0;
    passage p = {.dataset = dataset, .rows = rows, .normalization = normalization};
    ls_status status = ls_agree(comm, create_columns(out, &p, file || fits ? dataset->channels : 0,
                                                     fits, plan->targets ? dataset->values : 0));
    if (status == LS_OK && (fits || out->targets.count > 0))
        status = sum_rows(comm, &p);
    if (status == LS_OK && fits && p.numbers == 0)
        status = ls_fail(LS_ERR_DATA, "--standardize fit: the length of all training rows is 0");
    if (status == LS_OK && file)
        status = share_file(comm, plan->inputs, &out->inputs);
    if (status == LS_OK) {
        ls_column_sums_finish(&p.inputs, p.numbers, &out->inputs);
        ls_column_sums_finish(&p.targets, dataset->rows[LS_TRAIN], &out->targets);
        add_constant(constant, "inputs", &out->inputs);
        add_constant(constant, "targets", &out->targets);
        status = check_columns(&out->inputs, "--standardize");
    }
    if (status == LS_OK)
        status = check_columns(&out->targets, "--standardize-targets");
    ls_column_sums_destroy(&p.inputs);
    ls_column_sums_destroy(&p.targets);
    ls_free(p.x);
    return status;
}
