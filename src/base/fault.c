#include "base/fault.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const site_names[] = {
#define LS_FAULT_NAME(name, text) text,
    LS_FAULT_LIST(LS_FAULT_NAME)
#undef LS_FAULT_NAME
};
enum { SITES = sizeof site_names / sizeof *site_names };

static atomic_int armed_site = -1; /* atomic: other threads pass sites, too */
static atomic_long passes_left;

ls_status ls_fault_arm(const char *spec, int rank)
{
    armed_site = -1;
    if (spec == NULL || *spec == '\0')
        return LS_OK;
    char site[32], who[16];
    long nth = 0;
    int end = 0;
    if (sscanf(spec, "%31[a-z]:%15[0-9*]:%ld%n", site, who, &nth, &end) != 3 || spec[end] != '\0' ||
        nth < 1)
        return ls_fail(LS_ERR_USAGE, "LOCKSTEP_FAULT=%s: expected site:rank:nth, as step:1:3",
                       spec);
    for (int i = 0; i < SITES; i++) {
        if (strcmp(site, site_names[i]) != 0)
            continue;
        if (strcmp(who, "*") == 0 || atoi(who) == rank) {
            armed_site = i;
            passes_left = nth;
        }
        return LS_OK;
    }
    return ls_fail(LS_ERR_USAGE, "LOCKSTEP_FAULT=%s: unknown fault site '%s'", spec, site);
}

ls_status ls_fault(ls_fault_site site)
{
    if (armed_site != (int)site || --passes_left != 0)
        return LS_OK;
    armed_site = -1;
    return ls_fail(LS_ERR_FAILURE, "injected fault at '%s'", site_names[site]);
}
