/* The choice of the format. */
#include "interop/format.h"

#include <string.h>

static const ls_choice formats[] = {LS_EXPORT_LIST(LS_CHOICE_ROW){NULL, NULL}};

static const struct {
    const char *extension;
    ls_export_format format;
} extensions[] = {
    {".onnx", LS_EXPORT_ONNX},
    {".h5", LS_EXPORT_KERAS},
    {".hdf5", LS_EXPORT_KERAS},
    {".safetensors", LS_EXPORT_SAFETENSORS},
};

ls_status ls_export_find_format(const char *path, ls_export_format *format)
{
    const char *dot = strrchr(path, '.');
    if (*format != LS_EXPORT_AUTO)
        return LS_OK;
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof *extensions; i++)
        if (strcmp(dot, extensions[i].extension) == 0) {
            *format = extensions[i].format;
            return LS_OK;
        }
    if (dot != NULL && strcmp(dot, ".keras") == 0)
        return ls_fail(LS_ERR_USAGE,
                       "%s: this is the extension of Keras' zip format; Keras also reads its HDF5 "
                       "format, which is written: NAME.h5",
                       path);
    return ls_fail(
        LS_ERR_USAGE,
        "%s: the extension must be .onnx, .h5 or .safetensors; or give --format %s|%s|%s", path,
        formats[LS_EXPORT_ONNX].name, formats[LS_EXPORT_KERAS].name,
        formats[LS_EXPORT_SAFETENSORS].name);
}

ls_status ls_export(const ls_export_source *source, const ls_export_options *options,
                    const char *path)
{
    ls_export_format format = options->format;
    const ls_status status = ls_export_find_format(path, &format);
    if (status != LS_OK)
        return status;
    if (format == LS_EXPORT_KERAS)
        return ls_keras_write(source, options, path);
    if (format == LS_EXPORT_SAFETENSORS)
        return ls_safetensors_write(source, options, path);
#ifdef LS_HAVE_PROTOBUF_C
    return ls_onnx_write(source, options, path);
#else
    return ls_fail(LS_ERR_FAILURE,
                   "%s: this build can't write ONNX: protobuf-c was not found; export to .h5 or "
                   ".safetensors, or install libprotobuf-c-dev and protobuf-c-compiler and build "
                   "again",
                   path);
#endif
}
