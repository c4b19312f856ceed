/* Each sample stores its row number. From the row number and the plan the sender computes the
 * destination rank, and the receiver the position in the epoch's order. No indices are sent, and no
 * rank needs to know which samples the other ranks hold.
 *
 * Samples that stay are not moved. The others travel in rounds through two small buffers, in each
 * round the same part of what each rank has for each other rank: so the samples of a rank are at
 * any time between its first number and its last, and those that arrive take the places of those
 * that left. */
#include "parallel/exchange.h"

#include "base/fault.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/show.h"
#include "data/samples.h"
#include "parallel/collectives.h"
#include "parallel/comm_mpi.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { BUFFER_BYTES = 4 << 20, GONE = -1 /* row number of a sample that left */ };

/* Samples in places of ls_samples: a list for each destination, and one of free places. */
typedef struct places {
    int32_t *next; /* [capacity] the next in the list of a place; GONE: the last; borrowed */
    int32_t *head; /* [size + 1] of each list; GONE: empty */
    int64_t used;  /* places 0 .. used-1 are in use or free */
} places;

struct ls_exchange {
    ls_comm *comm; /* borrowed */
    ls_plan plan;
    ls_samples *samples; /* borrowed */
    int32_t *order; /* [capacity] for each position in the epoch, index in `samples`; while samples
                       move, the memory of the lists of places */
    /* NULL if samples never move: */
    places places;
    int64_t pair_rows;   /* most rows of a round from one rank to another */
    uint8_t *departures; /* [size][pair_rows][stride] buffers of a round */
    uint8_t *arrivals;
    int64_t *rows; /* [2][size] rows to send to each rank, and to receive from it */
    int *counts;   /* [4][size] of a round: rows sent, their starts; rows received, their starts */
    MPI_Datatype sample; /* one sample, so that MPI counts are rows, not bytes */
};

int64_t ls_exchange_capacity(const ls_plan *plan, int rank)
{
    /* Parts of rows to and from each rank are rounded: one row more or less for each. */
    const int64_t spare = plan->ranks > 1 ? 2 * (int64_t)plan->ranks : 0;
    return spare +
           ls_max(ls_shard(plan->rows, plan->ranks, rank).count, ls_plan_rank_rows(plan, rank));
}

/* Returns true if the plan never moves samples between ranks. */
static bool nothing_moves(const ls_plan *plan)
{
    return plan->ranks == 1 || plan->shuffle == LS_SHUFFLE_LOCAL;
}

/* Allocates what moving samples needs. Local. */
static ls_status create_buffers(ls_exchange *e)
{
    const int64_t size = e->comm->size, stride = (int64_t)e->samples->stride;
    const int64_t capacity = e->samples->capacity;
    e->pair_rows = ls_max(ls_min(BUFFER_BYTES / (stride * size), capacity), 1);
    e->rows = ls_alloc(2 * size, sizeof *e->rows);
    e->counts = ls_alloc(4 * size, sizeof *e->counts);
    e->places.head = ls_alloc(size + 1, sizeof *e->places.head);
    e->places.next = e->order;
    e->departures = ls_alloc(size * e->pair_rows, e->samples->stride);
    e->arrivals = ls_alloc(size * e->pair_rows, e->samples->stride);
    MPI_Type_contiguous(ls_int(stride), MPI_BYTE, &e->sample);
    MPI_Type_commit(&e->sample);
    return e->rows != NULL && e->counts != NULL && e->places.head != NULL &&
                   e->departures != NULL && e->arrivals != NULL
               ? LS_OK
               : LS_ERR_FAILURE;
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
        exchange->order = ls_alloc(samples->capacity, sizeof *exchange->order);
        status = exchange->order != NULL ? LS_OK : LS_ERR_FAILURE;
        if (status == LS_OK && !nothing_moves(plan))
            status = create_buffers(exchange);
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
    ls_exchange *e = *exchange;
    if (e->sample != MPI_DATATYPE_NULL)
        MPI_Type_free(&e->sample);
    ls_free(e->order);
    ls_free(e->places.head);
    ls_free(e->departures);
    ls_free(e->arrivals);
    ls_free(e->rows);
    ls_free(e->counts);
    ls_free(e);
    *exchange = NULL;
}

static void push_place(places *p, int list, int32_t place)
{
    p->next[place] = p->head[list];
    p->head[list] = place;
}

static int32_t pop_place(places *p, int list)
{
    const int32_t place = p->head[list];
    p->head[list] = p->next[place];
    return place;
}

/* Lists the samples that leave by destination, and counts them. Returns the number that stays.
 * send  [size] on return rows for each other rank */
static int64_t list_departures(ls_exchange *e, int64_t epoch, int64_t *send)
{
    const int size = e->comm->size, me = e->comm->rank;
    int64_t staying = 0;
    memset(send, 0, (size_t)size * sizeof *send);
    for (int list = 0; list <= size; list++)
        e->places.head[list] = GONE;
    e->places.used = e->samples->rows;
    for (int64_t i = 0; i < e->samples->rows; i++) {
        const int to = ls_plan_locate(&e->plan, epoch, ls_sample_at(e->samples, i)->row).rank;
        if (to == me) {
            staying++;
        } else {
            push_place(&e->places, to, (int32_t)i);
            send[to]++;
        }
    }
    return staying;
}

/* Returns the rows of a round, of `rows` in all rounds. */
static int rows_of_round(int64_t rows, int64_t rounds, int64_t round)
{
    return ls_int(ls_part_start(rows, rounds, round + 1) - ls_part_start(rows, rounds, round));
}

/* Copies a round's samples to the departures, and frees their places. */
static void pack_departures(ls_exchange *e, const int *send, const int *start)
{
    const int free_list = e->comm->size;
    const size_t stride = e->samples->stride;
    for (int to = 0; to < e->comm->size; to++)
        for (int i = 0; i < send[to]; i++) {
            const int32_t place = pop_place(&e->places, to);
            ls_sample *sample = ls_sample_at(e->samples, place);
            memcpy(e->departures + (size_t)(start[to] + i) * stride, sample, stride);
            sample->row = GONE;
            push_place(&e->places, free_list, place);
        }
}

/* Puts a round's arrivals into free places, or behind the places in use. */
static void place_arrivals(ls_exchange *e, int64_t count)
{
    const int free_list = e->comm->size;
    const size_t stride = e->samples->stride;
    for (int64_t i = 0; i < count; i++) {
        const int64_t place =
            e->places.head[free_list] != GONE ? pop_place(&e->places, free_list) : e->places.used++;
        assert(place < e->samples->capacity);
        memcpy(ls_sample_at(e->samples, place), e->arrivals + (size_t)i * stride, stride);
    }
}

/* Moves samples from the end to places that are still free. */
static void close_gaps(ls_exchange *e, int64_t rows)
{
    int64_t from = e->places.used;
    for (int64_t i = 0; i < rows; i++) {
        if (ls_sample_at(e->samples, i)->row != GONE)
            continue;
        do
            from--;
        while (ls_sample_at(e->samples, from)->row == GONE);
        memcpy(ls_sample_at(e->samples, i), ls_sample_at(e->samples, from), e->samples->stride);
    }
    e->samples->rows = rows;
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

/* Sends and receives one round. Collective. */
static void exchange_round(ls_exchange *e, int64_t rounds, int64_t round)
{
    const int size = e->comm->size;
    int *send = e->counts, *send_start = send + size;
    int *receive = send_start + size, *receive_start = receive + size;
    for (int r = 0; r < size; r++) {
        send[r] = rows_of_round(e->rows[r], rounds, round);
        receive[r] = rows_of_round(e->rows[size + r], rounds, round);
    }
    (void)compute_starts(send, size, send_start);
    const int64_t arriving = compute_starts(receive, size, receive_start);
    pack_departures(e, send, send_start);
    ls_wait_begin(e->comm);
    MPI_Alltoallv(e->departures, send, send_start, e->sample, e->arrivals, receive, receive_start,
                  e->sample, e->comm->mpi);
    ls_wait_end(e->comm);
    place_arrivals(e, arriving);
}

/* Returns the number of rounds, the same on all ranks: none sends a pair of ranks more than the
 * buffers hold. Collective. */
static int64_t count_rounds(const ls_exchange *e)
{
    int64_t most = 0;
    for (int r = 0; r < e->comm->size; r++)
        most = ls_max(most, e->rows[r]);
    const int64_t mine = (most + e->pair_rows - 1) / e->pair_rows;
    double rounds = (double)mine;
    ls_allreduce_max(e->comm, &rounds, 1);
    return (int64_t)rounds;
}

/* Moves the samples of an epoch. Collective. */
static ls_status move_samples(ls_exchange *e, int64_t epoch)
{
    const int size = e->comm->size;
    const int64_t wanted = ls_plan_rank_rows(&e->plan, e->comm->rank);
    int64_t rows = list_departures(e, epoch, e->rows);
    ls_wait_begin(e->comm);
    MPI_Alltoall(e->rows, 1, MPI_INT64_T, e->rows + size, 1, MPI_INT64_T, e->comm->mpi);
    ls_wait_end(e->comm);
    for (int r = 0; r < size; r++)
        rows += e->rows[size + r];
    ls_status status = LS_OK;
    if (rows != wanted)
        status = ls_fail(LS_ERR_RANKS, "received %s, but the plan requires %lld",
                         ls_counted(rows, "sample").text, (long long)wanted);
    status = ls_agree(e->comm, status);
    if (status != LS_OK)
        return status;
    const int64_t rounds = count_rounds(e);
    for (int64_t round = 0; round < rounds; round++)
        exchange_round(e, rounds, round);
    close_gaps(e, rows);
    return LS_OK;
}

ls_status ls_exchange_epoch(ls_exchange *exchange, int64_t epoch, const int32_t **order)
{
    ls_status status = ls_agree(exchange->comm, ls_fault(LS_FAULT_EXCHANGE));
    if (status == LS_OK && !nothing_moves(&exchange->plan))
        status = move_samples(exchange, epoch);
    if (status != LS_OK)
        return status;
    for (int64_t i = 0; i < exchange->samples->rows; i++) {
        int64_t row = ls_sample_at(exchange->samples, i)->row;
        exchange->order[ls_plan_locate(&exchange->plan, epoch, row).index] = (int32_t)i;
    }
    *order = exchange->order;
    return LS_OK;
}
