#include "run/tfevents.h"

#include "base/crc32c.h"
#include "base/memory.h"
#include "tfevents.pb-c.h"

#include <endian.h>
#include <string.h>

/* Appends bytes; the stream keeps errors. */
static void put(FILE *out, const void *bytes, size_t length)
{
    (void)fwrite(bytes, 1, length, out);
}

/* Appends a masked checksum: the mask keeps CRCs of bytes that hold CRCs apart. */
static void put_checksum(FILE *out, const void *bytes, size_t length)
{
    const uint32_t crc = ls_crc32c(bytes, length);
    const uint32_t masked = htole32((crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8));
    put(out, &masked, sizeof masked);
}

static ls_status put_event(FILE *out, const Tensorboard__Event *event)
{
    const uint64_t length = tensorboard__event__get_packed_size(event);
    const uint64_t head = htole64(length);
    unsigned char *packed = ls_alloc((int64_t)length, 1);
    if (packed == NULL)
        return LS_ERR_FAILURE;
    tensorboard__event__pack(event, packed);
    put(out, &head, sizeof head);
    put_checksum(out, &head, sizeof head);
    put(out, packed, length);
    put_checksum(out, packed, length);
    ls_free(packed);
    return LS_OK;
}

/* protobuf-c's texts are not const; packing does not write to them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Tensorboard__Event make_event(double time)
{
    Tensorboard__Event event = TENSORBOARD__EVENT__INIT;
    event.has_wall_time = 1;
    event.wall_time = time;
    return event;
}

ls_status ls_tfevents_start(FILE *out, double time)
{
    Tensorboard__Event version = make_event(time), start = make_event(time);
    Tensorboard__SessionLog session = TENSORBOARD__SESSION_LOG__INIT;
    version.file_version = borrow("brain.Event:2");
    session.has_status = 1;
    session.status = TENSORBOARD__SESSION_LOG__SESSION_STATUS__START;
    start.session_log = &session;
    const ls_status status = put_event(out, &version);
    return status == LS_OK ? put_event(out, &start) : status;
}

/* Appends an event with the values of a step. */
static ls_status put_values(FILE *out, double time, int64_t step,
                            Tensorboard__Summary__Value **values, int count)
{
    Tensorboard__Event event = make_event(time);
    Tensorboard__Summary summary = TENSORBOARD__SUMMARY__INIT;
    summary.value = values;
    summary.n_value = (size_t)count;
    event.has_step = 1;
    event.step = step;
    event.summary = &summary;
    return put_event(out, &event);
}

ls_status ls_tfevents_text(FILE *out, double time, const char *tag, const char *text)
{
    Tensorboard__SummaryMetadata__PluginData plugin =
        TENSORBOARD__SUMMARY_METADATA__PLUGIN_DATA__INIT;
    Tensorboard__SummaryMetadata metadata = TENSORBOARD__SUMMARY_METADATA__INIT;
    Tensorboard__TensorShapeProto scalar = TENSORBOARD__TENSOR_SHAPE_PROTO__INIT;
    Tensorboard__TensorProto tensor = TENSORBOARD__TENSOR_PROTO__INIT;
    Tensorboard__Summary__Value value = TENSORBOARD__SUMMARY__VALUE__INIT, *values[] = {&value};
    ProtobufCBinaryData content = {strlen(text), (uint8_t *)borrow(text)};
    plugin.plugin_name = borrow("text");
    metadata.plugin_data = &plugin;
    metadata.has_data_class = 1;
    metadata.data_class = TENSORBOARD__SUMMARY_METADATA__DATA_CLASS__DATA_CLASS_TENSOR;
    tensor.has_dtype = 1;
    tensor.dtype = TENSORBOARD__TENSOR_PROTO__DATA_TYPE__DT_STRING;
    tensor.tensor_shape = &scalar;
    tensor.string_val = &content;
    tensor.n_string_val = 1;
    value.tag = borrow(tag);
    value.metadata = &metadata;
    value.tensor = &tensor;
    return put_values(out, time, 0, values, 1);
}

ls_status ls_tfevents_scalars(FILE *out, double time, int64_t step,
                              const ls_tfevents_scalar *scalars, int count)
{
    Tensorboard__Summary__Value *value = ls_alloc(count, sizeof *value);
    Tensorboard__Summary__Value **values = ls_alloc(count, sizeof(void *));
    ls_status status = value != NULL && values != NULL ? LS_OK : LS_ERR_FAILURE;
    for (int i = 0; status == LS_OK && i < count; i++) {
        tensorboard__summary__value__init(values[i] = &value[i]);
        value[i].tag = borrow(scalars[i].tag);
        value[i].has_simple_value = 1;
        value[i].simple_value = (float)scalars[i].value;
    }
    if (status == LS_OK)
        status = put_values(out, time, step, values, count);
    ls_free((void *)values);
    ls_free(value);
    return status;
}
