/* Latent variables: the divergence and its gradient in closed form, samples, a variational
 * autoencoder against PyTorch (see reference/make_variational.py), and its parts. */
#include "reference/variational.h"
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "nn/latent.h"
#include "nn/loss.h"
#include "nn/op.h"
#include "nn/pass.h"

#include <math.h>
#include <string.h>

enum { L = 2, ROWS = 20000 };

/* One layer and its arrays. */
typedef struct layer {
    ls_op op;
    ls_op_data d;
    float x[2 * L], y[L], saved[L], dy[L], dx[2 * L];
    int64_t id;
} layer;

/* Makes a layer for one row of means and logarithms of variances. */
static void make_layer(layer *l, double beta, const float x[2 * L])
{
    memset(l, 0, sizeof *l);
    l->op = (ls_op){.kind = &ls_op_gaussian,
                    .in = {{2 * L, 1, 1}},
                    .attributes = {.beta = beta},
                    .saved_row = L};
    assert_ok(ls_op_gaussian.configure(&l->op));
    assert_int_equal(l->op.out.channels, L);
    memcpy(l->x, x, sizeof l->x);
    l->d = (ls_op_data){.rows = 1,
                        .x = {l->x},
                        .y = l->y,
                        .dy = l->dy,
                        .dx = {l->dx},
                        .saved = l->saved,
                        .ids = &l->id};
}

static double divergence_of(float mean, float log_variance)
{
    layer l;
    make_layer(&l, 7, (const float[]){mean, 0, log_variance, 0});
    return l.op.kind->divergence(&l.op, &l.d);
}

static void divergence_is_that_of_normal_distributions(void **state)
{
    (void)state;
    assert_true(divergence_of(0, 0) == 0);
    assert_near(divergence_of(1, 0), 0.5, 1e-12, 0);
    assert_near(divergence_of(0, 2), (exp(2) - 3) / 2, 1e-12, 0);
    assert_near(divergence_of(-3, -1), (9 + exp(-1)) / 2, 1e-12, 0);
    assert_near(divergence_of(0, 1e-4f), 2.5e-9, 1e-3, 0); /* v^2 / 4, not rounded away */
}

static void gradient_has_the_divergences(void **state)
{
    (void)state;
    layer l;
    make_layer(&l, 4, (const float[]){1.5f, -2, 0.5f, -1});
    const float weight = 0.5f;
    l.d.weights = &weight;
    l.d.sampling = true;
    l.dy[0] = 3;
    l.dy[1] = -1;
    l.op.kind->forward(&l.op, &l.d);
    l.op.kind->backward(&l.op, &l.d);
    for (int i = 0; i < L; i++) {
        const double m = (double)l.x[i], v = (double)l.x[L + i], dz = (double)l.dy[i];
        assert_near((double)l.dx[i], dz + 2 * m, 1e-6, 0);
        assert_near((double)l.dx[L + i], dz * ((double)l.y[i] - m) / 2 + 2 * (exp(v) - 1) / 2, 1e-5,
                    1e-6);
    }
    assert_near(l.op.kind->divergence(&l.op, &l.d),
                0.5 * (1.5 * 1.5 + exp(0.5) - 1.5 + 4 + exp(-1)) / 2, 1e-6, 0);
}

static void samples_have_mean_and_variance(void **state)
{
    (void)state;
    layer l;
    double sum[L] = {0}, squares[L] = {0};
    make_layer(&l, 1, (const float[]){1.5f, -2, 1, -3});
    l.d.sampling = true;
    l.d.key = 5;
    for (l.id = 0; l.id < ROWS; l.id++) {
        l.op.kind->forward(&l.op, &l.d);
        for (int i = 0; i < L; i++) {
            sum[i] += (double)l.y[i] / ROWS;
            squares[i] += (double)l.y[i] * (double)l.y[i] / ROWS;
        }
    }
    for (int i = 0; i < L; i++) {
        const double variance = exp((double)l.x[L + i]);
        assert_near(sum[i], (double)l.x[i], 0, 4 * sqrt(variance / ROWS));
        assert_near(squares[i] - sum[i] * sum[i], variance, 0.04, 0);
    }
}

static void nothing_is_sampled_unless_rows_are_scored(void **state)
{
    (void)state;
    layer l;
    make_layer(&l, 1, (const float[]){1.5f, -2, 1, -3});
    l.op.kind->forward(&l.op, &l.d);
    assert_memory_equal(l.y, l.x, sizeof l.y);
}

/* A network and a batch of the reference. */
typedef struct reference {
    ls_network *network;
    ls_batch *batch;
    float *params, *grads;
} reference;

static reference make_reference(ls_loss loss)
{
    enum { N = VARIATIONAL_ROWS, F = VARIATIONAL_FEATURES };
    reference r;
    assert_ok(ls_network_create(&r.network, VARIATIONAL_MODEL, (ls_shape){F, 1, 1}, F, loss, N));
    ls_network_set_reconstructs(r.network);
    assert_ok(ls_batch_create(&r.batch, N, F, F));
    r.batch->rows = N;
    for (int i = 0; i < N * F; i++)
        r.batch->x[i] = r.batch->targets[i] = (float)variational_x[i];
    for (int i = 0; i < N; i++)
        r.batch->ids[i] = VARIATIONAL_ID + i;
    const int64_t size = ls_network_size(r.network);
    assert_int_equal(size, sizeof variational_params / sizeof *variational_params);
    r.params = ls_alloc(size, sizeof *r.params);
    r.grads = ls_alloc(size, sizeof *r.grads);
    for (int64_t i = 0; i < size; i++)
        r.params[i] = (float)variational_params[i];
    return r;
}

static void free_reference(reference *r)
{
    ls_network_destroy(&r->network);
    ls_batch_destroy(&r->batch);
    ls_free(r->params);
    ls_free(r->grads);
}

static void check_step(ls_loss loss, const double *sums, const double *grads)
{
    reference r = make_reference(loss);
    const ls_pass pass = {.key = VARIATIONAL_KEY};
    const ls_score score = ls_network_loss(r.network, r.params, r.batch, &pass);
    ls_network_backward(r.network, r.params, r.batch, &pass, r.grads);
    assert_near(score.loss, sums[0], 1e-6, 0);
    assert_near(score.reconstruction, sums[1], 1e-6, 0);
    assert_near(score.kl, sums[2], 1e-6, 0);
    for (int64_t i = 0; i < ls_network_size(r.network); i++)
        assert_near((double)r.grads[i], grads[i], 2e-5, 2e-6);
    free_reference(&r);
}

static void loss_and_gradients_equal_pytorchs(void **state)
{
    (void)state;
    check_step(LS_BCE, variational_bce_sums, variational_bce_grads);
    check_step(LS_MSE, variational_mse_sums, variational_mse_grads);
}

/* As without micro-batches, and as without the weights of rows that are all 1. */
static void a_score_is_a_sum_over_micro_batches_and_weighted(void **state)
{
    (void)state;
    reference r = make_reference(LS_BCE);
    const ls_pass whole = {.key = VARIATIONAL_KEY},
                  parts = {.key = VARIATIONAL_KEY, .block = 4, .quanta = {0x1p-20, 0x1p-40}};
    const ls_score a = ls_network_loss(r.network, r.params, r.batch, &whole);
    const ls_score b = ls_network_loss(r.network, r.params, r.batch, &parts);
    assert_near(b.kl, a.kl, 1e-5, 0);
    assert_near(b.reconstruction, a.reconstruction, 1e-5, 0);
    assert_ok(ls_batch_add_weights(r.batch));
    for (int i = 0; i < VARIATIONAL_ROWS; i++)
        r.batch->weights[i] = 0.5f;
    const ls_score half = ls_network_loss(r.network, r.params, r.batch, &whole);
    assert_near(half.loss, a.loss / 2, 1e-6, 0);
    assert_near(half.kl, a.kl / 2, 1e-6, 0);
    free_reference(&r);
}

/* Computes the outputs of a part from its inputs.
 * y  [rows][outputs] */
static void run_part(const reference *r, ls_network_part which, const float *x, int64_t stride,
                     float *y)
{
    ls_latent_part part;
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_latent_cut(&part, r->network, which));
    assert_ok(ls_network_create(&network, part.model, part.input, part.outputs, LS_MSE,
                                VARIATIONAL_ROWS));
    assert_int_equal(ls_network_size(network), part.params.count);
    assert_ok(ls_batch_create(&batch, VARIATIONAL_ROWS, part.input.channels, part.outputs));
    batch->rows = VARIATIONAL_ROWS;
    for (int64_t i = 0; i < batch->rows; i++)
        memcpy(batch->x + i * batch->features, x + i * stride, (size_t)batch->features * sizeof *x);
    memcpy(y, ls_network_forward(network, r->params + part.params.first, batch),
           (size_t)(batch->rows * part.outputs) * sizeof *y);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
    ls_latent_part_destroy(&part);
}

static void encoder_and_decoder_are_the_whole(void **state)
{
    (void)state;
    enum { MEANS = 3 };
    reference r = make_reference(LS_BCE);
    float latent[VARIATIONAL_ROWS * 2 * MEANS], y[VARIATIONAL_ROWS * VARIATIONAL_FEATURES];
    run_part(&r, LS_PART_ENCODER, r.batch->x, VARIATIONAL_FEATURES, latent);
    run_part(&r, LS_PART_DECODER, latent, 2 * (int64_t)MEANS, y);
    const float *whole = ls_network_forward(r.network, r.params, r.batch);
    int64_t stride;
    const float *means = ls_network_latent_means(r.network, &stride);
    assert_int_equal(stride, 2 * MEANS);
    assert_memory_equal(means, latent, sizeof latent);
    for (int i = 0; i < VARIATIONAL_ROWS * VARIATIONAL_FEATURES; i++)
        assert_near((double)y[i], ls_loss_value(LS_BCE, whole[i]), 1e-6, 1e-7);
    assert_int_equal(ls_network_latent(r.network), MEANS);
    free_reference(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergence_is_that_of_normal_distributions),
        cmocka_unit_test(gradient_has_the_divergences),
        cmocka_unit_test(samples_have_mean_and_variance),
        cmocka_unit_test(nothing_is_sampled_unless_rows_are_scored),
        cmocka_unit_test(loss_and_gradients_equal_pytorchs),
        cmocka_unit_test(a_score_is_a_sum_over_micro_batches_and_weighted),
        cmocka_unit_test(encoder_and_decoder_are_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
