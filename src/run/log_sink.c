#include "run/log_sink.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

ls_status ls_log_sink_size(const ls_log_sink *sink, int64_t *out)
{
    struct stat found;
    *out = -1;
    if (stat(sink->path, &found) == 0)
        *out = (int64_t)found.st_size;
    else if (errno != ENOENT)
        return ls_fail(LS_ERR_FAILURE, "%s: can't access: %s", sink->path, strerror(errno));
    return LS_OK;
}

ls_status ls_log_sink_append(ls_log_sink *sink, const char *bytes, size_t length)
{
    const ls_status status = ls_append_file(sink->path, bytes, length);
    if (status == LS_OK)
        sink->bytes += (int64_t)length;
    return status;
}

ls_status ls_log_sink_write(ls_log_sink *sink, const char *bytes, size_t length)
{
    const ls_status status = ls_write_file(sink->path, bytes, length);
    if (status == LS_OK)
        sink->bytes = (int64_t)length;
    return status;
}
