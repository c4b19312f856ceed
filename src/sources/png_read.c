/* PNG files, read with libpng. */
#include <lockstep/picture.h>

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SIGNATURE = 8,
    MAX_SIDE = 1 << 20,
    MAX_CHUNK = 8 << 20, /* bytes of memory for a chunk that is no image data */
    DEFLATE_BOUND = 1032 /* bytes that one byte of deflate can become */
};

/* A file being read. libpng jumps back to the latest setjmp() on errors: what is allocated until
 * then is kept here. */
typedef struct reader {
    const char *path;
    FILE *file;
    png_structp png;
    png_infop info;
    char message[128]; /* of libpng */
    ls_picture size;
    int raw_channels; /* as libpng gives them: 1 to 4; 2 and 4 with alpha */
    uint8_t *raw;     /* [height][width][raw_channels] */
    png_bytep *rows;  /* [height] */
} reader;

static void png_read_error(png_structp png, png_const_charp message)
{
    reader *r = png_get_error_ptr(png);
    snprintf(r->message, sizeof r->message, "%s", message);
    png_longjmp(png, 1);
}

static void png_read_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void reader_close(reader *r)
{
    if (r->png != NULL)
        png_destroy_read_struct(&r->png, &r->info, NULL);
    if (r->file != NULL)
        fclose(r->file);
    ls_free(r->raw);
    ls_free(r->rows);
}

static ls_status fail_damaged(const reader *r)
{
    return ls_fail(LS_ERR_DATA, "%s: damaged PNG: %s", r->path, r->message);
}

/* Opens the file and checks its signature. */
static ls_status reader_open(reader *r, const char *path)
{
    unsigned char begin[SIGNATURE];
    *r = (reader){.path = path, .file = fopen(path, "rbe")};
    if (r->file == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    errno = 0;
    if (fread(begin, 1, sizeof begin, r->file) != sizeof begin && errno != 0)
        return ls_fail(LS_ERR_DATA, "%s: can't read: %s", path, strerror(errno));
    if (feof(r->file) || png_sig_cmp(begin, 0, sizeof begin) != 0)
        return ls_fail(LS_ERR_DATA, "%s: not a PNG file", path);
    r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, png_read_error, png_read_warning);
    r->info = r->png == NULL ? NULL : png_create_info_struct(r->png);
    return r->info != NULL ? LS_OK : ls_fail(LS_ERR_FAILURE, "%s: libpng: no memory", path);
}

/* Returns true if the colours of the file are greys only. */
static bool is_grey(const reader *r)
{
    png_colorp palette;
    int count = 0;
    const int type = png_get_color_type(r->png, r->info);
    if (type != PNG_COLOR_TYPE_PALETTE)
        return (type & PNG_COLOR_MASK_COLOR) == 0;
    bool grey = png_get_PLTE(r->png, r->info, &palette, &count) != 0;
    for (int i = 0; i < count; i++)
        grey = grey && palette[i].red == palette[i].green && palette[i].red == palette[i].blue;
    return grey;
}

/* Checks size against the limit and, of a file, against what its bytes can hold. */
static ls_status check_size(const reader *r)
{
    struct stat about;
    if (r->size.height > LS_PICTURE_MAX_PIXELS / r->size.width)
        return ls_fail(LS_ERR_DATA, "%s: %lld x %lld pixels are too many: the maximum is %d",
                       r->path, (long long)r->size.height, (long long)r->size.width,
                       LS_PICTURE_MAX_PIXELS);
    const int64_t bytes = r->size.height * (int64_t)(png_get_rowbytes(r->png, r->info) +
                                                     1); /* a filter in each row */
    if (fstat(fileno(r->file), &about) == 0 && S_ISREG(about.st_mode) &&
        bytes / DEFLATE_BOUND > about.st_size)
        return ls_fail(LS_ERR_DATA, "%s: damaged PNG: %lld x %lld pixels are more than it can hold",
                       r->path, (long long)r->size.height, (long long)r->size.width);
    return LS_OK;
}

/* Reads all up to the image data. */
static ls_status read_header(reader *r)
{
    if (setjmp(png_jmpbuf(r->png))) /* NOLINT(cert-err52-cpp): how libpng reports errors */
        return fail_damaged(r);
    png_init_io(r->png, r->file);
    png_set_sig_bytes(r->png, SIGNATURE);
    png_set_user_limits(r->png, MAX_SIDE, MAX_SIDE);
    png_set_chunk_malloc_max(r->png, MAX_CHUNK);
    png_read_info(r->png, r->info);
    r->size.height = png_get_image_height(r->png, r->info);
    r->size.width = png_get_image_width(r->png, r->info);
    r->size.channels = is_grey(r) ? 1 : 3;
    return check_size(r);
}

/* Asks libpng for 8 bits per channel, without a palette; transparency becomes alpha. */
static ls_status choose_format(reader *r)
{
    if (setjmp(png_jmpbuf(r->png))) /* NOLINT(cert-err52-cpp) */
        return fail_damaged(r);
    png_set_expand(r->png);
    png_set_scale_16(r->png);
    (void)png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    r->raw_channels = png_get_channels(r->png, r->info);
    return LS_OK;
}

static ls_status allocate_rows(reader *r)
{
    const int64_t bytes = r->size.width * r->raw_channels;
    assert(bytes == (int64_t)png_get_rowbytes(r->png, r->info));
    r->raw = ls_alloc(r->size.height * bytes, 1);
    r->rows = r->raw == NULL ? NULL : ls_alloc(r->size.height, sizeof *r->rows);
    for (int64_t y = 0; r->rows != NULL && y < r->size.height; y++)
        r->rows[y] = r->raw + y * bytes;
    return r->rows != NULL ? LS_OK : LS_ERR_FAILURE;
}

static ls_status read_rows(reader *r)
{
    if (setjmp(png_jmpbuf(r->png))) /* NOLINT(cert-err52-cpp) */
        return fail_damaged(r);
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
    return LS_OK;
}

/* Returns a value over white: alpha 0 is white, 255 the value. */
static uint8_t over_white(unsigned value, unsigned alpha)
{
    return (uint8_t)((value * alpha + UINT8_MAX * (UINT8_MAX - alpha) + UINT8_MAX / 2) / UINT8_MAX);
}

/* Luma of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B in units of 2^-16, rounded. */
static uint8_t luma(const uint8_t rgb[3])
{
    return (uint8_t)((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16);
}

/* Converts all pixels from the reader's channels to those of the picture. */
static void convert(const reader *r, ls_picture *out)
{
    const int from = r->raw_channels, colours = from < 3 ? 1 : 3;
    const uint8_t *raw = r->raw;
    uint8_t *to = out->pixels;
    for (int64_t i = 0; i < out->height * out->width; i++, raw += from, to += out->channels) {
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++) {
            const uint8_t value = raw[c < colours ? c : 0];
            rgb[c] = from == colours ? value : over_white(value, raw[from - 1]);
        }
        if (out->channels == 3)
            memcpy(to, rgb, sizeof rgb);
        else
            *to = colours == 1 ? rgb[0] : luma(rgb);
    }
}

static ls_status read_pixels(reader *r, int channels, ls_picture *out)
{
    ls_status status = choose_format(r);
    if (status == LS_OK)
        status = allocate_rows(r);
    if (status == LS_OK)
        status = read_rows(r);
    if (status != LS_OK)
        return status;
    ls_picture picture = r->size;
    picture.file_channels = r->size.channels;
    picture.channels = channels != 0 ? channels : r->size.channels;
    picture.pixels = ls_alloc(picture.height * picture.width * picture.channels, 1);
    if (picture.pixels == NULL)
        return LS_ERR_FAILURE;
    convert(r, &picture);
    *out = picture;
    return LS_OK;
}

ls_status ls_picture_describe(const char *path, ls_picture *out)
{
    reader r;
    ls_status status = reader_open(&r, path);
    if (status == LS_OK)
        status = read_header(&r);
    if (status == LS_OK)
        *out = r.size;
    reader_close(&r);
    return status;
}

ls_status ls_picture_read(const char *path, int channels, ls_picture *out)
{
    assert(channels == 0 || channels == 1 || channels == 3);
    reader r;
    ls_status status = reader_open(&r, path);
    if (status == LS_OK)
        status = read_header(&r);
    if (status == LS_OK)
        status = read_pixels(&r, channels, out);
    reader_close(&r);
    return status;
}
