/* Arrays of texts: attributes, and datasets of one dimension. */
#include "data/h5_file.h"

#include "base/integer.h"
#include "base/memory.h"

#include <string.h>

/* Most texts of an array, and bytes of a dataset of texts of equal size. */
enum { COUNT_MOST = 1 << 20, BYTES_MOST = 64 << 20 };

hid_t ls_h5_variable_text(H5T_cset_t set)
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
        ls_h5_write_attribute_of(file, group, name, H5Screate_simple(1, &size, NULL), type, texts);
    H5Tclose(type);
    return status;
}

/* Copies texts to a table of equal size, padded with zeros.
 * size  on return the size of a text
 * out   [count][size], owned */
static ls_status make_table(const char *const *texts, int count, size_t *size, char **out)
{
    *size = 1;
    for (int i = 0; i < count; i++)
        *size = strlen(texts[i]) > *size ? strlen(texts[i]) : *size;
    *out = ls_alloc(count, *size);
    if (*out == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < count; i++)
        memcpy(*out + (size_t)i * *size, texts[i], strlen(texts[i]));
    return LS_OK;
}

ls_status ls_h5_put_texts_of(ls_h5 *file, const char *group, const char *name,
                             const char *const *texts, int count)
{
    size_t size;
    char *table;
    ls_status status = make_table(texts, count, &size, &table);
    if (status == LS_OK)
        status = write_texts(file, group, name, short_text(size), table, count);
    ls_free(table);
    return status;
}

ls_status ls_h5_put_long_texts_of(ls_h5 *file, const char *group, const char *name,
                                  const char *const *texts, int count)
{
    return write_texts(file, group, name, ls_h5_variable_text(H5T_CSET_UTF8), texts, count);
}

/* Writes a dataset in deflated chunks. */
static ls_status write_table(ls_h5 *file, const char *name, hid_t type, size_t size,
                             const char *table, int count)
{
    enum { CHUNK_BYTES = 1 << 20 };
    const hsize_t texts = (hsize_t)count;
    const hsize_t chunk = (hsize_t)ls_max(1, ls_min(count, CHUNK_BYTES / (int64_t)size));
    const hid_t space = H5Screate_simple(1, &texts, NULL), layout = H5Pcreate(H5P_DATASET_CREATE);
    ls_status status = LS_OK;
    H5Pset_obj_track_times(layout, 0); /* no time stamps: equal content gives equal bytes */
    H5Pset_chunk(layout, 1, &chunk);
    H5Pset_deflate(layout, 4);
    const hid_t dataset = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table) < 0)
        status = ls_h5_fail(file, name, "can't write");
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Pclose(layout);
    H5Sclose(space);
    return status;
}

ls_status ls_h5_write_texts(ls_h5 *file, const char *name, const char *const *texts, int count)
{
    size_t size;
    char *table;
    ls_status status = make_table(texts, count, &size, &table);
    if (status == LS_OK && (count > COUNT_MOST || size > BYTES_MOST / (size_t)count))
        status =
            ls_fail(LS_ERR_DATA,
                    "%s: %d texts of up to %zu bytes are too many for '/%s': %d, and %d bytes, "
                    "are possible",
                    file->path, count, size, name, COUNT_MOST, BYTES_MOST);
    if (status == LS_OK) {
        const hid_t type = short_text(size);
        H5Tset_cset(type, H5T_CSET_UTF8);
        status = write_table(file, name, type, size, table, count);
        H5Tclose(type);
    }
    ls_free(table);
    return status;
}

/* An array of texts in a file. */
typedef struct texts {
    hid_t id; /* of an attribute or a dataset */
    bool dataset;
} texts;

static bool read_all(const texts *t, hid_t type, void *out)
{
    return t->dataset ? H5Dread(t->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0
                      : H5Aread(t->id, type, out) >= 0;
}

/* Appends strings of equal size; they end at their first zero byte. */
static ls_status read_fixed_texts(const texts *from, hid_t type, int64_t count, ls_text_list *out,
                                  bool *read)
{
    const size_t size = H5Tget_size(type);
    if (size > (size_t)(from->dataset ? BYTES_MOST : LS_H5_TEXT_MOST) / (size_t)count)
        return LS_OK;
    char *table = ls_alloc(count, size), *text = ls_alloc((int64_t)size + 1, 1);
    ls_status status = table == NULL || text == NULL ? LS_ERR_FAILURE : LS_OK;
    *read = status == LS_OK && read_all(from, type, table);
    for (int64_t i = 0; *read && status == LS_OK && i < count; i++) {
        memcpy(text, table + (size_t)i * size, size);
        status = ls_text_list_add(out, text);
    }
    ls_free(table);
    ls_free(text);
    return status;
}

/* Returns true if the texts of a dataset of variable length take little memory: many of its
 * elements may refer to one text, and each becomes a copy. */
static bool is_small(const texts *from, hid_t type, hid_t space)
{
    hsize_t bytes = 0;
    return !from->dataset || (H5Dvlen_get_buf_size(from->id, type, space, &bytes) >= 0 &&
                              bytes <= (hsize_t)BYTES_MOST);
}

/* Appends strings of variable length, whose memory belongs to HDF5. */
static ls_status read_variable_texts(const texts *from, hid_t type, hid_t space, int64_t count,
                                     ls_text_list *out, bool *read)
{
    if (!is_small(from, type, space))
        return LS_OK;
    char **lent = ls_alloc(count, sizeof *lent);
    if (lent == NULL)
        return LS_ERR_FAILURE;
    ls_status status = LS_OK;
    const hid_t memory = ls_h5_variable_text(H5Tget_cset(type));
    *read = read_all(from, memory, lent);
    for (int64_t i = 0; *read && status == LS_OK && i < count; i++)
        status = ls_text_list_add(out, lent[i] != NULL ? lent[i] : "");
    if (*read)
        H5Dvlen_reclaim(memory, space, H5P_DEFAULT, lent);
    H5Tclose(memory);
    ls_free(lent);
    return status;
}

/* Appends the texts of an array of one dimension; closes type and space.
 * read  on return false if it is none */
static ls_status read_texts(const texts *from, hid_t type, hid_t space, ls_text_list *out,
                            bool *read)
{
    const int64_t count = H5Sget_simple_extent_npoints(space);
    ls_status status = LS_OK;
    *read = false;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_ndims(space) == 1 && count > 0 &&
        count <= COUNT_MOST)
        status = H5Tis_variable_str(type) > 0
                     ? read_variable_texts(from, type, space, count, out, read)
                     : read_fixed_texts(from, type, count, out, read);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

ls_status ls_h5_get_texts(const ls_h5 *file, const char *name, ls_text_list *out)
{
    const hid_t attribute = H5Aopen(file->id, name, H5P_DEFAULT);
    if (attribute < 0)
        return ls_fail(LS_ERR_DATA, "%s: has no attribute '%s'", file->path, name);
    bool read;
    const texts from = {attribute, false};
    ls_status status =
        read_texts(&from, H5Aget_type(attribute), H5Aget_space(attribute), out, &read);
    H5Aclose(attribute);
    if (status == LS_OK && !read)
        status =
            ls_fail(LS_ERR_DATA, "%s: attribute '%s' is not an array of strings", file->path, name);
    return status;
}

ls_status ls_h5_read_texts(const ls_h5 *file, const char *name, ls_text_list *out)
{
    bool read;
    texts from = {.dataset = true};
    ls_status status = ls_h5_open_dataset(file, name, &from.id);
    if (status != LS_OK)
        return status;
    status = read_texts(&from, H5Dget_type(from.id), H5Dget_space(from.id), out, &read);
    H5Dclose(from.id);
    if (status == LS_OK && !read)
        status =
            ls_fail(LS_ERR_DATA, "%s: '/%s' is not an array of at most %d strings, and %d bytes",
                    file->path, name, COUNT_MOST, BYTES_MOST);
    return status;
}
