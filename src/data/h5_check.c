#include "data/h5_check.h"

#include <stdio.h>
#include <string.h>

/* Maximum expansion of deflate: 1032 bytes from one; SLACK is for small data sets. */
enum { DEFLATE_MOST = 1032, SLACK = 4096 };

/* Largest chunk: HDF5 holds a whole chunk in memory. */
#define CHUNK_MOST (UINT64_C(1) << 30)

ls_h5_link ls_h5_follow(hid_t file, const char *name, int *length)
{
    char prefix[256];
    const size_t whole = strlen(name);
    if (whole >= sizeof prefix)
        return LS_H5_LINK_NONE;
    for (size_t i = 1; i <= whole; i++) {
        if (name[i] != '/' && name[i] != '\0')
            continue;
        memcpy(prefix, name, i);
        prefix[i] = '\0';
        if (length != NULL)
            *length = (int)i;
        /* All links before this one are hard: the look-up opens no other file. */
        H5L_info_t link;
        if (H5Lexists(file, prefix, H5P_DEFAULT) <= 0 ||
            H5Lget_info(file, prefix, &link, H5P_DEFAULT) < 0)
            return LS_H5_LINK_NONE;
        if (link.type != H5L_TYPE_HARD)
            return LS_H5_LINK_FOREIGN;
    }
    return LS_H5_LINK_HARD;
}

/* *product *= factor; returns false on overflow. */
static bool multiply(hsize_t *product, hsize_t factor)
{
    if (factor != 0 && *product > INT64_MAX / factor)
        return false;
    *product *= factor;
    return true;
}

enum { TEXT = 256, LZF = 32000 }; /* bytes of an error text; the filter that h5py brings along */

/* Names of filters that are not read: of HDF5's own, and of those registered with the HDF Group. */
static const struct {
    H5Z_filter_t id;
    const char *name;
} filter_names[] = {
    {H5Z_FILTER_SZIP, "szip"},
    {H5Z_FILTER_NBIT, "n-bit"},
    {H5Z_FILTER_SCALEOFFSET, "scale-offset"},
    {307, "bzip2"},
    {LZF, "lzf"},
    {32001, "blosc"},
    {32004, "lz4"},
    {32008, "bitshuffle"},
    {32013, "zfp"},
    {32015, "zstd"},
    {32017, "sz"},
    {32024, "sz3"},
    {32026, "blosc2"},
};

/* Writes the error text of a filter that is not read: its name and the remedy.
 * stored  its name in the file, may be "" */
static const char *describe_filter(H5Z_filter_t filter, const char *stored, char text[TEXT])
{
    const char *name = *stored != '\0' ? stored : "unknown";
    for (size_t i = 0; i < sizeof filter_names / sizeof *filter_names; i++)
        if (filter_names[i].id == filter)
            name = filter_names[i].name;
    snprintf(text, TEXT,
             "is stored with the filter %s (%d), but only deflate, shuffle and fletcher32 are "
             "read: %s",
             name, (int)filter,
             filter == LZF ? "write it again with h5py, by the lines in `lockstep help files`"
                           : "run `h5repack -f GZIP=4 FILE NEW.h5` where HDF5 has this filter");
    return text;
}

/* Returns the error text of a filter that is not read, NULL if there is none.
 * deflated  on return true if a filter compresses the data */
static const char *check_filters(hid_t layout, bool *deflated, char text[TEXT])
{
    const int filters = H5Pget_nfilters(layout);
    *deflated = false;
    for (int i = 0; i < filters; i++) {
        char name[32] = "";
        unsigned flags, config;
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(layout, (unsigned)i, &flags, &values, NULL, sizeof name, name, &config);
        name[sizeof name - 1] = '\0';
        *deflated = *deflated || filter == H5Z_FILTER_DEFLATE;
        if (filter < 0)
            return "has a damaged layout";
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            return describe_filter(filter, name, text);
    }
    return filters < 0 ? "has a damaged layout" : NULL;
}

/* Computes the bytes of all elements, in the file's type; returns false on overflow, also of a
 * dataset without elements: the other extents are then those of its rows. */
static bool compute_bytes(hid_t dataset, hsize_t element, hsize_t *out)
{
    hsize_t dims[H5S_MAX_RANK];
    const hid_t space = H5Dget_space(dataset);
    const int rank = H5Sget_simple_extent_dims(space, dims, NULL);
    bool good = rank >= 0 && element > 0, empty = false;
    *out = element;
    for (int i = 0; good && i < rank; i++) {
        empty = empty || dims[i] == 0;
        good = dims[i] <= INT64_MAX && multiply(out, dims[i] > 0 ? dims[i] : 1);
    }
    *out = empty ? 0 : *out;
    if (space >= 0)
        H5Sclose(space);
    return good;
}

/* Returns the error text of a dataset that was never written, NULL if it was. */
static const char *check_written(hid_t dataset)
{
    H5D_space_status_t allocated = H5D_SPACE_STATUS_ALLOCATED;
    const hid_t space = H5Dget_space(dataset);
    const bool null = H5Sget_simple_extent_type(space) == H5S_NULL;
    const bool empty = H5Sget_simple_extent_npoints(space) == 0;
    H5Sclose(space);
    H5Dget_space_status(dataset, &allocated);
    if (null)
        return "is empty: it has a null dataspace, which holds no rows";
    return !empty && allocated == H5D_SPACE_STATUS_NOT_ALLOCATED
               ? "has a shape but no content: nothing was ever written to it"
               : NULL;
}

static const char *check_chunk(hid_t layout, hsize_t element)
{
    hsize_t dims[H5S_MAX_RANK], bytes = element;
    const int rank = H5Pget_chunk(layout, H5S_MAX_RANK, dims);
    bool good = rank >= 1;
    for (int i = 0; good && i < rank; i++)
        good = multiply(&bytes, dims[i]);
    if (bytes == 0)
        return "has a damaged layout";
    return good && bytes <= CHUNK_MOST ? NULL
                                       : "has chunks above 1 GiB; rewrite it with smaller chunks";
}

/* Returns the error text of the dataset's storage, which may be in `text`; NULL if it is sound. */
static const char *check_storage(hid_t file, hid_t dataset, hid_t layout, hsize_t element,
                                 char text[TEXT])
{
    const H5D_layout_t kind = H5Pget_layout(layout);
    bool deflated;
    /* First: even the shape of a virtual dataset depends on its other files. */
    if (kind == H5D_VIRTUAL || H5Pget_external_count(layout) != 0)
        return "stores its content in other files; copy the content into this file";
    const char *wrong = check_filters(layout, &deflated, text);
    if (wrong == NULL && kind == H5D_CHUNKED)
        wrong = check_chunk(layout, element);
    if (wrong == NULL)
        wrong = check_written(dataset);
    if (wrong != NULL)
        return wrong;
    hsize_t content, in_file = 0;
    if (!compute_bytes(dataset, element, &content))
        return "has an impossibly large shape";
    if (content == 0)
        return NULL;
    const hsize_t stored = H5Dget_storage_size(dataset);
    const haddr_t at = H5Dget_offset(dataset);
    H5Fget_filesize(file, &in_file);
    if (stored > in_file || (kind == H5D_CONTIGUOUS && (at > in_file || stored > in_file - at)))
        return "is truncated: its storage extends beyond the end of the file";
    const hsize_t most = deflated ? stored * DEFLATE_MOST + SLACK : stored;
    return content <= most ? NULL : "has a shape with more elements than its storage can hold";
}

ls_status ls_h5_check_dataset(hid_t file, hid_t dataset, const char *path, const char *name)
{
    char text[TEXT];
    const char *wrong = "has a damaged layout";
    const hid_t layout = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    if (layout >= 0 && type >= 0)
        wrong = check_storage(file, dataset, layout, H5Tget_size(type), text);
    if (type >= 0)
        H5Tclose(type);
    if (layout >= 0)
        H5Pclose(layout);
    return wrong == NULL ? LS_OK : ls_fail(LS_ERR_DATA, "%s: '/%s' %s", path, name, wrong);
}
