/* What started the ranks. */
#ifndef LS_CLI_LAUNCHER_H
#define LS_CLI_LAUNCHER_H

#include <stdbool.h>

/* Whether what this rank writes to stderr ends on a terminal. An mpirun on this host reads it
 * through a pipe: there its own stderr is the one to ask about. Local. */
bool ls_launcher_on_terminal(void);

/* Sees to it that mpirun ends, if it is what started this rank: it waits for very long for the
 * daemon of a node that has gone, or whose link is cut, also when all ranks that it can reach have
 * ended. Leaves a process behind that gives it some seconds, and then ends it. Local; to be called
 * right before a rank ends because the job is stuck. */
void ls_launcher_must_end(void);

#endif
