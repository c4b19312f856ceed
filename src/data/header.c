#include "data/header.h"

#include "base/memory.h"
#include "data/field.h"

#include <stdio.h>
#include <string.h>

enum { VERSION = 1 };

/* Reads an optional text attribute into a field of `size` bytes, cut to fit. */
static ls_status read_optional_text(const ls_h5 *file, const char *name, char *field, size_t size)
{
    if (!ls_h5_has_attribute(file, name))
        return LS_OK;
    char *text;
    ls_status status = ls_h5_get_text(file, name, &text);
    if (status != LS_OK)
        return status;
    snprintf(field, size, "%s", text);
    ls_free(text);
    return LS_OK;
}

ls_status ls_header_read(const ls_h5 *file, ls_dataset_info *info)
{
    const char *path = ls_h5_path(file);
    char format[32] = "", contents[LS_H5_CONTENTS];
    ls_status status = read_optional_text(file, "format", format, sizeof format);
    if (status != LS_OK)
        return status;
    if (strcmp(format, "lockstep-checkpoint") == 0)
        return ls_fail(LS_ERR_DATA, "%s: is a checkpoint, not a data set", path);
    if (*format == '\0')
        snprintf(format, sizeof format, "missing or empty");
    if (strcmp(format, "lockstep-dataset") != 0)
        return ls_fail(LS_ERR_DATA,
                       "%s: not a data set of Lockstep's own layout (its attribute format is %s): "
                       "give --inputs and --targets; %s",
                       path, format, ls_h5_contents(file, contents));
    int64_t version;
    status = ls_h5_get_int(file, "version", &version);
    if (status == LS_ERR_DATA)
        return ls_field_fail("%s", ls_error_text());
    if (status == LS_OK)
        status = read_optional_text(file, "name", info->name, sizeof info->name);
    if (status == LS_OK)
        status = read_optional_text(file, "source_sha256", info->source_sha256,
                                    sizeof info->source_sha256);
    if (status != LS_OK)
        return status;
    if (version != VERSION)
        return ls_field_fail("%s: data set version %lld, this program reads version %d", path,
                             (long long)version, VERSION);
    return LS_OK;
}

ls_status ls_header_read_classes(const ls_h5 *file, int *out)
{
    int64_t classes;
    const ls_status status = ls_h5_get_int(file, "classes", &classes);
    if (status == LS_ERR_DATA)
        return ls_field_fail("%s", ls_error_text());
    if (status != LS_OK)
        return status;
    if (classes < 2 || classes > LS_MAX_CLASSES)
        return ls_field_fail("%s: attribute classes is %lld, expected 2 to %d", ls_h5_path(file),
                             (long long)classes, LS_MAX_CLASSES);
    *out = (int)classes;
    return LS_OK;
}
