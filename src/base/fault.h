/* Fault injection: every place that can fail has a name and can be made to fail.
 *
 * LOCKSTEP_FAULT=site:rank:nth makes the nth pass (from 1) of that site on that rank fail, once.
 * Rank `*` means every rank. Tests use it to make one rank fail while the others succeed. */
#ifndef LS_BASE_FAULT_H
#define LS_BASE_FAULT_H

#include <lockstep/status.h>

/*      name                   text           where */
#define LS_FAULT_LIST(X)                                                                           \
    X(LS_FAULT_ALLOC, "alloc")           /* any allocation */                                      \
    X(LS_FAULT_OPEN, "open")             /* opening the data set */                                \
    X(LS_FAULT_READ, "read")             /* reading this rank's shard */                           \
    X(LS_FAULT_EXCHANGE, "exchange")     /* packing samples at the epoch boundary */               \
    X(LS_FAULT_PRODUCT, "product")       /* checking the BLAS library: an element is altered */    \
    X(LS_FAULT_STEP, "step")             /* the gradient of one step */                            \
    X(LS_FAULT_GRADIENT, "gradient")     /* a step's gradient: an element is set to NaN */         \
    X(LS_FAULT_STALL, "stall")           /* a step: the rank hangs */                              \
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
 * Errors: LS_ERR_USAGE if `spec` is malformed or its site unknown; nothing is armed then. */
ls_status ls_fault_arm(const char *spec, int rank) LS_MUST_CHECK;

/* Counts a pass of the site. Local. Errors: LS_ERR_FAILURE if this pass is armed to fail. */
ls_status ls_fault(ls_fault_site site) LS_MUST_CHECK;

#endif
