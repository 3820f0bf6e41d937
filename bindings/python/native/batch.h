/* Events of a connection, flattened: what is read of most of them stands together, and Python takes it over whole, at a
 * fraction of what it costs to go through `events` field by field. */
#ifndef PYCHATNIO_BATCH_H
#define PYCHATNIO_BATCH_H

#include "chatnio.h"

/* So many events that the cost of a call is shared among many, in a batch of some 30 KB. */
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
    chatnio_event events[PYCHATNIO_BATCH_EVENTS];
    /* How many of the first are deltas, and so of one turn. */
    size_t deltas;
    /* Bounds in code points. */
    pychatnio_texts texts;
    /* Bounds in bytes. */
    pychatnio_texts quotas;
    pychatnio_texts frames;
} pychatnio_batch;

/* One event, flattened in the same way. */
typedef struct pychatnio_flat {
    int64_t kind;
    uint64_t turn;
    /* Lengths in bytes; the texts lie in `data`, one after the other. All 0 when they do not fit. */
    uint64_t text_len;
    uint64_t quota_len;
    char data[4064];
} pychatnio_flat;

/* Flattens an event. */
void pychatnio_flatten(const chatnio_event *event, pychatnio_flat *flat);

/* Gets events of `connection`, as chatnio_connection_next_events() does. `events` is theirs until the next call. */
int32_t pychatnio_next_batch(chatnio_connection *connection, pychatnio_batch *batch);

/* Frees what it points to. */
void pychatnio_batch_clear(pychatnio_batch *batch);

#endif
