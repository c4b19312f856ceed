/* Each sample stores its row number. From the row number and the plan the sender computes the
 * destination rank, and the receiver the position in the epoch's order. No indices are sent, and no
 * rank needs to know which samples the other ranks hold.
 *
 * Samples are packed by destination into a send buffer and received into their original buffer: two
 * buffers of a shard's size suffice. */
#include "parallel/exchange.h"

#include "base/fault.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/show.h"
#include "data/samples.h"
#include "parallel/comm_mpi.h"

#include <stdbool.h>
#include <string.h>

struct ls_exchange {
    ls_comm *comm; /* borrowed */
    ls_plan plan;
    ls_samples *samples; /* borrowed */
    uint8_t *packed;     /* [capacity][stride] send buffer; NULL if samples never move */
    int64_t *order;   /* [ls_plan_rank_rows] for each position in the epoch, index in `samples` */
    int *destination; /* [capacity] destination rank of each sample */
    int *counts; /* [4][size] rows sent to each rank, their starts; rows received, their starts */
    MPI_Datatype sample; /* one sample, so that MPI counts are rows, not bytes */
};

int64_t ls_exchange_capacity(const ls_plan *plan, int rank)
{
    return ls_max(ls_shard(plan->rows, plan->ranks, rank).count, ls_plan_rank_rows(plan, rank));
}

/* Returns true if the plan never moves samples between ranks. */
static bool nothing_moves(const ls_plan *plan)
{
    return plan->ranks == 1 || plan->shuffle == LS_SHUFFLE_LOCAL;
}

ls_status ls_exchange_create(ls_exchange **out, ls_comm *comm, const ls_plan *plan,
                             ls_samples *samples)
{
    ls_status status = LS_ERR_FAILURE;
    ls_exchange *exchange = ls_alloc(1, sizeof *exchange);
    if (exchange != NULL) {
        exchange->comm = comm;
        exchange->plan = *plan;
        exchange->samples = samples;
        exchange->sample = MPI_DATATYPE_NULL;
        exchange->order = ls_alloc(ls_plan_rank_rows(plan, comm->rank), sizeof(int64_t));
        bool ok = exchange->order != NULL;
        if (ok && !nothing_moves(plan)) {
            exchange->counts = ls_alloc(4 * (int64_t)comm->size, sizeof(int));
            ok = exchange->counts != NULL;
            exchange->destination = ok ? ls_alloc(samples->capacity, sizeof(int)) : NULL;
            ok = exchange->destination != NULL;
            exchange->packed = ok ? ls_alloc(samples->capacity, samples->stride) : NULL;
            ok = exchange->packed != NULL;
            MPI_Type_contiguous(ls_int((int64_t)samples->stride), MPI_BYTE, &exchange->sample);
            MPI_Type_commit(&exchange->sample);
        }
        status = ok ? LS_OK : LS_ERR_FAILURE;
    }
    status = ls_agree(comm, status);
    if (status != LS_OK) {
        ls_exchange_destroy(&exchange);
        return status;
    }
    *out = exchange;
    return LS_OK;
}

void ls_exchange_destroy(ls_exchange **exchange)
{
    if (exchange == NULL || *exchange == NULL)
        return;
    if ((*exchange)->sample != MPI_DATATYPE_NULL)
        MPI_Type_free(&(*exchange)->sample);
    ls_free((*exchange)->packed);
    ls_free((*exchange)->order);
    ls_free((*exchange)->destination);
    ls_free((*exchange)->counts);
    ls_free(*exchange);
    *exchange = NULL;
}

/* Computes the exclusive prefix sums of counts; returns their total. starts: [size] */
static int64_t compute_starts(const int *counts, int size, int *starts)
{
    int64_t sum = 0;
    for (int r = 0; r < size; r++) {
        starts[r] = ls_int(sum);
        sum += counts[r];
    }
    return sum;
}

/* Copies the samples to `packed`, grouped by destination. send, send_start: [size] on return */
static void pack_samples(ls_exchange *exchange, int64_t epoch, int *send, int *send_start)
{
    const ls_samples *samples = exchange->samples;
    const int size = exchange->comm->size;
    memset(send, 0, (size_t)size * sizeof *send);
    for (int64_t i = 0; i < samples->rows; i++) {
        exchange->destination[i] =
            ls_plan_locate(&exchange->plan, epoch, ls_sample_at(samples, i)->row).rank;
        send[exchange->destination[i]]++;
    }
    compute_starts(send, size, send_start);
    for (int64_t i = 0; i < samples->rows; i++)
        memcpy(exchange->packed + (size_t)send_start[exchange->destination[i]]++ * samples->stride,
               ls_sample_at(samples, i), samples->stride);
    compute_starts(send, size, send_start);
}

/* Sends and receives the samples of an epoch. Collective. */
static ls_status alltoall_samples(ls_exchange *exchange, int64_t epoch)
{
    const int size = exchange->comm->size;
    ls_samples *samples = exchange->samples;
    int *send = exchange->counts, *send_start = send + size;
    int *receive = send_start + size, *receive_start = receive + size;
    pack_samples(exchange, epoch, send, send_start);
    ls_wait_begin(exchange->comm);
    MPI_Alltoall(send, 1, MPI_INT, receive, 1, MPI_INT, exchange->comm->mpi);
    ls_wait_end(exchange->comm);
    int64_t rows = compute_starts(receive, size, receive_start);
    ls_status status = LS_OK;
    if (rows != ls_plan_rank_rows(&exchange->plan, exchange->comm->rank))
        status = ls_fail(LS_ERR_RANKS, "received %s, but the plan requires %lld",
                         ls_counted(rows, "sample").text,
                         (long long)ls_plan_rank_rows(&exchange->plan, exchange->comm->rank));
    status = ls_agree(exchange->comm, status);
    if (status != LS_OK)
        return status;
    ls_wait_begin(exchange->comm);
    MPI_Alltoallv(exchange->packed, send, send_start, exchange->sample, samples->bytes, receive,
                  receive_start, exchange->sample, exchange->comm->mpi);
    ls_wait_end(exchange->comm);
    samples->rows = rows;
    return LS_OK;
}

ls_status ls_exchange_epoch(ls_exchange *exchange, int64_t epoch, const int64_t **order)
{
    ls_status status = ls_agree(exchange->comm, ls_fault(LS_FAULT_EXCHANGE));
    if (status == LS_OK && !nothing_moves(&exchange->plan))
        status = alltoall_samples(exchange, epoch);
    if (status != LS_OK)
        return status;
    for (int64_t i = 0; i < exchange->samples->rows; i++) {
        int64_t row = ls_sample_at(exchange->samples, i)->row;
        exchange->order[ls_plan_locate(&exchange->plan, epoch, row).index] = i;
    }
    *order = exchange->order;
    return LS_OK;
}
