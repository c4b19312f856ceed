#include "cli/png.h"

#include "base/file.h"
#include "base/memory.h"

#include <assert.h>
#include <png.h>

ls_status ls_png_write(const char *path, int64_t width, int64_t height, int channels,
                       const uint8_t *pixels)
{
    assert(channels == 1 || channels == 3);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    ls_status status = ls_refuse_foreign(path, "\x89PNG\r\n\x1a\n", 8, "PNG");
    if (status != LS_OK)
        return status;
    char *bytes = ls_alloc((int64_t)size, 1);
    if (bytes == NULL)
        return LS_ERR_FAILURE;
    if (!png_image_write_to_memory(&image, bytes, &size, 0, pixels, 0, NULL))
        status = ls_fail(LS_ERR_FAILURE, "%s: can't write a PNG: %s", path, image.message);
    png_image_free(&image);
    if (status == LS_OK)
        status = ls_write_file(path, bytes, size);
    ls_free(bytes);
    return status;
}
