/* Pictures as input of a network: read from PNG files, brought to its shape, classified, printed.
 * All functions are Local. */
#ifndef LS_CLI_PICTURES_H
#define LS_CLI_PICTURES_H

#include <stdbool.h>

#include <lockstep/model.h>
#include <lockstep/status.h>

#include "cli/predicted.h"

/* What is to be done. */
typedef struct ls_picture_request {
    const char *const *path; /* [count] PNG files */
    int count;
    bool digit;       /* prepared by ls_digit_prepare() */
    const char *show; /* PNG file of what the network sees; "": none */
    ls_predicted_form form;
} ls_picture_request;

/* Checks that the file of `show` can be made and is none of the pictures.
 * Errors: LS_ERR_USAGE, LS_ERR_FAILURE. */
ls_status ls_pictures_check_show(const ls_picture_request *request) LS_MUST_CHECK;

/* Classifies pictures and prints a line for each to stdout, in their order. Pictures that can't be
 * read are named on stderr; the others are classified.
 * Errors: LS_ERR_DATA if a picture can't be read, after all others are printed, or if the network
 * does not take pictures; LS_ERR_NUMERIC if an output is not finite; LS_ERR_USAGE if digits don't
 * fit the network; LS_ERR_FAILURE. */
ls_status ls_pictures_predict(const ls_model *model,
                              const ls_picture_request *request) LS_MUST_CHECK;

#endif
