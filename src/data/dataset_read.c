/* Reads rows of an open data set. */
#include "data/dataset_state.h"

#include "base/fault.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/range.h"
#include "data/samples.h"

#include <assert.h>

/* Returns the rows that a split's rows are among. */
static const ls_series *find_series(const ls_dataset *dataset, ls_split split)
{
    return split == LS_TEST && dataset->test != NULL ? &dataset->test->groups[LS_TRAIN]
                                                     : &dataset->groups[dataset->group[split]];
}

/* Rows of a split among those of its group. */
typedef struct chosen {
    const ls_division *division; /* NULL: all rows of the group */
    ls_split split;
} chosen;

static chosen find_chosen(const ls_dataset *dataset, ls_split split)
{
    return (chosen){dataset->group[split] == LS_TRAIN ? dataset->division : NULL, split};
}

static int64_t chosen_before(const void *user, int64_t row)
{
    const chosen *c = user;
    return ls_division_before(c->division, c->split, row);
}

/* Returns the range of group rows that contains rows first .. first+count-1 of a split. */
static ls_range find_group_rows(const chosen *c, int64_t first, int64_t count)
{
    if (c->division == NULL || count == 0)
        return (ls_range){first, count};
    const int64_t begin = ls_division_row(c->division, c->split, first);
    const int64_t last = ls_division_row(c->division, c->split, first + count - 1);
    return (ls_range){begin, last + 1 - begin};
}

ls_status ls_dataset_read_into(const ls_dataset *dataset, ls_split split, int64_t first,
                               int64_t count, ls_samples *samples)
{
    assert(first >= 0 && count >= 0 && first + count <= dataset->info.rows[split]);
    assert(samples->capacity >= count && samples->format.features == dataset->info.features &&
           samples->format.values == ls_dataset_format(&dataset->info).values &&
           samples->format.ragged == dataset->info.ragged &&
           samples->format.weighted == dataset->info.weighted &&
           samples->format.element == dataset->info.element);
    const chosen c = find_chosen(dataset, split);
    const ls_pick pick = {chosen_before, &c};
    const ls_range rows = find_group_rows(&c, first, count);
    const ls_destination to = {samples, c.division != NULL && count > 0 ? &pick : NULL,
                               .first = rows.first};
    ls_status status = ls_fault(LS_FAULT_READ);
    if (status == LS_OK)
        status = ls_series_read(find_series(dataset, split), rows.first, rows.count,
                                dataset->info.classes, &to);
    samples->rows = status == LS_OK ? count : 0;
    for (int64_t i = 0; i < samples->rows; i++)
        ls_sample_at(samples, i)->row = first + i;
    return status;
}

ls_status ls_dataset_read(const ls_dataset *dataset, ls_split split, int64_t first, int64_t count,
                          int64_t capacity, ls_samples **out)
{
    ls_samples *samples = NULL;
    ls_status status = ls_samples_create(&samples, capacity, ls_dataset_format(&dataset->info));
    if (status == LS_OK)
        status = ls_dataset_read_into(dataset, split, first, count, samples);
    if (status != LS_OK) {
        ls_samples_destroy(&samples);
        return status;
    }
    *out = samples;
    return LS_OK;
}

/* Returns the rows that are read at a time. */
static int64_t rows_of_piece(const ls_dataset *dataset)
{
    enum { PIECE_BYTES = 16 << 20 };
    const int64_t features = dataset->info.features;
    return features < PIECE_BYTES ? PIECE_BYTES / features : 1;
}

/* Adds the classes of the steps of samples to `counts`. */
static void count_steps(const ls_samples *samples, int64_t *counts)
{
    for (int64_t i = 0; i < samples->rows; i++) {
        const ls_row row = ls_samples_row(samples, i);
        const int64_t steps = row.length >= 0 ? row.length : samples->format.values;
        for (int64_t step = 0; step < steps; step++)
            counts[(int64_t)row.targets[step]]++;
    }
}

/* As ls_dataset_count_classes(), of the classes of steps. */
static ls_status count_by_step(const ls_dataset *dataset, ls_split split, int64_t *counts)
{
    const int64_t rows = dataset->info.rows[split], piece = rows_of_piece(dataset);
    ls_samples *samples = NULL;
    ls_status status =
        ls_samples_create(&samples, ls_min(piece, rows), ls_dataset_format(&dataset->info));
    for (int64_t done = 0; status == LS_OK && done < rows; done += piece) {
        status = ls_dataset_read_into(dataset, split, done, ls_min(rows - done, piece), samples);
        if (status == LS_OK)
            count_steps(samples, counts);
    }
    ls_samples_destroy(&samples);
    return status;
}

ls_status ls_dataset_count_classes(const ls_dataset *dataset, ls_split split, int64_t *counts)
{
    enum { ROOM = 1 << 16 };
    if (dataset->info.classes == 0)
        return LS_OK;
    if (ls_dataset_by_step(&dataset->info))
        return count_by_step(dataset, split, counts);
    const chosen c = find_chosen(dataset, split);
    const ls_range rows = find_group_rows(&c, 0, dataset->info.rows[split]);
    int32_t *labels = ls_alloc(ROOM, sizeof *labels);
    ls_status status = labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < rows.count; done += ROOM) {
        const int64_t left = rows.count - done, some = left < ROOM ? left : ROOM;
        const int64_t first = rows.first + done;
        status = ls_series_labels(find_series(dataset, split), first, some, dataset->info.classes,
                                  labels);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            counts[labels[i]] +=
                c.division == NULL || ls_division_split(c.division, first + i) == split;
    }
    ls_free(labels);
    return status;
}

ls_status ls_dataset_verify(const ls_dataset *dataset)
{
    const ls_destination nowhere = {0};
    ls_status status = LS_OK;
    for (int group = 0; status == LS_OK && group < LS_SPLITS; group++) {
        const ls_series *rows = &dataset->groups[group];
        status = ls_series_read(rows, 0, rows->rows, dataset->info.classes, &nowhere);
    }
    return status == LS_OK && dataset->test != NULL ? ls_dataset_verify(dataset->test) : status;
}

ls_status ls_dataset_fingerprint(const ls_dataset *dataset, ls_split split, uint64_t *out)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    const int64_t rows = info->rows[split], piece = rows_of_piece(dataset);
    ls_samples *samples = NULL;
    *out = 0;
    ls_status status = ls_samples_create(&samples, ls_min(piece, rows), ls_dataset_format(info));
    for (int64_t done = 0; status == LS_OK && done < rows; done += piece) {
        const int64_t some = ls_min(rows - done, piece);
        status = ls_dataset_read_into(dataset, split, done, some, samples);
        *out += status == LS_OK ? ls_samples_split_fingerprint(samples, split) : 0;
    }
    ls_samples_destroy(&samples);
    return status;
}
