#include "base/clock.h"

static double start;

void ls_clock_start(void)
{
    start = ls_now();
}

double ls_clock_since_start(void)
{
    return start > 0 ? ls_now() - start : 0;
}
