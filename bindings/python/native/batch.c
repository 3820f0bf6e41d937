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

static void begin(pychatnio_batch *batch) {
    batch->count = batch->deltas = 0;
    batch->texts.len = batch->quota_texts.len = batch->frames.len = 0;
}

/* Flattens the event after the last one. */
static void flatten_next(pychatnio_batch *batch) {
    size_t at = batch->count++;
    const chatnio_event *event = &batch->events[at];
    batch->deltas += event->kind == CHATNIO_EVENT_DELTA && batch->deltas == at;
    add(&batch->texts, event->text);
    add(&batch->quota_texts, event->quota_text);
    add(&batch->frames, event->raw);
    batch->texts.bounds[at + 1] = batch->texts.bounds[at] + code_points(event->text);
    batch->quota_texts.bounds[at + 1] = batch->quota_texts.len;
    batch->frames.bounds[at + 1] = batch->frames.len;
    batch->quotas[at] = event->quota;
}

int32_t pychatnio_connection_next_batch(chatnio_connection *connection, pychatnio_batch *batch) {
    size_t count = 0;
    int32_t status = chatnio_connection_next_events(connection, batch->events, PYCHATNIO_BATCH_EVENTS,
                                                    sizeof batch->events[0], &count);
    begin(batch);
    while (batch->count < count) {
        flatten_next(batch);
    }
    return status;
}

int32_t pychatnio_client_next_batch(chatnio_client *client, int32_t timeout_ms, size_t most, pychatnio_batch *batch) {
    begin(batch);
    while (batch->count < most && batch->count < PYCHATNIO_BATCH_EVENTS && batch->deltas == batch->count) {
        chatnio_event *event = &batch->events[batch->count];
        event->size = sizeof *event;
        int32_t status = chatnio_client_next(client, batch->count == 0 ? timeout_ms : 0, event);
        if (status != CHATNIO_OK) {
            /* After events it is said again by the next call. */
            return batch->count == 0 ? status : CHATNIO_OK;
        }
        flatten_next(batch);
    }
    return CHATNIO_OK;
}

void pychatnio_batch_clear(pychatnio_batch *batch) {
    free(batch->texts.data);
    free(batch->quota_texts.data);
    free(batch->frames.data);
    /* A finalizer of Python's may still use it. */
    memset(batch, 0, sizeof *batch);
}

int32_t pychatnio_session_receive(chatnio_session *session, uint64_t now, const char *message, size_t len,
                                  chatnio_event *event, pychatnio_delta *delta) {
    delta->len = 0;
    int32_t status = chatnio_session_receive(session, now, message, len, event);
    /* Of a message with several frames, each has a raw text of its own. */
    if (status == CHATNIO_OK && event->kind == CHATNIO_EVENT_DELTA && event->raw.len == len &&
        event->text.len <= sizeof delta->data && event->quota_text.len <= sizeof delta->data - event->text.len) {
        delta->turn = event->turn;
        delta->points = code_points(event->text);
        delta->len = event->text.len + event->quota_text.len;
        delta->quota = event->quota;
        if (event->text.len > 0) {
            memcpy(delta->data, event->text.data, event->text.len);
        }
        memcpy(delta->data + event->text.len, event->quota_text.data, event->quota_text.len);
    }
    return status;
}
