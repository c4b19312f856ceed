#include "nn/vocabulary.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char word[] = "embedding:", blanks[] = " \t\r\n";

/* Returns the argument of the next embedding from `at` on; NULL if there is none. */
static const char *next_embedding(const char *at)
{
    for (at += strspn(at, blanks); *at != '\0'; at += strspn(at, blanks)) {
        if (strncmp(at, word, sizeof word - 1) == 0)
            return at + sizeof word - 1;
        at += strcspn(at, blanks);
    }
    return NULL;
}

/* Returns what follows the comma of an argument; NULL if it has none. */
static const char *given_in(const char *argument)
{
    const size_t end = strcspn(argument, ",\t\r\n ");
    return argument[end] == ',' ? argument + end + 1 : NULL;
}

bool ls_model_reads_tokens(const char *model)
{
    char *layers = ls_preset_expand(model, (ls_preset_data){.outputs = 1});
    const bool reads = layers != NULL && next_embedding(layers) != NULL;
    ls_free(layers);
    return reads;
}

int64_t ls_model_vocabulary(const char *model)
{
    char *layers = ls_preset_expand(model, (ls_preset_data){.outputs = 1});
    int64_t least = 0;
    const char *at = layers != NULL ? next_embedding(layers) : NULL;
    for (; at != NULL; at = next_embedding(at + strcspn(at, blanks))) {
        const char *given = given_in(at);
        const int64_t vocabulary = given != NULL ? strtoll(given, NULL, 10) : 0;
        if (vocabulary > 0 && (least == 0 || vocabulary < least))
            least = vocabulary;
    }
    ls_free(layers);
    return least;
}

/* Copies a model with the vocabulary; returns the length, of which at most `size` are written.
 * out  NULL: nothing is written */
static size_t write_model(char *out, size_t size, const char *layers, int64_t vocabulary)
{
    size_t used = 0;
    const char *from = layers;
    for (const char *at = next_embedding(layers); at != NULL;) {
        const char *end = at + strcspn(at, blanks);
        used += (size_t)snprintf(out != NULL ? out + used : NULL, out != NULL ? size - used : 0,
                                 "%.*s", (int)(end - from), from);
        if (given_in(at) == NULL)
            used += (size_t)snprintf(out != NULL ? out + used : NULL, out != NULL ? size - used : 0,
                                     ",%lld", (long long)vocabulary);
        from = end;
        at = next_embedding(end);
    }
    return used + (size_t)snprintf(out != NULL ? out + used : NULL, out != NULL ? size - used : 0,
                                   "%s", from);
}

char *ls_model_complete(const char *model, ls_preset_data data)
{
    char *layers = ls_preset_expand(model, data);
    if (data.vocabulary == 0)
        return layers;
    const size_t size = layers != NULL ? write_model(NULL, 0, layers, data.vocabulary) + 1 : 0;
    char *out = layers != NULL ? ls_alloc((int64_t)size, 1) : NULL;
    if (out != NULL)
        (void)write_model(out, size, layers, data.vocabulary);
    ls_free(layers);
    return out;
}
