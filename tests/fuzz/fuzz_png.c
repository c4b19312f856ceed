/* Any bytes as a PNG file. */
#include <lockstep/picture.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void read_picture(const char *path)
{
    enum { MOST_PIXELS = 1 << 22 }; /* for the limit of memory: a few bytes may hold many pixels */
    ls_picture described, picture = {0}, small = {0};
    ls_status status = ls_picture_describe(path, &described);
    if (status == LS_OK && described.height * described.width > MOST_PIXELS)
        return;
    for (int channels = 0; status == LS_OK && channels <= 3; channels += channels == 0 ? 1 : 2) {
        status = ls_picture_read(path, channels, &picture);
        if (status == LS_OK && ls_picture_resize(&picture, 3, 5, &small) != LS_OK)
            abort();
        ls_picture_free(&picture);
        ls_picture_free(&small);
    }
    if (status != LS_OK && status != LS_ERR_DATA)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char path[64];
    const int file = memfd_create("png", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (write(file, data, size) == (ssize_t)size)
        read_picture(path);
    close(file);
    return 0;
}
