#include "data/element.h"

#include "base/dispatch.h"

#include <stdbool.h>
#include <string.h>

const char *ls_element_name(ls_element element)
{
    static const char *const names[LS_ELEMENTS] = {
#define NAME(value, name, bytes) name,
        LS_ELEMENT_LIST(NAME)
#undef NAME
    };
    return names[element];
}

size_t ls_element_bytes(ls_element element)
{
    static const size_t sizes[LS_ELEMENTS] = {
#define SIZE(value, name, bytes) bytes,
        LS_ELEMENT_LIST(SIZE)
#undef SIZE
    };
    return sizes[element];
}

/* The value of a float16 (IEEE 754 binary16): for normal numbers sign, exponent and fraction move
 * to their places in a float; the others, fraction * 2^-24, have no exponent of their own. */
static inline float half_value(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    const uint32_t bias = magnitude >= 0x7c00 ? UINT32_C(224) << 23 : UINT32_C(112) << 23;
    const uint32_t normal = sign | ((magnitude << 13) + bias);
    const float small = (float)magnitude * (half & 0x8000 ? -0x1p-24f : 0x1p-24f);
    float value;
    memcpy(&value, &normal, sizeof value);
    return magnitude < 0x0400 ? small : value;
}

/* The loops: numbers lie at any address, so that each is copied. */
#define CONVERT(name, type, value)                                                                 \
    LS_DISPATCH static void name(int64_t count, const unsigned char *restrict from, float scale,   \
                                 float shift, float *restrict x)                                   \
    {                                                                                              \
        for (int64_t i = 0; i < count; i++) {                                                      \
            type number;                                                                           \
            memcpy(&number, from + i * (int64_t)sizeof number, sizeof number);                     \
            x[i] = scale * (value) + shift;                                                        \
        }                                                                                          \
    }
CONVERT(convert_u8, uint8_t, (float)number)
CONVERT(convert_i8, int8_t, (float)number)
CONVERT(convert_i16, int16_t, (float)number)
CONVERT(convert_u16, uint16_t, (float)number)
CONVERT(convert_i32, int32_t, (float)number)
CONVERT(convert_i64, int64_t, (float)number)
CONVERT(convert_f16, uint16_t, half_value(number))
CONVERT(convert_f32, float, number)
#undef CONVERT

void ls_element_convert(ls_element element, int64_t count, const void *numbers, float scale,
                        float shift, float *x)
{
    static void (*const convert[LS_ELEMENTS])(int64_t, const unsigned char *restrict, float, float,
                                              float *restrict) = {
        [LS_U8] = convert_u8,   [LS_I8] = convert_i8,   [LS_I16] = convert_i16,
        [LS_U16] = convert_u16, [LS_I32] = convert_i32, [LS_I64] = convert_i64,
        [LS_F16] = convert_f16, [LS_F32] = convert_f32};
    convert[element](count, numbers, scale, shift, x);
}

/* Return true if some number has the exponent of NaN and infinity. */
#define HAS_SPECIAL(name, type, exponent)                                                          \
    LS_DISPATCH static bool name(int64_t count, const unsigned char *from)                         \
    {                                                                                              \
        bool special = false;                                                                      \
        for (int64_t i = 0; i < count; i++) {                                                      \
            type bits;                                                                             \
            memcpy(&bits, from + i * (int64_t)sizeof bits, sizeof bits);                           \
            special |= (bits & (exponent)) == (exponent);                                          \
        }                                                                                          \
        return special;                                                                            \
    }
HAS_SPECIAL(has_special_f16, uint16_t, 0x7c00)
HAS_SPECIAL(has_special_f32, uint32_t, UINT32_C(0x7f800000))
#undef HAS_SPECIAL

int64_t ls_element_find_special(ls_element element, int64_t count, const void *numbers)
{
    bool (*const has)(int64_t, const unsigned char *) = element == LS_F16   ? has_special_f16
                                                        : element == LS_F32 ? has_special_f32
                                                                            : NULL;
    const size_t bytes = ls_element_bytes(element);
    if (has == NULL || !has(count, numbers))
        return -1;
    int64_t at = 0;
    while (!has(1, (const unsigned char *)numbers + (size_t)at * bytes))
        at++;
    return at;
}
