/* The part of the report about a GAN: what it makes, by its scores and its samples. */
#ifndef LS_CLI_GAN_PAGE_H
#define LS_CLI_GAN_PAGE_H

#include <stdio.h>

#include "cli/run_page.h"

/* Writes the tiles of the head: score and distance of the outcome epoch's rows. Local. */
void ls_gan_page_tiles(FILE *out, const ls_run_material *material);

/* Writes the sheets of a few epochs, from the first to that of the outcome. Local.
 * Errors: LS_ERR_DATA if a sheet can't be read; LS_ERR_FAILURE. */
ls_status ls_gan_page_samples(FILE *out, const ls_run_material *material) LS_MUST_CHECK;

#endif
