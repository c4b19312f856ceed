/* Signals that ask this process to come to an end in good order. */
#ifndef LS_BASE_INTERRUPT_H
#define LS_BASE_INTERRUPT_H

/* Lets SIGUSR1, SIGUSR2, SIGTERM and SIGINT be noted instead of ending the process. The second of
 * them ends it at once, as without this. Local. */
void ls_interrupt_watch(void);

/* The number of the first such signal that came, 0: none yet. Local. */
int ls_interrupt_signal(void);

/* "SIGUSR1", ...; for a number that came. Local. */
const char *ls_interrupt_name(int number);

/* As if this signal had come, or, with 0, none, for tests. Local. */
void ls_interrupt_set(int number);

#endif
