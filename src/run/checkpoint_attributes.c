#include "run/checkpoint_attributes.h"

#include "base/memory.h"
#include "data/class_names.h"
#include "data/vocabulary.h"
#include "data/samples.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 3 };
static const char format[] = "lockstep-checkpoint";

/* How a value is written as an attribute and read from it. */
typedef struct type {
    ls_status (*put)(ls_h5 *file, const char *name, const void *value);
    ls_status (*get)(const ls_h5 *file, const char *name, void *value);
    ls_status (*absent)(void *value); /* sets the default; NULL: the attribute is required */
} type;

static ls_status attribute_put_text(ls_h5 *file, const char *name, const void *value)
{
    char *const *text = value;
    return *text != NULL ? ls_h5_put_text(file, name, *text) : LS_OK;
}

static ls_status attribute_get_text(const ls_h5 *file, const char *name, void *value)
{
    return ls_h5_get_text(file, name, value);
}

static ls_status attribute_get_run(const ls_h5 *file, const char *name, void *value)
{
    char **run = value;
    ls_status status = ls_h5_get_text(file, name, run);
    if (status == LS_OK && strlen(*run) >= LS_RUN_ID)
        status = ls_fail(LS_ERR_DATA, "%s: attribute 'run' is no run's id", ls_h5_path(file));
    return status;
}

static ls_status attribute_default_text(void *value)
{
    char **text = value;
    *text = ls_strdup("");
    return *text == NULL ? LS_ERR_FAILURE : LS_OK;
}

static ls_status attribute_put_int64(ls_h5 *file, const char *name, const void *value)
{
    return ls_h5_put_int(file, name, *(const int64_t *)value);
}

static ls_status attribute_get_int64(const ls_h5 *file, const char *name, void *value)
{
    return ls_h5_get_int(file, name, value);
}

static ls_status attribute_default_int64(void *value)
{
    *(int64_t *)value = 0;
    return LS_OK;
}

static ls_status attribute_put_classes(ls_h5 *file, const char *name, const void *value)
{
    return ls_h5_put_int(file, name, *(const int *)value);
}

static ls_status attribute_get_classes(const ls_h5 *file, const char *name, void *value)
{
    int64_t wide = 0;
    ls_status status = ls_h5_get_int(file, name, &wide);
    *(int *)value = wide >= 0 && wide <= LS_MAX_CLASSES ? (int)wide : 0;
    return status;
}

static ls_status attribute_default_zero(void *value)
{
    *(int *)value = 0;
    return LS_OK;
}

static ls_status attribute_put_real(ls_h5 *file, const char *name, const void *value)
{
    return ls_h5_put_real(file, name, *(const double *)value);
}

static ls_status attribute_get_real(const ls_h5 *file, const char *name, void *value)
{
    return ls_h5_get_real(file, name, value);
}

static ls_status attribute_default_nan(void *value)
{
    *(double *)value = NAN;
    return LS_OK;
}

static ls_status attribute_put_hash(ls_h5 *file, const char *name, const void *value)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, *(const uint64_t *)value);
    return ls_h5_put_text(file, name, text);
}

static ls_status attribute_get_hash(const ls_h5 *file, const char *name, void *value)
{
    char *text = NULL;
    ls_status status = ls_h5_get_text(file, name, &text);
    if (status == LS_OK)
        *(uint64_t *)value = strtoull(text, NULL, 16);
    ls_free(text);
    return status;
}

static ls_status attribute_default_hash(void *value)
{
    *(uint64_t *)value = 0;
    return LS_OK;
}

static ls_status attribute_put_loss(ls_h5 *file, const char *name, const void *value)
{
    return ls_h5_put_text(file, name, ls_loss_name(*(const ls_loss *)value));
}

static ls_status attribute_get_loss(const ls_h5 *file, const char *name, void *value)
{
    char *text = NULL;
    ls_status status = ls_h5_get_text(file, name, &text);
    if (status == LS_OK && !ls_loss_find(text, value))
        status = ls_fail(LS_ERR_DATA, "%s: attribute 'loss' is '%s', an unknown loss",
                         ls_h5_path(file), text);
    ls_free(text);
    return status;
}

static ls_status attribute_get_huber(const ls_h5 *file, const char *name, void *value)
{
    double *delta = value;
    ls_status status = ls_h5_get_real(file, name, delta);
    if (status == LS_OK && !(*delta >= 0 && isfinite(*delta)))
        status = ls_fail(LS_ERR_DATA, "%s: attribute '%s' is below 0", ls_h5_path(file), name);
    if (*delta == 0) /* of another loss */
        *delta = 1;
    return status;
}

static ls_status attribute_default_huber(void *value)
{
    *(double *)value = 1;
    return LS_OK;
}

static ls_status attribute_put_reduce(ls_h5 *file, const char *name, const void *value)
{
    return ls_h5_put_text(file, name, ls_reduce_name(*(const ls_reduce *)value));
}

/* An unknown algorithm becomes LS_REDUCE_AUTO. */
static ls_status attribute_get_reduce(const ls_h5 *file, const char *name, void *value)
{
    char *text = NULL;
    int kind = 0;
    ls_status status = ls_h5_get_text(file, name, &text);
    while (status == LS_OK && kind < LS_REDUCERS &&
           strcmp(text, ls_reduce_name((ls_reduce)kind)) != 0)
        kind++;
    *(ls_reduce *)value = (ls_reduce)kind;
    ls_free(text);
    return status;
}

static ls_status attribute_put_element(ls_h5 *file, const char *name, const void *value)
{
    return ls_h5_put_text(file, name, ls_element_name(*(const ls_element *)value));
}

static ls_status attribute_get_element(const ls_h5 *file, const char *name, void *value)
{
    char *text = NULL;
    int element = 0;
    ls_status status = ls_h5_get_text(file, name, &text);
    while (status == LS_OK && element < LS_ELEMENTS &&
           strcmp(text, ls_element_name((ls_element)element)) != 0)
        element++;
    if (status == LS_OK && element == LS_ELEMENTS)
        status = ls_fail(LS_ERR_DATA, "%s: attribute '%s' is '%s', an unknown type",
                         ls_h5_path(file), name, text);
    else
        *(ls_element *)value = (ls_element)element;
    ls_free(text);
    return status;
}

static ls_status attribute_default_element(void *value)
{
    *(ls_element *)value = LS_U8;
    return LS_OK;
}

static const type text = {attribute_put_text, attribute_get_text, NULL};
static const type run = {attribute_put_text, attribute_get_run,
                         attribute_default_text}; /* older files have none */
static const type optional_text = {attribute_put_text, attribute_get_text, attribute_default_text};
static const type integer = {attribute_put_int64, attribute_get_int64, NULL};
static const type optional_integer = {attribute_put_int64, attribute_get_int64,
                                      attribute_default_int64};
static const type classes = {attribute_put_classes, attribute_get_classes, NULL};
static const type values = {attribute_put_classes, attribute_get_classes,
                            attribute_default_zero}; /* older files have none */
static const type real = {attribute_put_real, attribute_get_real, NULL};
static const type sum = {attribute_put_real, attribute_get_real,
                         attribute_default_nan}; /* may be newer than the file */
static const type hash = {attribute_put_hash, attribute_get_hash, NULL};
static const type known_hash = {attribute_put_hash, attribute_get_hash, attribute_default_hash};
static const type loss = {attribute_put_loss, attribute_get_loss, NULL};
static const type huber = {attribute_put_real, attribute_get_huber,
                           attribute_default_huber}; /* older files have none */
static const type element = {attribute_put_element, attribute_get_element,
                             attribute_default_element}; /* older files have none */
static const type reduce = {attribute_put_reduce, attribute_get_reduce, NULL};

/* All attributes except `format`, `version`, `class_names`, `vocabulary`, and `columns`, which
 * checkpoint_history.c writes. */
static const struct attribute {
    const char *name;
    const type *type;
    size_t offset; /* of the value in the facts */
    size_t known;  /* of a bool in the facts, false if the value is unknown: then the attribute is
                      not written; 0: it is always written */
} attributes[] = {
#define AT(field) offsetof(ls_checkpoint_facts, field)
    {"run", &run, AT(info.run), 0},
    {"model", &text, AT(info.model), 0},
    {"loss", &loss, AT(info.loss), 0},
    {"huber", &huber, AT(info.huber), 0},
    {"classes", &classes, AT(info.classes), 0},
    {"values", &values, AT(info.values), 0},
    {"channels", &integer, AT(info.input.channels), 0},
    {"height", &integer, AT(info.input.height), 0},
    {"width", &integer, AT(info.input.width), 0},
    {"discriminator", &optional_text, AT(info.discriminator), AT(info.generates)},
    {"picture_channels", &optional_integer, AT(info.picture.channels), AT(info.generates)},
    {"picture_height", &optional_integer, AT(info.picture.height), AT(info.generates)},
    {"picture_width", &optional_integer, AT(info.picture.width), AT(info.generates)},
    {"picture_type", &element, AT(info.picture_element), AT(info.generates)},
    {"conditions", &values, AT(info.conditions), AT(info.generates)},
    {"input_type", &element, AT(info.element), 0},
    {"mean", &real, AT(info.mean), 0},
    {"std", &real, AT(info.std), 0},
    {"dataset", &text, AT(info.dataset), 0},
    {"dataset_fingerprint", &hash, AT(info.fingerprint), 0},
    {"validation_fingerprint", &known_hash, AT(info.validation_fingerprint),
     AT(info.knows_validation)},
    {"border", &sum, AT(info.border), AT(info.has_border)},
    {"compute", &text, AT(info.compute), 0},
    {"config", &text, AT(info.config), 0},
    {"epoch", &integer, AT(progress.epoch), 0},
    {"step", &integer, AT(progress.step), 0},
    {"optimizer_steps", &integer, AT(progress.optimizer_steps), 0},
    {"best_steps", &integer, AT(progress.best_steps), 0},
    {"best_epoch", &integer, AT(progress.early_stop.best_epoch), 0},
    {"best", &real, AT(progress.early_stop.best), 0},
    {"waited", &integer, AT(progress.early_stop.waited), 0},
    {"ranks", &integer, AT(progress.ranks), 0},
    {"reduce", &reduce, AT(progress.reduce), 0},
    {"partial_rows", &integer, AT(progress.totals.score.rows), 0},
#define SUM(name, kind) {"partial_" #name, &sum, AT(progress.totals.score.name), 0},
    LS_SUM_LIST(SUM)
#undef SUM
        {"partial_seconds", &real, AT(progress.totals.seconds), 0},
    {"partial_compute_s", &real, AT(progress.totals.compute_s), 0},
    {"partial_communicate_s", &real, AT(progress.totals.communicate_s), 0},
    {"partial_exchange_s", &real, AT(progress.totals.exchange_s), 0},
#undef AT
};
enum { ATTRIBUTES = sizeof attributes / sizeof *attributes };

static ls_status write_attribute(ls_h5 *file, const struct attribute *a, const char *facts)
{
    const bool known = a->known == 0 || *(const bool *)(facts + a->known);
    return known ? a->type->put(file, a->name, facts + a->offset) : LS_OK;
}

static ls_status read_attribute(const ls_h5 *file, const struct attribute *a, char *facts)
{
    const bool there = ls_h5_has_attribute(file, a->name);
    if (a->known != 0)
        *(bool *)(facts + a->known) = there;
    return there || a->type->absent == NULL ? a->type->get(file, a->name, facts + a->offset)
                                            : a->type->absent(facts + a->offset);
}

ls_status ls_attributes_write(ls_h5 *file, const ls_checkpoint_facts *facts)
{
    ls_status status = ls_h5_put_text(file, "format", format);
    if (status == LS_OK)
        status = ls_h5_put_int(file, "version", VERSION);
    for (int i = 0; status == LS_OK && i < ATTRIBUTES; i++)
        status = write_attribute(file, &attributes[i], (const char *)facts);
    if (status == LS_OK)
        status = ls_class_names_write(file, &facts->info.class_names);
    if (status == LS_OK && facts->info.vocabulary > 0)
        status = ls_h5_put_int(file, "vocabulary", facts->info.vocabulary);
    return status == LS_OK ? ls_vocabulary_write(file, &facts->info.tokens) : status;
}

/* Checks that the file is of a format. */
static ls_status check_kind(const ls_h5 *file, const char *wanted)
{
    char *found = NULL;
    ls_status status = LS_OK;
    if (ls_h5_has_attribute(file, "format"))
        status = ls_h5_get_text(file, "format", &found);
    if (status == LS_OK && (found == NULL || strcmp(found, wanted) != 0))
        status = ls_fail(LS_ERR_DATA, "%s: not a checkpoint", ls_h5_path(file));
    ls_free(found);
    return status;
}

ls_status ls_attributes_check_dataset(const ls_h5 *file)
{
    return check_kind(file, "lockstep-dataset");
}

static ls_status check_format(const ls_h5 *file)
{
    int64_t version = 0;
    ls_status status = check_kind(file, format);
    if (status != LS_OK && ls_attributes_check_dataset(file) == LS_OK)
        status = ls_fail(LS_ERR_DATA, "%s: is a data set, not a checkpoint", ls_h5_path(file));
    if (status == LS_OK)
        status = ls_h5_get_int(file, "version", &version);
    if (status == LS_OK && version != VERSION)
        status = ls_fail(LS_ERR_DATA, "%s: checkpoint version %lld, this program reads version %d",
                         ls_h5_path(file), (long long)version, VERSION);
    return status;
}

ls_status ls_attributes_read(const ls_h5 *file, ls_checkpoint_facts *facts)
{
    ls_status status = check_format(file);
    for (int i = 0; status == LS_OK && i < ATTRIBUTES; i++)
        status = read_attribute(file, &attributes[i], (char *)facts);
    ls_model_info *info = &facts->info;
    if (status == LS_OK)
        status = ls_class_names_read(file, info->classes, &info->class_names);
    if (status == LS_OK)
        status = ls_vocabulary_read(file, &info->tokens, &info->vocabulary);
    ls_score *score = &facts->progress.totals.score;
    if (status == LS_OK && isnan(score->weight)) /* older files have no weights */
        score->weight = (double)score->rows;
    if (status == LS_OK && isnan(score->steps)) /* older files have no steps */
        score->steps = 0;
    return status;
}

void ls_attributes_clear(ls_checkpoint_facts *facts)
{
    for (int i = 0; i < ATTRIBUTES; i++)
        if (attributes[i].type->put == attribute_put_text) {
            char **value = (char **)(void *)((char *)facts + attributes[i].offset);
            ls_free(*value);
            *value = NULL;
        }
    ls_text_list_free(&facts->info.class_names);
    ls_text_list_free(&facts->info.tokens);
}

ls_status ls_attributes_read_run(const ls_h5 *file, char **out)
{
    ls_checkpoint_facts facts = {0};
    ls_status status = check_format(file);
    if (status == LS_OK)
        status = read_attribute(file, &attributes[0], (char *)&facts);
    *out = facts.info.run;
    return status;
}
