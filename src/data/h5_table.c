/* Tables: datasets that stay open while their rows are read. */
#include "data/h5_file.h"

#include "base/integer.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* Cache limit of a table: bytes of unpacked chunks, unless a single chunk is larger. */
#define CACHE_MOST (INT64_C(64) << 20)

struct ls_h5_table {
    const ls_h5 *file; /* borrowed */
    char *name;
    hid_t id;
    bool column_major; /* shape and unit are in the reverse of the file's order */
    ls_h5_shape shape;
    int64_t unit[LS_H5_MAX_RANK];
};

/* The chunks side by side that contain the same rows. */
typedef struct band {
    int64_t chunk; /* bytes of one chunk, unpacked */
    int64_t bytes; /* of all chunks; above CACHE_MOST: at least that many */
    size_t slots;  /* entries of HDF5's hash table at which no two chunks collide */
} band;

/* HDF5 hashes a chunk by concatenating the bits of its index in each dimension, of which the lowest
 * are the file's last dimension. */
static band measure_band(const ls_h5_table *t, const int64_t *chunk, size_t element)
{
    enum { SLOTS_MOST = 1 << 20 };
    band b = {.chunk = (int64_t)element, .slots = 1};
    for (int d = 0; d < t->shape.rank; d++)
        b.chunk *= chunk[d];
    b.bytes = b.chunk;
    for (int d = 0; d < t->shape.rank && b.bytes <= CACHE_MOST; d++) {
        const int64_t chunks = t->shape.dims[d] / chunk[d] + (t->shape.dims[d] % chunk[d] > 0);
        if (d > 0)
            b.bytes = chunks > CACHE_MOST / b.bytes ? CACHE_MOST + 1 : b.bytes * chunks;
        for (int64_t places = 1;
             (d > 0 || t->column_major) && places < chunks && b.slots < SLOTS_MOST; places *= 2)
            b.slots *= 2;
    }
    return b;
}

/* Sets the unit of a column-major dataset without chunks: a piece of some columns, whose rows are
 * side by side in the file. */
static void set_column_unit(ls_h5_table *t)
{
    enum { ROWS = 1 << 14, COLUMNS = 16 };
    int64_t columns = COLUMNS;
    t->unit[0] = ROWS;
    for (int d = t->shape.rank - 1; d > 0; d--) {
        t->unit[d] = ls_min(t->shape.dims[d], columns);
        columns = ls_max(columns / ls_max(t->unit[d], 1), 1);
    }
}

/* Reads the extents of a chunk, in the table's order; returns false if there are no chunks. */
static bool get_chunk(const ls_h5_table *t, hid_t layout, int64_t *chunk)
{
    hsize_t of_file[H5S_MAX_RANK];
    const int rank = t->shape.rank;
    if (H5Pget_layout(layout) != H5D_CHUNKED || H5Pget_chunk(layout, H5S_MAX_RANK, of_file) < 1)
        return false;
    for (int d = 0; d < rank; d++)
        chunk[d] = (int64_t)of_file[t->column_major ? rank - 1 - d : d];
    return true;
}

/* Sets the cache size and the unit of reads. Rows are read in file order, and each chunk is to be
 * unpacked once. If the cache holds a band, whole rows are read, a few at a time; else one chunk's
 * part of the rows at a time. */
static void plan_cache(ls_h5_table *t, hid_t layout, size_t element, hid_t access_list)
{
    enum { SLOTS_LEAST = 521, BYTES_LEAST = 1 << 20 }; /* HDF5's defaults */
    int64_t chunk[LS_H5_MAX_RANK];
    t->unit[0] = 1;
    for (int d = 1; d < t->shape.rank; d++)
        t->unit[d] = t->shape.dims[d];
    if (t->column_major)
        set_column_unit(t);
    if (!get_chunk(t, layout, chunk))
        return;
    const band b = measure_band(t, chunk, element);
    const bool whole = b.bytes <= CACHE_MOST;
    const int64_t bytes = whole ? b.bytes : b.chunk;
    t->unit[0] = chunk[0];
    for (int d = 1; d < t->shape.rank; d++)
        t->unit[d] = whole ? t->shape.dims[d] : ls_min(chunk[d], t->shape.dims[d]);
    H5Pset_chunk_cache(access_list, whole && b.slots > SLOTS_LEAST ? b.slots : SLOTS_LEAST,
                       bytes > BYTES_LEAST ? (size_t)bytes : BYTES_LEAST,
                       H5D_CHUNK_CACHE_W0_DEFAULT);
}

/* Reopens the dataset with the cache that its chunks need: HDF5 sets the cache only on opening. */
static ls_status open_with_cache(ls_h5_table *t)
{
    const hid_t access_list = H5Pcreate(H5P_DATASET_ACCESS), layout = H5Dget_create_plist(t->id),
                type = H5Dget_type(t->id);
    plan_cache(t, layout, H5Tget_size(type), access_list);
    H5Tclose(type);
    H5Pclose(layout);
    H5Dclose(t->id);
    t->id = H5Dopen2(t->file->id, t->name, access_list);
    H5Pclose(access_list);
    return t->id < 0 ? ls_h5_fail(t->file, t->name, "can't read") : LS_OK;
}

static void reverse_dimensions(ls_h5_shape *shape)
{
    const ls_h5_shape from = *shape;
    for (int d = 0; d < from.rank; d++)
        shape->dims[d] = from.dims[from.rank - 1 - d];
}

/* Refuses rows without numbers. */
static ls_status check_extents(const ls_h5_table *t)
{
    for (int d = 1; d < t->shape.rank; d++)
        if (t->shape.dims[d] == 0)
            return ls_fail(
                LS_ERR_DATA,
                "%s: '/%s' has an extent of 0: its rows hold no numbers; only the number "
                "of rows may be 0",
                ls_h5_path(t->file), t->name);
    return LS_OK;
}

ls_status ls_h5_table_open(ls_h5_table **out, const ls_h5 *file, const char *name,
                           bool column_major)
{
    ls_h5_table *t = ls_alloc(1, sizeof *t);
    if (t == NULL)
        return LS_ERR_FAILURE;
    t->id = H5I_INVALID_HID;
    t->file = file;
    t->name = ls_strdup(name);
    ls_status status = t->name == NULL ? LS_ERR_FAILURE : ls_h5_open_dataset(file, name, &t->id);
    if (status == LS_OK)
        status = ls_h5_shape_of(file, name, t->id, &t->shape);
    if (status == LS_OK && t->shape.rank >= 1 && t->shape.rank <= LS_H5_MAX_RANK) {
        t->column_major = column_major;
        if (column_major)
            reverse_dimensions(&t->shape);
        status = check_extents(t);
        if (status == LS_OK)
            status = open_with_cache(t);
    }
    if (status != LS_OK) {
        ls_h5_table_close(&t);
        return status;
    }
    *out = t;
    return LS_OK;
}

const ls_h5_shape *ls_h5_table_shape(const ls_h5_table *table)
{
    return &table->shape;
}

const int64_t *ls_h5_table_unit(const ls_h5_table *table)
{
    return table->unit;
}

/* Reads a box of elements of the file.
 * first, some  [rank] in the file's order, also of the elements */
static ls_status read_box(const ls_h5_table *t, ls_h5_type type, const hsize_t *first,
                          const hsize_t *some, void *out)
{
    const hid_t space = H5Dget_space(t->id), memory = H5Screate_simple(t->shape.rank, some, NULL);
    herr_t done = H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, some, NULL);
    if (done >= 0)
        done = H5Dread(t->id, ls_h5_memory_type(type), memory, space, H5P_DEFAULT, out);
    const ls_status status = done < 0 ? ls_h5_fail(t->file, t->name, "can't read") : LS_OK;
    H5Sclose(memory);
    H5Sclose(space);
    return status;
}

/* Copies numbers that are `stride` numbers apart to places side by side. */
static void gather(uint8_t *to, const uint8_t *from, int64_t count, int64_t stride, size_t bytes)
{
    switch (bytes) { /* a known size is copied by one instruction */
    case 1:
        for (int64_t k = 0; k < count; k++)
            to[k] = from[k * stride];
        return;
    case 4:
        for (int64_t k = 0; k < count; k++)
            memcpy(to + 4 * k, from + 4 * k * stride, 4);
        return;
    default:
        for (int64_t k = 0; k < count; k++)
            memcpy(to + (size_t)k * bytes, from + (size_t)(k * stride) * bytes, bytes);
    }
}

/* Reverses the order of the dimensions of a box.
 * some  [rank] extents of `from`; those of `to` are the same in reverse order */
static void transpose(uint8_t *to, const uint8_t *from, int rank, const hsize_t *some, size_t bytes)
{
    int64_t extent[LS_H5_MAX_RANK] = {1, 1, 1, 1}, stride[LS_H5_MAX_RANK] = {0}, product = 1;
    for (int d = rank - 1; d >= 0; d--) { /* of the file, whose last is the first of `to` */
        const int at = LS_H5_MAX_RANK - 1 - d;
        extent[at] = (int64_t)some[d];
        stride[at] = product;
        product *= extent[at];
    }
    for (int64_t i = 0; i < extent[0]; i++)
        for (int64_t j = 0; j < extent[1]; j++)
            for (int64_t k = 0; k < extent[2]; k++) {
                const int64_t begin = i * stride[0] + j * stride[1] + k * stride[2];
                gather(to, from + (size_t)begin * bytes, extent[3], stride[3], bytes);
                to += (size_t)extent[3] * bytes;
            }
}

/* Reads a box of a column-major dataset. */
static ls_status read_columns(const ls_h5_table *t, ls_h5_type type, const hsize_t *first,
                              const hsize_t *some, void *out)
{
    const size_t bytes = (size_t)ls_h5_type_bytes(type);
    int64_t elements = 1;
    for (int d = 0; d < t->shape.rank; d++)
        elements *= (int64_t)some[d];
    uint8_t *of_file = ls_alloc(elements, bytes);
    if (of_file == NULL)
        return LS_ERR_FAILURE;
    const ls_status status = read_box(t, type, first, some, of_file);
    if (status == LS_OK)
        transpose(out, of_file, t->shape.rank, some, bytes);
    ls_free(of_file);
    return status;
}

ls_status ls_h5_table_read(const ls_h5_table *t, ls_h5_type type, const int64_t *start,
                           const int64_t *count, void *out)
{
    hsize_t first[LS_H5_MAX_RANK], some[LS_H5_MAX_RANK];
    const int rank = t->shape.rank;
    assert(rank >= 1 && rank <= LS_H5_MAX_RANK);
    for (int d = 0; d < rank; d++) {
        assert(start[d] >= 0 && count[d] >= 1 && count[d] <= t->shape.dims[d] - start[d]);
        const int at = t->column_major ? rank - 1 - d : d;
        first[at] = (hsize_t)start[d];
        some[at] = (hsize_t)count[d];
    }
    return t->column_major && rank > 1 ? read_columns(t, type, first, some, out)
                                       : read_box(t, type, first, some, out);
}

void ls_h5_table_close(ls_h5_table **table)
{
    if (table == NULL || *table == NULL)
        return;
    if ((*table)->id >= 0)
        H5Dclose((*table)->id);
    ls_free((*table)->name);
    ls_free(*table);
    *table = NULL;
}
