#include "run/checkpoint_standardization.h"

#include <math.h>
#include <stdio.h>

enum { NAME = 64 };
static const char INPUTS[] = "standardization/inputs", TARGETS[] = "standardization/targets";

static ls_status write_numbers(ls_h5 *file, const char *group, const char *what, int64_t count,
                               const double *numbers)
{
    char name[NAME];
    snprintf(name, sizeof name, "%s/%s", group, what);
    const ls_h5_shape shape = {.type = LS_H5_F64, .rank = 1, .dims = {count}};
    const ls_status status = ls_h5_create_dataset(file, name, &shape, false);
    return status == LS_OK ? ls_h5_write(file, name, LS_H5_F64, 0, count, numbers) : status;
}

static ls_status write_columns(ls_h5 *file, const char *group, const ls_columns *c)
{
    if (c->count == 0)
        return LS_OK;
    const ls_status status = write_numbers(file, group, "mean", c->count, c->mean);
    return status == LS_OK ? write_numbers(file, group, "std", c->count, c->std) : status;
}

ls_status ls_standardization_write(ls_h5 *file, const ls_standardization *s)
{
    const ls_status status = write_columns(file, INPUTS, &s->inputs);
    return status == LS_OK ? write_columns(file, TARGETS, &s->targets) : status;
}

static ls_status read_numbers(const ls_h5 *file, const char *group, const char *what, int64_t count,
                              double *numbers)
{
    char name[NAME];
    ls_h5_shape shape;
    snprintf(name, sizeof name, "%s/%s", group, what);
    ls_status status = ls_h5_describe(file, name, &shape);
    if (status == LS_OK && (shape.type != LS_H5_F64 || shape.rank != 1 || shape.dims[0] != count))
        status = ls_fail(LS_ERR_DATA, "%s: '/%s' does not hold %lld numbers of float64",
                         ls_h5_path(file), name, (long long)count);
    return status == LS_OK ? ls_h5_read(file, name, LS_H5_F64, 0, count, numbers) : status;
}

static ls_status read_columns(const ls_h5 *file, const char *group, int64_t count, ls_columns *out)
{
    if (!ls_h5_has(file, group))
        return LS_OK;
    ls_status status = ls_columns_create(out, count);
    if (status == LS_OK)
        status = read_numbers(file, group, "mean", count, out->mean);
    if (status == LS_OK)
        status = read_numbers(file, group, "std", count, out->std);
    const int64_t bad = status == LS_OK ? ls_columns_find_impossible(out) : -1;
    if (bad >= 0)
        status = ls_fail(LS_ERR_DATA, "%s: '/%s' has an impossible mean or std in column %lld",
                         ls_h5_path(file), group, (long long)bad);
    if (status == LS_OK)
        (void)ls_columns_complete(out);
    return status;
}

ls_status ls_standardization_read(const ls_h5 *file, int64_t channels, int64_t values,
                                  ls_standardization *out)
{
    const ls_status status = read_columns(file, INPUTS, channels, &out->inputs);
    return status == LS_OK ? read_columns(file, TARGETS, values, &out->targets) : status;
}
