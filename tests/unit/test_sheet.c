/* Contact sheets, read back from their PNG files. */
#include "cli/letters.h"
#include "cli/png.h"
#include "cli/sheet.h"
#include "test.h"

#include "base/memory.h"

#include <math.h>
#include <png.h>
#include <string.h>

/* Reads a PNG file as [height][width][channels]. */
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

static void a_png_is_read_back(void **state)
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
}

/* Writes a picture with libpng alone, as another program does. */
static void write_foreign(const char *path)
{
    static const uint8_t pixels[4] = {1, 2, 3, 4};
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = 2, .height = 2, .format = PNG_FORMAT_GRAY};
    assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static void only_pictures_of_lockstep_are_replaced(void **state)
{
    static const uint8_t pixels[3] = {9, 8, 7};
    int64_t width, height;
    (void)state;
    write_foreign("foreign.png");
    assert_fails(ls_png_check("foreign.png"), LS_ERR_USAGE, "is not of type PNG by Lockstep");
    assert_fails(ls_png_write("foreign.png", 1, 1, 3, pixels), LS_ERR_USAGE, "not overwritten");
    ls_free(read_png("foreign.png", 1, &width, &height));
    assert_true(width == 2 && height == 2);
    assert_ok(ls_png_write("ours.png", 3, 1, 1, pixels));
    assert_ok(ls_png_check("ours.png"));
    assert_ok(ls_png_write("ours.png", 1, 1, 3, pixels));
    ls_free(read_png("ours.png", 3, &width, &height));
    assert_true(width == 1 && height == 1);
}

static void a_png_in_a_missing_folder_is_reported(void **state)
{
    (void)state;
    const uint8_t dot = 0;
    assert_fails(ls_png_write("no/folder/a.png", 1, 1, 1, &dot), LS_ERR_FAILURE,
                 "no/folder: no such folder");
}

/* Six images of 50x40, enlarged three times, in 3 columns, with frames of 1 pixel, captions of 24
 * pixels above, and gaps of 15. */
static void every_pixel_is_in_its_cell(void **state)
{
    (void)state;
    enum { H = 50, W = 40, ZOOM = 3, CELL_X = W * ZOOM + 2 + 15, CELL_Y = 24 + H * ZOOM + 2 + 15 };
    for (int C = 1; C <= 3; C += 2) {
        const ls_sheet_layout layout = {
            .shape = {C, H, W}, .columns = 3, .rows = 2, .line = {"3>5", "9%"}};
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
        assert_int_equal(width, 15 + 3 * CELL_X);
        assert_int_equal(height, 15 + 2 * CELL_Y);
        for (int at = 0; at < 6; at++)
            for (int y = 0; y < H * ZOOM; y++)
                for (int x = 0; x < W * ZOOM; x++)
                    for (int c = 0; c < C; c++) {
                        const int64_t column = 16 + at % 3 * CELL_X + x;
                        const int64_t row = 40 + at / 3 * CELL_Y + y;
                        assert_int_equal(pixels[(row * width + column) * C + c],
                                         image[at][(c * H + y / ZOOM) * W + x / ZOOM]);
                    }
        ls_free(pixels);
        ls_sheet_destroy(&sheet);
    }
}

/* Returns the ink in columns from .. to - 1, in black pixels. */
static double count_ink(const ls_canvas *canvas, int64_t from, int64_t to)
{
    double ink = 0;
    for (int64_t y = 0; y < canvas->height; y++)
        for (int64_t x = from; x < to; x++)
            ink += (255 - canvas->pixels[(y * canvas->width + x) * canvas->channels]) / 255.0;
    return ink;
}

/* Each letter has ink, within its width, differs from the others, and scales with its size. */
static void letters_differ_and_scale(void **state)
{
    (void)state;
    static const char names[] = "0123456789abcdefghijklmnopqrstuvwxyz.:-%>";
    enum { SIDE = 80, LETTERS = sizeof names - 1 };
    static uint8_t pixels[LETTERS][SIDE * SIDE], small[SIDE * SIDE];
    for (int i = 0; i < LETTERS; i++) {
        const char text[] = {names[i], '\0'};
        const ls_canvas canvas = {SIDE, SIDE, 1, pixels[i]}, half = {SIDE, SIDE, 1, small};
        memset(pixels[i], 255, sizeof pixels[i]);
        memset(small, 255, sizeof small);
        ls_letters_draw(&canvas, 10, 60, 40, 0, text);
        ls_letters_draw(&half, 10, 60, 20, 0, text);
        const int64_t width = (int64_t)ceil(ls_letters_width(text, 40));
        const double ink = count_ink(&canvas, 0, SIDE);
        assert_true(ink > 10);
        assert_near(count_ink(&canvas, 9, 11 + width), ink, 1e-9, 0);
        assert_near(count_ink(&half, 0, SIDE), ink / 4, 0.1, 0);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(pixels[i], pixels[k], sizeof pixels[i]);
        if (i < 10)
            assert_near(ls_letters_width(text, 40), ls_letters_width("0", 40), 1e-9, 0);
    }
}

static void letters_are_clipped_at_the_canvas(void **state)
{
    (void)state;
    uint8_t dots[4 * 4 * 3];
    memset(dots, 255, sizeof dots);
    const ls_canvas canvas = {4, 4, 3, dots};
    ls_letters_draw(&canvas, -7, 9, 20, 40, "88888");
    assert_true(count_ink(&canvas, 0, 4) > 1);
    for (int i = 0; i < 16; i++)
        assert_true(dots[3 * i] == dots[3 * i + 1] && dots[3 * i] == dots[3 * i + 2]);
    assert_near(ls_letters_width("", 40), 0, 0, 0);
}

/* Captions scale with the images; a long one makes the cells wider. */
static void captions_fit_their_cells(void **state)
{
    (void)state;
    enum { COLUMNS = 2 };
    const struct {
        int64_t side;
        const char *caption;
        bool wider;
    } cases[] = {{28, "row 1", false}, {28, "row 123456789", true}, {448, "row 1", false}};
    static const uint8_t image[448 * 448];
    double ink[3];
    for (size_t i = 0; i < 3; i++) {
        const int64_t side = cases[i].side, shown = side < 128 ? 140 : side;
        const ls_sheet_layout layout = {.shape = {1, side, side},
                                        .columns = COLUMNS,
                                        .rows = 1,
                                        .line = {"", "epoch 1"},
                                        .apart = true,
                                        .lead = {cases[i].caption, "class 5"}};
        ls_sheet *sheet;
        int64_t width, height;
        assert_ok(ls_sheet_create(&sheet, &layout));
        ls_sheet_put(sheet, 0, image, cases[i].caption, "class 5");
        ls_sheet_put(sheet, 1, image, "", "epoch 1");
        assert_ok(ls_sheet_write(sheet, "lines.png"));
        uint8_t *pixels = read_png("lines.png", 1, &width, &height);
        const int64_t usual = 2 * (shown + 2) + 4 * (shown / 10);
        assert_true(cases[i].wider ? width > usual : width == usual);
        const ls_canvas line = {width, height - shown - 2 - shown / 10, 1, pixels};
        ink[i] = count_ink(&line, 0, width);
        assert_true(ink[i] > 100);
        assert_near(count_ink(&line, width - shown / 10, width), 0, 0,
                    0); /* no caption is cut off */
        ls_free(pixels);
        ls_sheet_destroy(&sheet);
    }
    assert_near(ink[2], ink[0] * (448 / 140.0) * (448 / 140.0), 0.1, 0);
}

static void unsupported_sheets_are_refused(void **state)
{
    (void)state;
    ls_sheet *sheet = NULL;
    ls_sheet_layout layout = {.shape = {2, 28, 28}, .columns = 1, .rows = 1, .line = {"", ""}};
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
        cmocka_unit_test(a_png_is_read_back),
        cmocka_unit_test(only_pictures_of_lockstep_are_replaced),
        cmocka_unit_test(a_png_in_a_missing_folder_is_reported),
        cmocka_unit_test(every_pixel_is_in_its_cell),
        cmocka_unit_test(letters_differ_and_scale),
        cmocka_unit_test(letters_are_clipped_at_the_canvas),
        cmocka_unit_test(captions_fit_their_cells),
        cmocka_unit_test(unsupported_sheets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
