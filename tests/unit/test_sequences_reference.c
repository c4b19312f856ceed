/* Small networks for sequences against PyTorch's modules, with rows of several lengths: see
 * reference/make_sequences_reference.py. */
#include "reference/sequences_reference.h"

#include "test.h"

#include <lockstep/network.h>
#include <lockstep/optimizer.h>

#include "base/memory.h"
#include "nn/optimizer.h"

#include <math.h>

/* A network, and what PyTorch has of it: of gradients and parameters every STRIDE-th. */
typedef struct reference {
    const char *model;
    int64_t rows, features, steps;
    const double *outputs, *grads, *dx, *losses, *after;
} reference;

static const reference references[] = {
    {SEQUENCES_LSTM, 7, 5, 9, lstm_outputs, lstm_grads, lstm_dx, lstm_losses, lstm_after},
    {SEQUENCES_GRU, 7, 5, 9, gru_outputs, gru_grads, gru_dx, gru_losses, gru_after},
    {SEQUENCES_BLOCK, 4, 24, 70, block_outputs, block_grads, block_dx, block_losses, block_after},
    {SEQUENCES_CAUSAL, 4, 24, 70, causal_outputs, causal_grads, causal_dx, causal_losses,
     causal_after},
};

/* Number k of the inputs or parameters. */
static float value(int64_t k)
{
    return (float)((double)((k * 7919 + 2017) % 10007) / 10007 - 0.5);
}

static void compare(const reference *of, const char *what, const float *ours, int64_t stride,
                    const double *theirs, int64_t count)
{
    for (int64_t i = 0; i * stride < count; i++) {
        const double number = (double)ours[i * stride];
        if (!(fabs(number - theirs[i]) <= 5e-6 + 5e-5 * fabs(theirs[i])))
            fail_msg("%s: %s[%lld]: %.9g, reference %.9g", of->model, what, (long long)(i * stride),
                     number, theirs[i]);
    }
}

static ls_batch *make_batch(const reference *of)
{
    ls_batch *batch;
    const int64_t row = of->features * of->steps;
    assert_ok(ls_batch_create(&batch, of->rows, row, 0));
    assert_ok(ls_batch_add_lengths(batch));
    batch->rows = of->rows;
    for (int64_t i = 0; i < of->rows * row; i++)
        batch->x[i] = 2 * value(100000 + i);
    for (int64_t r = 0; r < of->rows; r++) {
        batch->labels[r] = (int32_t)(r % SEQUENCES_CLASSES);
        batch->lengths[r] = (int32_t)(of->steps - of->steps * r / of->rows);
    }
    return batch;
}

/* Outputs and gradients of the first pass; losses of ten steps of Adam and the parameters after
 * them. */
static void check(const reference *of)
{
    ls_network *network;
    ls_optimizer *optimizer;
    ls_batch *batch = make_batch(of);
    assert_ok(ls_network_create(&network, of->model, (ls_shape){1, of->steps, of->features},
                                SEQUENCES_CLASSES, LS_CROSS_ENTROPY, of->rows));
    const int64_t size = ls_network_size(network), inputs = of->rows * of->features * of->steps;
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    float *dx = ls_alloc(inputs, sizeof *dx);
    const ls_optimizer_config config = {
        .kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = SEQUENCES_EPSILON};
    int count;
    const ls_param *table = ls_network_params(network, &count);
    assert_ok(ls_optimizer_create(&optimizer, &config, table, count));
    for (int64_t i = 0; i < size; i++)
        params[i] = value(i);
    for (int step = 0; step < SEQUENCES_STEPS; step++) {
        const double loss = ls_network_gradient(network, params, batch, grads, dx).loss;
        assert_near(loss / (double)of->rows, of->losses[step], 5e-6, 0);
        if (step == 0) {
            compare(of, "outputs", ls_network_activation(network, ls_network_layers(network) - 1),
                    1, of->outputs, of->rows * SEQUENCES_CLASSES);
            compare(of, "gradients", grads, SEQUENCES_STRIDE, of->grads, size);
            compare(of, "dx", dx, SEQUENCES_STRIDE, of->dx, inputs);
        }
        ls_optimizer_step(optimizer, grads, 1.0 / (double)of->rows, SEQUENCES_LR, params);
    }
    compare(of, "parameters", params, SEQUENCES_STRIDE, of->after, size);
    ls_free(params);
    ls_free(grads);
    ls_free(dx);
    ls_optimizer_destroy(&optimizer);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void bidirectional_layers_with_lengths_train_as_pytorchs(void **state)
{
    (void)state;
    check(&references[0]);
    check(&references[1]);
}

static void a_transformer_block_with_lengths_trains_as_pytorchs(void **state)
{
    (void)state;
    check(&references[2]);
    check(&references[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bidirectional_layers_with_lengths_train_as_pytorchs),
        cmocka_unit_test(a_transformer_block_with_lengths_trains_as_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
