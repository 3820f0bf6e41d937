/* Events, flattened: what is read of most of them stands together, and Python takes it over whole, at a fraction of
 * what it costs to go through `chatnio_event` field by field. */
#ifndef PYCHATNIO_BATCH_H
#define PYCHATNIO_BATCH_H

#include "chatnio.h"

/* So many events that the cost of a call is shared among many, in a batch of some 35 KB. */
#define PYCHATNIO_BATCH_EVENTS 128

/* Texts, one after the other. */
typedef struct pychatnio_texts {
    char *data;
    size_t len;
    size_t capacity;
    /* Where each event's begins, and where the last one's ends. */
    uint64_t bounds[PYCHATNIO_BATCH_EVENTS + 1];
} pychatnio_texts;

typedef struct pychatnio_batch {
    size_t count;
    /* How many of the first are deltas, and so of one turn. Their views need not be good any more: see the texts. */
    size_t deltas;
    chatnio_event events[PYCHATNIO_BATCH_EVENTS];
    /* Bounds in code points. */
    pychatnio_texts texts;
    /* Bounds in bytes. */
    pychatnio_texts quota_texts;
    pychatnio_texts frames;
    double quotas[PYCHATNIO_BATCH_EVENTS];
} pychatnio_batch;

/* Gets events of `connection`, as chatnio_connection_next_events() does. They live until the next call. */
int32_t pychatnio_connection_next_batch(chatnio_connection *connection, pychatnio_batch *batch);

/* Waits for the next event of `client`, as chatnio_client_next() does, and gets those that follow without waiting: at
 * most `most` together, and none after one that is no delta. That one lives until the next call. */
int32_t pychatnio_client_next_batch(chatnio_client *client, int32_t timeout_ms, size_t most, pychatnio_batch *batch);

/* Frees what it points to. */
void pychatnio_batch_clear(pychatnio_batch *batch);

/* One delta. */
typedef struct pychatnio_delta {
    uint64_t turn;
    /* The length of the text in code points, and of `data` in bytes: the text, and then the quota as it was written. */
    uint64_t points;
    uint64_t len;
    double quota;
    char data[4064];
} pychatnio_delta;

/* Takes a message of the server's, as chatnio_session_receive() does. The length in `delta` is 0 when the event is
 * none, or a long one. */
int32_t pychatnio_session_receive(chatnio_session *session, uint64_t now, const char *message, size_t len,
                                  chatnio_event *event, pychatnio_delta *delta);

#endif
