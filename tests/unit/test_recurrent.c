/* Recurrent layers: their outputs against numbers of Keras, with weights of 0.01 of the inputs and
 * 0.02 of the state and biases of 0.03; their options. */
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

/* Biases that `chrono` sets: those of the gates that keep the state are log u of all u from 1 to
 * T - 1, those of lstm's input gates the opposite, the others 0. */
static void chrono_begins_with_memories_of_all_lengths(void **state)
{
    (void)state;
    enum { UNITS = 400, STEPS = 101 };
    const struct {
        const char *model;
        int gates, keep, opposite; /* of the bias; -1: none */
    } cases[] = {{"lstm:400,chrono", 4, 1, 0},
                 {"gru:400,both,chrono", 6, 0, -1}}; /* two biases of 3 gates */
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ls_network *network;
        const int outputs = k == 0 ? UNITS : 2 * UNITS;
        assert_ok(ls_network_create(&network, cases[k].model, (ls_shape){1, STEPS, 2}, outputs,
                                    LS_MSE, 1));
        float *params = ls_alloc(ls_network_size(network), sizeof *params);
        ls_network_initialise(network, 5, params);
        int count;
        const ls_param *param = ls_network_params(network, &count);
        for (int at = 0; at < count; at++) {
            if (strstr(param[at].name, "bias") == NULL)
                continue;
            const float *b = params + param[at].offset, *keep = b + cases[k].keep * UNITS;
            double sum = 0, least = 1e30, most = 0;
            assert_int_equal(param[at].count, cases[k].gates * UNITS);
            for (int j = 0; j < UNITS; j++) {
                const double u = exp((double)keep[j]);
                sum += u;
                least = u < least ? u : least;
                most = u > most ? u : most;
            }
            assert_true(least >= 1 && least < 2 && most > STEPS - 3 && most < STEPS - 0.999);
            assert_near(sum / UNITS, STEPS / 2.0, 5, 0);
            for (int j = 0; j < UNITS * cases[k].gates; j++)
                if (j / UNITS != cases[k].keep)
                    assert_true(b[j] == (j / UNITS == cases[k].opposite ? -keep[j % UNITS] : 0.0F));
        }
        ls_free(params);
        ls_network_destroy(&network);
    }
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *model, *text;
    } cases[] = {
        {"rnn:4,chrono", "the options are all (outputs in each step), and both"},
        {"gru:4,both,reverse", "or reverse, and chrono (initial biases"},
        {"lstm:4,all,all", "or reverse, and chrono (initial biases"},
        {"lstm:4,chron", "or reverse, and chrono (initial biases"},
        {"lstm:,all", "number of units"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        ls_network *network;
        assert_int_equal(
            ls_network_create(&network, cases[k].model, (ls_shape){1, 3, 2}, 4, LS_MSE, 1),
            LS_ERR_USAGE);
        assert_non_null(strstr(ls_error_text(), cases[k].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_weights_give_the_outputs_of_keras),
        cmocka_unit_test(chrono_begins_with_memories_of_all_lengths),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
