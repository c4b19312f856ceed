#include "parallel/probe.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/median.h"
#include "base/memory.h"
#include "parallel/comm_mpi.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Returns the median time of an allreduce of floats on the node, in s. Collective on the node. */
static double time_allreduce(ls_comm *node, float *values, int count)
{
    enum { TRIES = 21 };
    double seconds[TRIES];
    for (int i = 0; i < TRIES; i++) {
        ls_barrier(node);
        const double begin = ls_now();
        ls_allreduce_floats(node, values, count);
        seconds[i] = ls_now() - begin;
    }
    return ls_median(seconds, TRIES);
}

/* Tests if this rank can read the memory of the node's next rank with process_vm_readv(), as MPI
 * libraries do to copy a message only once. Collective on the node. */
static ls_single_copy test_single_copy(ls_comm *node)
{
    struct {
        pid_t pid;
        const void *address;
    } mine, next;
    const double mark = 1234.5 + node->rank;
    double got = 0;
    mine.pid = getpid();
    mine.address = &mark;
    MPI_Sendrecv(&mine, sizeof mine, MPI_BYTE, (node->rank + node->size - 1) % node->size, 0, &next,
                 sizeof next, MPI_BYTE, (node->rank + 1) % node->size, 0, node->mpi,
                 MPI_STATUS_IGNORE);
    const struct iovec to = {&got, sizeof got}, from = {(void *)next.address, sizeof got};
    const int works = process_vm_readv(next.pid, &to, 1, &from, 1, 0) == (ssize_t)sizeof got &&
                      got == 1234.5 + (node->rank + 1) % node->size;
    ls_barrier(node); /* `mark` must stay valid until its reader is done */
    return works ? LS_COPY_WORKS : LS_COPY_DENIED;
}

ls_status ls_probe_node(ls_comm *comm, ls_neighbourhood *out)
{
    enum { FLOATS = 1 << 18 };
    ls_comm *node = NULL;
    ls_status status = ls_comm_node(&node, comm);
    float *values = ls_alloc(FLOATS, sizeof *values);
    if (status == LS_OK && values == NULL)
        status = LS_ERR_FAILURE;
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        *out = (ls_neighbourhood){.ranks = node->size};
        if (node->size > 1) {
            out->allreduce = time_allreduce(node, values, FLOATS);
            out->single_copy = test_single_copy(node);
        }
    }
    ls_free(values);
    ls_comm_destroy(&node);
    return status;
}

/* Copies the name of a setting's value to `out`; "" if the values have no names. */
static void enum_name(MPI_T_enum values, int value, char *out, int size)
{
    int count = 0, item, length;
    *out = '\0';
    if (values == MPI_T_ENUM_NULL ||
        MPI_T_enum_get_info(values, &count, NULL, &(int){0}) != MPI_SUCCESS)
        return;
    for (int i = 0; i < count; i++) {
        length = size;
        if (MPI_T_enum_get_item(values, i, &item, out, &length) == MPI_SUCCESS && item == value)
            return;
    }
    *out = '\0';
}

/* Reads a setting of a type that can be shown as text: a string, or one int. */
static void read_setting(int index, MPI_Datatype type, MPI_T_enum values, char *out, size_t size)
{
    MPI_T_cvar_handle handle;
    int count, number;
    char text[1024] = "";
    if (MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) != MPI_SUCCESS)
        return;
    if (type == MPI_CHAR && count < (int)sizeof text) {
        MPI_T_cvar_read(handle, text);
    } else if ((type == MPI_INT || type == MPI_UNSIGNED) && count == 1 &&
               MPI_T_cvar_read(handle, &number) == MPI_SUCCESS) {
        enum_name(values, number, text, sizeof text);
        if (*text == '\0')
            snprintf(text, sizeof text, "%d", number);
    }
    snprintf(out, size, "%s", text);
    MPI_T_cvar_handle_free(&handle);
}

void ls_probe_setting(const char *name, char *out, size_t size)
{
    int provided, index, verbosity, bind, scope, name_size = 0, text_size = 0;
    MPI_Datatype type;
    MPI_T_enum values;
    *out = '\0';
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS)
        return;
    if (MPI_T_cvar_get_index(name, &index) == MPI_SUCCESS &&
        MPI_T_cvar_get_info(index, NULL, &name_size, &verbosity, &type, &values, NULL, &text_size,
                            &bind, &scope) == MPI_SUCCESS &&
        bind == MPI_T_BIND_NO_OBJECT)
        read_setting(index, type, values, out, size);
    MPI_T_finalize();
}
