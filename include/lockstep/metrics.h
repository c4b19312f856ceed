/* What is measured in an epoch: one row of metrics.csv, one record of a checkpoint's history. */
#ifndef LOCKSTEP_METRICS_H
#define LOCKSTEP_METRICS_H

#ifdef __cplusplus
extern "C" {
#endif

/*      column              meaning */
#define LS_METRICS_LIST(X)                                                                         \
    X(epoch)        /* from 1 */                                                                   \
    X(loss)         /* mean over the training rows, as they were met */                            \
    X(accuracy)     /* fraction of them that were right */                                         \
    X(val_loss)     /* mean over the validation rows after the epoch; NaN without any */           \
    X(val_accuracy) /* fraction of them that were right; NaN without any */                        \
    X(lr)           /* learning rate of the epoch's last step */                                   \
    X(seconds)      /* exchange and steps, without validation and checkpoint; slowest rank */      \
    X(samples_per_second) /* training rows / seconds */                                            \
    X(compute_s)          /* gather, forward, backward, optimizer; mean over ranks */              \
    X(communicate_s)      /* reduction not hidden behind computing; mean over ranks */             \
    X(exchange_s)         /* moving samples at the epoch's start; mean over ranks */               \
    X(validation_s)       /* evaluating the validation rows; mean over ranks */                    \
    X(checkpoint_s)       /* saving the checkpoint after the epoch */                              \
    X(slowest_rank)       /* the rank that spent the most time computing */

/* All doubles, so that a history is a table of numbers. */
typedef struct ls_metrics {
#define LS_METRICS_FIELD(name) double name;
    LS_METRICS_LIST(LS_METRICS_FIELD)
#undef LS_METRICS_FIELD
} ls_metrics;

enum { LS_METRICS_COLUMNS = sizeof(ls_metrics) / sizeof(double) };

/* The name of a column, from 0, and its value in a row. Local. */
const char *ls_metrics_name(int column);
double ls_metrics_value(const ls_metrics *metrics, int column);

#ifdef __cplusplus
}
#endif

#endif
