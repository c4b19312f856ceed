/* Contact sheets: the PNG is read back, and every pixel of an image is where it belongs. */
#include "cli/png.h"
#include "cli/sheet.h"
#include "test.h"

#include "base/memory.h"

#include <png.h>
#include <string.h>

/* Reads a file back as [height][width][channels]. */
static uint8_t *read_png(const char *path, int channels, int64_t *width, int64_t *height)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.format & PNG_FORMAT_FLAG_COLOR, channels == 3 ? 2 : 0);
    image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    uint8_t *pixels = ls_alloc((int64_t)PNG_IMAGE_SIZE(image), 1);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    *width = image.width;
    *height = image.height;
    return pixels;
}

static void png_comes_back(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[7 * 5 * 3];
        int64_t width, height;
        for (int i = 0; i < 7 * 5 * channels; i++)
            pixels[i] = (uint8_t)(i * 37);
        assert_ok(ls_png_write("a.png", 7, 5, channels, pixels));
        uint8_t *back = read_png("a.png", channels, &width, &height);
        assert_int_equal(width, 7);
        assert_int_equal(height, 5);
        assert_memory_equal(back, pixels, (size_t)(7 * 5 * channels));
        ls_free(back);
    }
    const uint8_t dot = 0;
    assert_fails(ls_png_write("no/folder/a.png", 1, 1, 1, &dot), LS_ERR_FAILURE, "no/folder/a.png");
}

/* Six images of 50x40, so enlarged twice, in 3 columns; a frame of 1 around them, captions of 18
 * above, 12 between. */
static void images_are_in_their_cells(void **state)
{
    (void)state;
    enum { H = 50, W = 40, ZOOM = 2, CELL_X = W * ZOOM + 2 + 12, CELL_Y = 18 + H * ZOOM + 2 + 12 };
    for (int C = 1; C <= 3; C += 2) {
        const ls_sheet_layout layout = {
            .shape = {C, H, W}, .columns = 3, .rows = 2, .caption = 3, .note = 2};
        static uint8_t image[6][3 * H * W];
        ls_sheet *sheet;
        int64_t width, height;
        assert_ok(ls_sheet_create(&sheet, &layout));
        for (int at = 0; at < 6; at++) {
            for (int i = 0; i < C * H * W; i++)
                image[at][i] = (uint8_t)(i * 31 + at);
            ls_sheet_put(sheet, at, image[at], "3>5", "9%");
        }
        assert_ok(ls_sheet_write(sheet, "sheet.png"));
        uint8_t *pixels = read_png("sheet.png", C, &width, &height);
        assert_int_equal(width, 12 + 3 * CELL_X);
        assert_int_equal(height, 12 + 2 * CELL_Y);
        for (int at = 0; at < 6; at++)
            for (int y = 0; y < H * ZOOM; y++)
                for (int x = 0; x < W * ZOOM; x++)
                    for (int c = 0; c < C; c++) {
                        const int64_t column = 13 + at % 3 * CELL_X + x;
                        const int64_t row = 31 + at / 3 * CELL_Y + y;
                        assert_int_equal(pixels[(row * width + column) * C + c],
                                         image[at][(c * H + y / ZOOM) * W + x / ZOOM]);
                    }
        ls_free(pixels);
        ls_sheet_destroy(&sheet);
    }
}

/* The dots of a caption, counted. */
static void captions_are_drawn(void **state)
{
    (void)state;
    static const struct {
        const char *caption;
        int dots;
    } cases[] = {{"", 0}, {" ", 0}, {"1", 10}, {"8", 17}, {"-", 5}, {"18", 27}};
    const ls_sheet_layout layout = {.shape = {1, 100, 100}, .columns = 1, .rows = 1, .caption = 9};
    const uint8_t image[100 * 100] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_sheet *sheet;
        int64_t width, height, ink = 0;
        assert_ok(ls_sheet_create(&sheet, &layout));
        ls_sheet_put(sheet, 0, image, cases[i].caption, "");
        assert_ok(ls_sheet_write(sheet, "caption.png"));
        uint8_t *pixels = read_png("caption.png", 1, &width, &height);
        for (int64_t at = 0; at < 30 * width; at++)
            ink += pixels[at] < 100;
        assert_int_equal(ink, 4 * cases[i].dots);
        ls_free(pixels);
        ls_sheet_destroy(&sheet);
    }
}

static void what_can_not_be_shown_is_refused(void **state)
{
    (void)state;
    ls_sheet *sheet = NULL;
    ls_sheet_layout layout = {.shape = {2, 28, 28}, .columns = 1, .rows = 1};
    assert_fails(ls_sheet_create(&sheet, &layout), LS_ERR_USAGE, "images of 2 channels");
    layout.shape.channels = 1;
    layout.columns = layout.rows = 10000;
    assert_fails(ls_sheet_create(&sheet, &layout), LS_ERR_USAGE, "ask for fewer");
    assert_null(sheet);
    ls_sheet_destroy(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_comes_back),
        cmocka_unit_test(images_are_in_their_cells),
        cmocka_unit_test(captions_are_drawn),
        cmocka_unit_test(what_can_not_be_shown_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
