#include <lockstep/metrics.h>

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    size_t offset;
} columns[LS_METRICS_COLUMNS] = {
#define LS_METRICS_COLUMN(name) {#name, offsetof(ls_metrics, name)},
    LS_METRICS_LIST(LS_METRICS_COLUMN)
#undef LS_METRICS_COLUMN
};

const char *ls_metrics_name(int column)
{
    assert(column >= 0 && column < LS_METRICS_COLUMNS);
    return columns[column].name;
}

double ls_metrics_value(const ls_metrics *metrics, int column)
{
    assert(column >= 0 && column < LS_METRICS_COLUMNS);
    return *(const double *)(const void *)((const char *)metrics + columns[column].offset);
}
