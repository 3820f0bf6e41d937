/* One handle of every type, all good for use, and a place for everything that functions hand out. */
#ifndef WORLD_H
#define WORLD_H

#include "server.h"

#define CANARY 0xa5

/* Out-parameters. A function that fails must leave all of them as they are. */
struct outs {
    chatnio_config *config;
    chatnio_auth *auth;
    chatnio_request *request;
    chatnio_session *session;
    chatnio_connection *connection;
    chatnio_retry *retry;
    chatnio_client *client;
    chatnio_stopper *stopper;
    chatnio_transcript *transcript;
    chatnio_replay *replay;
    chatnio_rest_call *rest_call;
    chatnio_rest_answer *rest_answer;
    chatnio_peer *peer;
    chatnio_error *error;
    chatnio_rest_conversation rest_conversation;
    chatnio_rest_message rest_message;
    chatnio_rest_model rest_model;
    chatnio_rest_charge rest_charge;
    chatnio_rest_share rest_share;
    chatnio_rest_subscription rest_subscription;
    chatnio_event event;
    chatnio_event events[2];
    chatnio_answer answer;
    chatnio_counters counters;
    chatnio_wants wants;
    chatnio_step step;
    chatnio_conversation conversation;
    chatnio_text text;
    chatnio_bytes bytes;
    size_t size;
    uint64_t deadline;
    uint16_t port;
    int32_t number;
    double real;
    bool flag;
    char buffer[16];
};

struct world {
    struct server server;
    char url[64];
    size_t url_len;
    chatnio_config *config;
    /* Not in use, so that it can be changed. */
    chatnio_config *fresh;
    chatnio_auth *auth;
    chatnio_request *request;
    chatnio_session *session;
    chatnio_connection *connection;
    chatnio_retry *retry;
    chatnio_client *client;
    chatnio_stopper *stopper;
    chatnio_transcript *transcript;
    chatnio_replay *replay;
    chatnio_rest_call *rest_call;
    chatnio_rest_answer *rest_answer;
    chatnio_peer *peer;
    chatnio_error *error;
    struct outs outs;
    struct outs before;
};

static inline void outs_reset(struct world *world) {
    struct outs *outs = &world->outs;
    memset(outs, CANARY, sizeof *outs);
    outs->event.size = sizeof outs->event;
    outs->answer.size = sizeof outs->answer;
    outs->counters.size = sizeof outs->counters;
    outs->wants.size = sizeof outs->wants;
    outs->step.size = sizeof outs->step;
    outs->rest_conversation.size = sizeof outs->rest_conversation;
    outs->rest_message.size = sizeof outs->rest_message;
    outs->rest_model.size = sizeof outs->rest_model;
    outs->rest_charge.size = sizeof outs->rest_charge;
    outs->rest_share.size = sizeof outs->rest_share;
    outs->rest_subscription.size = sizeof outs->rest_subscription;
    outs->events[0].size = outs->events[1].size = sizeof outs->events[0];
    memcpy(&world->before, outs, sizeof *outs);
}

static inline bool outs_are_untouched(const struct world *world) {
    return memcmp(&world->outs, &world->before, sizeof world->outs) == 0;
}

static inline void world_new(struct world *world) {
    memset(world, 0, sizeof *world);
    server_start(&world->server, 0, false, NULL, 2);
    world->url_len = server_url(&world->server, world->url, sizeof world->url);
    world->config = new_config();
    OK(chatnio_config_set_record(world->config, true));
    world->fresh = new_config();
    world->auth = new_auth("sk-of-the-test");
    world->request = new_chat("hi", "hello");
    world->session = new_session(world->config, world->auth, START);
    OK(chatnio_connection_new(world->config, world->auth, world->url, world->url_len, START, &world->connection, NULL));
    OK(chatnio_retry_new(world->config, START, &world->retry));
    world->client = server_client(&world->server, world->config, world->auth);
    OK(chatnio_client_stopper(world->client, &world->stopper));
    OK(chatnio_session_transcript(world->session, &world->transcript));
    OK(chatnio_replay_new(world->transcript, &world->replay));
    OK(chatnio_rest_call_new(CHATNIO_REST_QUOTA, &world->rest_call));
    OK(chatnio_rest_call_prepare(world->rest_call, world->auth, TEXT("/api")));
    static const char quota[] = "{\"quota\":5,\"status\":true}";
    OK(chatnio_rest_call_decode(world->rest_call, 200, (const uint8_t *)quota, sizeof quota - 1, &world->rest_answer));
    world->peer = new_peer(0, true, NULL);
    IS(CHATNIO_BAD_TRANSCRIPT, chatnio_transcript_parse(TEXT("?"), &world->transcript, &world->error));
    outs_reset(world);
}

static inline void world_free(struct world *world) {
    /* The server's second connection. */
    close(connect_to(world->server.port));
    chatnio_error_free(world->error);
    chatnio_peer_free(world->peer);
    chatnio_rest_answer_free(world->rest_answer);
    chatnio_rest_call_free(world->rest_call);
    chatnio_replay_free(world->replay);
    chatnio_transcript_free(world->transcript);
    chatnio_stopper_free(world->stopper);
    chatnio_client_free(world->client);
    chatnio_retry_free(world->retry);
    chatnio_connection_free(world->connection);
    chatnio_session_free(world->session);
    chatnio_request_free(world->request);
    chatnio_auth_free(world->auth);
    chatnio_config_free(world->fresh);
    chatnio_config_free(world->config);
    server_join(&world->server);
}

#endif
