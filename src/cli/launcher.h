/* What started the ranks. */
#ifndef LS_CLI_LAUNCHER_H
#define LS_CLI_LAUNCHER_H

#include <stdbool.h>

/* What a launcher tells a process in its environment. Of each the first call counts, which must
 * come before MPI_Init(): that sets such variables itself. Local. */

/* This process's number in the job, and among those of its host; 0 without a launcher: lets output
 * that needs no MPI come once. */
int ls_launcher_rank(void);
int ls_launcher_local_rank(void);

/* The processes that an mpirun started with this one, 0 if none did; the same of a launcher of any
 * kind: an mpirun, or the srun of a Slurm step. */
int ls_launcher_mpirun_size(void);
int ls_launcher_size(void);

/* The mpirun that started this process on this host; 0: another launcher, or none. Local. */
long ls_launcher_mpirun(void);

/* A descriptor of the terminal on which ends what this rank writes to this one, stdout's or
 * stderr's; -1 if it ends on none. An mpirun on this host reads it through a pipe, or a terminal of
 * its own making: there its own stdout or stderr is the one to ask about. Local. */
int ls_launcher_terminal(int file);

/* Sees to it that mpirun ends, if it is what started this rank: it waits for very long for the
 * daemon of a node that has gone, or whose link is cut, also when all ranks that it can reach have
 * ended. Leaves a process behind that gives it some seconds, and then ends it. Local; to be called
 * right before a rank ends because the job is stuck. */
void ls_launcher_must_end(void);

#endif
