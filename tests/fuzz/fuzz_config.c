/* Any text as a configuration file of train: refused in one line, or printed; the printed text is
 * accepted and printed the same. */
#include "base/memory.h"
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Returns the settings of a text, printed; NULL if it is refused. */
static char *print_settings(const char *text)
{
    const ls_command *train = &ls_command_train;
    ls_options *options = NULL;
    char *resolved = NULL;
    void *settings = ls_alloc(1, train->settings_size);
    if (ls_options_create(&options, train->options, settings) != LS_OK)
        abort();
    ls_status status = ls_options_parse_file(options, "fuzz", text);
    if (status == LS_OK)
        resolved = ls_options_text(options);
    else if (status != LS_ERR_USAGE || strchr(ls_error_text(), '\n') != NULL)
        abort();
    ls_options_destroy(&options);
    ls_free(settings);
    return resolved;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char *text = ls_alloc((int64_t)size + 1, 1);
    memcpy(text, data, size);
    char *once = print_settings(text), *again = once != NULL ? print_settings(once) : NULL;
    if (once != NULL && (again == NULL || strcmp(once, again) != 0))
        abort();
    ls_free(again);
    ls_free(once);
    ls_free(text);
    return 0;
}
