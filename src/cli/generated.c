#include "cli/generated.h"

#include "base/memory.h"
#include "base/show.h"
#include "cli/console.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Replaces escapes of a prompt, in place. */
static ls_status unescape(char *text)
{
    static const char escapes[] = "nt\\", meant[] = "\n\t\\";
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        const char *escape = from[1] != '\0' ? strchr(escapes, *++from) : NULL;
        if (escape == NULL)
            return ls_fail(LS_ERR_USAGE, "--prompt: a backslash begins \\n, \\t or \\\\");
        *to++ = meant[escape - escapes];
    }
    *to = '\0';
    return LS_OK;
}

/* Prints a piece of text; `user` is a bool: stdout is a terminal. */
static ls_status print_piece(void *user, const char *text)
{
    const bool *terminal = user;
    const bool plain = !*terminal || strcmp(text, "\n") == 0 || strcmp(text, "\t") == 0;
    char *copy = ls_strdup(text);
    if (copy == NULL)
        return LS_ERR_FAILURE;
    if (!plain)
        ls_clean(copy);
    const bool written = fputs(copy, stdout) >= 0 && (!*terminal || fflush(stdout) == 0);
    ls_free(copy);
    return written ? LS_OK : ls_fail(LS_ERR_FAILURE, "can't write to stdout: %s", strerror(errno));
}

/* Prints a text whose lines are pieces. */
static ls_status print_lines(bool *terminal, char *text)
{
    ls_status status = LS_OK;
    for (char *at = text; status == LS_OK && *at != '\0';) {
        const size_t length = *at == '\n' || *at == '\t' ? 1 : strcspn(at, "\n\t");
        const char kept = at[length];
        at[length] = '\0';
        status = print_piece(terminal, at);
        at[length] = kept;
        at += length;
    }
    return status;
}

/* What is printed before the first piece: the prompt. */
typedef struct output {
    bool terminal, begun;
    char *prompt;
} output;

static ls_status begin(output *o)
{
    const bool begun = o->begun;
    o->begun = true;
    return begun ? LS_OK : print_lines(&o->terminal, o->prompt);
}

static ls_status print_next(void *user, const char *text)
{
    output *o = user;
    const ls_status status = begin(o);
    return status == LS_OK ? print_piece(&o->terminal, text) : status;
}

ls_status ls_generated_print(const ls_model *model, const ls_generation *wanted)
{
    output o = {.terminal = ls_console_width(stdout) > 0, .prompt = ls_strdup(wanted->prompt)};
    ls_generation unescaped = *wanted;
    ls_status status = o.prompt != NULL ? unescape(o.prompt) : LS_ERR_FAILURE;
    unescaped.prompt = o.prompt;
    if (status == LS_OK)
        status = ls_model_generate(model, &unescaped, print_next, &o);
    if (status == LS_OK)
        status = begin(&o);
    if (status == LS_OK)
        status = print_piece(&(bool){false}, "\n");
    ls_free(o.prompt);
    return status;
}
