#include "parallel/comm_mpi.h"

#include "parallel/collectives.h"
#include "base/integer.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* Creates a communicator as a duplicate of `parent`. Collective on `parent`. */
static ls_status duplicate(ls_comm **out, MPI_Comm parent)
{
    ls_comm *comm = ls_alloc(1, sizeof *comm);
    int ok = comm != NULL, all_ok;
    MPI_Allreduce(&ok, &all_ok, 1, MPI_INT, MPI_MIN, parent);
    if (!all_ok) {
        if (comm != NULL)
            (void)ls_fail(LS_ERR_FAILURE, "out of memory on another rank");
        ls_free(comm);
        return LS_ERR_FAILURE;
    }
    MPI_Comm_dup(parent, &comm->mpi);
    MPI_Comm_set_errhandler(comm->mpi, MPI_ERRORS_ARE_FATAL);
    MPI_Comm_rank(comm->mpi, &comm->rank);
    MPI_Comm_size(comm->mpi, &comm->size);
    *out = comm;
    return LS_OK;
}

ls_status ls_comm_world(ls_comm **out)
{
    return duplicate(out, MPI_COMM_WORLD);
}

ls_status ls_comm_from_fortran(ls_comm **out, int handle)
{
    return duplicate(out, MPI_Comm_f2c((MPI_Fint)handle));
}

ls_status ls_comm_node(ls_comm **out, ls_comm *comm)
{
    MPI_Comm shared;
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &shared);
    const ls_status status = duplicate(out, shared);
    MPI_Comm_free(&shared);
    return ls_agree(comm, status);
}

ls_status ls_comm_groups(ls_comm **out, ls_comm *comm, int size)
{
    MPI_Comm group;
    MPI_Comm_split(comm->mpi, comm->rank / size, comm->rank, &group);
    const ls_status status = duplicate(out, group);
    MPI_Comm_free(&group);
    return ls_agree(comm, status);
}

void ls_comm_destroy(ls_comm **comm)
{
    if (comm == NULL || *comm == NULL)
        return;
    MPI_Comm_free(&(*comm)->mpi);
    ls_free(*comm);
    *comm = NULL;
}

int ls_comm_rank(const ls_comm *comm)
{
    return comm->rank;
}

int ls_comm_size(const ls_comm *comm)
{
    return comm->size;
}

ls_status ls_agree_among(ls_comm *comm, bool acts, ls_status status)
{
    struct {
        int code;
        char text[LS_ERROR_TEXT_MAX];
    } failure = {.code = (int)status};
    const bool failed = acts && status != LS_OK;
    /* Maxima find the lowest failed rank, sums the numbers of ranks that failed and that acted. */
    int lowest = failed ? comm->size - comm->rank : 0, mine[2] = {failed, acts}, found, sum[2];
    ls_wait_begin(comm);
    MPI_Allreduce(&lowest, &found, 1, MPI_INT, MPI_MAX, comm->mpi);
    ls_wait_end(comm);
    if (found == 0)
        return LS_OK;
    MPI_Allreduce(mine, sum, 2, MPI_INT, MPI_SUM, comm->mpi);
    const int culprit = comm->size - found;
    if (comm->rank == culprit)
        snprintf(failure.text, sizeof failure.text, "%s", ls_error_text());
    ls_broadcast_from(comm, &failure, sizeof failure, culprit);
    status = (ls_status)failure.code;
    if (sum[0] == sum[1])
        return ls_fail(status, "%s", failure.text);
    return ls_fail(status, "rank %d: %s", culprit, failure.text);
}

ls_status ls_agree(ls_comm *comm, ls_status status)
{
    return ls_agree_among(comm, true, status);
}

ls_status ls_agree_root(ls_comm *comm, ls_status status)
{
    return ls_agree_among(comm, comm->rank == 0, status);
}

ls_status ls_agree_equal(ls_comm *comm, const char *text, const char *what)
{
    /* Each rank compares with rank 0's text. Its length comes first, to allocate the buffer. */
    int64_t length = (int64_t)strlen(text), longest = length;
    ls_broadcast(comm, &longest, sizeof longest);
    char *first = ls_alloc(longest + 1, 1);
    ls_status status = ls_agree(comm, first == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK) {
        if (comm->rank == 0)
            memcpy(first, text, (size_t)length);
        ls_broadcast(comm, first, (size_t)longest);
        if (strcmp(first, text) != 0)
            status = ls_fail(LS_ERR_RANKS, "%s differs from rank 0's", what);
        status = ls_agree(comm, status);
    }
    ls_free(first);
    return status;
}

void ls_broadcast(ls_comm *comm, void *data, size_t bytes)
{
    ls_broadcast_from(comm, data, bytes, 0);
}

void ls_broadcast_from(ls_comm *comm, void *data, size_t bytes, int root)
{
    const size_t most = (size_t)1 << 30;
    ls_wait_begin(comm);
    for (size_t done = 0; done < bytes; done += most) {
        size_t some = bytes - done < most ? bytes - done : most;
        MPI_Bcast((char *)data + done, ls_int((int64_t)some), MPI_BYTE, root, comm->mpi);
    }
    ls_wait_end(comm);
}

ls_status ls_broadcast_text(ls_comm *comm, char **text)
{
    int64_t length = comm->rank == 0 ? (int64_t)strlen(*text) : 0;
    ls_broadcast(comm, &length, sizeof length);
    char *copy = comm->rank == 0 ? *text : ls_alloc(length + 1, 1);
    ls_status status = ls_agree(comm, copy == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        if (comm->rank != 0)
            ls_free(copy);
        return status;
    }
    ls_broadcast(comm, copy, (size_t)length);
    *text = copy;
    return LS_OK;
}

void ls_allreduce_doubles(ls_comm *comm, double *values, int count)
{
    ls_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, comm->mpi);
    ls_wait_end(comm);
}

void ls_allreduce_integers(ls_comm *comm, int64_t *values, int count)
{
    /* Unsigned, because signed overflow is undefined. */
    ls_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, (uint64_t *)values, count, MPI_UINT64_T, MPI_SUM, comm->mpi);
    ls_wait_end(comm);
}

void ls_allreduce_floats(ls_comm *comm, float *values, int count)
{
    ls_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, comm->mpi);
    ls_wait_end(comm);
}

void ls_barrier(ls_comm *comm)
{
    ls_wait_begin(comm);
    MPI_Barrier(comm->mpi);
    ls_wait_end(comm);
}

int ls_argmax_rank(ls_comm *comm, double value)
{
    struct {
        double value;
        int rank;
    } most = {value, comm->rank};
    ls_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_DOUBLE_INT, MPI_MAXLOC, comm->mpi);
    ls_wait_end(comm);
    return most.rank;
}

void ls_allreduce_max(ls_comm *comm, double *values, int count)
{
    ls_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_MAX, comm->mpi);
    ls_wait_end(comm);
}

/* Sends bytes from one rank to another; called on these two. */
static void send_bytes(ls_comm *comm, void *data, size_t bytes, int from, int to)
{
    const size_t most = (size_t)1 << 30;
    ls_wait_begin(comm);
    for (size_t done = 0; done < bytes; done += most) {
        const int some = ls_int((int64_t)(bytes - done < most ? bytes - done : most));
        if (comm->rank == from)
            MPI_Send((char *)data + done, some, MPI_BYTE, to, 0, comm->mpi);
        else
            MPI_Recv((char *)data + done, some, MPI_BYTE, from, 0, comm->mpi, MPI_STATUS_IGNORE);
    }
    ls_wait_end(comm);
}

void ls_send_from_root(ls_comm *comm, void *data, size_t bytes, int to)
{
    send_bytes(comm, data, bytes, 0, to);
}

void ls_send_to_root(ls_comm *comm, void *data, size_t bytes, int from)
{
    send_bytes(comm, data, bytes, from, 0);
}

void ls_gather_bytes(ls_comm *comm, const void *mine, int bytes, void *all)
{
    ls_wait_begin(comm);
    MPI_Gather(mine, bytes, MPI_BYTE, all, bytes, MPI_BYTE, 0, comm->mpi);
    ls_wait_end(comm);
}

void ls_allgather_bytes(ls_comm *comm, const void *mine, int bytes, void *all)
{
    ls_wait_begin(comm);
    MPI_Allgather(mine, bytes, MPI_BYTE, all, bytes, MPI_BYTE, comm->mpi);
    ls_wait_end(comm);
}

const char *ls_comm_version(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    MPI_Get_library_version(text, &length);
    /* Keeps the first part of "Open MPI v4.1.4, package: ..., ident: ..." or
     * "MPICH Version:\t4.0.2\nMPICH Release ...". */
    text[strcspn(text, ",\n")] = '\0';
    char *word = strstr(text, " Version"), *number;
    if (word != NULL) {
        number = word + strlen(" Version");
        number += strspn(number, " :\t");
        memmove(word + 1, number, strlen(number) + 1);
    }
    return text;
}
