#include "base/json.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
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

json_t *ls_json_texts(const char *const *texts, int64_t count)
{
    json_t *array = texts != NULL ? json_array() : NULL;
    for (int64_t i = 0; array != NULL && i < count; i++)
        if (json_array_append_new(array, ls_json_text(texts[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

json_t *ls_json_pairs(const char *text)
{
    json_t *object = json_object();
    ls_pair pair;
    while (ls_text_next_pair(&text, &pair)) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)pair.key_length, pair.key);
        json_object_set_new(object, key, ls_json_slice(pair.value, pair.value_length));
    }
    return object;
}

const json_t *ls_json_at(const json_t *object, const char *part, const char *key)
{
    const json_t *value = json_object_get(object, part);
    return key != NULL ? json_object_get(value, key) : value;
}

const char *ls_json_show(const json_t *object, const char *part, const char *key,
                         char out[LS_JSON_TEXT])
{
    const json_t *value = ls_json_at(object, part, key);
    if (json_is_string(value))
        return json_string_value(value);
    *out = '\0';
    if (json_is_integer(value))
        snprintf(out, LS_JSON_TEXT, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, LS_JSON_TEXT, "%.6g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(out, LS_JSON_TEXT, "%s", json_is_true(value) ? "yes" : "no");
    return out;
}
