/* Groups of rows in the files of a data set: those of its own layout, and selected ones. */
#include "data/dataset_state.h"

#include "base/show.h"
#include "data/class_names.h"
#include "data/header.h"
#include "data/samples.h"

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
    info->reconstructs = f->values > 0 && f->targets.count == 0;
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

/* Takes the names of the classes from the first file that has them, and compares those of the
 * others: a label means the same in all files. */
static ls_status read_class_names(ls_dataset *dataset, const ls_h5 *file, int classes)
{
    ls_text_list names = {0}, *known = &dataset->class_names;
    ls_status status = ls_class_names_read(file, classes, &names);
    const int64_t at = status == LS_OK ? ls_class_names_differ(known, &names) : -1;
    if (at >= 0)
        status = ls_fail(LS_ERR_DATA, "%s: class %lld is '%s', but '%s' in the files before",
                         ls_h5_path(file), (long long)at, names.text[at], known->text[at]);
    if (status == LS_OK && known->count == 0) {
        *known = names;
        return LS_OK;
    }
    ls_text_list_free(&names);
    return status;
}

/* Opens the groups of a file of the own layout. */
ls_status ls_dataset_open_own(ls_dataset *dataset, const ls_h5 *file,
                              const ls_dataset_options *options)
{
    ls_dataset_info header = {0};
    const bool untargeted = ls_dataset_targets_are_none(options);
    ls_selections parsed;
    const ls_selection *weights = NULL;
    ls_status status = ls_header_read(file, &header);
    if (status == LS_OK)
        status = ls_dataset_parse_weights(options, &parsed, &weights);
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++) {
        const char *name = ls_split_name((ls_split)split);
        const ls_fields_choice choice =
            with_order(dataset, options->order,
                       (ls_fields_choice){.group = name,
                                          .weights = split == LS_TRAIN ? weights : NULL,
                                          .reconstructs = ls_dataset_targets_are_inputs(options),
                                          .untargeted = untargeted,
                                          .kind = options->kind,
                                          .layout = options->layout});
        if (split == LS_TRAIN || ls_h5_has(file, name))
            status = ls_dataset_open_group(dataset, (ls_split)split, file, &choice);
    }
    const bool classes = dataset->info.values == 0 && !untargeted;
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
    ls_selections inputs, targets, weights;
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
        status = ls_dataset_parse_weights(options, &weights, &choice.weights);
    if (status == LS_OK)
        choice = with_order(dataset, options->order, choice);
    for (int i = 0; status == LS_OK && i < dataset->paths.count; i++)
        status = ls_dataset_open_group(dataset, LS_TRAIN, dataset->files[i], &choice);
    if (status == LS_OK && dataset->info.values == 0 && !choice.untargeted)
        status = find_classes(dataset, options);
    return status;
}
