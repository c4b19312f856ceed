/* Any bytes as an IDX file, gzip or plain, of images or labels. */
#include "sources/idx.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void read_all(const char *path)
{
    unsigned char pixels[100];
    int32_t labels[100];
    char digest[LS_SHA256_TEXT];
    ls_idx *idx = NULL;
    if (ls_idx_open(&idx, path) != LS_OK)
        return;
    const ls_idx_header *header = ls_idx_describe(idx);
    const int64_t some = header->elements < 100 ? header->elements : 100;
    ls_status status = header->type == LS_IDX_U8 ? ls_idx_read_u8(idx, some, pixels) : LS_OK;
    if (status == LS_OK && header->type != LS_IDX_U8)
        status = ls_idx_read_i32(idx, some, labels);
    if (status == LS_OK)
        status = ls_idx_finish(idx, digest);
    ls_idx_close(&idx);
    if (status != LS_OK && status != LS_ERR_DATA)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char path[64];
    const int file = memfd_create("idx", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (write(file, data, size) == (ssize_t)size)
        read_all(path);
    close(file);
    return 0;
}
