#include "train/nearest.h"

#include "parallel/collectives.h"
#include "base/dispatch.h"
#include "base/integer.h"
#include "base/memory.h"

#include <math.h>

/* Returns the squared distance, in an order of addition of its own: LANES sums, then their sum. */
LS_DISPATCH static double squared_distance(int64_t count, const float *restrict a,
                                           const float *restrict b)
{
    enum { LANES = 16 };
    float lane[LANES] = {0};
    double sum = 0;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (a[i + k] - b[i + k]) * (a[i + k] - b[i + k]);
    for (; i < count; i++)
        lane[0] += (a[i] - b[i]) * (a[i] - b[i]);
    for (int k = 0; k < LANES; k++)
        sum += (double)lane[k];
    return sum;
}

/* Lowers the least squared distances by those from this rank's training rows. Local.
 * least  [count] */
static ls_status find_least(ls_loader *loader, ls_batch *batch, int64_t count, const float *rows,
                            double *least)
{
    const int64_t features = batch->features;
    int64_t done = 0;
    ls_status status = ls_loader_resident(loader, 0, batch);
    while (status == LS_OK && batch->rows > 0) {
        for (int64_t i = 0; i < count; i++)
            for (int64_t r = 0; r < batch->rows; r++)
                least[i] = fmin(least[i], squared_distance(features, rows + i * features,
                                                           batch->x + r * features));
        done += batch->rows;
        status = ls_loader_resident(loader, done, batch);
    }
    return status;
}

ls_status ls_nearest_distance(ls_comm *comm, ls_loader *loader, ls_batch *batch, int64_t count,
                              const float *rows, double *out)
{
    double *least = ls_alloc(count, sizeof *least), sum = 0;
    ls_status status = least != NULL ? LS_OK : LS_ERR_FAILURE;
    for (int64_t i = 0; status == LS_OK && i < count; i++)
        least[i] = INFINITY;
    if (status == LS_OK)
        status = find_least(loader, batch, count, rows, least);
    status = ls_agree(comm, status);
    for (int64_t i = 0; status == LS_OK && i < count; i++)
        least[i] = -least[i];
    if (status == LS_OK)
        ls_allreduce_max(comm, least, ls_int(count));
    for (int64_t i = 0; status == LS_OK && i < count; i++)
        sum += sqrt(-least[i]);
    ls_free(least);
    if (status == LS_OK)
        *out = sum / (double)count;
    return status;
}
