/* Groups of rows in the files of a data set: those of its own layout, and selected ones. */
#include "data/dataset_state.h"

#include "base/show.h"
#include "data/class_names.h"
#include "data/header.h"
#include "data/samples.h"
#include "data/vocabulary.h"

#include <stdio.h>
#include <string.h>

/* Takes the description of a row from the training rows. */
static void describe_rows(ls_dataset_info *info, const ls_fields *f)
{
    info->channels = f->channels;
    info->height = f->height;
    info->width = f->width;
    info->features = f->channels * f->height * f->width;
    info->element = f->inputs.element;
    info->rounded = f->inputs.rounded;
    info->values = f->values;
    info->weighted = f->has_weights;
    info->ragged = f->has_lengths || f->padded;
    info->reconstructs = f->values > 0 && f->targets.count == 0 && !f->has_labels;
    info->doubtful = f->doubtful;
}

/* Checks that rows are as the training rows. */
ls_status ls_dataset_compare_rows(const ls_dataset_info *info, const ls_fields *f,
                                  const ls_fields *train)
{
    const char *path = ls_h5_path(f->file), *name = ls_fields_name(f);
    if (f->channels != info->channels || f->height != info->height || f->width != info->width)
        return ls_field_fail("%s: '/%s' differs in shape from %s: '/%s': rows of %s and of %s",
                             path, name, ls_h5_path(train->file), ls_fields_name(train),
                             ls_sized(f->channels, f->height, f->width).text,
                             ls_sized(info->channels, info->height, info->width).text);
    if (f->inputs.element != info->element)
        return ls_field_fail("%s: '/%s' differs in type from %s: '/%s': %s and %s", path, name,
                             ls_h5_path(train->file), ls_fields_name(train),
                             ls_element_name(f->inputs.element), ls_element_name(info->element));
    if (f->has_labels != train->has_labels && f->values == info->values)
        return ls_field_fail("%s: the targets of '/%s' differ from those of %s: '/%s': one are "
                             "values, the others the classes of steps",
                             path, name, ls_h5_path(train->file), ls_fields_name(train));
    if (f->has_lengths != train->has_lengths)
        return ls_field_fail(
            "%s: '/%s' has %s lengths, but %s: '/%s' has %s: give all rows lengths, "
            "or none",
            path, name, f->has_lengths ? "some" : "no", ls_h5_path(train->file),
            ls_fields_name(train), train->has_lengths ? "some" : "none");
    if (f->values != info->values)
        return ls_field_fail("%s: the targets of '/%s' differ from those of %s: '/%s': %d and %d "
                             "values (0: classes)",
                             path, name, ls_h5_path(train->file), ls_fields_name(train), f->values,
                             info->values);
    return LS_OK;
}

/* Opens a group of a file and compares it with the training rows. */
ls_status ls_dataset_open_group(ls_dataset *dataset, ls_split split, const ls_h5 *file,
                                const ls_fields_choice *choice)
{
    ls_series *group = &dataset->groups[split];
    const bool first = split == LS_TRAIN && group->count == 0;
    ls_status status = ls_series_append(group, file, choice);
    if (status != LS_OK)
        return status;
    const ls_fields *f = &group->parts[group->count - 1];
    dataset->group[split] = split;
    dataset->info.rows[split] = group->rows;
    if (!first)
        return ls_dataset_compare_rows(&dataset->info, f, &dataset->groups[LS_TRAIN].parts[0]);
    describe_rows(&dataset->info, f);
    return LS_OK;
}

/* Returns the choice with the order of dimensions, which the first file decides. */
static ls_fields_choice with_order(ls_dataset *dataset, ls_order order, ls_fields_choice choice)
{
    ls_dataset_info *info = &dataset->info;
    if (dataset->groups[LS_TRAIN].count == 0)
        info->column_major =
            order == LS_ORDER_COLUMN_MAJOR ||
            (order == LS_ORDER_AUTO && ls_fields_look_column_major(dataset->files[0], &choice));
    choice.column_major = info->column_major;
    return choice;
}

/* Takes texts that are numbered from the first file that has them, and compares those of the
 * others: a number means the same in all files.
 * what  "class"
 * new   of this file; taken, or freed */
static ls_status take_texts(ls_text_list *known, const ls_h5 *file, const char *what,
                            ls_text_list *new)
{
    const int64_t at = ls_text_list_differ(known, new);
    ls_status status = LS_OK;
    if (at >= 0)
        status = ls_fail(LS_ERR_DATA, "%s: %s %lld is '%s', but '%s' in the files before",
                         ls_h5_path(file), what, (long long)at, new->text[at], known->text[at]);
    if (status == LS_OK && known->count == 0) {
        *known = *new;
        *new = (ls_text_list){0};
    }
    ls_text_list_free(new);
    return status;
}

static ls_status read_class_names(ls_dataset *dataset, const ls_h5 *file, int classes)
{
    ls_text_list names = {0};
    const ls_status status = ls_class_names_read(file, classes, &names);
    if (status == LS_OK)
        return take_texts(&dataset->class_names, file, "class", &names);
    ls_text_list_free(&names);
    return status;
}

/* Reads the vocabulary of a file, which all files must have alike. */
static ls_status read_vocabulary(ls_dataset *dataset, const ls_h5 *file)
{
    ls_text_list texts = {0};
    int tokens = 0;
    ls_status status = ls_vocabulary_read(file, &texts, &tokens);
    if (status == LS_OK && file != dataset->files[0] && tokens != dataset->info.vocabulary)
        status = ls_fail(LS_ERR_DATA, "%s and %s differ in their vocabularies: %d and %d tokens",
                         ls_dataset_first_path(dataset), ls_h5_path(file), dataset->info.vocabulary,
                         tokens);
    dataset->info.vocabulary = tokens;
    if (status == LS_OK)
        return take_texts(&dataset->vocabulary, file, "token", &texts);
    ls_text_list_free(&texts);
    return status;
}

/* Returns true if a file of the own layout has inputs, but neither targets nor a number of classes:
 * rows that a generator made. */
static bool has_no_targets(const ls_h5 *file, const ls_dataset_options *options)
{
    return !ls_dataset_targets_are_inputs(options) && !ls_h5_has_attribute(file, "classes") &&
           !ls_h5_has(file, "train/labels") && !ls_h5_has(file, "train/targets") &&
           (ls_h5_has(file, "train/images") || ls_h5_has(file, "train/inputs"));
}

/* Opens the groups of a file of the own layout. */
ls_status ls_dataset_open_own(ls_dataset *dataset, const ls_h5 *file,
                              const ls_dataset_options *options)
{
    ls_dataset_info header = {0};
    const bool untargeted = ls_dataset_targets_are_none(options) || has_no_targets(file, options);
    ls_beside beside;
    ls_fields_choice choice = {.reconstructs = ls_dataset_targets_are_inputs(options),
                               .untargeted = untargeted,
                               .kind = options->kind,
                               .layout = options->layout};
    ls_status status = ls_header_read(file, &header);
    if (status == LS_OK)
        status = read_vocabulary(dataset, file);
    if (status == LS_OK)
        status = ls_dataset_parse_beside(options, &beside, &choice);
    choice.vocabulary = dataset->info.vocabulary;
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++) {
        const char *name = ls_split_name((ls_split)split);
        choice.group = name;
        choice.weights = split == LS_TRAIN ? choice.weights : NULL;
        choice = with_order(dataset, options->order, choice);
        if (split == LS_TRAIN || ls_h5_has(file, name))
            status = ls_dataset_open_group(dataset, (ls_split)split, file, &choice);
    }
    const bool classes = status == LS_OK && dataset->groups[LS_TRAIN].parts[0].has_labels;
    if (status == LS_OK && classes)
        status = ls_header_read_classes(file, &header.classes);
    if (status == LS_OK && file != dataset->files[0] && header.classes != dataset->info.classes)
        status = ls_fail(LS_ERR_DATA, "%s and %s differ in their attribute classes",
                         ls_dataset_first_path(dataset), ls_h5_path(file));
    if (status == LS_OK && classes)
        status = read_class_names(dataset, file, header.classes);
    if (status != LS_OK)
        return status;
    dataset->info.classes = header.classes;
    snprintf(dataset->info.name, sizeof header.name, "%s", header.name);
    if (dataset->paths.count == 1)
        memcpy(dataset->info.source_sha256, header.source_sha256, sizeof header.source_sha256);
    return LS_OK;
}

/* Finds the number of classes of selected targets. */
static ls_status find_classes(ls_dataset *dataset, const ls_dataset_options *options)
{
    const ls_series *group = &dataset->groups[LS_TRAIN];
    const ls_labels *labels = &group->parts[0].labels;
    int32_t most = -1, largest;
    ls_status status = LS_OK;
    dataset->info.classes = labels->one_hot ? (int)labels->field.numbers : options->classes;
    for (int i = 0; i < group->count; i++)
        if (group->parts[i].labels.one_hot != labels->one_hot ||
            (labels->one_hot && group->parts[i].labels.field.numbers != labels->field.numbers))
            return ls_fail(LS_ERR_DATA, "%s and %s differ in the shape of '/%s'",
                           ls_dataset_first_path(dataset), dataset->paths.path[i],
                           labels->field.name);
    if (dataset->info.classes > 0 || group->rows == 0)
        return LS_OK;
    for (int i = 0; status == LS_OK && i < group->count; i++) {
        status = ls_labels_find_largest(&group->parts[i].labels, &largest);
        most = largest > most ? largest : most;
    }
    if (status == LS_OK && most < 1)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has no class but 0", ls_dataset_first_path(dataset),
                       labels->field.name);
    dataset->info.classes = most + 1;
    return status;
}

/* Opens the selected inputs and targets of files of any layout: one table of rows. */
ls_status ls_dataset_open_selected(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_selections inputs, targets;
    ls_beside beside;
    ls_fields_choice choice = {.inputs = &inputs,
                               .targets = &targets,
                               .reconstructs = ls_dataset_targets_are_inputs(options),
                               .untargeted = ls_dataset_targets_are_none(options),
                               .kind = options->kind,
                               .layout = options->layout};
    ls_status status = ls_selections_parse(&inputs, "inputs", options->inputs);
    if (status == LS_OK && !choice.reconstructs && !choice.untargeted)
        status = ls_selections_parse(&targets, "targets", options->targets);
    if (status == LS_OK)
        status = ls_dataset_parse_beside(options, &beside, &choice);
    if (status == LS_OK)
        choice = with_order(dataset, options->order, choice);
    const ls_fields *first = &dataset->groups[LS_TRAIN].parts[0];
    for (int i = 0; status == LS_OK && i < dataset->paths.count; i++) {
        status = ls_dataset_open_group(dataset, LS_TRAIN, dataset->files[i], &choice);
        if (status == LS_OK && first->labels.by_step) /* the first file decides */
            choice.kind = LS_TARGET_STEPS;
    }
    if (status == LS_OK && first->has_labels)
        status = find_classes(dataset, options);
    return status;
}
