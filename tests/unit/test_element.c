/* Conversion of numbers of all types to floats. */
#include "test.h"

#include "data/element.h"

#include <math.h>
#include <string.h>

/* The value of a float16 by its definition. */
static double half_by_definition(int bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return fraction == 0 ? sign * HUGE_VAL : NAN;
    return exponent == 0 ? sign * ldexp(fraction, -24)
                         : sign * ldexp(1024 + fraction, exponent - 25);
}

static void every_float16_has_its_value(void **state)
{
    (void)state;
    for (int bits = 0; bits < 1 << 16; bits++) {
        const uint16_t half = (uint16_t)bits;
        const double expected = half_by_definition(bits);
        float x;
        ls_element_convert(LS_F16, 1, &half, 1, 0, &x);
        if (isnan(expected) ? !isnan(x) : (double)x != expected)
            fail_msg("float16 %04x is %g, expected %g", (unsigned)bits, (double)x, expected);
    }
}

static void numbers_are_scaled_and_shifted_at_any_address(void **state)
{
    (void)state;
    enum { COUNT = 37 };
    static const double least[] = {0, -128, -32768, 0, -16777216, -16777216, -2048, -1e30};
    static const double most[] = {255, 127, 32767, 65535, 16777216, 16777216, 2048, 1e30};
    for (int e = 0; e < LS_ELEMENTS; e++) {
        unsigned char bytes[COUNT * 8 + 8];
        const size_t size = ls_element_bytes((ls_element)e);
        for (size_t offset = 0; offset < 8; offset += 3) {
            double expected[COUNT];
            float x[COUNT];
            for (int i = 0; i < COUNT; i++) {
                const double v = i == 0 ? least[e] : i == 1 ? most[e] : trunc(least[e] / (i + 1));
                const int64_t whole = e < LS_F16 ? (int64_t)v : 0;
                const float real = (float)v;
                const uint16_t half = (uint16_t)(0x3c00 + i); /* 1 + i / 1024 */
                memcpy(bytes + offset + size * (size_t)i,
                       e == LS_F32   ? (const void *)&real
                       : e == LS_F16 ? (const void *)&half
                                     : (const void *)&whole, /* little-endian */
                       size);
                expected[i] = e == LS_F16 ? 1 + i / 1024.0 : e == LS_F32 ? (double)real : v;
            }
            ls_element_convert((ls_element)e, COUNT, bytes + offset, 0.5f, 3, x);
            for (int i = 0; i < COUNT; i++)
                assert_near((double)x[i], 0.5 * expected[i] + 3, 1e-7, 1e-7);
        }
    }
}

static void types_have_names_and_sizes(void **state)
{
    (void)state;
    assert_string_equal(ls_element_name(LS_U8), "uint8");
    assert_string_equal(ls_element_name(LS_F32), "float32");
    assert_int_equal(ls_element_bytes(LS_I64), 8);
    assert_int_equal(ls_element_bytes(LS_F16), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_float16_has_its_value),
        cmocka_unit_test(numbers_are_scaled_and_shifted_at_any_address),
        cmocka_unit_test(types_have_names_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
