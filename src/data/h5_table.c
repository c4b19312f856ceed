/* Tables: datasets that stay open while their rows are read. */
#include "data/h5_file.h"

#include "base/memory.h"

#include <assert.h>

/* Cache limit of a table: bytes of unpacked chunks, unless a single chunk is larger. */
#define CACHE_MOST (INT64_C(64) << 20)

struct ls_h5_table {
    const ls_h5 *file; /* borrowed */
    char *name;
    hid_t id;
    ls_h5_shape shape;
    int64_t unit[LS_H5_MAX_RANK];
};

/* The chunks side by side that contain the same rows. */
typedef struct band {
    int64_t chunk; /* bytes of one chunk, unpacked */
    int64_t bytes; /* of all chunks; above CACHE_MOST: at least that many */
    size_t slots;  /* entries of HDF5's hash table at which no two chunks collide */
} band;

/* HDF5 hashes a chunk by concatenating the bits of its index in each dimension. */
static band measure_band(const ls_h5_shape *shape, const hsize_t *chunk, size_t element)
{
    enum { SLOTS_MOST = 1 << 20 };
    band b = {.chunk = (int64_t)element, .slots = 1};
    for (int d = 0; d < shape->rank; d++)
        b.chunk *= (int64_t)chunk[d];
    b.bytes = b.chunk;
    for (int d = 1; d < shape->rank && b.bytes <= CACHE_MOST; d++) {
        const int64_t wide = (int64_t)chunk[d];
        const int64_t chunks = shape->dims[d] / wide + (shape->dims[d] % wide > 0);
        b.bytes = chunks > CACHE_MOST / b.bytes ? CACHE_MOST + 1 : b.bytes * chunks;
        for (int64_t places = 1; places < chunks && b.slots < SLOTS_MOST; places *= 2)
            b.slots *= 2;
    }
    return b;
}

/* Sets the cache size and the unit of reads. Rows are read in file order, and each chunk is to be
 * unpacked once. If the cache holds a band, whole rows are read, a few at a time; else one chunk's
 * part of the rows at a time. */
static void plan_cache(ls_h5_table *t, hid_t layout, size_t element, hid_t access_list)
{
    enum { SLOTS_LEAST = 521, BYTES_LEAST = 1 << 20 }; /* HDF5's defaults */
    hsize_t chunk[H5S_MAX_RANK];
    t->unit[0] = 1;
    for (int d = 1; d < t->shape.rank; d++)
        t->unit[d] = t->shape.dims[d];
    if (H5Pget_layout(layout) != H5D_CHUNKED || H5Pget_chunk(layout, H5S_MAX_RANK, chunk) < 1)
        return;
    const band b = measure_band(&t->shape, chunk, element);
    const bool whole = b.bytes <= CACHE_MOST;
    const int64_t bytes = whole ? b.bytes : b.chunk;
    t->unit[0] = (int64_t)chunk[0];
    for (int d = 1; d < t->shape.rank && !whole; d++)
        t->unit[d] = (int64_t)chunk[d] < t->unit[d] ? (int64_t)chunk[d] : t->unit[d];
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

ls_status ls_h5_table_open(ls_h5_table **out, const ls_h5 *file, const char *name)
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
    if (status == LS_OK && t->shape.rank >= 1 && t->shape.rank <= LS_H5_MAX_RANK)
        status = open_with_cache(t);
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

ls_status ls_h5_table_read(const ls_h5_table *t, ls_h5_type type, const int64_t *start,
                           const int64_t *count, void *out)
{
    hsize_t first[LS_H5_MAX_RANK], some[LS_H5_MAX_RANK];
    assert(t->shape.rank >= 1 && t->shape.rank <= LS_H5_MAX_RANK);
    for (int d = 0; d < t->shape.rank; d++) {
        assert(start[d] >= 0 && count[d] >= 1 && count[d] <= t->shape.dims[d] - start[d]);
        first[d] = (hsize_t)start[d];
        some[d] = (hsize_t)count[d];
    }
    const hid_t space = H5Dget_space(t->id), memory = H5Screate_simple(t->shape.rank, some, NULL);
    herr_t done = H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, some, NULL);
    if (done >= 0)
        done = H5Dread(t->id, ls_h5_memory_type(type), memory, space, H5P_DEFAULT, out);
    const ls_status status = done < 0 ? ls_h5_fail(t->file, t->name, "can't read") : LS_OK;
    H5Sclose(memory);
    H5Sclose(space);
    return status;
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
