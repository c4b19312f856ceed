/* Records of TensorBoard's event files, in memory. Only in builds with protobuf-c. All functions
 * are Local and append to a stream of open_memstream(), whose owner checks it for errors.
 *
 *     A record, little-endian:
 *     | length, 8 bytes | its masked CRC-32C, 4 | message Event | the message's masked CRC-32C, 4 |
 *
 * Messages: tfevents.proto. Framing: TensorFlow, tensorflow/core/lib/io/record_writer.h. */
#ifndef LS_RUN_TFEVENTS_H
#define LS_RUN_TFEVENTS_H

#include <stdint.h>
#include <stdio.h>

#include <lockstep/status.h>

enum { LS_TFEVENTS_TAG = 64 }; /* bytes of a scalar's name, at most */

/* A number of an epoch. */
typedef struct ls_tfevents_scalar {
    char tag[LS_TFEVENTS_TAG];
    double value; /* becomes a float */
} ls_tfevents_scalar;

/* Appends the records that begin a file: its version, and a start, at which TensorBoard drops what
 * it has read from earlier files of the folder.
 * time  seconds since 1970, like the next two
 * Errors: LS_ERR_FAILURE when memory is short, like the next two. */
ls_status ls_tfevents_start(FILE *out, double time) LS_MUST_CHECK;

/* Appends a text, Markdown, of step 0. */
ls_status ls_tfevents_text(FILE *out, double time, const char *tag, const char *text) LS_MUST_CHECK;

/* Appends the scalars of a step, [count]. */
ls_status ls_tfevents_scalars(FILE *out, double time, int64_t step,
                              const ls_tfevents_scalar *scalars, int count) LS_MUST_CHECK;

#endif
