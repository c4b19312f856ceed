#include <lockstep/run.h>

#include "base/memory.h"
#include "data/h5.h"
#include "data/seal.h"

#include <string.h>

_Static_assert(sizeof((ls_file_facts){0}.digest) == LS_DIGEST_TEXT, "a digest's text fits");

/* Reads the kind of a file from its attribute `format`. */
static ls_status read_kind(const char *path, ls_file_facts *out)
{
    ls_h5 *file = NULL;
    char *format = NULL;
    ls_status status = ls_h5_open(&file, path);
    if (status != LS_OK)
        return status;
    const bool has_format = ls_h5_has_attribute(file, "format");
    if (has_format)
        status = ls_h5_get_text(file, "format", &format);
    if (status == LS_OK) {
        out->checkpoint = has_format && strcmp(format, "lockstep-checkpoint") == 0;
        out->foreign = !has_format || (!out->checkpoint && strcmp(format, "lockstep-dataset") != 0);
    }
    ls_free(format);
    ls_h5_close(&file);
    return status;
}

static ls_status try_reading(const void *path)
{
    ls_file_facts facts;
    return read_kind(path, &facts);
}

ls_status ls_file_identify(const char *path, ls_file_facts *out)
{
    ls_seal seal = LS_SEAL_ABSENT;
    *out = (ls_file_facts){0};
    ls_status status = ls_seal_verify(path, &seal, out->digest);
    out->sealed = seal == LS_SEAL_INTACT;
    if (status == LS_OK)
        status = ls_h5_try(path, try_reading, path);
    return status == LS_OK ? read_kind(path, out) : status;
}
