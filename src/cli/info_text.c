#include "cli/info_text.h"

#include "base/show.h"
#include "cli/console.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Prints a JSON value on the current line. */
static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    ls_print(stdout, "%s", text != NULL ? text : "");
    free(text);
}

/* Prints `key = value` lines below each other. */
static void print_lines(const char *text)
{
    for (const char *line = text, *end; *line != '\0'; line = end + (*end != '\0')) {
        end = strchrnul(line, '\n');
        ls_print(stdout, "\n    %.*s", (int)(end - line), line);
    }
    ls_print(stdout, "\n");
}

static ls_words size_of(const json_t *shape)
{
    if (json_array_size(shape) == 2)
        return ls_sized_steps(json_integer_value(json_array_get(shape, 0)),
                              json_integer_value(json_array_get(shape, 1)));
    return ls_sized(json_integer_value(json_array_get(shape, 0)),
                    json_integer_value(json_array_get(shape, 1)),
                    json_integer_value(json_array_get(shape, 2)));
}

static void print_shape(const json_t *shape)
{
    ls_print(stdout, "%s", size_of(shape).text);
}

/* Prints a line for each layer: name, word, shapes, number of parameters, and the layers that it
 * reads unless that is the one before. */
static void print_layers(const json_t *layers)
{
    const char *name, *before = "input";
    json_t *layer;
    int columns = 14;
    json_object_foreach((json_t *)layers, name, layer)
    {
        const int word = (int)json_string_length(json_object_get(layer, "word"));
        columns = word > columns ? word : columns;
    }
    json_object_foreach((json_t *)layers, name, layer)
    {
        const json_t *reads = json_object_get(layer, "reads");
        const json_int_t parameters = json_integer_value(json_object_get(layer, "parameters"));
        ls_print(stdout, "\n    %-18s  %-*s  ", name, columns,
                 json_string_value(json_object_get(layer, "word")));
        print_shape(json_object_get(layer, "in"));
        ls_print(stdout, " -> ");
        print_shape(json_object_get(layer, "out"));
        if (parameters > 0)
            ls_print(stdout, ", %s %s", ls_grouped(parameters).text,
                     ls_plural(parameters, "parameter").text);
        for (size_t i = 0; i < json_array_size(reads); i++)
            if (i > 0 || strcmp(json_string_value(json_array_get(reads, i)), before) != 0)
                ls_print(stdout, ", %s %s", i > 0 ? "with" : "from",
                         json_string_value(json_array_get(reads, i)));
        before = name;
    }
    ls_print(stdout, "\n");
}

/* Prints a line for each dataset: path, shape, type. */
static void print_datasets(const json_t *datasets)
{
    size_t i;
    const json_t *dataset;
    json_array_foreach(datasets, i, dataset)
    {
        const char *shape = json_string_value(json_object_get(dataset, "shape"));
        ls_print(stdout, "\n    %-28s ", json_string_value(json_object_get(dataset, "path")));
        if (shape == NULL)
            ls_print(stdout, "can't be read");
        else
            ls_print(stdout, "%-20s %s", shape,
                     json_string_value(json_object_get(dataset, "type")));
    }
    ls_print(stdout, "\n");
}

/* Prints the members of an object that have a value. */
static void print_table(const json_t *object)
{
    const char *key;
    json_t *member;
    int columns = 18;
    json_object_foreach((json_t *)object, key, member)
    {
        const int length = (int)strlen(key);
        columns = !json_is_null(member) && length > columns ? length : columns;
    }
    json_object_foreach((json_t *)object, key, member)
    {
        if (json_is_null(member))
            continue;
        ls_print(stdout, "\n    %-*s  ", columns, key);
        print_value(member);
    }
    ls_print(stdout, "\n");
}

/* The name of a member of the description in the text; in JSON it has a short one. */
static const char *name_in_text(const char *key)
{
    static const struct {
        const char *key, *name;
    } names[] = {{"image", "inputs"},
                 {"step", "step of epoch"},
                 {"steps", "steps in all"},
                 {"first_tokens", "first tokens"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key, names[i].key) == 0)
            return names[i].name;
    return key;
}

/* Returns true for a member that says nothing: an empty text, the classes of values, no
 * vocabulary. */
static bool is_empty(const char *key, const json_t *value)
{
    return (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           ((strcmp(key, "classes") == 0 || strcmp(key, "vocabulary") == 0) &&
            json_integer_value(value) == 0);
}

/* Prints a part of the description: its name, then its value in the same line or below. */
static void print_part(const char *key, const json_t *value)
{
    const char *name = name_in_text(key);
    const int blanks = 15 - (int)strlen(name);
    if (is_empty(key, value))
        return;
    ls_print(stdout, "%s", name);
    if (strcmp(key, "layers") == 0)
        print_layers(value);
    else if (strcmp(key, "image") == 0)
        ls_print(stdout, "%*s%s\n", blanks, "", size_of(value).text);
    else if (strcmp(key, "datasets") == 0)
        print_datasets(value);
    else if (strcmp(key, "config") == 0)
        print_lines(json_string_value(value));
    else if (json_is_object(value))
        print_table(value);
    else if (json_is_string(value))
        ls_print(stdout, "%*s%s\n", json_string_length(value) > 0 ? blanks : 0, "",
                 json_string_value(value));
    else if (json_is_null(value))
        ls_print(stdout, "%*snone: the file is not sealed\n", blanks, "");
    else {
        ls_print(stdout, "%*s", blanks, "");
        print_value(value);
        ls_print(stdout, "\n");
    }
}

void ls_info_print(const json_t *description)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)description, key, value) print_part(key, value);
}
