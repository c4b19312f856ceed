#include "cli/png.h"

#include "base/file.h"
#include "base/memory.h"

#include <assert.h>
#include <png.h>
#include <string.h>

/* The mark: a chunk tEXt directly behind signature and header, at BEFORE_MARK: length, type,
 * content, CRC-32. */
enum { BEFORE_MARK = 33 };
static const char mark[] = "\0\0\0\x11tEXtSoftware\0Lockstep\x29\x0b\x2d\x71";
enum { MARK = sizeof mark - 1 };

static bool is_ours(const unsigned char *begin, size_t length)
{
    return length >= BEFORE_MARK + MARK && memcmp(begin, "\x89PNG\r\n\x1a\n", 8) == 0 &&
           memcmp(begin + BEFORE_MARK, mark, MARK) == 0;
}

ls_status ls_png_check(const char *path)
{
    const ls_status status = ls_check_folder_of(path);
    return status == LS_OK ? ls_refuse_other_kind(path, is_ours, "PNG by Lockstep") : status;
}

/* Writes the mark into a PNG in memory, which has room for it. Returns the new size. */
static size_t insert_mark(char *bytes, size_t size)
{
    char *at = bytes + BEFORE_MARK;
    memmove(at + MARK, at, size - BEFORE_MARK);
    memcpy(at, mark, MARK);
    return size + MARK;
}

ls_status ls_png_write(const char *path, int64_t width, int64_t height, int channels,
                       const uint8_t *pixels)
{
    assert(channels == 1 || channels == 3);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    ls_status status = ls_png_check(path);
    if (status != LS_OK)
        return status;
    char *bytes = ls_alloc((int64_t)size + MARK, 1);
    if (bytes == NULL)
        return LS_ERR_FAILURE;
    if (!png_image_write_to_memory(&image, bytes, &size, 0, pixels, 0, NULL))
        status = ls_fail(LS_ERR_FAILURE, "%s: can't write a PNG: %s", path, image.message);
    png_image_free(&image);
    if (status == LS_OK)
        status = ls_write_file(path, bytes, insert_mark(bytes, size));
    ls_free(bytes);
    return status;
}
