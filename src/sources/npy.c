/* The format: numpy.lib.format. A magic, version, the length of the header, and the header, a
 * Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), } */
#include "sources/npy.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 6, HEADER_MOST = 1 << 20 };

static ls_status fail_header(const ls_npy *npy, const char *what)
{
    return ls_fail(LS_ERR_DATA, "%s: not a NumPy array, or damaged: %s",
                   ls_member_name(npy->member), what);
}

/* Returns the value of a key of the dictionary, without blanks before it; NULL if it is missing. */
static const char *find_value(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (at == NULL)
        return NULL;
    at += strlen(key);
    while (*at == ' ' || *at == ':')
        at++;
    return at;
}

/* Reads a type such as '<f4'. */
static ls_status read_type(ls_npy *npy, const char *text)
{
    static const struct {
        const char *name;
        ls_h5_type type;
    } types[] = {{"u1", LS_H5_U8},  {"i1", LS_H5_I8},  {"b1", LS_H5_U8},  {"u2", LS_H5_U16},
                 {"i2", LS_H5_I16}, {"u4", LS_H5_U32}, {"i4", LS_H5_I32}, {"i8", LS_H5_I64},
                 {"f2", LS_H5_F16}, {"f4", LS_H5_F32}, {"f8", LS_H5_F64}};
    const uint16_t one = 1;
    const bool little = *(const unsigned char *)&one == 1;
    if (text == NULL)
        return fail_header(npy, "it has no type");
    if (*text == '[')
        return ls_fail(LS_ERR_DATA, "%s: records with named fields: not supported",
                       ls_member_name(npy->member));
    if ((*text != '\'' && *text != '"') || strlen(text) < 4)
        return fail_header(npy, "it has no type");
    if (text[1] == 'O' || text[2] == 'O')
        return ls_fail(LS_ERR_DATA, "%s: Python objects: not supported",
                       ls_member_name(npy->member));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strncmp(text + 2, types[i].name, 2) == 0 && text[4] == *text) {
            npy->type = types[i].type;
            npy->bytes = ls_h5_type_bytes(npy->type);
            npy->swapped = npy->bytes > 1 && text[1] == (little ? '>' : '<');
            return LS_OK;
        }
    return ls_fail(
        LS_ERR_DATA,
        "%s: numbers of type %.*s: integers, but not uint64, and floats of 16, 32 and 64 "
        "bits are supported",
        ls_member_name(npy->member), (int)strcspn(text + 1, "'\"") + 2, text);
}

/* Reads a shape such as (60000, 28, 28), and checks it against the bytes of the file. */
static ls_status read_shape(ls_npy *npy, const char *text)
{
    const char *name = ls_member_name(npy->member);
    if (text == NULL || *text++ != '(')
        return fail_header(npy, "it has no shape");
    npy->row = 1;
    while (*text != ')') {
        char *end;
        const long long length = strtoll(text, &end, 10);
        if (end == text || length < 0)
            return fail_header(npy, "its shape is no list of numbers");
        if (npy->rank == LS_H5_MAX_RANK)
            return ls_fail(LS_ERR_DATA, "%s: has more than %d dimensions", name, LS_H5_MAX_RANK);
        if (length == 0)
            return ls_fail(LS_ERR_DATA, "%s: dimension %d is 0", name, npy->rank + 1);
        npy->dims[npy->rank++] = length;
        if (npy->rank > 1 && length > INT32_MAX / npy->row)
            return ls_fail(LS_ERR_DATA, "%s: rows of 2^31 numbers or more", name);
        npy->row *= npy->rank > 1 ? length : 1;
        while (*end == 'L' || *end == ',' || *end == ' ')
            end++;
        text = end;
    }
    if (npy->rank == 0)
        return ls_fail(LS_ERR_DATA, "%s: a single number, not an array", name);
    const int64_t row = npy->row * npy->bytes, left = ls_member_left(npy->member);
    if (left % row != 0 || npy->dims[0] != left / row)
        return ls_fail(LS_ERR_DATA,
                       "%s: its header claims %lld rows of %lld bytes, but %lld bytes follow", name,
                       (long long)npy->dims[0], (long long)row, (long long)left);
    npy->by_columns = npy->by_columns && npy->rank > 1;
    return LS_OK;
}

/* Reads magic, version and the text of the header, owned by the caller. */
static ls_status read_header(ls_npy *npy, char **out)
{
    unsigned char begin[MAGIC + 2], size[4] = {0};
    if (ls_member_left(npy->member) < (int64_t)sizeof begin)
        return fail_header(npy, "it is too short");
    ls_status status = ls_member_read(npy->member, begin, sizeof begin);
    if (status != LS_OK)
        return status;
    if (memcmp(begin, "\x93NUMPY", MAGIC) != 0 || begin[MAGIC] < 1 || begin[MAGIC] > 3)
        return fail_header(npy, "it does not begin like one of version 1 to 3");
    status = ls_member_read(npy->member, size, begin[MAGIC] == 1 ? 2 : 4);
    if (status != LS_OK)
        return status;
    const int64_t length = (int64_t)((uint32_t)size[0] | (uint32_t)size[1] << 8 |
                                     (uint32_t)size[2] << 16 | (uint32_t)size[3] << 24);
    if (length > HEADER_MOST || length > ls_member_left(npy->member))
        return fail_header(npy, "its header is too long");
    char *text = ls_alloc(length + 1, 1);
    if (text == NULL)
        return LS_ERR_FAILURE;
    status = ls_member_read(npy->member, text, (size_t)length);
    if (status != LS_OK) {
        ls_free(text);
        return status;
    }
    *out = text;
    return LS_OK;
}

static ls_status parse_header(ls_npy *npy, const char *header)
{
    const char *order = find_value(header, "'fortran_order'");
    if (*header != '{' || order == NULL ||
        (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0))
        return fail_header(npy, "its header is no dictionary with 'fortran_order'");
    npy->by_columns = *order == 'T';
    ls_status status = read_type(npy, find_value(header, "'descr'"));
    return status == LS_OK ? read_shape(npy, find_value(header, "'shape'")) : status;
}

ls_status ls_npy_open(ls_npy *out, ls_member *member)
{
    char *header = NULL;
    ls_npy npy = {.member = member};
    ls_status status = read_header(&npy, &header);
    if (status == LS_OK)
        status = parse_header(&npy, header);
    ls_free(header);
    if (status != LS_OK)
        ls_npy_close(&npy);
    else
        *out = npy;
    return status;
}

static void swap_bytes(unsigned char *numbers, int64_t count, int64_t bytes)
{
    for (int64_t i = 0; i < count; i++, numbers += bytes)
        for (int64_t k = 0; k < bytes / 2; k++) {
            const unsigned char byte = numbers[k];
            numbers[k] = numbers[bytes - 1 - k];
            numbers[bytes - 1 - k] = byte;
        }
}

/* Reads the whole array, whose first index runs fastest. */
static ls_status load_whole(ls_npy *npy)
{
    const int64_t bytes = npy->dims[0] * npy->row * npy->bytes;
    npy->whole = ls_alloc(bytes, 1);
    return npy->whole != NULL ? ls_member_read(npy->member, npy->whole, (size_t)bytes)
                              : LS_ERR_FAILURE;
}

/* Copies a row [d1][d2][d3] out of an array by columns. */
static void gather_row(const ls_npy *npy, int64_t row, unsigned char *out)
{
    int64_t index[LS_H5_MAX_RANK] = {row};
    for (int64_t i = 0; i < npy->row; i++, out += npy->bytes) {
        int64_t at = 0;
        for (int d = npy->rank - 1; d >= 0; d--)
            at = at * npy->dims[d] + index[d];
        memcpy(out, npy->whole + at * npy->bytes, (size_t)npy->bytes);
        for (int d = npy->rank - 1; d > 0 && ++index[d] == npy->dims[d]; d--)
            index[d] = 0;
    }
}

ls_status ls_npy_read(ls_npy *npy, int64_t rows, void *out)
{
    ls_status status = LS_OK;
    if (npy->by_columns && npy->whole == NULL)
        status = load_whole(npy);
    if (status == LS_OK && !npy->by_columns)
        status = ls_member_read(npy->member, out, (size_t)(rows * npy->row * npy->bytes));
    for (int64_t i = 0; status == LS_OK && npy->by_columns && i < rows; i++)
        gather_row(npy, npy->next + i, (unsigned char *)out + i * npy->row * npy->bytes);
    npy->next += rows;
    if (status == LS_OK && npy->swapped)
        swap_bytes(out, rows * npy->row, npy->bytes);
    return status;
}

/* The value of a float16 (IEEE 754 binary16). */
static double half_number(uint16_t half)
{
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const double magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                             : exponent == 0 ? ldexp(fraction, -24)
                                             : ldexp(fraction + 1024, exponent - 25);
    return half >> 15 != 0 ? -magnitude : magnitude;
}

double ls_npy_number(const ls_npy *npy, const void *number)
{
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } v;
    memcpy(&v, number, (size_t)npy->bytes);
    return npy->type == LS_H5_U8    ? v.u8
           : npy->type == LS_H5_I8  ? v.i8
           : npy->type == LS_H5_U16 ? v.u16
           : npy->type == LS_H5_I16 ? v.i16
           : npy->type == LS_H5_U32 ? v.u32
           : npy->type == LS_H5_I32 ? v.i32
           : npy->type == LS_H5_I64 ? (double)v.i64
           : npy->type == LS_H5_F16 ? half_number(v.u16)
           : npy->type == LS_H5_F32 ? (double)v.f32
                                    : v.f64;
}

/* Fails for the number `at` of rows from `first` on. */
static ls_status fail_number(const ls_npy *npy, int64_t first, int64_t at, double value)
{
    const int64_t row = first + at / npy->row, column = at % npy->row;
    const char *what = isnan(value)      ? "NaN"
                       : isfinite(value) ? "too large for float32"
                       : value > 0       ? "infinite"
                                         : "-infinite";
    if (npy->row == 1)
        return ls_fail(LS_ERR_DATA, "%s: is %s in row %lld", ls_member_name(npy->member), what,
                       (long long)row);
    return ls_fail(LS_ERR_DATA, "%s: is %s in row %lld, %s %lld", ls_member_name(npy->member), what,
                   (long long)row, npy->rank == 2 ? "column" : "number", (long long)column);
}

ls_status ls_npy_check_finite(const ls_npy *npy, int64_t first, int64_t rows, const void *numbers)
{
    const unsigned char *at = numbers;
    if (npy->type != LS_H5_F16 && npy->type != LS_H5_F32 && npy->type != LS_H5_F64)
        return LS_OK;
    for (int64_t i = 0; i < rows * npy->row; i++, at += npy->bytes) {
        const double value = ls_npy_number(npy, at);
        if (!isfinite((float)value))
            return fail_number(npy, first, i, value);
    }
    return LS_OK;
}

void ls_npy_close(ls_npy *npy)
{
    ls_member_close(&npy->member);
    ls_free(npy->whole);
    *npy = (ls_npy){0};
}
