/* Attributes of a file's root group: numbers and texts; a text of other groups. Arrays of texts:
 * h5_texts.c. */
#include "data/h5_file.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { TEXT_MOST = LS_H5_TEXT_MOST };

ls_status ls_h5_write_attribute_of(ls_h5 *file, const char *group, const char *name, hid_t space,
                                   hid_t type, const void *value)
{
    hid_t attribute = H5Acreate_by_name(file->id, group, name, type, space, H5P_DEFAULT,
                                        H5P_DEFAULT, H5P_DEFAULT);
    ls_status status = LS_OK;
    if (attribute < 0 || H5Awrite(attribute, type, value) < 0)
        status = ls_h5_fail(file, name, "can't write attribute");
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    return status;
}

/* Writes a scalar attribute of the root group. */
static ls_status write_attribute(ls_h5 *file, const char *name, hid_t type, const void *value)
{
    return ls_h5_write_attribute_of(file, "/", name, H5Screate(H5S_SCALAR), type, value);
}

/* Reads a scalar number attribute of the root group.
 * real  true: fractions are allowed */
static ls_status read_number(const ls_h5 *file, const char *name, hid_t type, bool real,
                             void *value)
{
    hid_t attribute = H5Aopen(file->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return ls_fail(LS_ERR_DATA, "%s: has no attribute '%s'", file->path, name);
    hid_t space = H5Aget_space(attribute), found = H5Aget_type(attribute);
    const H5T_class_t class = H5Tget_class(found);
    double exact = 0;
    ls_status status = LS_OK;
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, type, value) < 0 || H5Aread(attribute, H5T_NATIVE_DOUBLE, &exact) < 0)
        status = ls_fail(LS_ERR_DATA, "%s: attribute '%s' is not one number", file->path, name);
    else if (!real && class == H5T_FLOAT && exact != floor(exact))
        status = ls_fail(LS_ERR_DATA, "%s: attribute '%s' is %.15g, not an integer", file->path,
                         name, ls_plain_number(exact));
    H5Tclose(found);
    H5Sclose(space);
    H5Aclose(attribute);
    return status;
}

ls_status ls_h5_put_int(ls_h5 *file, const char *name, int64_t value)
{
    return write_attribute(file, name, H5T_NATIVE_INT64, &value);
}

ls_status ls_h5_get_int(const ls_h5 *file, const char *name, int64_t *out)
{
    return read_number(file, name, H5T_NATIVE_INT64, false, out);
}

ls_status ls_h5_put_real(ls_h5 *file, const char *name, double value)
{
    return write_attribute(file, name, H5T_NATIVE_DOUBLE, &value);
}

ls_status ls_h5_get_real(const ls_h5 *file, const char *name, double *out)
{
    return read_number(file, name, H5T_NATIVE_DOUBLE, true, out);
}

ls_status ls_h5_put_text(ls_h5 *file, const char *name, const char *text)
{
    return ls_h5_put_text_of(file, "/", name, text);
}

ls_status ls_h5_put_text_of(ls_h5 *file, const char *group, const char *name, const char *text)
{
    const hid_t type = ls_h5_variable_text(H5T_CSET_UTF8);
    const ls_status status =
        ls_h5_write_attribute_of(file, group, name, H5Screate(H5S_SCALAR), type, &text);
    H5Tclose(type);
    return status;
}

/* Copies a string of variable length, whose memory belongs to HDF5. */
static ls_status copy_variable_text(hid_t attribute, hid_t type, char **out, bool *read)
{
    char *lent = NULL;
    const hid_t memory = ls_h5_variable_text(H5Tget_cset(type));
    *read = H5Aread(attribute, memory, &lent) >= 0 &&
            (lent == NULL || strnlen(lent, TEXT_MOST + 1) <= TEXT_MOST);
    H5Tclose(memory);
    if (*read)
        *out = ls_strdup(lent != NULL ? lent : "");
    H5free_memory(lent);
    return *read && *out == NULL ? LS_ERR_FAILURE : LS_OK;
}

static ls_status copy_fixed_text(hid_t attribute, hid_t type, char **out, bool *read)
{
    const size_t size = H5Tget_size(type);
    if (size > TEXT_MOST)
        return LS_OK;
    *out = ls_alloc((int64_t)size + 1, 1);
    if (*out == NULL)
        return LS_ERR_FAILURE;
    *read = H5Aread(attribute, type, *out) >= 0;
    /* Fortran pads strings with blanks. */
    for (char *end = *out + size; H5Tget_strpad(type) == H5T_STR_SPACEPAD && end > *out; end--) {
        if (end[-1] != ' ' && end[-1] != '\0')
            break;
        end[-1] = '\0';
    }
    return LS_OK;
}

ls_status ls_h5_get_text(const ls_h5 *file, const char *name, char **out)
{
    hid_t attribute = H5Aopen(file->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return ls_fail(LS_ERR_DATA, "%s: has no attribute '%s'", file->path, name);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    char *text = NULL;
    bool read = false;
    ls_status status = LS_OK;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1)
        status = H5Tis_variable_str(type) > 0 ? copy_variable_text(attribute, type, &text, &read)
                                              : copy_fixed_text(attribute, type, &text, &read);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    if (status == LS_OK && !read)
        status = ls_fail(LS_ERR_DATA, "%s: attribute '%s' is not a string of up to %d bytes",
                         file->path, name, TEXT_MOST);
    if (status != LS_OK) {
        ls_free(text);
        return status;
    }
    *out = text;
    return LS_OK;
}

bool ls_h5_has_attribute(const ls_h5 *file, const char *name)
{
    if (H5Aexists(file->id, name) <= 0)
        return false;
    const hid_t attribute = H5Aopen(file->id, name, H5P_DEFAULT);
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : H5I_INVALID_HID;
    const bool empty = space >= 0 && H5Sget_simple_extent_type(space) == H5S_NULL;
    if (space >= 0)
        H5Sclose(space);
    if (attribute >= 0)
        H5Aclose(attribute);
    return !empty;
}
