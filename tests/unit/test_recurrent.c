/* Recurrent layers against numbers of Keras: weights are 0.01 of the inputs, 0.02 of the state,
 * biases 0.03. */
#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { MOST = 16 };

/* A layer whose inputs are 0, 1, 2, ... */
typedef struct oracle {
    const char *model;
    int64_t rows, T, I;
    double forget; /* bias of lstm's forget gates */
    double output[2 * MOST];
    int32_t lengths[MOST]; /* 0: all steps */
} oracle;

static const oracle oracles[] = {
    {"rnn:4", 2, 3, 4, 0, {0.4054321, 0.7360534}, {0}},
    {"lstm:3", 3, 6, 4, 1, {0.6288687, 0.8689914, 0.9460773}, {0}},
    {"lstm:3", 3, 6, 4, 0.03, {0.5701970, 0.8661915, 0.9459622}, {0}},
    {"lstm:3,reverse", 3, 6, 4, 1, {0.3562217, 0.7478952, 0.8872726}, {0}},
    {"gru:3", 3, 6, 4, 0, {0.5217289, 0.6371659, 0.3938496}, {0}},
    {"lstm:2", 2, 4, 3, 1, {0.1175594, 0.2855621}, {3, 2}},
};

/* Sets all parameters of a network to the constants. */
static void set_constants(const ls_network *network, double forget, float *params)
{
    int count;
    const ls_param *param = ls_network_params(network, &count);
    for (int k = 0; k < count; k++)
        for (int64_t i = 0; i < param[k].count; i++) {
            const bool bias = strstr(param[k].name, "bias") != NULL;
            const bool forgets = bias && forget > 0 && i / (param[k].count / 4) == 1;
            params[param[k].offset + i] =
                (float)(forgets                                      ? forget
                        : bias                                       ? 0.03
                        : strstr(param[k].name, "recurrent") != NULL ? 0.02
                                                                     : 0.01);
        }
}

static void constant_weights_give_the_outputs_of_keras(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof oracles / sizeof *oracles; k++) {
        const oracle *o = &oracles[k];
        const int units = o->model[4] == ':' ? o->model[5] - '0' : o->model[4] - '0';
        ls_network *network;
        ls_batch *batch;
        assert_ok(ls_network_create(&network, o->model, (ls_shape){1, o->T, o->I}, units, LS_MSE,
                                    o->rows));
        assert_ok(ls_batch_create(&batch, o->rows, o->T * o->I, 0));
        float *params = ls_alloc(ls_network_size(network), sizeof *params);
        set_constants(network, o->forget, params);
        batch->rows = o->rows;
        for (int64_t i = 0; i < o->rows * o->T * o->I; i++)
            batch->x[i] = (float)i;
        if (o->lengths[0] > 0) {
            batch->lengths = ls_alloc(o->rows, sizeof *batch->lengths);
            memcpy(batch->lengths, o->lengths, (size_t)o->rows * sizeof *batch->lengths);
        }
        const float *y = ls_network_forward(network, params, batch);
        for (int64_t r = 0; r < o->rows; r++)
            for (int u = 0; u < units; u++)
                assert_near(y[r * units + u], o->output[r], 1e-6, 0);
        ls_free(params);
        ls_batch_destroy(&batch);
        ls_network_destroy(&network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_weights_give_the_outputs_of_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
