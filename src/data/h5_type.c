/* Element types in memory and in files. */
#include "data/h5_file.h"

#include <assert.h>

/* HDF5 types of an element in memory, and in files that are written. */
typedef struct type_pair {
    hid_t memory, file;
} type_pair;

/* HDF5 has no name for float16: sign, 5 bits of exponent, 10 of fraction. Made once. */
static hid_t half_type(void)
{
    static hid_t half = H5I_INVALID_HID;
    if (half < 0) {
        half = H5Tcopy(H5T_IEEE_F32LE);
        H5Tset_fields(half, 15, 10, 5, 0, 10);
        H5Tset_size(half, 2);
        H5Tset_ebias(half, 15);
    }
    return half;
}

static type_pair find_type_pair(ls_h5_type type)
{
    switch (type) {
    case LS_H5_U8:
        return (type_pair){H5T_NATIVE_UINT8, H5T_STD_U8LE};
    case LS_H5_I32:
        return (type_pair){H5T_NATIVE_INT32, H5T_STD_I32LE};
    case LS_H5_I64:
        return (type_pair){H5T_NATIVE_INT64, H5T_STD_I64LE};
    case LS_H5_F32:
        return (type_pair){H5T_NATIVE_FLOAT, H5T_IEEE_F32LE};
    case LS_H5_F64:
        return (type_pair){H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE};
    case LS_H5_I8:
        return (type_pair){H5T_NATIVE_INT8, H5T_STD_I8LE};
    case LS_H5_I16:
        return (type_pair){H5T_NATIVE_INT16, H5T_STD_I16LE};
    case LS_H5_U16:
        return (type_pair){H5T_NATIVE_UINT16, H5T_STD_U16LE};
    case LS_H5_U32:
        return (type_pair){H5T_NATIVE_UINT32, H5T_STD_U32LE};
    case LS_H5_U64:
        return (type_pair){H5T_NATIVE_UINT64, H5T_STD_U64LE};
    case LS_H5_F16:
        return (type_pair){half_type(), half_type()};
    case LS_H5_BOOL:
    case LS_H5_STRING:
    case LS_H5_COMPOUND:
    case LS_H5_ENUM:
    case LS_H5_OTHER:
        break;
    }
    assert(!"a type that can be read or written");
    return (type_pair){H5I_INVALID_HID, H5I_INVALID_HID};
}

hid_t ls_h5_memory_type(ls_h5_type type)
{
    return find_type_pair(type).memory;
}

hid_t ls_h5_file_type(ls_h5_type type)
{
    return find_type_pair(type).file;
}

/* Returns true if a type equals a little-endian type, in either byte order. */
static bool is_type(hid_t type, hid_t little)
{
    const hid_t big = H5Tcopy(little);
    H5Tset_order(big, H5T_ORDER_BE);
    const bool same = H5Tequal(type, little) > 0 || H5Tequal(type, big) > 0;
    H5Tclose(big);
    return same;
}

/* Returns true for the enumeration by which h5py stores bool. */
static bool is_bool(hid_t type)
{
    int8_t no = -1, yes = -1;
    if (H5Tget_class(type) != H5T_ENUM || H5Tget_nmembers(type) != 2)
        return false;
    const hid_t base = H5Tget_super(type);
    const bool bytes = H5Tequal(base, H5T_STD_I8LE) > 0;
    H5Tclose(base);
    return bytes && H5Tenum_valueof(type, "FALSE", &no) >= 0 &&
           H5Tenum_valueof(type, "TRUE", &yes) >= 0 && no == 0 && yes == 1;
}

/* Integers with padding and floats of other formats are LS_H5_OTHER. */
ls_h5_type ls_h5_type_of(hid_t type)
{
    int known = 0;
    while (known < LS_H5_BOOL && !is_type(type, ls_h5_file_type((ls_h5_type)known)))
        known++;
    if (known < LS_H5_BOOL)
        return (ls_h5_type)known;
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        return LS_H5_STRING;
    case H5T_COMPOUND:
        return LS_H5_COMPOUND;
    case H5T_ENUM:
        return is_bool(type) ? LS_H5_BOOL : LS_H5_ENUM;
    default:
        return LS_H5_OTHER;
    }
}

const char *ls_h5_type_name(ls_h5_type type)
{
    static const char *const names[] = {
        [LS_H5_U8] = "uint8",         [LS_H5_I32] = "int32",
        [LS_H5_I64] = "int64",        [LS_H5_F32] = "float32",
        [LS_H5_F64] = "float64",      [LS_H5_I8] = "int8",
        [LS_H5_I16] = "int16",        [LS_H5_U16] = "uint16",
        [LS_H5_U32] = "uint32",       [LS_H5_U64] = "uint64",
        [LS_H5_F16] = "float16",      [LS_H5_BOOL] = "bool",
        [LS_H5_STRING] = "strings",   [LS_H5_COMPOUND] = "compound values",
        [LS_H5_ENUM] = "enum values", [LS_H5_OTHER] = "values of another type"};
    return names[type];
}

int64_t ls_h5_type_bytes(ls_h5_type type)
{
    return (int64_t)H5Tget_size(ls_h5_memory_type(type));
}
