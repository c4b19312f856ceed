/* The losses of a GAN against figures worked out by hand, and their gradients against
 * differences. */
#include "test.h"

#include "nn/adversarial_loss.h"

#include <math.h>

static double judge(ls_adversarial_loss loss, ls_side side, double y, double *dy)
{
    const ls_adversarial_terms terms = {.loss = loss, .side = side};
    return ls_adversarial_judge(&terms, y, dy);
}

static void undecided_judgements_cost_twice_the_logarithm_of_two(void **state)
{
    (void)state;
    double dy;
    assert_near(judge(LS_NON_SATURATING, LS_SIDE_DATA, 0, &dy) +
                    judge(LS_NON_SATURATING, LS_SIDE_GENERATED, 0, &dy),
                1.38629436, 1e-8, 0);
    assert_near(judge(LS_NON_SATURATING, LS_SIDE_GENERATOR, 0, &dy), 0.69314718, 1e-8, 0);
    assert_near(judge(LS_SATURATING, LS_SIDE_GENERATOR, 0, &dy), -0.69314718, 1e-8, 0);
}

static void the_saturating_gradient_vanishes_where_the_other_does_not(void **state)
{
    (void)state;
    double dy;
    const double y = log(0.02 / 0.98); /* the probability that the row is real is 0.02 */
    (void)judge(LS_NON_SATURATING, LS_SIDE_GENERATOR, y, &dy);
    assert_near(dy, -0.98, 1e-9, 0);
    (void)judge(LS_SATURATING, LS_SIDE_GENERATOR, y, &dy);
    assert_near(dy, -0.02, 1e-9, 0);
}

static void hinge_and_least_squares_are_as_defined(void **state)
{
    (void)state;
    static const struct {
        ls_adversarial_loss loss;
        ls_side side;
        double y, value, dy;
    } cases[] = {
        {LS_HINGE, LS_SIDE_DATA, 0.25, 0.75, -1},
        {LS_HINGE, LS_SIDE_DATA, 1.5, 0, 0},
        {LS_HINGE, LS_SIDE_GENERATED, 0.25, 1.25, 1},
        {LS_HINGE, LS_SIDE_GENERATED, -1.5, 0, 0},
        {LS_HINGE, LS_SIDE_GENERATOR, 0.25, -0.25, -1},
        {LS_LEAST_SQUARES, LS_SIDE_DATA, 0.25, 0.28125, -0.75},
        {LS_LEAST_SQUARES, LS_SIDE_GENERATED, 0.25, 0.03125, 0.25},
        {LS_LEAST_SQUARES, LS_SIDE_GENERATOR, 0.25, 0.28125, -0.75},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double dy;
        assert_near(judge(cases[i].loss, cases[i].side, cases[i].y, &dy), cases[i].value, 1e-12, 0);
        assert_near(dy, cases[i].dy, 1e-12, 0);
    }
}

static void derivatives_are_those_of_the_losses(void **state)
{
    (void)state;
    const double step = 1e-6;
    for (int loss = LS_NON_SATURATING; loss <= LS_LEAST_SQUARES; loss++)
        for (int side = LS_SIDE_DATA; side <= LS_SIDE_GENERATOR; side++)
            for (double y = -30.3; y < 31; y += 5) {
                double dy, none;
                const ls_adversarial_terms terms = {(ls_adversarial_loss)loss, (ls_side)side, 0,
                                                    0.1};
                (void)ls_adversarial_judge(&terms, y, &dy);
                const double difference = ls_adversarial_judge(&terms, y + step, &none) -
                                          ls_adversarial_judge(&terms, y - step, &none);
                assert_near(dy, difference / (2 * step), 1e-6, 1e-6);
            }
}

static void losses_of_huge_judgements_are_finite(void **state)
{
    (void)state;
    double dy;
    assert_near(judge(LS_NON_SATURATING, LS_SIDE_DATA, -1e4, &dy), 1e4, 1e-12, 0);
    assert_near(dy, -1, 1e-12, 0);
    assert_near(judge(LS_NON_SATURATING, LS_SIDE_GENERATED, 1e4, &dy), 1e4, 1e-12, 0);
    assert_near(judge(LS_NON_SATURATING, LS_SIDE_GENERATOR, 1e4, &dy), 0, 0, 1e-12);
    assert_near(dy, 0, 0, 1e-12);
}

static void a_row_is_judged_as_one_of_its_class(void **state)
{
    (void)state;
    int32_t labels[2] = {2, 0};
    const ls_batch batch = {.rows = 2, .labels = labels};
    ls_adversarial_terms terms = {LS_NON_SATURATING, LS_SIDE_DATA, 3, 0};
    const float y[2][4] = {{0.5f, 7, -7, 0.25f}, {1, -1, 7, 7}};
    for (int side = LS_SIDE_DATA; side <= LS_SIDE_GENERATOR; side++) {
        float dy[2][4];
        double derivative[2];
        terms.side = (ls_side)side;
        const ls_score score = ls_adversarial_score(&terms, &batch, 0, 2, y[0], dy[0]);
        const double expected = ls_adversarial_judge(&terms, 0.75, &derivative[0]) +
                                ls_adversarial_judge(&terms, 0, &derivative[1]);
        assert_near(score.loss, expected, 1e-12, 0);
        for (int r = 0; r < 2; r++)
            for (int k = 0; k < 4; k++)
                assert_near((double)dy[r][k], k == 0 || k == 1 + labels[r] ? derivative[r] : 0,
                            1e-6, 0);
    }
}

static void scores_are_of_pairs_of_rows(void **state)
{
    (void)state;
    int32_t labels[3] = {0};
    const ls_batch batch = {.rows = 3, .labels = labels};
    const float y[3] = {1, -1, 2};
    float dy[3];
    ls_adversarial_terms terms = {LS_HINGE, LS_SIDE_DATA, 0, 0};
    ls_score score = ls_adversarial_score(&terms, &batch, 0, 3, y, dy);
    terms.side = LS_SIDE_GENERATED;
    const ls_score other = ls_adversarial_score(&terms, &batch, 0, 3, y, dy);
    ls_score_add(&score, &other);
    assert_int_equal(score.rows, 3);
    assert_near(score.weight, 3, 0, 0);
    assert_near(score.correct, 3, 0, 0); /* two of the data's rows, and one generated row */
    const ls_task task = {.kind = LS_TASK_GENERATION, .outputs = 1, .unit = 1};
    assert_near(ls_metric_value(LS_METRIC_ACCURACY, &task, &score), 0.5, 1e-12, 0);
    assert_near(ls_metric_value(LS_METRIC_LOSS, &task, &score), (2 + 2 + 3) / 3.0, 1e-12, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undecided_judgements_cost_twice_the_logarithm_of_two),
        cmocka_unit_test(the_saturating_gradient_vanishes_where_the_other_does_not),
        cmocka_unit_test(hinge_and_least_squares_are_as_defined),
        cmocka_unit_test(derivatives_are_those_of_the_losses),
        cmocka_unit_test(losses_of_huge_judgements_are_finite),
        cmocka_unit_test(a_row_is_judged_as_one_of_its_class),
        cmocka_unit_test(scores_are_of_pairs_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
