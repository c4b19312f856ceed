/* Diagnosis of a job's environment, from the reports of its ranks. */
#ifndef LS_MEASURE_DOCTOR_H
#define LS_MEASURE_DOCTOR_H

#include <lockstep/comm.h>

#include "base/busy.h"
#include "base/machine.h"
#include "parallel/probe.h"

/* The report of one rank. */
typedef struct ls_rank_report {
    ls_machine machine;
    ls_neighbourhood node;
    char kernels[2 * LS_MACHINE_TEXT]; /* ls_compute_version() */
    char better_kernels[16];           /* faster on this processor; "": none */
    char slow_setting[32];             /* ls_compute_slow_setting() */
    char other_kernels[16];            /* to try, as products are wrong; "": they are right */
    double sgemm;                      /* flop/s, all ranks at once */
    double disk_free;                  /* bytes for the run folder; -1: unknown */
    int lock_error;                    /* of locking the data set; 0: none */
    ls_load load;                      /* of other processes, while the job is idle */
} ls_rank_report;

/* Collects the reports of all ranks on rank 0. Collective.
 * data  path of a data set; "": none
 * run   path of the planned run folder; "": the current folder
 * out   on rank 0 [ranks]; unused elsewhere
 * Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_collect_reports(ls_comm *comm, const char *data, const char *run,
                             ls_rank_report *out) LS_MUST_CHECK;

/* A finding: the problem, and a remedy, which is a command line or a sentence. */
typedef struct ls_finding {
    char what[256];
    char remedy[256];
} ls_finding;

enum { LS_MOST_FINDINGS = 16 };

/* Diagnoses a job, most costly problems first. Returns the number of findings. Pure. Local.
 * placement, report  [ranks]
 * needed        bytes of data that a rank holds; 0: unknown */
int ls_diagnose_job(const ls_placement *placement, const ls_rank_report *report, int ranks,
                    double needed, ls_finding findings[LS_MOST_FINDINGS]);

#endif
