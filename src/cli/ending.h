/* The end of a process whose last call might not return. */
#ifndef LS_CLI_ENDING_H
#define LS_CLI_ENDING_H

/* Ends the process with a line on stderr and an exit code if it still runs after some seconds.
 * Local.
 * line  with a line end; borrowed for as long as the process runs */
void ls_end_within(unsigned seconds, int code, const char *line);

#endif
