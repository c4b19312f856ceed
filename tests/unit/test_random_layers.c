/* Layers that draw random numbers in training: their distribution, and on what it depends. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "nn/pass.h"

#include <math.h>
#include <string.h>

enum { ROWS = 40, F = 501 };

typedef struct fixture {
    ls_network *network;
    ls_batch *batch;
    float *params;
} fixture;

/* A network of the layer and a dense one; all inputs are 3. */
static fixture make_fixture(const char *model)
{
    fixture f = {0};
    assert_ok(ls_network_create(&f.network, model, (ls_shape){F, 1, 1}, 2, LS_MSE, ROWS));
    assert_ok(ls_batch_create(&f.batch, ROWS, F, 2));
    f.params = ls_alloc(ls_network_size(f.network), sizeof *f.params);
    f.batch->rows = ROWS;
    for (int r = 0; r < ROWS; r++)
        f.batch->ids[r] = 1000 + 7 * r;
    for (int i = 0; i < ROWS * F; i++)
        f.batch->x[i] = 3;
    return f;
}

static void free_fixture(fixture *f)
{
    ls_free(f->params);
    ls_batch_destroy(&f->batch);
    ls_network_destroy(&f->network);
}

/* Returns a copy of the first layer's output in training. */
static float *draw(const fixture *f, uint64_t key)
{
    const size_t size = (size_t)f->batch->rows * F * sizeof(float);
    float *copy = ls_alloc(ROWS * F, sizeof *copy);
    (void)ls_network_forward_training(f->network, f->params, f->batch, &(ls_pass){.key = key});
    memcpy(copy, ls_network_activation(f->network, 0), size);
    return copy;
}

static void noise_is_normal(void **state)
{
    (void)state;
    fixture f = make_fixture("noise:0.5 dense:2");
    float *y = draw(&f, 1);
    double sum = 0, squares = 0, fourth = 0, beyond = 0;
    for (int i = 0; i < ROWS * F; i++) {
        const double z = ((double)y[i] - 3) / 0.5;
        sum += z;
        squares += z * z;
        fourth += z * z * z * z;
        beyond += z > 2;
    }
    const double n = ROWS * F; /* each within four standard deviations */
    assert_near(sum / n, 0, 0, 4 / sqrt(n));
    assert_near(squares / n, 1, 0, 4 * sqrt(2 / n));
    assert_near(fourth / n, 3, 0, 4 * sqrt(96 / n));
    assert_near(beyond / n, 0.02275, 0, 4 * sqrt(0.02275 / n));
    ls_free(y);
    free_fixture(&f);
}

static void dropout_keeps_the_mean(void **state)
{
    (void)state;
    fixture f = make_fixture("dropout:0.2 dense:2");
    float *y = draw(&f, 1);
    double zeros = 0;
    for (int i = 0; i < ROWS * F; i++) {
        assert_true(y[i] == 0 || y[i] == 3 / 0.8f);
        zeros += y[i] == 0;
    }
    assert_near(zeros / (ROWS * F), 0.2, 0, 4 * sqrt(0.16 / (ROWS * F)));
    ls_free(y);
    free_fixture(&f);
}

static const char *const models[] = {"noise:0.5 dense:2", "dropout:0.5 dense:2"};

/* A rank has some of the batch's rows, in its own places. */
static void what_a_row_gets_depends_on_its_id_and_the_key(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        fixture f = make_fixture(models[m]);
        float *whole = draw(&f, 1), *other = draw(&f, 2);
        assert_memory_not_equal(whole, whole + F, F * sizeof *whole);
        for (int r = 0; r < ROWS; r++)
            assert_memory_not_equal(whole + r * F, other + r * F, F * sizeof *whole);
        f.batch->rows = ROWS / 4;
        for (int r = 0; r < ROWS / 4; r++)
            f.batch->ids[r] = 1000 + 7 * (4 * r + 3);
        float *part = draw(&f, 1);
        for (int r = 0; r < ROWS / 4; r++)
            assert_memory_equal(part + r * F, whole + (4 * r + 3) * F, F * sizeof *part);
        ls_free(whole);
        ls_free(other);
        ls_free(part);
        free_fixture(&f);
    }
}

static void nothing_is_drawn_in_evaluation(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        fixture f = make_fixture(models[m]);
        (void)ls_network_forward(f.network, f.params, f.batch);
        assert_memory_equal(ls_network_activation(f.network, 0), f.batch->x,
                            ROWS * F * sizeof(float));
        free_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(dropout_keeps_the_mean),
        cmocka_unit_test(what_a_row_gets_depends_on_its_id_and_the_key),
        cmocka_unit_test(nothing_is_drawn_in_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
