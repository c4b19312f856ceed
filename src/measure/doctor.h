/* What is wrong with where a job runs: a judgement of what its ranks have found out. */
#ifndef LS_MEASURE_DOCTOR_H
#define LS_MEASURE_DOCTOR_H

#include <lockstep/topology.h>

#include "base/busy.h"
#include "base/machine.h"
#include "parallel/probe.h"

/* What one rank knows. */
typedef struct ls_rank_report {
    ls_machine machine;
    ls_neighbourhood node;
    char kernels[2 * LS_MACHINE_TEXT]; /* ls_compute_version() */
    char better_kernels[16];           /* that would suit the processor; "": these do */
    char other_kernels[16];            /* to be tried, as products are wrong; "": they are right */
    double sgemm;                      /* flop/s, all ranks at once */
    double disk_free;                  /* bytes for the run folder; -1: unknown */
    int lock_error;                    /* of locking the data set; 0: none */
    ls_load load;                      /* before the job did anything: others' */
} ls_rank_report;

/* Finds out what this rank knows. Collective.
 * data  a data set, "" for none; run  the run folder to be, "" for the current one
 * Errors: LS_ERR_FAILURE when memory is short, on all ranks alike. */
ls_status ls_collect_reports(ls_comm *comm, const char *data, const char *run,
                             ls_rank_report *out) LS_MUST_CHECK;

/* A finding: what is wrong, and what to do about it, a command line or a sentence. */
typedef struct ls_finding {
    char what[256];
    char remedy[256];
} ls_finding;

enum { LS_MOST_FINDINGS = 16 };

/* Looks at all ranks, in the order of what costs most. Local; a function of what it gets.
 * seat, patient  [ranks]
 * needed  bytes of data that a rank holds, 0: unknown
 * Returns how many findings there are. */
int ls_diagnose_job(const ls_placement *seat, const ls_rank_report *patient, int ranks,
                    double needed, ls_finding findings[LS_MOST_FINDINGS]);

#endif
