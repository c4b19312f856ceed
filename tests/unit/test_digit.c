/* Digits prepared as MNIST's: border, ink, box, size, centre of mass. */
#include "test.h"

#include <lockstep/digit.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28 };

/* A page of one shade, owned: ls_picture_free() does not free it, so it lives in `room`. */
static uint8_t room[200 * 300];
static ls_picture page(int64_t height, int64_t width, int shade)
{
    memset(room, shade, sizeof room);
    return (ls_picture){.height = height, .width = width, .channels = 1, .pixels = room};
}

static void fill(ls_picture *p, int64_t top, int64_t left, int64_t height, int64_t width, int shade)
{
    for (int64_t y = top; y < top + height; y++)
        memset(p->pixels + y * p->width + left, shade, (size_t)width);
}

/* Computes the centre of mass of a prepared digit, and the box of its ink. */
static void measure(const ls_picture *p, double centre[2], int64_t box[2])
{
    double mass = 0, down = 0, across = 0;
    int64_t top = p->height, left = p->width, bottom = -1, right = -1;
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++) {
            const double ink = p->pixels[y * p->width + x];
            mass += ink;
            down += ink * (double)y;
            across += ink * (double)x;
            if (ink > 0) {
                top = y < top ? y : top;
                left = x < left ? x : left;
                bottom = y > bottom ? y : bottom;
                right = x > right ? x : right;
            }
        }
    centre[0] = down / mass;
    centre[1] = across / mass;
    box[0] = bottom - top + 1;
    box[1] = right - left + 1;
}

static void the_border_is_the_median_of_its_pixels(void **state)
{
    (void)state;
    const uint8_t all[12] = {1, 2, 3, 4, 250, 250, 5, 6, 7, 8, 9, 10};
    /* 3 x 4: the border without the two pixels in the middle: 1 2 3 4 250 6 7 8 9 10 */
    const uint8_t ring[12] = {1, 2, 3, 4, 250, 99, 99, 6, 7, 8, 9, 10};
    assert_int_equal(ls_digit_border(ring, 3, 4), 6);
    assert_int_equal(ls_digit_border(all, 1, 12), 6);
    assert_int_equal(ls_digit_border(all, 12, 1), 6);
    assert_int_equal(ls_digit_border(all, 1, 1), 1);
}

/* A bar of 80 x 20 becomes 20 x 5. Its centre is at 9.5 down and 2 across from its corner; 14 - 9.5
 * rounds to 5, so the centre comes to 14.5; across it comes to 14. */
static void a_bar_is_scaled_to_twenty_and_centred(void **state)
{
    (void)state;
    for (int bright = 0; bright < 2; bright++) {
        ls_picture p = page(200, 300, bright ? 255 : 0), out = {0};
        double centre[2];
        int64_t box[2];
        fill(&p, 17, 211, 80, 20, bright ? 0 : 255);
        assert_ok(ls_digit_prepare(&p, SIDE, &out));
        measure(&out, centre, box);
        assert_int_equal(out.height, SIDE);
        assert_int_equal(out.width, SIDE);
        assert_int_equal(out.channels, 1);
        assert_true(box[0] == 20 && box[1] == 5);
        assert_near(centre[0], 14.5, 1e-12, 0);
        assert_near(centre[1], 14, 1e-12, 0);
        assert_int_equal(out.pixels[14 * SIDE + 14], 255);
        ls_picture_free(&out);
    }
}

/* Random blots: the centre of mass is within half a pixel of 14, as no whole shift brings it
 * nearer; the longer side is 20; the result does not depend on place and contrast. */
static void the_centre_of_mass_is_nearest_to_the_centre(void **state)
{
    (void)state;
    srand(4);
    for (int trial = 0; trial < 50; trial++) {
        ls_picture p = page(200, 300, 255), first = {0}, second = {0};
        double centre[2];
        int64_t box[2], part[3][4];
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 4; k++)
                part[i][k] = rand() % 50 + (k > 1 ? 12 : 0);
        for (int i = 0; i < 3; i++)
            fill(&p, part[i][0], part[i][1], part[i][2], part[i][3], 55);
        assert_ok(ls_digit_prepare(&p, SIDE, &first));
        p = page(200, 300, 10);
        for (int i = 0; i < 3; i++)
            fill(&p, part[i][0] + 80, part[i][1] + 170, part[i][2], part[i][3], 210);
        assert_ok(ls_digit_prepare(&p, SIDE, &second));
        assert_memory_equal(first.pixels, second.pixels, SIDE * SIDE);
        measure(&first, centre, box);
        assert_int_equal(box[0] > box[1] ? box[0] : box[1], 20);
        assert_true(centre[0] > 13.5 - 1e-12 && centre[0] <= 14.5 + 1e-12);
        assert_true(centre[1] > 13.5 - 1e-12 && centre[1] <= 14.5 + 1e-12);
        ls_picture_free(&first);
        ls_picture_free(&second);
    }
}

/* With its mass at one end, a digit would leave the picture: it stops at the edge. */
static void ink_stays_inside(void **state)
{
    (void)state;
    for (int64_t side = LS_DIGIT_MIN_SIDE; side < 70; side++) {
        ls_picture p = page(200, 300, 0), out = {0};
        double centre[2];
        int64_t box[2];
        fill(&p, 10, 10, 100, 2, 255);
        fill(&p, 10, 10, 4, 60, 255);
        assert_ok(ls_digit_prepare(&p, side, &out));
        measure(&out, centre, box);
        assert_int_equal(box[0], (20 * side + 14) / 28);
        ls_picture_free(&out);
    }
}

static void a_digit_of_the_size_of_mnist_is_only_moved(void **state)
{
    (void)state;
    ls_picture p = page(100, 100, 0), out = {0};
    srand(5);
    uint8_t digit[20][20];
    for (int y = 0; y < 20; y++)
        for (int x = 0; x < 20; x++) {
            digit[y][x] = (uint8_t)(64 + rand() % 192);
            p.pixels[(70 + y) * 100 + 3 + x] = digit[y][x];
        }
    p.pixels[75 * 100 + 10] = digit[5][7] = 255;
    assert_ok(ls_digit_prepare(&p, SIDE, &out));
    bool found = false;
    for (int top = 0; top <= 8; top++)
        for (int left = 0; left <= 8; left++) {
            bool same = true;
            for (int y = 0; y < 20; y++)
                same = same &&
                       memcmp(&out.pixels[(top + y) * SIDE + left], digit[y], sizeof digit[y]) == 0;
            found = found || same;
        }
    assert_true(found);
    ls_picture_free(&out);
}

static void faint_marks_are_no_ink(void **state)
{
    (void)state;
    ls_picture p = page(200, 300, 240), with = {0}, without = {0};
    fill(&p, 50, 50, 60, 30, 20);
    assert_ok(ls_digit_prepare(&p, SIDE, &without));
    fill(&p, 150, 250, 3, 3, 200);
    fill(&p, 0, 0, 2, 2, 255);
    assert_ok(ls_digit_prepare(&p, SIDE, &with));
    assert_memory_equal(with.pixels, without.pixels, SIDE * SIDE);
    ls_picture_free(&with);
    ls_picture_free(&without);
}

static void a_blank_page_has_no_digit(void **state)
{
    (void)state;
    ls_picture p = page(200, 300, 255), out = {0};
    assert_fails(ls_digit_prepare(&p, SIDE, &out), LS_ERR_DATA, "no digit is seen");
    fill(&p, 50, 50, 60, 30, 240);
    assert_fails(ls_digit_prepare(&p, SIDE, &out), LS_ERR_DATA, "no digit is seen");
    assert_null(out.pixels);
    p.channels = 3;
    assert_fails(ls_digit_prepare(&p, SIDE, &out), LS_ERR_USAGE, "grey picture");
    p.channels = 1;
    assert_fails(ls_digit_prepare(&p, 6, &out), LS_ERR_USAGE, "sides of 7");
}

/* The smallest digit, and lines whose shorter side would vanish. */
static void dots_and_lines_are_digits(void **state)
{
    (void)state;
    double centre[2];
    int64_t box[2];
    for (int lines = 0; lines < 3; lines++) {
        ls_picture p = page(200, 300, 255), out = {0};
        fill(&p, 3, 3, lines == 1 ? 190 : 1, lines == 2 ? 290 : 1, 0);
        assert_ok(ls_digit_prepare(&p, SIDE, &out));
        measure(&out, centre, box);
        assert_int_equal(box[0], lines == 2 ? 1 : 20);
        assert_int_equal(box[1], lines == 1 ? 1 : 20);
        ls_picture_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_border_is_the_median_of_its_pixels),
        cmocka_unit_test(a_bar_is_scaled_to_twenty_and_centred),
        cmocka_unit_test(the_centre_of_mass_is_nearest_to_the_centre),
        cmocka_unit_test(ink_stays_inside),
        cmocka_unit_test(a_digit_of_the_size_of_mnist_is_only_moved),
        cmocka_unit_test(faint_marks_are_no_ink),
        cmocka_unit_test(a_blank_page_has_no_digit),
        cmocka_unit_test(dots_and_lines_are_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
