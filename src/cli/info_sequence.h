/* Rows that are sequences, as `info` describes them. */
#ifndef LS_CLI_INFO_SEQUENCE_H
#define LS_CLI_INFO_SEQUENCE_H

#include <lockstep/dataset.h>

#include <jansson.h>

/* Adds to the description of a data set the steps of its rows and, if they are not too much to
 * read, the least, mean and largest length of the training rows; the size of the vocabulary, and
 * the first tokens of the first training row; nothing if the rows have none of these. Local.
 * Errors: those of reading. */
ls_status ls_info_sequence(const ls_dataset *dataset, json_t *out) LS_MUST_CHECK;

#endif
