/* Probes of a node's communication and of the MPI library's settings. */
#ifndef LS_PARALLEL_PROBE_H
#define LS_PARALLEL_PROBE_H

#include <stddef.h>

#include <lockstep/comm.h>

typedef enum ls_single_copy {
    LS_COPY_UNTRIED, /* not tested: only one rank on the node */
    LS_COPY_WORKS,
    LS_COPY_DENIED
} ls_single_copy;

/* Communication within this rank's node. */
typedef struct ls_neighbourhood {
    int ranks;                  /* of the node */
    ls_single_copy single_copy; /* ranks may read each other's memory: messages are copied once */
    double allreduce; /* median time of an allreduce of 1 MiB of floats, s; 0 with one rank */
} ls_neighbourhood;

/* Measures communication within this rank's node.
 * Collective.
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it); *out is unchanged. */
ls_status ls_probe_node(ls_comm *comm, ls_neighbourhood *out) LS_MUST_CHECK;

/* Reads a setting (MPI_T control variable) of the MPI library, such as Open MPI's
 * "btl_vader_single_copy_mechanism". Local.
 * out  [size] on return the value as text; "" if the library has no setting of this name */
void ls_probe_setting(const char *name, char *out, size_t size);

#endif
