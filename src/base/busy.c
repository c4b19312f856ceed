#include "base/busy.h"

#include "base/clock.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Ticks that one processor has worked, from its line of /proc/stat: user, nice, system, then idle
 * and iowait, which don't count, irq, softirq, and steal, which went to other machines. */
static int read_line(const char *line, int *processor, double *ticks)
{
    double user, nice, kernel, irq, softirq, steal;
    if (sscanf(line, "cpu%d %lf %lf %lf %*f %*f %lf %lf %lf", processor, &user, &nice, &kernel,
               &irq, &softirq, &steal) != 7)
        return 0;
    *ticks = user + nice + kernel + irq + softirq + steal;
    return 1;
}

static double busy_ticks(void)
{
    char line[512];
    int processor;
    double ticks, sum = 0;
    cpu_set_t mine;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL)
        return 0;
    const int known = sched_getaffinity(0, sizeof mine, &mine) == 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (read_line(line, &processor, &ticks) && (!known || CPU_ISSET((size_t)processor, &mine)))
            sum += ticks;
    fclose(file);
    return sum;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

ls_busy ls_busy_now(void)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (ls_busy){.at = ls_now(),
                     .all = busy_ticks() / (double)sysconf(_SC_CLK_TCK),
                     .own = seconds(own.ru_utime) + seconds(own.ru_stime)};
}

ls_load ls_busy_since(const ls_busy *then)
{
    const ls_busy now = ls_busy_now();
    const double time = now.at - then->at;
    if (now.all <= 0 || time <= 0)
        return (ls_load){0};
    return (ls_load){(now.all - then->all) / time, (now.own - then->own) / time};
}
