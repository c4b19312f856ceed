#include <lockstep/compute.h>

#include <cblas.h>
#include <stdio.h>
#include <string.h>

void ls_compute_set_threads(int threads)
{
    openblas_set_num_threads(threads);
}

const char *ls_compute_version(void)
{
    static char text[96];
    char library[64];
    /* The configuration starts with name and version; the rest is build options. */
    snprintf(library, sizeof library, "%s", openblas_get_config());
    char *second = strchr(library, ' ');
    char *third = second != NULL ? strchr(second + 1, ' ') : NULL;
    if (third != NULL)
        *third = '\0';
    snprintf(text, sizeof text, "%s %s", library, openblas_get_corename());
    return text;
}
