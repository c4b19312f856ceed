#include "base/busy.h"

#include "base/clock.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Busy ticks of one processor, from its line of /proc/stat: user, nice, system, irq, softirq and
 * steal (time taken by other virtual machines), without idle and iowait. Returns 0 for another
 * line. */
static int parse_processor_line(const char *line, int *processor, double *ticks)
{
    double user, nice, kernel, irq, softirq, steal;
    if (sscanf(line, "cpu%d %lf %lf %lf %*f %*f %lf %lf %lf", processor, &user, &nice, &kernel,
               &irq, &softirq, &steal) != 7)
        return 0;
    *ticks = user + nice + kernel + irq + softirq + steal;
    return 1;
}

static double sum_busy_ticks(void)
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
        if (parse_processor_line(line, &processor, &ticks) &&
            (!known || CPU_ISSET((size_t)processor, &mine)))
            sum += ticks;
    fclose(file);
    return sum;
}

static double timeval_seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

ls_busy ls_busy_now(void)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (ls_busy){.at = ls_now(),
                     .all = sum_busy_ticks() / (double)sysconf(_SC_CLK_TCK),
                     .own = timeval_seconds(own.ru_utime) + timeval_seconds(own.ru_stime)};
}

ls_load ls_busy_since(const ls_busy *then)
{
    const ls_busy now = ls_busy_now();
    const double time = now.at - then->at;
    if (now.all <= 0 || time <= 0)
        return (ls_load){0};
    return (ls_load){(now.all - then->all) / time, (now.own - then->own) / time};
}
