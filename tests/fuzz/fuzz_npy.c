/* Any bytes as a NumPy array, or as a ZIP archive of them. */
#include "sources/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(ls_status status)
{
    if (status != LS_OK && status != LS_ERR_DATA)
        abort();
}

/* Reads an array row by row. */
static void read_array(ls_member *member)
{
    ls_npy npy = {.member = NULL};
    ls_status status = ls_npy_open(&npy, member);
    unsigned char *row = NULL;
    if (status == LS_OK)
        row = malloc((size_t)(npy.row * npy.bytes));
    for (int64_t i = 0; row != NULL && status == LS_OK && i < npy.dims[0]; i++) {
        status = ls_npy_read(&npy, 1, row);
        if (status == LS_OK)
            (void)ls_npy_number(&npy, row);
    }
    free(row);
    ls_npy_close(&npy);
    check(status);
}

static void read_archive(const char *path)
{
    ls_zip *zip = NULL;
    ls_status status = ls_zip_open(&zip, path);
    for (int64_t i = 0; status == LS_OK && i < ls_zip_count(zip) && i < 4; i++) {
        ls_member *member = NULL;
        const ls_status opened = ls_member_open(&member, zip, i);
        check(opened);
        if (opened == LS_OK)
            read_array(member);
    }
    ls_zip_close(&zip);
    check(status);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char path[64];
    ls_member *member = NULL;
    const int file = memfd_create("npy", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (write(file, data, size) == (ssize_t)size) {
        read_archive(path);
        if (ls_member_open_file(&member, path) == LS_OK)
            read_array(member);
    }
    close(file);
    return 0;
}
