/* A connection and its server, both in memory, and the bytes between them. */
#ifndef LINK_H
#define LINK_H

#include "bytes.h"

/* Not 0, so that a deadline without its start shows. */
#define START 1000000

#define LARGEST_BATCH 7

struct link {
    chatnio_connection *connection;
    chatnio_peer *peer;
    uint64_t now;
    /* How many bytes the server has sent. */
    size_t received;
    /* The server's stream is cut behind so many of its bytes, in rising order. */
    size_t cuts[8];
    size_t cut_count;
    bool byte_by_byte;
    /* How many events are taken at once; 0 takes them one by one. */
    size_t batch;
    /* What gets them. */
    void (*on_event)(void *context, const chatnio_event *event);
    void *context;
};

static inline chatnio_peer *new_peer(int32_t year, bool tls, const char *transcript) {
    chatnio_transcript *script = NULL;
    chatnio_peer *peer = NULL;
    if (transcript != NULL) {
        OK(chatnio_transcript_parse(transcript, strlen(transcript), &script, NULL));
    }
    OK(chatnio_peer_new(year, tls, script, &peer, NULL));
    chatnio_transcript_free(script);
    return peer;
}

/* Lets a configuration trust `peer`, and nobody else. */
static inline void trust_peer(chatnio_config *config, const chatnio_peer *peer) {
    chatnio_text pem;
    OK(chatnio_peer_ca_pem(peer, &pem));
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    OK(chatnio_config_add_roots_pem(config, pem.data, pem.len));
}

/* A connection to a server that says only what the test lets it say; `config` may be NULL. */
static inline void link_new(struct link *link, bool tls, chatnio_config *config, const chatnio_auth *auth) {
    memset(link, 0, sizeof *link);
    link->now = START;
    link->peer = new_peer(0, tls, "");
    chatnio_config *own = NULL;
    if (tls) {
        own = config == NULL ? new_config() : NULL;
        config = config == NULL ? own : config;
        trust_peer(config, link->peer);
    }
    const char *url = tls ? "wss://localhost/chat" : "ws://localhost/chat";
    OK(chatnio_connection_new(config, auth, url, strlen(url), link->now, &link->connection, NULL));
    chatnio_config_free(own);
}

static inline void link_free(struct link *link) {
    chatnio_connection_free(link->connection);
    chatnio_peer_free(link->peer);
}

/* Takes all events there are. */
static inline void link_events(struct link *link) {
    chatnio_event events[LARGEST_BATCH];
    size_t count = 1;
    for (;;) {
        int32_t status;
        if (link->batch == 0) {
            events[0] = new_event();
            status = chatnio_connection_next_event(link->connection, &events[0]);
        } else {
            status = chatnio_connection_next_events(link->connection, events, link->batch, sizeof events[0], &count);
        }
        if (status == CHATNIO_AGAIN) {
            return;
        }
        OK(status);
        for (size_t at = 0; at < count && link->on_event != NULL; at++) {
            link->on_event(link->context, &events[at]);
        }
    }
}

static inline bool link_cuts_at(const struct link *link, size_t position) {
    for (size_t at = 0; at < link->cut_count; at++) {
        if (link->cuts[at] == position) {
            return true;
        }
    }
    return link->byte_by_byte;
}

/* Gives the connection bytes of the server, each piece from a buffer that is gone right after. */
static inline void link_deliver(struct link *link, const uint8_t *bytes, size_t len) {
    size_t from = 0;
    for (size_t to = 1; to <= len; to++) {
        if (to == len || link_cuts_at(link, link->received + to)) {
            char *piece = heap_copy(bytes + from, to - from);
            OK(chatnio_connection_receive(link->connection, link->now, (uint8_t *)piece, to - from));
            memset(piece, '!', to - from);
            free(piece);
            link_events(link);
            from = to;
        }
    }
    link->received += len;
}

/* Moves bytes both ways, and takes events, until nothing is left to move. */
static inline void link_exchange(struct link *link) {
    for (bool idle = false; !idle;) {
        idle = true;
        link_events(link);
        chatnio_bytes bytes;
        while (chatnio_connection_transmit(link->connection, &bytes) == CHATNIO_OK) {
            OK(chatnio_peer_receive(link->peer, link->now, bytes.data, bytes.len));
            OK(chatnio_connection_transmitted(link->connection, bytes.len));
            idle = false;
        }
        while (chatnio_peer_transmit(link->peer, &bytes) == CHATNIO_OK) {
            link_deliver(link, bytes.data, bytes.len);
            OK(chatnio_peer_transmitted(link->peer, bytes.len));
            idle = false;
        }
    }
}

/* Lets the server say `message`, and the connection hear it. */
static inline void link_say(struct link *link, const char *message) {
    OK(chatnio_peer_send(link->peer, message, strlen(message)));
    link_exchange(link);
}

/* Asks, as a host would. */
static inline void link_ask(struct link *link, const char *message) {
    chatnio_request *chat = new_chat(message, NULL);
    OK(chatnio_connection_request(link->connection, link->now, chat));
    chatnio_request_free(chat);
    link_exchange(link);
}

#endif
