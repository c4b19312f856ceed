/* Attributes of a file's root group: numbers and texts; texts of other groups. */
#include "data/h5_file.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { TEXT_MOST = 4 << 20 /* bytes */ };

/* Writes an attribute of a group.
 * space  its dimensions, closed here */
static ls_status write_attribute_of(ls_h5 *file, const char *group, const char *name, hid_t space,
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
    return write_attribute_of(file, "/", name, H5Screate(H5S_SCALAR), type, value);
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

/* Creates the type of texts of variable length. */
static hid_t variable_text(H5T_cset_t set)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, set);
    return type;
}

/* Creates the type of texts of at most `size` bytes. */
static hid_t short_text(size_t size)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

/* Writes an attribute of `count` texts. Closes the type. */
static ls_status write_texts(ls_h5 *file, const char *group, const char *name, hid_t type,
                             const void *texts, int count)
{
    const hsize_t size = (hsize_t)count;
    const ls_status status =
        write_attribute_of(file, group, name, H5Screate_simple(1, &size, NULL), type, texts);
    H5Tclose(type);
    return status;
}

ls_status ls_h5_put_text_of(ls_h5 *file, const char *group, const char *name, const char *text)
{
    const hid_t type = variable_text(H5T_CSET_UTF8);
    const ls_status status =
        write_attribute_of(file, group, name, H5Screate(H5S_SCALAR), type, &text);
    H5Tclose(type);
    return status;
}

ls_status ls_h5_put_texts_of(ls_h5 *file, const char *group, const char *name,
                             const char *const *texts, int count)
{
    size_t size = 1;
    for (int i = 0; i < count; i++)
        size = strlen(texts[i]) > size ? strlen(texts[i]) : size;
    char *table = ls_alloc(count, size);
    if (table == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < count; i++)
        memcpy(table + (size_t)i * size, texts[i], strlen(texts[i]));
    const ls_status status = write_texts(file, group, name, short_text(size), table, count);
    ls_free(table);
    return status;
}

ls_status ls_h5_put_long_texts_of(ls_h5 *file, const char *group, const char *name,
                                  const char *const *texts, int count)
{
    return write_texts(file, group, name, variable_text(H5T_CSET_UTF8), texts, count);
}

/* Copies a string of variable length, whose memory belongs to HDF5. */
static ls_status copy_variable_text(hid_t attribute, hid_t type, char **out, bool *read)
{
    char *lent = NULL;
    const hid_t memory = variable_text(H5Tget_cset(type));
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

/* Appends strings of equal size; they end at their first zero byte. */
static ls_status read_fixed_texts(hid_t attribute, hid_t type, int64_t count, ls_text_list *out,
                                  bool *read)
{
    const size_t size = H5Tget_size(type);
    if (size > (size_t)TEXT_MOST / (size_t)count)
        return LS_OK;
    char *table = ls_alloc(count, size), *text = ls_alloc((int64_t)size + 1, 1);
    ls_status status = table == NULL || text == NULL ? LS_ERR_FAILURE : LS_OK;
    *read = status == LS_OK && H5Aread(attribute, type, table) >= 0;
    for (int64_t i = 0; *read && status == LS_OK && i < count; i++) {
        memcpy(text, table + (size_t)i * size, size);
        status = ls_text_list_add(out, text);
    }
    ls_free(table);
    ls_free(text);
    return status;
}

/* Appends strings of variable length, whose memory belongs to HDF5. */
static ls_status read_variable_texts(hid_t attribute, hid_t type, hid_t space, int64_t count,
                                     ls_text_list *out, bool *read)
{
    char **lent = ls_alloc(count, sizeof *lent);
    if (lent == NULL)
        return LS_ERR_FAILURE;
    ls_status status = LS_OK;
    const hid_t memory = variable_text(H5Tget_cset(type));
    *read = H5Aread(attribute, memory, lent) >= 0;
    for (int64_t i = 0; *read && status == LS_OK && i < count; i++)
        status = ls_text_list_add(out, lent[i] != NULL ? lent[i] : "");
    if (*read)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, lent);
    H5Tclose(memory);
    ls_free(lent);
    return status;
}

ls_status ls_h5_get_texts(const ls_h5 *file, const char *name, ls_text_list *out)
{
    enum { COUNT_MOST = 1 << 20 };
    hid_t attribute = H5Aopen(file->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return ls_fail(LS_ERR_DATA, "%s: has no attribute '%s'", file->path, name);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const int64_t count = H5Sget_simple_extent_npoints(space);
    bool read = false;
    ls_status status = LS_OK;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_ndims(space) == 1 && count > 0 &&
        count <= COUNT_MOST)
        status = H5Tis_variable_str(type) > 0
                     ? read_variable_texts(attribute, type, space, count, out, &read)
                     : read_fixed_texts(attribute, type, count, out, &read);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    if (status == LS_OK && !read)
        status =
            ls_fail(LS_ERR_DATA, "%s: attribute '%s' is not an array of strings", file->path, name);
    return status;
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
