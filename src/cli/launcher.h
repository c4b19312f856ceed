/* The launcher of the ranks: mpirun, srun, flux run, jsrun. */
#ifndef LS_CLI_LAUNCHER_H
#define LS_CLI_LAUNCHER_H

#include <stdbool.h>

/* The launcher's variables in the environment. The first call of each function fixes its result,
 * and must come before MPI_Init(), which sets such variables itself. Local. */

/* The process's number in the job, and on its host; 0 without a launcher. Used to print output that
 * needs no MPI once. */
int ls_launcher_rank(void);
int ls_launcher_local_rank(void);

/* The number of processes that mpirun started; that any launcher started, mpirun or that of a batch
 * system: srun, flux run, jsrun. 0 without one. */
int ls_launcher_mpirun_size(void);
int ls_launcher_size(void);

/* The mpirun that started this process on this host; 0: another launcher, or none. Local. */
long ls_launcher_mpirun(void);

/* A descriptor of the terminal that shows the output to `file`, stdout's or stderr's descriptor;
 * -1: no terminal. An mpirun on this host reads the output through a pipe, or a terminal that it
 * made: then its own stdout or stderr counts. Local. */
int ls_launcher_terminal(int file);

/* Makes sure that the mpirun that started this rank ends: it waits very long for the daemon of a
 * node that is gone or cut off, even when all ranks that it can reach have ended. Leaves a process
 * behind that gives mpirun some seconds, then ends it. Local; to be called right before a rank ends
 * because the job is stuck. */
void ls_launcher_must_end(void);

#endif
