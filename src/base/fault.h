/* Fault injection: every place that can fail has a name and can be told to.
 *
 * LOCKSTEP_FAULT=site:rank:nth makes the nth pass (from 1) of that site on that rank fail, once.
 * Rank `*` means every rank. The tests use it to make one rank fail while the others are well. */
#ifndef LS_BASE_FAULT_H
#define LS_BASE_FAULT_H

#include <lockstep/status.h>

/*      name                   text           where */
#define LS_FAULT_LIST(X)                                                                           \
    X(LS_FAULT_ALLOC, "alloc")           /* any allocation */                                      \
    X(LS_FAULT_OPEN, "open")             /* opening the data set */                                \
    X(LS_FAULT_READ, "read")             /* reading this rank's shard */                           \
    X(LS_FAULT_EXCHANGE, "exchange")     /* packing samples at the epoch boundary */               \
    X(LS_FAULT_PRODUCT, "product")       /* checking the BLAS library: an element is spoiled */    \
    X(LS_FAULT_STEP, "step")             /* the gradient of one step */                            \
    X(LS_FAULT_GRADIENT, "gradient")     /* a step's gradient: it gets a NaN */                    \
    X(LS_FAULT_STALL, "stall")           /* a step: the rank does nothing any more */              \
    X(LS_FAULT_FLIP, "flip")             /* a step: a bit of the replica's parameters flips */     \
    X(LS_FAULT_VALIDATION, "validation") /* evaluating this rank's validation rows */              \
    X(LS_FAULT_CHECKPOINT, "checkpoint") /* writing a checkpoint */                                \
    X(LS_FAULT_LOG, "log")               /* writing the run's logs */

typedef enum ls_fault_site {
#define LS_FAULT_ENUM(name, text) name,
    LS_FAULT_LIST(LS_FAULT_ENUM)
#undef LS_FAULT_ENUM
} ls_fault_site;

/* Arms the fault that `spec` describes on this rank; NULL or "" arms none. Local.
 * Errors: LS_ERR_USAGE if the specification is malformed or its site unknown. */
ls_status ls_fault_arm(const char *spec, int rank) LS_MUST_CHECK;

/* Counts a pass of the site. Local. LS_OK, or LS_ERR_FAILURE if this is the pass told to fail. */
ls_status ls_fault(ls_fault_site site) LS_MUST_CHECK;

#endif
