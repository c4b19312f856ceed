/* Datasets of texts. */
#include "data/h5_file.h"

#include "base/memory.h"

#include <string.h>

ls_status ls_h5_write_texts(ls_h5 *file, const char *name, const char *const *texts, int count)
{
    const hsize_t rows = (hsize_t)count;
    size_t size = 1;
    for (int i = 0; i < count; i++)
        size = strlen(texts[i]) > size ? strlen(texts[i]) : size;
    char *table = ls_alloc(count, size);
    if (table == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < count; i++)
        memcpy(table + (size_t)i * size, texts[i], strlen(texts[i]));
    const hid_t type = H5Tcopy(H5T_C_S1), layout = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Pset_obj_track_times(layout, 0); /* no time stamps: equal content gives equal bytes */
    const hid_t dataset = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, layout, H5P_DEFAULT);
    ls_status status = LS_OK;
    if (dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table) < 0)
        status = ls_h5_fail(file, name, "can't write");
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(layout);
    H5Tclose(type);
    ls_free(table);
    return status;
}
