/* The part of the report about a GAN: the scores of what it makes. */
#ifndef LS_CLI_GAN_PAGE_H
#define LS_CLI_GAN_PAGE_H

#include <stdio.h>

#include "cli/run_page.h"

/* Writes the tiles of the head: score and distance of the outcome epoch's rows. Local. */
void ls_gan_page_tiles(FILE *out, const ls_run_material *material);

#endif
