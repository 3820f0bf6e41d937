#include "batch.h"

#include <stdlib.h>
#include <string.h>

/* Out of memory aborts, as in the library. There is memory afterwards also for an empty text: Python reads no NULL. */
static void add(pychatnio_texts *texts, chatnio_text text) {
    if (texts->data == NULL || texts->capacity - texts->len < text.len) {
        texts->capacity = 2 * texts->capacity + text.len + 256;
        texts->data = realloc(texts->data, texts->capacity);
        if (texts->data == NULL) {
            abort();
        }
    }
    if (text.len > 0) {
        memcpy(texts->data + texts->len, text.data, text.len);
        texts->len += text.len;
    }
}

static size_t code_points(chatnio_text text) {
    size_t count = 0;
    for (size_t at = 0; at < text.len; at++) {
        count += ((unsigned char)text.data[at] & 0xC0) != 0x80;
    }
    return count;
}

void pychatnio_flatten(const chatnio_event *event, pychatnio_flat *flat) {
    flat->kind = event->kind;
    flat->turn = event->turn;
    flat->text_len = flat->quota_len = 0;
    if (event->text.len <= sizeof flat->data && event->quota_text.len <= sizeof flat->data - event->text.len) {
        flat->text_len = event->text.len;
        flat->quota_len = event->quota_text.len;
        if (event->text.len > 0) {
            memcpy(flat->data, event->text.data, event->text.len);
        }
        if (event->quota_text.len > 0) {
            memcpy(flat->data + event->text.len, event->quota_text.data, event->quota_text.len);
        }
    }
}

int32_t pychatnio_next_batch(chatnio_connection *connection, pychatnio_batch *batch) {
    size_t count = 0, points = 0;
    int32_t status = chatnio_connection_next_events(connection, batch->events, PYCHATNIO_BATCH_EVENTS,
                                                    sizeof batch->events[0], &count);
    batch->count = count;
    batch->deltas = 0;
    batch->texts.len = batch->quotas.len = batch->frames.len = 0;
    for (size_t at = 0; at < count; at++) {
        const chatnio_event *event = &batch->events[at];
        batch->deltas += event->kind == CHATNIO_EVENT_DELTA && batch->deltas == at;
        add(&batch->texts, event->text);
        add(&batch->quotas, event->quota_text);
        add(&batch->frames, event->raw);
        batch->texts.bounds[at + 1] = points += code_points(event->text);
        batch->quotas.bounds[at + 1] = batch->quotas.len;
        batch->frames.bounds[at + 1] = batch->frames.len;
    }
    return status;
}

void pychatnio_batch_clear(pychatnio_batch *batch) {
    free(batch->texts.data);
    free(batch->quotas.data);
    free(batch->frames.data);
}
