/* Small networks against PyTorch: see reference/make_reference.py and make_images_reference.py. */
#include "reference/images_reference.h"
#include "nn/optimizer.h"
#include "reference/reference.h"
#include "test.h"

#include <lockstep/network.h>
#include <lockstep/optimizer.h>

#include "base/memory.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { ROWS = 6, FEATURES = 5, CLASSES = 3, STEPS = 10 };

static ls_network *make_network(const char *model, ls_loss loss)
{
    ls_network *network;
    assert_ok(ls_network_create(&network, model, (ls_shape){FEATURES, 1, 1}, CLASSES, loss, ROWS));
    return network;
}

static ls_batch *make_batch(void)
{
    ls_batch *batch;
    assert_ok(ls_batch_create(&batch, ROWS, FEATURES, 0));
    batch->rows = ROWS;
    for (int i = 0; i < ROWS * FEATURES; i++)
        batch->x[i] = (float)reference_x[i];
    for (int i = 0; i < ROWS; i++)
        batch->labels[i] = reference_labels[i];
    return batch;
}

static void compare_with_reference(const char *what, const float *ours, const double *theirs,
                                   int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)ours[i] - theirs[i]) <= 2e-6 + 2e-5 * fabs(theirs[i])))
            fail_msg("%s[%lld]: %.9g, reference %.9g", what, (long long)i, (double)ours[i],
                     theirs[i]);
}

/* Compares activations, loss and gradients of one pass. */
static void check_pass(const char *model, ls_loss loss, const double *start, int outputs,
                       const double *const *output, double expected_loss, const double *gradient)
{
    ls_network *network = make_network(model, loss);
    ls_batch *batch = make_batch();
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    for (int64_t i = 0; i < size; i++)
        params[i] = (float)start[i];
    ls_score score = ls_network_gradient(network, params, batch, grads, NULL);
    assert_near(score.loss, expected_loss, 1e-6, 0);
    for (int i = 0; i < outputs; i++) {
        /* A dense layer applies the relu after it. */
        bool fused_relu = i + 1 < outputs &&
                          strncmp(ls_network_layer(network, i).name, "dense", 5) == 0 &&
                          strcmp(ls_network_layer(network, i + 1).word, "relu") == 0;
        compare_with_reference(ls_network_layer(network, i).name, ls_network_activation(network, i),
                               output[fused_relu ? i + 1 : i],
                               ROWS * ls_shape_size(ls_network_layer(network, i).out));
    }
    compare_with_reference("gradient", grads, gradient, size);
    ls_free(params);
    ls_free(grads);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

/* Compares the parameters after ten steps of an optimizer. */
static void check_steps(const char *model, ls_loss loss, const double *start,
                        const ls_optimizer_config *config, double lr, const char *what,
                        const double *expected)
{
    ls_network *network = make_network(model, loss);
    ls_batch *batch = make_batch();
    ls_optimizer *optimizer;
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    for (int64_t i = 0; i < size; i++)
        params[i] = (float)start[i];
    int rows;
    const ls_param *table = ls_network_params(network, &rows);
    assert_ok(ls_optimizer_create(&optimizer, config, table, rows));
    for (int step = 0; step < STEPS; step++) {
        (void)ls_network_gradient(network, params, batch, grads, NULL);
        ls_optimizer_step(optimizer, grads, 1.0 / ROWS, lr, params);
    }
    compare_with_reference(what, params, expected, size);
    ls_free(params);
    ls_free(grads);
    ls_optimizer_destroy(&optimizer);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void passes_of_dense_networks_equal_pytorchs(void **state)
{
    (void)state;
    const double *const a[] = {reference_a_output0, reference_a_output1, reference_a_output2,
                               reference_a_output3, reference_a_output4};
    const double *const b[] = {reference_b_output0, reference_b_output1, reference_b_output2,
                               reference_b_output3};
    check_pass(REFERENCE_MODEL_A, REFERENCE_LOSS_A, reference_a_params, 5, a, *reference_a_loss,
               reference_a_grads);
    check_pass(REFERENCE_MODEL_B, REFERENCE_LOSS_B, reference_b_params, 4, b, *reference_b_loss,
               reference_b_grads);
}

static void ten_steps_of_each_optimizer_equal_pytorchs(void **state)
{
    (void)state;
    const struct {
        const char *name;
        ls_optimizer_config config;
        double lr;
        const double *after_a, *after_b;
    } cases[] = {
        {"sgd",
         {.kind = LS_SGD, .weight_decay = 0.01},
         0.1,
         reference_a_after_sgd,
         reference_b_after_sgd},
        {"momentum",
         {.kind = LS_SGD, .momentum = 0.9, .weight_decay = 0.01},
         0.1,
         reference_a_after_momentum,
         reference_b_after_momentum},
        {"nesterov",
         {.kind = LS_SGD, .momentum = 0.9, .nesterov = true},
         0.1,
         reference_a_after_nesterov,
         reference_b_after_nesterov},
        {"adam",
         {.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
         0.01,
         reference_a_after_adam,
         reference_b_after_adam},
        {"adam_l2",
         {.kind = LS_ADAM, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6, .weight_decay = 0.1},
         0.01,
         reference_a_after_adam_l2,
         reference_b_after_adam_l2},
        {"adamw",
         {.kind = LS_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1},
         0.01,
         reference_a_after_adamw,
         reference_b_after_adamw},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_steps(REFERENCE_MODEL_A, REFERENCE_LOSS_A, reference_a_params, &cases[i].config,
                    cases[i].lr, cases[i].name, cases[i].after_a);
        check_steps(REFERENCE_MODEL_B, REFERENCE_LOSS_B, reference_b_params, &cases[i].config,
                    cases[i].lr, cases[i].name, cases[i].after_b);
    }
}

/* Compares activations in training, loss, gradients of parameters and inputs, and the outputs of an
 * evaluation; of convolutions, pooling, batch normalisation and branches. */
static void check_images(const char *model, ls_loss loss, const double *start, int outputs,
                         const double *output, double expected_loss, const double *gradient,
                         const double *input_gradient, const double *later)
{
    const ls_shape shape = {2, 6, 5};
    const int64_t features = ls_shape_size(shape);
    ls_network *network;
    ls_batch *batch;
    assert_ok(ls_network_create(&network, model, shape, CLASSES, loss, ROWS));
    assert_ok(ls_batch_create(&batch, ROWS, features, 0));
    batch->rows = ROWS;
    for (int64_t i = 0; i < ROWS * features; i++)
        batch->x[i] = (float)images_x[i];
    if (ls_network_channels_last(network))
        ls_batch_to_channels_last(batch, shape.channels, shape.height * shape.width);
    for (int i = 0; i < ROWS; i++)
        batch->labels[i] = reference_labels[i];
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(size, sizeof *params), *grads = ls_alloc(size, sizeof *grads);
    float *dx = ls_alloc(ROWS * features, sizeof *dx);
    for (int64_t i = 0; i < size; i++)
        params[i] = (float)start[i];
    assert_near(ls_network_gradient(network, params, batch, grads, dx).loss, expected_loss, 1e-6,
                0);
    assert_int_equal(ls_network_layers(network), outputs);
    for (int i = 0; i < outputs; i++) {
        const int64_t count = ROWS * ls_shape_size(ls_network_layer(network, i).out);
        /* A layer may apply the relu after it. */
        const bool fused_relu =
            i + 1 < outputs && strcmp(ls_network_layer(network, i + 1).word, "relu") == 0;
        compare_with_reference(ls_network_layer(network, i).name, ls_network_activation(network, i),
                               fused_relu ? output + count : output, count);
        output += count;
    }
    compare_with_reference("gradient", grads, gradient, size);
    compare_with_reference("gradient of the input", dx, input_gradient, ROWS * features);
    (void)ls_network_evaluate(network, params, batch, NULL);
    compare_with_reference("evaluation", ls_network_activation(network, outputs - 1), later,
                           (int64_t)ROWS * CLASSES);
    ls_free(params);
    ls_free(grads);
    ls_free(dx);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void passes_of_image_networks_equal_pytorchs(void **state)
{
    (void)state;
    check_images(IMAGES_MODEL_A, IMAGES_LOSS_A, images_a_params, IMAGES_LAYERS_A, images_a_outputs,
                 *images_a_loss, images_a_grads, images_a_dx, images_a_later);
    check_images(IMAGES_MODEL_B, IMAGES_LOSS_B, images_b_params, IMAGES_LAYERS_B, images_b_outputs,
                 *images_b_loss, images_b_grads, images_b_dx, images_b_later);
    check_images(IMAGES_MODEL_C, IMAGES_LOSS_C, images_c_params, IMAGES_LAYERS_C, images_c_outputs,
                 *images_c_loss, images_c_grads, images_c_dx, images_c_later);
    check_images(IMAGES_MODEL_D, IMAGES_LOSS_D, images_d_params, IMAGES_LAYERS_D, images_d_outputs,
                 *images_d_loss, images_d_grads, images_d_dx, images_d_later);
    check_images(IMAGES_MODEL_E, IMAGES_LOSS_E, images_e_params, IMAGES_LAYERS_E, images_e_outputs,
                 *images_e_loss, images_e_grads, images_e_dx, images_e_later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_of_dense_networks_equal_pytorchs),
        cmocka_unit_test(passes_of_image_networks_equal_pytorchs),
        cmocka_unit_test(ten_steps_of_each_optimizer_equal_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
