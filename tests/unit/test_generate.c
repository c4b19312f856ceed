/* Texts that a network writes: draws, windows, and what is read of the tokens before. */
#include "test.h"

#include "base/memory.h"
#include "train/generate.h"

#include <math.h>
#include <string.h>

enum { T = 8, V = 5 };

static void the_likeliest_token_is_the_first_of_the_largest(void **state)
{
    const float logits[] = {-1, 3, 3, 2};
    (void)state;
    for (int at = 0; at < 50; at++)
        assert_int_equal(ls_generate_draw(logits, 4, 0, 7, at), 1);
    /* A very low temperature is as 0 where one token is the likeliest. */
    assert_int_equal(ls_generate_draw((const float[]){-1e4F, 3, 1e4F, 2}, 4, 1e-3, 7, 0), 2);
}

static void tokens_are_drawn_with_their_probabilities(void **state)
{
    enum { DRAWS = 40000 };
    const float logits[] = {0, 1, -2, 0.5F, -INFINITY};
    const double temperatures[] = {1, 0.5, 2, 1e6};
    (void)state;
    for (int t = 0; t < 4; t++) {
        double sum = 0, count[V] = {0};
        for (int k = 0; k < V; k++)
            sum += exp(logits[k] / temperatures[t]);
        for (int at = 0; at < DRAWS; at++)
            count[ls_generate_draw(logits, V, temperatures[t], 3, at)]++;
        for (int k = 0; k < V; k++) {
            const double p = exp(logits[k] / temperatures[t]) / sum;
            const double deviation = sqrt(p * (1 - p) * DRAWS);
            assert_true(fabs(count[k] - p * DRAWS) <= 4.5 * deviation);
        }
    }
}

static void draws_depend_on_seed_and_position_only(void **state)
{
    const float logits[] = {0, 0.1F, 0.2F, 0.3F, 0.4F};
    int seeds = 0, positions = 0;
    (void)state;
    for (int at = 0; at < 100; at++) {
        const int32_t drawn = ls_generate_draw(logits, V, 1, 1, at);
        assert_int_equal(ls_generate_draw(logits, V, 1, 1, at), drawn);
        seeds += ls_generate_draw(logits, V, 1, 2, at) != drawn;
        positions += ls_generate_draw(logits, V, 1, 1, at + 1) != drawn;
    }
    assert_true(seeds > 40 && positions > 40);
}

/* A network of rows of some steps, with initial parameters that depend on the model only. */
static float *make_network(ls_network **out, const char *model, int64_t steps)
{
    assert_ok(ls_network_create(out, model, (ls_shape){steps, 1, 1}, V, LS_CROSS_ENTROPY, 1));
    assert_int_equal(ls_network_steps(*out), steps);
    float *params = ls_alloc(ls_network_size(*out), sizeof *params);
    assert_non_null(params);
    ls_network_initialise(*out, 5, params);
    return params;
}

static ls_status append(void *user, int32_t token)
{
    char *text = user;
    const size_t used = strlen(text);
    text[used] = (char)('a' + token);
    text[used + 1] = '\0';
    return LS_OK;
}

static void a_network_that_counts_writes_what_follows(void **state)
{
    ls_network *network = NULL;
    float *params = make_network(&network, "embedding:5,5", T);
    int32_t tokens[64] = {2};
    char text[64] = "";
    (void)state;
    assert_int_equal(ls_network_size(network), V * V);
    for (int v = 0; v < V; v++)
        for (int k = 0; k < V; k++)
            params[v * V + k] = k == (v + 1) % V ? 5 : 0;
    ls_continuation c = {
        .network = network, .params = params, .tokens = tokens, .known = 1, .count = 21};
    assert_ok(ls_generate_tokens(&c, append, text)); /* beyond the steps of a row */
    assert_string_equal(text, "deabcdeabcdeabcdeabcd");
    for (int i = 0; i < 22; i++)
        assert_int_equal(tokens[i], (i + 2) % V);
    params[2 * V] = NAN;
    assert_fails(ls_generate_tokens(&c, append, text), LS_ERR_NUMERIC, "not finite");
    ls_free(params);
    ls_network_destroy(&network);
}

/* Returns the token that follows the tokens, by a network of rows of exactly that many steps. */
static int32_t follow(const char *model, const int32_t *tokens, int64_t count)
{
    ls_network *network = NULL;
    ls_batch *batch = NULL;
    float *params = make_network(&network, model, count);
    assert_ok(ls_batch_create(&batch, 1, count, count));
    batch->rows = 1;
    for (int64_t i = 0; i < count; i++)
        batch->x[i] = (float)tokens[i];
    const float *y = ls_network_forward(network, params, batch) + (count - 1) * V;
    const int32_t drawn = ls_generate_draw(y, V, 1, 9, 0);
    ls_batch_destroy(&batch);
    ls_free(params);
    ls_network_destroy(&network);
    return drawn;
}

static void the_latest_tokens_are_read_and_nothing_else(void **state)
{
    static const char *const models[] = {
        "embedding:6,5 lstm:7,all dense:5", "embedding:6,5 gru:7,all gru:4,all dense:5",
        "embedding:6,5 position attention:2,causal layernorm dense:5"};
    const int32_t before[] = {4, 0, 3, 1, 1, 2, 0, 4, 3, 2, 1, 0};
    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        ls_network *network = NULL;
        float *params = make_network(&network, models[m], T);
        for (int known = 1; known <= 12; known++) {
            int32_t tokens[16];
            char text[8] = "";
            memcpy(tokens, before, sizeof before);
            const ls_continuation c = {.network = network,
                                       .params = params,
                                       .tokens = tokens,
                                       .known = known,
                                       .count = 1,
                                       .temperature = 1,
                                       .seed = 9};
            assert_ok(ls_generate_tokens(&c, append, text));
            const int read = known < T ? known : T;
            assert_int_equal(tokens[known], follow(models[m], before + known - read, read));
        }
        ls_free(params);
        ls_network_destroy(&network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_likeliest_token_is_the_first_of_the_largest),
        cmocka_unit_test(tokens_are_drawn_with_their_probabilities),
        cmocka_unit_test(draws_depend_on_seed_and_position_only),
        cmocka_unit_test(a_network_that_counts_writes_what_follows),
        cmocka_unit_test(the_latest_tokens_are_read_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
