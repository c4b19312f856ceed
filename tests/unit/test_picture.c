/* PNG files of every kind, whole and damaged, and resizing. */
#include "test.h"

#include <lockstep/picture.h>

#include <math.h>
#include <png.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

enum { H = 5, W = 7 };

/* Writes raw rows as a PNG: an independent use of libpng.
 * transparent  a grey that is transparent; -1: none */
static void write_png(const char *path, int type, int depth, bool interlaced, int transparent,
                      const uint8_t *raw, int row_bytes)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    FILE *file = fopen(path, "wb");
    png_color palette[4] = {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {10, 20, 30}};
    png_color_16 key = {.gray = (png_uint_16)transparent};
    assert_non_null(file);
    png_init_io(png, file);
    png_set_IHDR(png, info, W, H, depth, type, interlaced ? PNG_INTERLACE_ADAM7 : 0, 0, 0);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 4);
    if (transparent >= 0)
        png_set_tRNS(png, info, NULL, 0, &key);
    png_write_info(png, info);
    png_bytep rows[H];
    for (int y = 0; y < H; y++)
        rows[y] = (png_bytep)(uintptr_t)(raw + y * row_bytes);
    png_write_image(png, rows);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

/* Fills raw rows with a pattern. */
static void fill(uint8_t *raw, int bytes)
{
    for (int i = 0; i < bytes; i++)
        raw[i] = (uint8_t)(i * 37 + 11);
}

static void assert_picture(const char *path, int wanted, int channels, const uint8_t *pixels)
{
    ls_picture p = {0}, described = {0};
    assert_ok(ls_picture_read(path, wanted, &p));
    assert_ok(ls_picture_describe(path, &described));
    assert_int_equal(p.height, H);
    assert_int_equal(p.width, W);
    assert_int_equal(p.channels, channels);
    if (wanted == 0)
        assert_int_equal(described.channels, channels);
    assert_memory_equal(p.pixels, pixels, (size_t)(H * W * channels));
    ls_picture_free(&p);
    assert_null(p.pixels);
}

static void greys_of_8_bits_are_read_as_they_are(void **state)
{
    uint8_t raw[H * W], colours[H * W * 3];
    (void)state;
    fill(raw, sizeof raw);
    for (int i = 0; i < H * W * 3; i++)
        colours[i] = raw[i / 3];
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        write_png("grey.png", PNG_COLOR_TYPE_GRAY, 8, interlaced, -1, raw, W);
        assert_picture("grey.png", 0, 1, raw);
        assert_picture("grey.png", 3, 3, colours);
    }
}

static void other_depths_become_8_bits(void **state)
{
    uint8_t raw[H * W * 2], grey[H * W];
    (void)state;
    fill(raw, sizeof raw);
    write_png("16.png", PNG_COLOR_TYPE_GRAY, 16, false, -1, raw, W * 2);
    for (int i = 0; i < H * W; i++)
        grey[i] = (uint8_t)lround((raw[2 * i] * 256 + raw[2 * i + 1]) * 255.0 / 65535);
    assert_picture("16.png", 0, 1, grey);
    for (int depth = 1; depth <= 4; depth *= 2) {
        const int row_bytes = (W * depth + 7) / 8, largest = (1 << depth) - 1;
        write_png("few.png", PNG_COLOR_TYPE_GRAY, depth, true, -1, raw, row_bytes);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int byte = raw[y * row_bytes + x * depth / 8];
                const int shift = 8 - depth - x * depth % 8;
                grey[y * W + x] = (uint8_t)((byte >> shift & largest) * 255 / largest);
            }
        assert_picture("few.png", 0, 1, grey);
    }
}

static void colours_become_grey_by_their_luma(void **state)
{
    uint8_t raw[H * W * 3], grey[H * W];
    (void)state;
    fill(raw, sizeof raw);
    write_png("rgb.png", PNG_COLOR_TYPE_RGB, 8, true, -1, raw, W * 3);
    assert_picture("rgb.png", 0, 3, raw);
    ls_picture p = {0};
    assert_ok(ls_picture_read("rgb.png", 1, &p));
    for (int i = 0; i < H * W; i++) {
        const double luma = 0.299 * raw[3 * i] + 0.587 * raw[3 * i + 1] + 0.114 * raw[3 * i + 2];
        assert_true(fabs(p.pixels[i] - luma) < 0.51);
        grey[i] = p.pixels[i];
    }
    assert_picture("rgb.png", 1, 1, grey);
    ls_picture_free(&p);
}

static void a_palette_is_replaced_by_its_colours(void **state)
{
    static const uint8_t palette[4][3] = {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {10, 20, 30}};
    uint8_t raw[H * W], colours[H * W * 3];
    (void)state;
    for (int i = 0; i < H * W; i++) {
        raw[i] = (uint8_t)(i % 4);
        memcpy(colours + 3 * i, palette[i % 4], 3);
    }
    write_png("palette.png", PNG_COLOR_TYPE_PALETTE, 8, false, -1, raw, W);
    assert_picture("palette.png", 0, 3, colours);
}

static void transparent_pixels_show_white(void **state)
{
    uint8_t raw[H * W * 4], colours[H * W * 3], grey[H * W];
    (void)state;
    fill(raw, sizeof raw);
    for (int i = 0; i < H * W * 3; i++) {
        const uint8_t *pixel = raw + i / 3 * 4;
        const double alpha = pixel[3] / 255.0;
        colours[i] = (uint8_t)lround(pixel[i % 3] * alpha + 255 * (1 - alpha));
    }
    write_png("rgba.png", PNG_COLOR_TYPE_RGB_ALPHA, 8, false, -1, raw, W * 4);
    assert_picture("rgba.png", 0, 3, colours);
    for (int i = 0; i < H * W; i++)
        grey[i] = (uint8_t)lround(raw[2 * i] * (raw[2 * i + 1] / 255.0) + 255 - raw[2 * i + 1]);
    write_png("alpha.png", PNG_COLOR_TYPE_GRAY_ALPHA, 8, true, -1, raw, W * 2);
    assert_picture("alpha.png", 0, 1, grey);
    for (int i = 0; i < H * W; i++)
        grey[i] = raw[i] == raw[3] ? UINT8_MAX : raw[i];
    write_png("key.png", PNG_COLOR_TYPE_GRAY, 8, false, raw[3], raw, W);
    assert_picture("key.png", 0, 1, grey);
}

static char *read_bytes(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 16);
    *length = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void write_bytes(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void assert_refused(const char *path)
{
    ls_picture p = {0};
    assert_int_equal(ls_picture_read(path, 0, &p), LS_ERR_DATA);
    assert_non_null(strstr(ls_error_text(), path));
    assert_null(p.pixels);
}

static void damaged_files_are_refused(void **state)
{
    uint8_t raw[H * W * 3];
    size_t length;
    (void)state;
    fill(raw, sizeof raw);
    write_png("whole.png", PNG_COLOR_TYPE_RGB, 8, true, -1, raw, W * 3);
    char *bytes = read_bytes("whole.png", &length);
    for (size_t cut = 0; cut < length; cut++) {
        write_bytes("cut.png", bytes, cut);
        assert_refused("cut.png");
    }
    for (size_t at = 0; at < length; at++) { /* each chunk has a checksum */
        bytes[at] ^= 0x10;
        write_bytes("flipped.png", bytes, length);
        assert_refused("flipped.png");
        bytes[at] ^= 0x10;
    }
    free(bytes);
}

static void absurd_sizes_are_refused_before_memory_is_taken(void **state)
{
    static const struct {
        unsigned width, height;
        const char *part;
    } cases[] = {{1 << 21, 1, "damaged PNG"},
                 {1 << 16, 1 << 16, "are too many: the maximum is 67108864"},
                 {8000, 8000, "8000 x 8000 pixels are more than it can hold"}};
    uint8_t raw[H * W];
    size_t length;
    (void)state;
    fill(raw, sizeof raw);
    write_png("small.png", PNG_COLOR_TYPE_GRAY, 8, false, -1, raw, W);
    char *bytes = read_bytes("small.png", &length);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_picture p;
        png_save_uint_32((png_bytep)bytes + 16, cases[i].width);
        png_save_uint_32((png_bytep)bytes + 20, cases[i].height);
        png_save_uint_32((png_bytep)bytes + 29, /* the chunk's checksum */
                         (png_uint_32)crc32(0, (const Bytef *)bytes + 12, 17));
        write_bytes("absurd.png", bytes, length);
        assert_fails(ls_picture_describe("absurd.png", &p), LS_ERR_DATA, cases[i].part);
    }
    free(bytes);
}

static void other_files_are_no_pictures(void **state)
{
    ls_picture p;
    (void)state;
    write_bytes("note.png", "only a text, no picture", 23);
    assert_fails(ls_picture_read("note.png", 0, &p), LS_ERR_DATA, "note.png: not a PNG file");
    assert_fails(ls_picture_read("none.png", 0, &p), LS_ERR_DATA, "none.png: can't open");
    assert_fails(ls_picture_read(".", 0, &p), LS_ERR_DATA, "can't read: Is a directory");
}

/* The mean of the area of a pixel, by sums over a grid on which both sizes are whole. */
static double area_mean(const ls_picture *p, int64_t y, int64_t x, int64_t height, int64_t width)
{
    double sum = 0;
    for (int64_t i = y * p->height; i < (y + 1) * p->height; i++)
        for (int64_t j = x * p->width; j < (x + 1) * p->width; j++) {
            const int64_t at = i / height * p->width + j / width;
            sum += p->pixels[at];
        }
    return sum / (double)(p->height * p->width);
}

static void smaller_pictures_are_means_of_areas(void **state)
{
    uint8_t pixels[H * W];
    const ls_picture p = {.height = H, .width = W, .channels = 1, .pixels = pixels};
    (void)state;
    fill(pixels, sizeof pixels);
    for (int64_t height = 1; height <= H; height++)
        for (int64_t width = 1; width <= W; width++) {
            ls_picture out;
            assert_ok(ls_picture_resize(&p, height, width, &out));
            for (int64_t y = 0; y < height; y++)
                for (int64_t x = 0; x < width; x++)
                    assert_near(out.pixels[y * width + x], area_mean(&p, y, x, height, width), 0,
                                0.5 + 1e-9);
            ls_picture_free(&out);
        }
}

static void larger_pictures_are_interpolated(void **state)
{
    uint8_t pixels[2 * 2 * 3] = {0, 100, 40, 80, 100, 40, 0, 100, 40, 80, 100, 40};
    static const uint8_t row[4] = {0, 20, 60, 80}; /* centres at -0.25, 0.25, 0.75, 1.25 */
    const ls_picture p = {.height = 2, .width = 2, .channels = 3, .pixels = pixels};
    ls_picture out;
    (void)state;
    assert_ok(ls_picture_resize(&p, 3, 4, &out));
    for (int i = 0; i < 3 * 4; i++) {
        assert_int_equal(out.pixels[3 * i], row[i % 4]);
        assert_int_equal(out.pixels[3 * i + 1], 100);
        assert_int_equal(out.pixels[3 * i + 2], 40);
    }
    ls_picture_free(&out);
    assert_fails(ls_picture_resize(&p, 0, 4, &out), LS_ERR_USAGE, "0 x 4 pixels");
    assert_fails(ls_picture_resize(&p, 1 << 20, 1 << 20, &out), LS_ERR_USAGE, "not possible");
}

static void the_border_of_a_picture_is_summed(void **state)
{
    (void)state;
    const uint8_t pixels[24] = {1, 2, 3, 4, 5, 100, 101, 8, 9, 10, 11, 12,
                                0, 0, 0, 0, 7, 100, 101, 0, 0, 0,  0,  0};
    assert_int_equal(ls_picture_border_count(2, 3, 4), 20);
    assert_int_equal(ls_picture_border_sum(pixels, 2, 3, 4), 65 + 7);
    assert_int_equal(ls_picture_border_count(1, 1, 12), 12);
    assert_int_equal(ls_picture_border_sum(pixels, 1, 1, 12), 65 + 201);
    assert_int_equal(ls_picture_border_count(1, 12, 1), 12);
    assert_int_equal(ls_picture_border_sum(pixels, 1, 12, 1), 65 + 201);
    assert_int_equal(ls_picture_border_count(3, 2, 2), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greys_of_8_bits_are_read_as_they_are),
        cmocka_unit_test(other_depths_become_8_bits),
        cmocka_unit_test(colours_become_grey_by_their_luma),
        cmocka_unit_test(a_palette_is_replaced_by_its_colours),
        cmocka_unit_test(transparent_pixels_show_white),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(absurd_sizes_are_refused_before_memory_is_taken),
        cmocka_unit_test(other_files_are_no_pictures),
        cmocka_unit_test(smaller_pictures_are_means_of_areas),
        cmocka_unit_test(larger_pictures_are_interpolated),
        cmocka_unit_test(the_border_of_a_picture_is_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
