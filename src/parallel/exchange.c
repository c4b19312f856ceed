/* Each sample carries its row number, so both sides know from the plan alone where it belongs: the
 * sender to which rank, the receiver at which place in the epoch's order. No index travels, and no
 * rank needs to know what the others hold.
 *
 * Samples leave through a packed copy, ordered by destination, and arrive where they were packed
 * from: two buffers of a shard's size are all that it takes. */
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
    uint8_t *packed;     /* [capacity][stride]; NULL where nothing ever moves */
    int64_t *order;      /* [rows of this rank in an epoch] */
    int *to;             /* [capacity] the rank that each sample goes to */
    int *counts; /* [4][size]: rows to send to each rank, their starts; the same to receive */
    MPI_Datatype sample; /* one sample, so that counts are rows and not bytes */
};

int64_t ls_exchange_capacity(const ls_plan *plan, int rank)
{
    return ls_max(ls_shard(plan->rows, plan->ranks, rank).count, ls_plan_rank_rows(plan, rank));
}

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
        bool well = exchange->order != NULL;
        if (well && !nothing_moves(plan)) {
            exchange->counts = ls_alloc(4 * (int64_t)comm->size, sizeof(int));
            well = exchange->counts != NULL;
            exchange->to = well ? ls_alloc(samples->capacity, sizeof(int)) : NULL;
            well = exchange->to != NULL;
            exchange->packed = well ? ls_alloc(samples->capacity, samples->stride) : NULL;
            well = exchange->packed != NULL;
            MPI_Type_contiguous(ls_int((int64_t)samples->stride), MPI_BYTE, &exchange->sample);
            MPI_Type_commit(&exchange->sample);
        }
        status = well ? LS_OK : LS_ERR_FAILURE;
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
    ls_free((*exchange)->to);
    ls_free((*exchange)->counts);
    ls_free(*exchange);
    *exchange = NULL;
}

/* Starts of consecutive ranges of these counts; returns their sum. */
static int64_t starts_of(const int *counts, int size, int *starts)
{
    int64_t sum = 0;
    for (int r = 0; r < size; r++) {
        starts[r] = ls_int(sum);
        sum += counts[r];
    }
    return sum;
}

/* Copies the samples into `packed`, grouped by the rank that each goes to. */
static void pack(ls_exchange *exchange, int64_t epoch, int *send, int *send_start)
{
    const ls_samples *samples = exchange->samples;
    const int size = exchange->comm->size;
    memset(send, 0, (size_t)size * sizeof *send);
    for (int64_t i = 0; i < samples->rows; i++) {
        exchange->to[i] =
            ls_plan_locate(&exchange->plan, epoch, ls_sample_at(samples, i)->row).rank;
        send[exchange->to[i]]++;
    }
    starts_of(send, size, send_start);
    for (int64_t i = 0; i < samples->rows; i++)
        memcpy(exchange->packed + (size_t)send_start[exchange->to[i]]++ * samples->stride,
               ls_sample_at(samples, i), samples->stride);
    starts_of(send, size, send_start);
}

/* Swaps samples with all ranks. */
static ls_status move(ls_exchange *exchange, int64_t epoch)
{
    const int size = exchange->comm->size;
    ls_samples *samples = exchange->samples;
    int *send = exchange->counts, *send_start = send + size;
    int *receive = send_start + size, *receive_start = receive + size;
    pack(exchange, epoch, send, send_start);
    ls_wait_begin(exchange->comm);
    MPI_Alltoall(send, 1, MPI_INT, receive, 1, MPI_INT, exchange->comm->mpi);
    ls_wait_end(exchange->comm);
    int64_t rows = starts_of(receive, size, receive_start);
    ls_status status = LS_OK;
    if (rows != ls_plan_rank_rows(&exchange->plan, exchange->comm->rank))
        status = ls_fail(LS_ERR_RANKS, "the ranks offer %s where the plan wants %lld",
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
        status = move(exchange, epoch);
    if (status != LS_OK)
        return status;
    for (int64_t i = 0; i < exchange->samples->rows; i++) {
        int64_t row = ls_sample_at(exchange->samples, i)->row;
        exchange->order[ls_plan_locate(&exchange->plan, epoch, row).index] = i;
    }
    *order = exchange->order;
    return LS_OK;
}
