#include "cli/ending.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *line_at_end;
static int code_at_end;

static void ending_expired(int number)
{
    (void)number;
    if (write(STDERR_FILENO, line_at_end, strlen(line_at_end)) < 0)
        _exit(code_at_end); /* no one reads it */
    _exit(code_at_end);
}

void ls_end_within(unsigned seconds, int code, const char *line)
{
    line_at_end = line;
    code_at_end = code;
    signal(SIGALRM, ending_expired);
    alarm(seconds);
}
