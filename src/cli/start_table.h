/* The table that a training prints before its first step. */
#ifndef LS_CLI_START_TABLE_H
#define LS_CLI_START_TABLE_H

#include <lockstep/trainer.h>

/* Prints data, networks, settings, ranks and run folder to stderr. Local. */
void ls_start_table_print(const ls_run_info *info);

#endif
