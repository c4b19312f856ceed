#include "sources/tokens.h"

ls_h5_type ls_token_type(int64_t vocabulary)
{
    return vocabulary <= UINT8_MAX + 1    ? LS_H5_U8
           : vocabulary <= UINT16_MAX + 1 ? LS_H5_U16
                                          : LS_H5_I32;
}

void ls_token_put(void *tokens, ls_h5_type type, int64_t at, int32_t token)
{
    if (type == LS_H5_U8)
        ((uint8_t *)tokens)[at] = (uint8_t)token;
    else if (type == LS_H5_U16)
        ((uint16_t *)tokens)[at] = (uint16_t)token;
    else
        ((int32_t *)tokens)[at] = token;
}
