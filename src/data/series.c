#include "data/series.h"

#include "base/integer.h"
#include "base/memory.h"

ls_status ls_series_create(ls_series *out, int most)
{
    ls_series s = {.parts = ls_alloc(most, sizeof *s.parts),
                   .first = ls_alloc(most, sizeof *s.first)};
    *out = s;
    return s.parts == NULL || s.first == NULL ? LS_ERR_FAILURE : LS_OK;
}

ls_status ls_series_append(ls_series *s, const ls_h5 *file, const ls_fields_choice *choice)
{
    const ls_status status = ls_fields_open(&s->parts[s->count], file, choice);
    if (status != LS_OK)
        return status;
    s->first[s->count] = s->rows;
    s->rows += s->parts[s->count++].rows;
    return LS_OK;
}

/* Returns the rows of a part that are among rows first .. first+count-1 of the series. */
static ls_range rows_of_part(const ls_series *s, int part, int64_t first, int64_t count)
{
    const int64_t from = ls_max(first - s->first[part], 0);
    const int64_t end = ls_min(first + count - s->first[part], s->parts[part].rows);
    return (ls_range){from, ls_max(end - from, 0)};
}

ls_status ls_series_read(const ls_series *s, int64_t first, int64_t count, int classes,
                         const ls_destination *to)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < s->count; i++) {
        ls_destination part = *to;
        const ls_range rows = rows_of_part(s, i, first, count);
        part.earlier = s->first[i];
        if (rows.count > 0)
            status = ls_fields_read(&s->parts[i], rows.first, rows.count, classes, &part);
    }
    return status;
}

static ls_status read_labels(const ls_fields *f, ls_range rows, int classes, int32_t *labels)
{
    return f->has_labels
               ? ls_labels_read(&f->labels, rows.first, rows.count, classes, labels, NULL)
               : ls_labels_of_values(&f->targets.fields[0], rows.first, rows.count, labels);
}

ls_status ls_series_labels(const ls_series *s, int64_t first, int64_t count, int classes,
                           int32_t *labels)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < s->count; i++) {
        const ls_range rows = rows_of_part(s, i, first, count);
        if (rows.count > 0)
            status = read_labels(&s->parts[i], rows, classes, labels);
        labels += rows.count;
    }
    return status;
}

void ls_series_close(ls_series *s)
{
    for (int i = 0; i < s->count; i++)
        ls_fields_close(&s->parts[i]);
    ls_free(s->parts);
    ls_free(s->first);
    *s = (ls_series){0};
}
