/* What the ranks of a job find out about their nodes, and about how they reach each other. */
#ifndef LS_PARALLEL_PROBE_H
#define LS_PARALLEL_PROBE_H

#include <stddef.h>

#include <lockstep/comm.h>

typedef enum ls_single_copy {
    LS_COPY_UNTRIED, /* alone on the node, or no Linux */
    LS_COPY_WORKS,
    LS_COPY_DENIED
} ls_single_copy;

/* How the ranks of one node reach each other. */
typedef struct ls_neighbourhood {
    int ranks;                  /* of this node */
    ls_single_copy single_copy; /* a rank may read another one's memory: messages are copied once */
    double allreduce;           /* s, of 1 MiB of floats within the node, median; 0: alone */
} ls_neighbourhood;

/* Collective. Errors: LS_ERR_FAILURE when memory is short, on all ranks alike. */
ls_status ls_probe_node(ls_comm *comm, ls_neighbourhood *out) LS_MUST_CHECK;

/* A setting of the MPI library by its name, as "btl_vader_single_copy_mechanism" of Open MPI; "" if
 * it has none of that name. Local. */
void ls_probe_setting(const char *name, char *out, size_t size);

#endif
