/* A picture as a network takes it. Local. */
#ifndef LS_CLI_PICTURES_READ_H
#define LS_CLI_PICTURES_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/model.h>
#include <lockstep/status.h>

/* How a picture was changed. */
typedef struct ls_picture_changes {
    bool resized, recoloured;
    double border; /* mean of the border of what the network takes, 0 to 1 */
} ls_picture_changes;

/* Checks that a network takes pictures, and digits with `digit`.
 * Errors: LS_ERR_DATA; LS_ERR_USAGE if it does not take digits. */
ls_status ls_pictures_check_network(const ls_model_facts *facts, bool digit) LS_MUST_CHECK;

/* Reads a PNG file and brings it to the network's shape.
 * pixels   [channels][height][width]
 * Errors: LS_ERR_DATA, naming the file; LS_ERR_FAILURE. */
ls_status ls_picture_fit(const char *path, ls_shape shape, bool digit, uint8_t *pixels,
                         ls_picture_changes *changes) LS_MUST_CHECK;

#endif
