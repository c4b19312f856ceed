#include "base/json.h"

#include "base/memory.h"

#include <string.h>

json_t *ls_json_slice(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);
    char *ascii = string == NULL ? ls_alloc((int64_t)length + 1, 1) : NULL;
    if (ascii == NULL)
        return string;
    for (size_t i = 0; i < length; i++)
        ascii[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    string = json_stringn(ascii, length);
    ls_free(ascii);
    return string;
}

json_t *ls_json_text(const char *text)
{
    return ls_json_slice(text, strlen(text));
}
