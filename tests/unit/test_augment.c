/* Augmentation: affine maps against an independent implementation (reference/make_warp.py), random
 * parameters against their distributions; the result depends on (seed, epoch, row) alone. */
#include "nn/augment.h"
#include "reference/warp.h"
#include "test.h"

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { DRAWS = 20000 };
static const ls_affine_parameters still = {.scale_x = 1, .scale_y = 1};

static ls_augment *make_augment(const char *text, ls_shape shape)
{
    ls_augment *augment = NULL;
    assert_ok(ls_augment_create(&augment, text, shape));
    return augment;
}

/* Makes a batch of noise whose rows have the numbers first, first + 1, ... */
static ls_batch *make_batch(int64_t rows, int64_t first, ls_shape shape)
{
    ls_batch *batch;
    const int64_t features = ls_shape_size(shape);
    assert_ok(ls_batch_create(&batch, rows, features, 0));
    batch->rows = rows;
    for (int64_t r = 0; r < rows; r++) {
        batch->ids[r] = first + r;
        for (int64_t i = 0; i < features; i++)
            batch->x[r * features + i] =
                (float)ls_rng_uniform(ls_rng_key(1, 1, (uint64_t)(first + r)), (uint64_t)i);
    }
    return batch;
}

static void without_words_images_stay_unchanged(void **state)
{
    (void)state;
    const char *const texts[] = {"", " \t ", "none"};
    const ls_shape shape = {1, 1, 1}; /* too small for any word */
    for (int i = 0; i < 3; i++)
        assert_null(make_augment(texts[i], shape));
    ls_batch *batch = make_batch(3, 0, shape), *same = make_batch(3, 0, shape);
    ls_augment_apply(NULL, 1, 2, 0, batch);
    assert_memory_equal(batch->x, same->x, 3 * sizeof(float));
    ls_batch_destroy(&batch);
    ls_batch_destroy(&same);
}

static void an_identity_motion_changes_no_bit(void **state)
{
    (void)state;
    const ls_shape shape = {3, 13, 18};
    ls_warp *warp;
    assert_ok(ls_warp_create(&warp, shape, 0, 0));
    ls_batch *batch = make_batch(1, 0, shape), *same = make_batch(1, 0, shape);
    const ls_affine map = ls_affine_make(&still, shape);
    ls_warp_image(warp, &map, 0.5f, batch->x);
    assert_memory_equal(batch->x, same->x, 3 * 13 * 18 * sizeof(float));
    ls_warp_destroy(&warp);
    ls_batch_destroy(&batch);
    ls_batch_destroy(&same);
}

static void zero_strengths_change_no_bit(void **state)
{
    (void)state;
    const ls_shape shape = {3, 13, 18};
    ls_batch *batch = make_batch(1, 0, shape), *same = make_batch(1, 0, shape);
    ls_augment *zeros =
        make_augment("erase:0 rotate:0 scale:0 shift:0 crop:0 shear:0 elastic:0,4 flip:0", shape);
    ls_augment_apply(zeros, 1, 2, 0, batch);
    assert_memory_equal(batch->x, same->x, 3 * 13 * 18 * sizeof(float));
    ls_augment_destroy(&zeros);
    ls_batch_destroy(&batch);
    ls_batch_destroy(&same);
}

/* Also shifts by more than the image: each pixel is an exact copy or the background. */
static void shifts_by_whole_pixels_copy_pixels_exactly(void **state)
{
    (void)state;
    const ls_shape shape = {2, 17, 20};
    const int shifts[][2] = {{0, 1}, {3, -2}, {-19, 0}, {20, 0}, {0, -17}, {-500, 800}};
    ls_warp *warp;
    assert_ok(ls_warp_create(&warp, shape, 0, 0));
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        const int dx = shifts[i][0], dy = shifts[i][1];
        ls_batch *batch = make_batch(1, 0, shape), *original = make_batch(1, 0, shape);
        ls_affine_parameters motion = still;
        motion.shift_x = dx;
        motion.shift_y = dy;
        const ls_affine map = ls_affine_make(&motion, shape);
        ls_warp_image(warp, &map, -3, batch->x);
        for (int64_t at = 0; at < ls_shape_size(shape); at++) {
            const int64_t x = at % 20 - dx, y = at / 20 % 17 - dy;
            const bool inside = x >= 0 && x < 20 && y >= 0 && y < 17;
            const float expected = inside ? original->x[(at / 340 * 17 + y) * 20 + x] : -3;
            assert_true(batch->x[at] == expected);
        }
        ls_batch_destroy(&batch);
        ls_batch_destroy(&original);
    }
    ls_warp_destroy(&warp);
}

static void a_crop_moves_by_whole_pixels(void **state)
{
    (void)state;
    const ls_shape shape = {2, 17, 20};
    ls_augment *augment = make_augment("crop:2", shape);
    ls_batch *batch = make_batch(500, 0, shape), *original = make_batch(500, 0, shape);
    ls_augment_apply(augment, 3, 1, -3, batch);
    const uint64_t key = ls_augment_key(3, 1);
    int moves[5][5] = {{0}};
    for (int64_t i = 0; i < 500; i++) {
        const ls_affine_parameters motion = ls_augment_draw(augment, key, i).motion;
        const int64_t dx = (int64_t)motion.shift_x, dy = (int64_t)motion.shift_y;
        assert_true((double)dx == motion.shift_x && (double)dy == motion.shift_y);
        assert_in_range(dx + 2, 0, 4);
        assert_in_range(dy + 2, 0, 4);
        moves[dx + 2][dy + 2]++;
        for (int64_t at = i * 680; at < (i + 1) * 680; at++) {
            const int64_t x = at % 20 - dx, y = at / 20 % 17 - dy;
            const bool inside = x >= 0 && x < 20 && y >= 0 && y < 17;
            assert_true(batch->x[at] == (inside ? original->x[at - dy * 20 - dx] : -3));
        }
    }
    for (int i = 0; i < 25; i++)
        assert_in_range(moves[i / 5][i % 5], 5, 40); /* 20 expected, deviation 4.4 */
    ls_batch_destroy(&batch);
    ls_batch_destroy(&original);
    ls_augment_destroy(&augment);
}

static void affine_motions_agree_with_scipy(void **state)
{
    (void)state;
    enum { PIXELS = WARP_HEIGHT * WARP_WIDTH };
    const ls_shape shape = {1, WARP_HEIGHT, WARP_WIDTH};
    ls_warp *warp;
    assert_ok(ls_warp_create(&warp, shape, 0, 0));
    for (int i = 0; i < WARP_MOTIONS; i++) {
        const double *m = warp_motions + 6 * (size_t)i;
        const ls_affine_parameters motion = {.scale_x = m[0],
                                             .scale_y = m[1],
                                             .shear = m[2],
                                             .angle = m[3] * acos(-1) / 180,
                                             .shift_x = m[4],
                                             .shift_y = m[5]};
        const ls_affine map = ls_affine_make(&motion, shape);
        float image[PIXELS];
        for (int at = 0; at < PIXELS; at++)
            image[at] = (float)warp_image[at];
        ls_warp_image(warp, &map, WARP_BACKGROUND, image);
        for (int at = 0; at < PIXELS; at++)
            assert_near((double)image[at], warp_moved[i * PIXELS + at], 0, 5e-6);
    }
    ls_warp_destroy(&warp);
}

/* An augmented row depends on seed, epoch and row number; not on the other rows of the batch, their
 * order, or earlier batches. */
static void augmentation_depends_on_seed_epoch_and_row_alone(void **state)
{
    (void)state;
    enum { ROWS = 24 };
    const ls_shape shape = {2, 9, 11};
    const size_t bytes = (size_t)ls_shape_size(shape) * sizeof(float);
    const int64_t features = ls_shape_size(shape);
    const char *const texts[] = {"rotate:20",
                                 "scale:0.2",
                                 "shift:2",
                                 "shear:0.3",
                                 "erase:0.5",
                                 "elastic:9,2",
                                 "elastic:5,1.5 erase:0.3 rotate:9"};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        ls_augment *together = make_augment(texts[t], shape),
                   *alone = make_augment(texts[t], shape);
        ls_batch *all = make_batch(ROWS, 100, shape);
        ls_augment_apply(together, 5, 3, 0.25f, all);
        int other_epochs = 0, other_seeds = 0, other_rows = 0;
        for (int64_t r = ROWS - 1; r >= 0; r--) {
            ls_batch *one = make_batch(1, 100 + r, shape);
            ls_augment_apply(alone, 5, 3, 0.25f, one);
            assert_memory_equal(one->x, all->x + r * features, bytes);
            ls_batch_destroy(&one);
            one = make_batch(1, 100 + r, shape);
            ls_augment_apply(alone, 5, 4, 0.25f, one);
            other_epochs += memcmp(one->x, all->x + r * features, bytes) != 0;
            ls_batch_destroy(&one);
            one = make_batch(1, 100 + r, shape);
            ls_augment_apply(alone, 6, 3, 0.25f, one);
            other_seeds += memcmp(one->x, all->x + r * features, bytes) != 0;
            ls_batch_destroy(&one);
            one = make_batch(1, 100 + r, shape);
            one->ids[0] = r;
            ls_augment_apply(alone, 5, 3, 0.25f, one);
            other_rows += memcmp(one->x, all->x + r * features, bytes) != 0;
            ls_batch_destroy(&one);
        }
        /* Both draws may be without a rectangle, and then equal. */
        assert_true(other_epochs > ROWS / 2 && other_seeds > ROWS / 2 && other_rows > ROWS / 2);
        ls_batch_destroy(&all);
        ls_augment_destroy(&together);
        ls_augment_destroy(&alone);
    }
}

/* All values also stay within the range of the input's values and the background. */
static void all_channels_get_the_same_augmentation(void **state)
{
    (void)state;
    const ls_shape shape = {3, 16, 12};
    const int64_t pixels = 16 * 12;
    ls_augment *augment =
        make_augment("elastic:12,2\terase:0.2 rotate:30  scale:0.3 shift:3 shear:0.2", shape);
    ls_batch *batch = make_batch(50, 0, shape);
    for (int64_t r = 0; r < 50; r++)
        for (int64_t i = pixels; i < 3 * pixels; i++)
            batch->x[r * 3 * pixels + i] = batch->x[r * 3 * pixels + i % pixels];
    ls_augment_apply(augment, 1, 1, 0.5f, batch);
    for (int64_t r = 0; r < 50; r++)
        for (int64_t i = 0; i < pixels; i++) {
            const float *x = batch->x + r * 3 * pixels + i;
            assert_true(x[0] >= 0 && x[0] <= 1);
            assert_true(x[0] == x[pixels] && x[0] == x[2 * pixels]);
        }
    ls_batch_destroy(&batch);
    ls_augment_destroy(&augment);
}

/* Asserts that DRAWS numbers are uniform in [center - most, center + most]: their range, and, to 5
 * standard errors, mean and variance. */
static void assert_uniform(const double *x, double center, double most)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        assert_true(fabs(x[i] - center) <= most * (1 + 1e-12));
        sum += x[i] - center;
        squares += (x[i] - center) * (x[i] - center);
    }
    assert_near(sum / DRAWS, 0, 0, 5 * most / sqrt(3.0 * DRAWS));
    /* The variance of the square is 4/45 most^4. */
    assert_near(squares / DRAWS, most * most / 3, 0, 5 * most * most * sqrt(4.0 / 45 / DRAWS));
}

static void motion_parameters_are_uniform_and_independent(void **state)
{
    (void)state;
    enum { NUMBERS = 6 };
    static double drawn[NUMBERS][DRAWS];
    const double degree = acos(-1) / 180;
    const double center[NUMBERS] = {0, 1, 1, 0, 0, 0};
    const double most[NUMBERS] = {15 * degree, 0.15, 0.15, 2, 2, 0.1};
    ls_augment *augment =
        make_augment("shear:0.1 shift:2 scale:.15 rotate:15", (ls_shape){1, 28, 28});
    const uint64_t key = ls_augment_key(7, 2);
    for (int i = 0; i < DRAWS; i++) {
        const ls_affine_parameters m = ls_augment_draw(augment, key, i).motion;
        const double numbers[NUMBERS] = {m.angle,   m.scale_x, m.scale_y,
                                         m.shift_x, m.shift_y, m.shear};
        for (int k = 0; k < NUMBERS; k++)
            drawn[k][i] = numbers[k];
    }
    for (int k = 0; k < NUMBERS; k++) {
        assert_uniform(drawn[k], center[k], most[k]);
        for (int l = 0; l < k; l++) {
            double product = 0;
            for (int i = 0; i < DRAWS; i++)
                product += (drawn[k][i] - center[k]) * (drawn[l][i] - center[l]);
            assert_near(3 * product / DRAWS / (most[k] * most[l]), 0, 0, 5 / sqrt(DRAWS));
        }
    }
    ls_augment_destroy(&augment);
}

/* The standard deviation is alpha / (2 sqrt(3 pi) sigma), in the middle and in the corners, and the
 * correlation of two pixels at distance d is exp(-d^2 / (4 sigma^2)). */
static void elastic_fields_have_the_theoretical_covariance(void **state)
{
    (void)state;
    enum { FIELDS = 4000, APART = 5 };
    const ls_shape shape = {1, 28, 28};
    const double alpha = 34, sigma = 4;
    const double variance = pow(alpha / (2 * sqrt(3 * acos(-1)) * sigma), 2);
    const int64_t places[] = {0, 27, 13 * 28 + 13, 27 * 28};
    double sum[4] = {0}, squares[4] = {0}, across = 0, down = 0, both = 0;
    ls_warp *warp;
    assert_ok(ls_warp_create(&warp, shape, alpha, sigma));
    for (uint64_t i = 0; i < FIELDS; i++) {
        const float *dx, *dy;
        int64_t stride;
        ls_warp_draw_field(warp, i);
        ls_warp_field(warp, &dx, &dy, &stride);
        for (int p = 0; p < 4; p++) {
            const double d = (double)dx[places[p] / 28 * stride + places[p] % 28];
            sum[p] += d;
            squares[p] += d * d;
        }
        const float *middle = dx + 11 * stride + 11;
        across += (double)middle[0] * (double)middle[APART];
        down += (double)middle[0] * (double)middle[APART * stride];
        both += (double)middle[0] * (double)dy[11 * stride + 11];
    }
    const double correlation = exp(-APART * APART / (4 * sigma * sigma));
    const double error = 5 / sqrt(FIELDS);
    for (int p = 0; p < 4; p++) {
        assert_near(sum[p] / FIELDS / sqrt(variance), 0, 0, error);
        assert_near(squares[p] / FIELDS / variance, 1, 0, error * sqrt(2));
    }
    assert_near(across / FIELDS / variance, correlation, 0, error * sqrt(2));
    assert_near(down / FIELDS / variance, correlation, 0, error * sqrt(2));
    assert_near(both / FIELDS / variance, 0, 0, error);
    ls_warp_destroy(&warp);
}

static void an_elastic_field_displaces_each_pixel_by_its_value(void **state)
{
    (void)state;
    const ls_shape shape = {1, 20, 30};
    ls_warp *warp;
    assert_ok(ls_warp_create(&warp, shape, 15, 3));
    ls_warp_draw_field(warp, 4);
    const float *dx, *dy;
    int64_t stride;
    ls_warp_field(warp, &dx, &dy, &stride);
    float image[600]; /* a slope, which bilinear interpolation reproduces */
    for (int i = 0; i < 600; i++)
        image[i] = (float)(i % 30) + 100 * floorf((float)i / 30);
    const ls_affine map = ls_affine_make(&still, shape);
    ls_warp_image(warp, &map, 0, image);
    double moved = 0;
    for (int y = 5; y < 15; y++)
        for (int x = 5; x < 25; x++) {
            const double u = (double)dx[y * stride + x], v = (double)dy[y * stride + x];
            assert_true(fabs(u) < 5 && fabs(v) < 5);
            moved = fmax(moved, fabs(u));
            assert_near((double)image[y * 30 + x], x + u + 100 * (y + v), 0, 1e-3);
        }
    assert_true(moved > 0.2);
    ls_warp_destroy(&warp);
}

static void images_are_mirrored_with_the_given_probability(void **state)
{
    (void)state;
    const ls_shape shape = {2, 3, 5};
    ls_augment *augment = make_augment("flip:0.3", shape);
    ls_batch *batch = make_batch(DRAWS, 0, shape), *original = make_batch(DRAWS, 0, shape);
    const uint64_t key = ls_augment_key(3, 1);
    ls_augment_apply(augment, 3, 1, 0, batch);
    int flipped = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
        const bool mirrored = ls_augment_draw(augment, key, i).flipped;
        flipped += mirrored;
        for (int64_t at = i * 30; at < (i + 1) * 30; at++)
            assert_true(batch->x[at] == original->x[mirrored ? at - at % 5 + 4 - at % 5 : at]);
    }
    assert_near(flipped, 0.3 * DRAWS, 0.05, 0);
    ls_batch_destroy(&batch);
    ls_batch_destroy(&original);
    ls_augment_destroy(&augment);
}

static void half_of_the_images_get_a_random_rectangle(void **state)
{
    (void)state;
    const ls_shape shape = {1, 40, 60};
    const double fraction = 0.2, most = fraction * 40 * 60;
    ls_augment *augment = make_augment("erase:0.2", shape);
    const uint64_t key = ls_augment_key(3, 1);
    double covered = 0, squares = 0, centers[2] = {0};
    int erased = 0, upright = 0;
    for (int i = 0; i < DRAWS; i++) {
        const ls_patch p = ls_augment_draw(augment, key, i).erased;
        if (p.width == 0 || p.height == 0)
            continue;
        assert_true(p.x >= 0 && p.y >= 0 && p.x + p.width <= 60 && p.y + p.height <= 40);
        const double area = (double)(p.width * p.height);
        const double longer = (double)(p.width > p.height ? p.width : p.height);
        const double shorter = (double)(p.width > p.height ? p.height : p.width);
        /* Sides are rounded to whole pixels. */
        assert_true(area <= most + (longer + shorter) / 2 + 0.25);
        assert_true(longer - 0.5 <= 10.0 / 3 * (shorter + 0.5));
        erased++;
        upright += p.height > p.width;
        covered += area;
        squares += area * area;
        centers[0] += (double)p.x + (double)p.width / 2 - 30;
        centers[1] += (double)p.y + (double)p.height / 2 - 20;
    }
    /* A few areas are below a pixel. */
    assert_near(erased, DRAWS / 2.0, 0.02, 0);
    assert_near(upright, erased / 2.0, 0.05, 0);
    assert_near(covered / erased, most / 2, 0.02, 0);
    assert_near(squares / erased, most * most / 3, 0.04, 0);
    assert_near(centers[0] / erased, 0, 0, 0.6);
    assert_near(centers[1] / erased, 0, 0, 0.6);
    ls_augment_destroy(&augment);
}

static void the_rectangle_is_erased_in_every_channel(void **state)
{
    (void)state;
    const uint64_t key = ls_augment_key(3, 1);
    const ls_shape colour = {2, 40, 60};
    ls_augment *two = make_augment("erase:0.2", colour);
    ls_batch *batch = make_batch(20, 0, colour), *original = make_batch(20, 0, colour);
    ls_augment_apply(two, 3, 1, -1, batch);
    for (int64_t at = 0; at < 20 * 2 * 2400; at++) {
        const ls_patch p = ls_augment_draw(two, key, at / 4800).erased;
        const int64_t x = at % 60, y = at / 60 % 40;
        const bool inside = x >= p.x && x < p.x + p.width && y >= p.y && y < p.y + p.height;
        assert_true(batch->x[at] == (inside ? -1 : original->x[at]));
    }
    ls_batch_destroy(&batch);
    ls_batch_destroy(&original);
    ls_augment_destroy(&two);
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *text, *part;
    } cases[] = {
        {"rotat:15", "word 1, 'rotat:15': unknown word; did you mean 'rotate:DEGREES'?"},
        {"shift:2 blur:3", "word 2, 'blur:3': unknown word; the words are flip, rotate, "
                           "scale, shift, crop, shear, elastic, erase"},
        {"rotate", "word 1, 'rotate': write it as rotate:DEGREES"},
        {"rotate:", "write it as rotate:DEGREES"},
        {"rotate:x", "write it as rotate:DEGREES"},
        {"rotate:1,2", "write it as rotate:DEGREES"},
        {"rotate:15deg", "write it as rotate:DEGREES"},
        {"rotate:nan", "write it as rotate:DEGREES"},
        {"rotate:-1", "word 1, 'rotate:-1': the angle must be from 0 to 180"},
        {"rotate:181", "the angle must be from 0 to 180"},
        {"scale:1", "the scale must be from 0 to 0.95"},
        {"shift:1e9", "the shift must be from 0 to 10000"},
        {"crop:1.5", "word 1, 'crop:1.5': the number of pixels must be a whole number"},
        {"crop:20000", "the number of pixels must be from 0 to 10000"},
        {"shear:11", "the shear must be from 0 to 10"},
        {"elastic:34", "word 1, 'elastic:34': write it as elastic:ALPHA,SIGMA"},
        {"elastic:34,", "write it as elastic:ALPHA,SIGMA"},
        {"elastic:34,4,5", "write it as elastic:ALPHA,SIGMA"},
        {"elastic:34,0.1", "the sigma must be from 0.5 to 100"},
        {"elastic:-1,4", "the alpha must be from 0 to 10000"},
        {"flip:2", "the probability must be from 0 to 1"},
        {"erase:1.5", "the fraction must be from 0 to 1"},
        {"rotate:1 shift:1 rotate:1", "word 3, 'rotate:1': is given twice"},
        {"rotate:1 none", "word 2, 'none'"},
        {":", "word 1, ':': unknown word"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_augment *augment = NULL;
        assert_fails(ls_augment_create(&augment, cases[i].text, (ls_shape){1, 28, 28}),
                     LS_ERR_USAGE, cases[i].part);
        assert_non_null(strstr(ls_error_text(), "--augment: "));
        assert_null(augment);
    }
}

static void images_of_unsupported_sizes_are_refused(void **state)
{
    (void)state;
    ls_augment *augment = NULL;
    assert_fails(ls_augment_create(&augment, "rotate:1", (ls_shape){784, 1, 1}), LS_ERR_USAGE,
                 "images of 2x2 pixels or more, not 1x1");
    assert_fails(ls_augment_create(&augment, "elastic:1,100", (ls_shape){1, 1 << 20, 2000}),
                 LS_ERR_USAGE, "too large");
}

static void the_strongest_words_keep_values_in_range(void **state)
{
    (void)state;
    ls_augment *small =
        make_augment("elastic:1,100 rotate:180 scale:0.95 shear:10", (ls_shape){1, 2, 2});
    ls_batch *batch = make_batch(9, 0, (ls_shape){1, 2, 2});
    ls_augment_apply(small, 1, 1, 0, batch);
    for (int i = 0; i < 9 * 4; i++)
        assert_true(batch->x[i] >= 0 && batch->x[i] <= 1);
    ls_batch_destroy(&batch);
    ls_augment_destroy(&small);
}

static void applying_augmentation_allocates_no_memory(void **state)
{
    (void)state;
    const ls_shape shape = {1, 28, 28};
    ls_augment *augment = make_augment("elastic:34,4 rotate:15 erase:0.1", shape);
    ls_batch *batch = make_batch(4, 0, shape);
    const int64_t before = ls_alloc_calls();
    ls_augment_apply(augment, 1, 1, 0, batch);
    assert_int_equal(ls_alloc_calls(), before);
    ls_batch_destroy(&batch);
    ls_augment_destroy(&augment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_words_images_stay_unchanged),
        cmocka_unit_test(an_identity_motion_changes_no_bit),
        cmocka_unit_test(zero_strengths_change_no_bit),
        cmocka_unit_test(shifts_by_whole_pixels_copy_pixels_exactly),
        cmocka_unit_test(a_crop_moves_by_whole_pixels),
        cmocka_unit_test(affine_motions_agree_with_scipy),
        cmocka_unit_test(augmentation_depends_on_seed_epoch_and_row_alone),
        cmocka_unit_test(all_channels_get_the_same_augmentation),
        cmocka_unit_test(motion_parameters_are_uniform_and_independent),
        cmocka_unit_test(elastic_fields_have_the_theoretical_covariance),
        cmocka_unit_test(an_elastic_field_displaces_each_pixel_by_its_value),
        cmocka_unit_test(images_are_mirrored_with_the_given_probability),
        cmocka_unit_test(half_of_the_images_get_a_random_rectangle),
        cmocka_unit_test(the_rectangle_is_erased_in_every_channel),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(images_of_unsupported_sizes_are_refused),
        cmocka_unit_test(the_strongest_words_keep_values_in_range),
        cmocka_unit_test(applying_augmentation_allocates_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
