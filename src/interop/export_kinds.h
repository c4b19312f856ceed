/* The kinds of layers, as they are exported. All functions are Local. */
#ifndef LS_INTEROP_EXPORT_KINDS_H
#define LS_INTEROP_EXPORT_KINDS_H

#include "interop/graph.h"

/* The part that a kind of layer plays. */
typedef enum ls_export_role {
    LS_ROLE_VALUEWISE, /* keeps shape and order of the features */
    LS_ROLE_IMAGE,     /* takes and gives an image */
    LS_ROLE_POOL,      /* takes an image, gives a vector */
    LS_ROLE_READING,   /* reads an image as a sequence */
    LS_ROLE_TOKENS,    /* takes the input's tokens, gives a sequence */
    LS_ROLE_SEQUENCE,  /* takes and gives a sequence; an image is the sequence of its rows */
    LS_ROLE_STEPS,     /* takes a sequence likewise, gives a vector */
    LS_ROLE_RECURRENT, /* one of both */
    LS_ROLE_DENSE,     /* of a sequence: of its steps */
    LS_ROLE_FLATTEN,
    LS_ROLE_RESHAPE, /* takes a vector, gives an image */
    LS_ROLE_SOFTMAX,
    LS_ROLE_JOIN
} ls_export_role;

typedef struct ls_export_kind {
    const char *name; /* in the layer table */
    ls_node_kind node;
    ls_export_role role;
} ls_export_kind;

/* Returns the kind of a layer; NULL if there is none.
 * before  form of its input */
const ls_export_kind *ls_export_kind_of(const ls_layer_info *layer, ls_form before);

/* Checks that a layer can be exported.
 * kind    NULL: it can't
 * before  forms of its inputs
 * Errors: LS_ERR_USAGE with the layer's word. */
ls_status ls_export_check_layer(const ls_layer_info *layer, const ls_export_kind *kind,
                                const ls_form before[LS_LAYER_INPUTS],
                                ls_export_format format) LS_MUST_CHECK;

#endif
