/* A panic inside, in every function that answers a status: it answers CHATNIO_PANIC, and so does every other function
 * on that handle; its error text says what and where; `_free` works; other handles go on; standard error stays empty.
 * What it covered it prints, one function a line, which must be those of the headers (see `listing`). */
#include "world.h"


/* CALL(the handle that breaks, function, arguments that are good) */
#define CALLS(CALL) \
    CALL(error, chatnio_error_status, (w->error, &o->number)) \
    CALL(error, chatnio_error_message, (w->error, &o->text)) \
    CALL(error, chatnio_error_code, (w->error, &o->number)) \
    CALL(error, chatnio_error_body, (w->error, &o->text)) \
    CALL(error, chatnio_error_refusal, (w->error, CHATNIO_REFUSAL_BODY, &o->text)) \
    CALL(error, chatnio_error_retry_after, (w->error, &o->deadline)) \
    CALL(none, chatnio_config_new, (&o->config)) \
    CALL(config, chatnio_config_retain, (w->config)) \
    CALL(fresh, chatnio_config_set_auth_at_once, (w->fresh, true)) \
    CALL(fresh, chatnio_config_set_keep_text, (w->fresh, true)) \
    CALL(fresh, chatnio_config_set_keep_alive, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_first_frame, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_next_frame, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_answer_within, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_after_stop, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_settle, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_stop_repeats, (w->fresh, &ms, 1)) \
    CALL(fresh, chatnio_config_set_max_message, (w->fresh, 1)) \
    CALL(fresh, chatnio_config_set_max_request, (w->fresh, 1)) \
    CALL(fresh, chatnio_config_set_max_answer, (w->fresh, 1)) \
    CALL(fresh, chatnio_config_set_record, (w->fresh, true)) \
    CALL(fresh, chatnio_config_set_max_recording, (w->fresh, 1)) \
    CALL(fresh, chatnio_config_set_connect, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_handshake, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_proxy, (w->fresh, "a:1", 3)) \
    CALL(fresh, chatnio_config_set_proxy_from_environment, (w->fresh, "localhost", 9, &o->flag)) \
    CALL(fresh, chatnio_config_set_connect_retries, (w->fresh, 1)) \
    CALL(fresh, chatnio_config_set_connects_per_second, (w->fresh, 1)) \
    CALL(fresh, chatnio_config_set_client_certificate_pem, (w->fresh, "x", 1, "x", 1)) \
    CALL(fresh, chatnio_config_set_client_certificate_file, (w->fresh, "x", 1, "x", 1)) \
    CALL(fresh, chatnio_config_set_key_log_file, (w->fresh, "x", 1)) \
    CALL(fresh, chatnio_config_set_key_log_callback, (w->fresh, key_log, NULL)) \
    CALL(fresh, chatnio_config_set_ping_after, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_pong_within, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_close, (w->fresh, 1000)) \
    CALL(fresh, chatnio_config_set_allow_token_over_plain_ws, (w->fresh, true)) \
    CALL(fresh, chatnio_config_add_header, (w->fresh, "x", 1, "x", 1)) \
    CALL(fresh, chatnio_config_set_trust, (w->fresh, CHATNIO_TRUST_PLATFORM)) \
    CALL(fresh, chatnio_config_add_root_file, (w->fresh, "x", 1)) \
    CALL(fresh, chatnio_config_add_roots_pem, (w->fresh, "x", 1)) \
    CALL(fresh, chatnio_config_add_root_der, (w->fresh, (const uint8_t *)"x", 1)) \
    CALL(fresh, chatnio_config_dangerous_accept_any_certificate, (w->fresh)) \
    CALL(fresh, chatnio_config_set_wall_clock, (w->fresh, 1700000000)) \
    CALL(fresh, chatnio_config_set_wall_clock_callback, (w->fresh, wall_clock, NULL)) \
    CALL(config, chatnio_config_load_roots, (w->config)) \
    CALL(none, chatnio_auth_new, ("x", 1, &o->auth)) \
    CALL(auth, chatnio_auth_set_conversation, (w->auth, -1)) \
    CALL(auth, chatnio_auth_set_share, (w->auth, "x", 1)) \
    CALL(none, chatnio_request_new, (CHATNIO_REQUEST_CHAT, &o->request)) \
    CALL(request, chatnio_request_get_type, (w->request, &o->number)) \
    CALL(request, chatnio_request_set_message, (w->request, "x", 1)) \
    CALL(request, chatnio_request_add_mask, (w->request, "x", 1, "x", 1)) \
    CALL(request, chatnio_request_set_index, (w->request, 0)) \
    CALL(request, chatnio_request_set_model, (w->request, "x", 1)) \
    CALL(request, chatnio_request_set_web, (w->request, true)) \
    CALL(request, chatnio_request_set_ignore_context, (w->request, true)) \
    CALL(request, chatnio_request_set_context, (w->request, 3)) \
    CALL(request, chatnio_request_set_max_tokens, (w->request, 3)) \
    CALL(request, chatnio_request_set_temperature, (w->request, 1)) \
    CALL(request, chatnio_request_set_top_p, (w->request, 1)) \
    CALL(request, chatnio_request_set_top_k, (w->request, 1)) \
    CALL(request, chatnio_request_set_presence_penalty, (w->request, 1)) \
    CALL(request, chatnio_request_set_frequency_penalty, (w->request, 1)) \
    CALL(request, chatnio_request_set_repetition_penalty, (w->request, 1)) \
    CALL(request, chatnio_request_set_first_frame, (w->request, 1000)) \
    CALL(request, chatnio_request_set_next_frame, (w->request, 1000)) \
    CALL(request, chatnio_request_set_answer_within, (w->request, 1000)) \
    CALL(request, chatnio_request_add_extra, (w->request, "x", 1, "1", 1)) \
    CALL(none, chatnio_rest_call_new, (CHATNIO_REST_QUOTA, &o->rest_call)) \
    CALL(rest_call, chatnio_rest_call_set_id, (w->rest_call, 1)) \
    CALL(rest_call, chatnio_rest_call_set_text, (w->rest_call, "x", 1)) \
    CALL(rest_call, chatnio_rest_call_set_amount, (w->rest_call, 1)) \
    CALL(rest_call, chatnio_rest_call_set_months, (w->rest_call, 1)) \
    CALL(rest_call, chatnio_rest_call_add_index, (w->rest_call, 1)) \
    CALL(rest_call, chatnio_rest_call_add_mask, (w->rest_call, "x", 1, "x", 1)) \
    CALL(rest_call, chatnio_rest_call_describe_mask, (w->rest_call, "x", 1, "x", 1)) \
    CALL(rest_call, chatnio_rest_call_prepare, (w->rest_call, w->auth, "/x", 2)) \
    CALL(rest_call, chatnio_rest_call_method, (w->rest_call, &o->text)) \
    CALL(rest_call, chatnio_rest_call_target, (w->rest_call, &o->text)) \
    CALL(rest_call, chatnio_rest_call_body, (w->rest_call, &o->text)) \
    CALL(rest_call, chatnio_rest_call_header, (w->rest_call, 0, &o->text, &o->text)) \
    CALL(rest_call, chatnio_rest_call_decode, (w->rest_call, 200, (const uint8_t *)"x", 1, &o->rest_answer)) \
    CALL(rest_call, chatnio_rest_call_words, (w->rest_call, &o->text)) \
    CALL(rest_call, chatnio_rest_call_is_repeatable, (w->rest_call, &o->flag)) \
    CALL(rest_call, chatnio_rest_call_is_retryable, (w->rest_call, &o->flag)) \
    CALL(rest_call, chatnio_rest_call_retry_cause, (w->rest_call, &o->number)) \
    CALL(none, chatnio_rest_prefix_len, ("/chat", 5, &o->size)) \
    CALL(rest_answer, chatnio_rest_answer_json, (w->rest_answer, &o->text)) \
    CALL(rest_answer, chatnio_rest_answer_number, (w->rest_answer, &o->real)) \
    CALL(rest_answer, chatnio_rest_answer_text, (w->rest_answer, &o->text)) \
    CALL(rest_answer, chatnio_rest_answer_count, (w->rest_answer, &o->size)) \
    CALL(rest_answer, chatnio_rest_answer_conversation, (w->rest_answer, 0, &o->rest_conversation)) \
    CALL(rest_answer, chatnio_rest_answer_message, (w->rest_answer, 0, &o->rest_message)) \
    CALL(rest_answer, chatnio_rest_answer_model, (w->rest_answer, 0, &o->rest_model)) \
    CALL(rest_answer, chatnio_rest_answer_charge, (w->rest_answer, 0, &o->rest_charge)) \
    CALL(rest_answer, chatnio_rest_answer_charge_model, (w->rest_answer, 0, 0, &o->text)) \
    CALL(rest_answer, chatnio_rest_answer_share, (w->rest_answer, 0, &o->rest_share)) \
    CALL(rest_answer, chatnio_rest_answer_subscription, (w->rest_answer, &o->rest_subscription)) \
    CALL(none, chatnio_event_field, (&o->event, "x", 1, &o->text)) \
    CALL(none, chatnio_session_new, (w->config, w->auth, START, &o->session, &o->error)) \
    CALL(session, chatnio_session_request, (w->session, START, w->request)) \
    CALL(session, chatnio_session_stop, (w->session, START, &o->flag)) \
    CALL(session, chatnio_session_receive, (w->session, START, "x", 1, &o->event)) \
    CALL(session, chatnio_session_receive_binary, (w->session, START, &o->event)) \
    CALL(session, chatnio_session_next_transmit, (w->session, &o->text)) \
    CALL(session, chatnio_session_deadline, (w->session, &o->deadline)) \
    CALL(session, chatnio_session_handle_timeout, (w->session, START, &o->event)) \
    CALL(session, chatnio_session_closed, (w->session, CHATNIO_CLOSE_HOST, &o->event)) \
    CALL(session, chatnio_session_reconnect, (w->session, START, &o->event)) \
    CALL(session, chatnio_session_state, (w->session, &o->number)) \
    CALL(session, chatnio_session_answer, (w->session, &o->answer)) \
    CALL(session, chatnio_session_conversation, (w->session, &o->conversation)) \
    CALL(session, chatnio_session_counters, (w->session, &o->counters)) \
    CALL(session, chatnio_session_memory, (w->session, &o->size)) \
    CALL(session, chatnio_session_transcript, (w->session, &o->transcript)) \
    CALL(none, chatnio_connection_new, (w->config, w->auth, w->url, w->url_len, START, &o->connection, &o->error)) \
    CALL(connection, chatnio_connection_host, (w->connection, &o->text)) \
    CALL(connection, chatnio_connection_port, (w->connection, &o->port)) \
    CALL(connection, chatnio_connection_request, (w->connection, START, w->request)) \
    CALL(connection, chatnio_connection_stop, (w->connection, START, &o->flag)) \
    CALL(connection, chatnio_connection_close, (w->connection, START)) \
    CALL(connection, chatnio_connection_receive, (w->connection, START, (const uint8_t *)"x", 1)) \
    CALL(connection, chatnio_connection_eof, (w->connection, START)) \
    CALL(connection, chatnio_connection_failed, (w->connection, START, 0)) \
    CALL(connection, chatnio_connection_handle_timeout, (w->connection, START)) \
    CALL(connection, chatnio_connection_next_event, (w->connection, &o->event)) \
    CALL(connection, chatnio_connection_next_events, (w->connection, o->events, 2, sizeof o->events[0], &o->size)) \
    CALL(connection, chatnio_connection_transmit, (w->connection, &o->bytes)) \
    CALL(connection, chatnio_connection_transmitted, (w->connection, 0)) \
    CALL(connection, chatnio_connection_wants, (w->connection, &o->wants)) \
    CALL(connection, chatnio_connection_reconnect, (w->connection, START, &o->event)) \
    CALL(connection, chatnio_connection_state, (w->connection, &o->number)) \
    CALL(connection, chatnio_connection_answer, (w->connection, &o->answer)) \
    CALL(connection, chatnio_connection_conversation, (w->connection, &o->conversation)) \
    CALL(connection, chatnio_connection_counters, (w->connection, &o->counters)) \
    CALL(connection, chatnio_connection_memory, (w->connection, &o->size)) \
    CALL(connection, chatnio_connection_refusal_body, (w->connection, &o->text)) \
    CALL(connection, chatnio_connection_refusal, (w->connection, CHATNIO_REFUSAL_BODY, &o->text)) \
    CALL(connection, chatnio_connection_retry_after, (w->connection, &o->deadline)) \
    CALL(connection, chatnio_connection_retry_cause, (w->connection, &o->number)) \
    CALL(none, chatnio_retry_new, (w->config, START, &o->retry)) \
    CALL(none, chatnio_retry_new_within, (w->config, 1, START, &o->retry)) \
    CALL(retry, chatnio_retry_begin, (w->retry, START, &o->deadline)) \
    CALL(retry, chatnio_retry_failed, (w->retry, START, CHATNIO_RETRY_LOST, 0, &o->deadline)) \
    CALL(retry, chatnio_retry_deadline, (w->retry, &o->deadline)) \
    CALL(connection, chatnio_connection_tls, (w->connection, &o->text, &o->text)) \
    CALL(connection, chatnio_connection_tls_certificate, (w->connection, 0, &o->bytes)) \
    CALL(connection, chatnio_connection_transcript, (w->connection, &o->transcript)) \
    CALL(none, chatnio_client_new, (w->config, w->auth, w->url, w->url_len, &o->client, &o->error)) \
    CALL(none, chatnio_client_new_socket, (w->config, w->auth, w->url, w->url_len, -1, &o->client, &o->error)) \
    CALL(client, chatnio_client_request, (w->client, w->request)) \
    CALL(client, chatnio_client_ask, (w->client, w->request, &o->event)) \
    CALL(client, chatnio_client_next, (w->client, 0, &o->event)) \
    CALL(client, chatnio_client_wait, (w->client, 0, &o->event)) \
    CALL(client, chatnio_client_stop, (w->client, &o->flag)) \
    CALL(client, chatnio_client_close, (w->client, &o->event)) \
    CALL(client, chatnio_client_reconnect, (w->client, &o->event)) \
    CALL(client, chatnio_client_reconnect_socket, (w->client, -1, &o->event)) \
    CALL(client, chatnio_client_state, (w->client, &o->number)) \
    CALL(client, chatnio_client_answer, (w->client, &o->answer)) \
    CALL(client, chatnio_client_conversation, (w->client, &o->conversation)) \
    CALL(client, chatnio_client_counters, (w->client, &o->counters)) \
    CALL(client, chatnio_client_memory, (w->client, &o->size)) \
    CALL(client, chatnio_client_end_code, (w->client, &o->number)) \
    CALL(client, chatnio_client_refusal_body, (w->client, &o->text)) \
    CALL(client, chatnio_client_refusal, (w->client, CHATNIO_REFUSAL_BODY, &o->text)) \
    CALL(client, chatnio_client_retry_after, (w->client, &o->deadline)) \
    CALL(client, chatnio_client_tls, (w->client, &o->text, &o->text)) \
    CALL(client, chatnio_client_tls_certificate, (w->client, 0, &o->bytes)) \
    CALL(client, chatnio_client_transcript, (w->client, &o->transcript)) \
    CALL(client, chatnio_client_stopper, (w->client, &o->stopper)) \
    CALL(none, chatnio_stopper_new, (&o->stopper)) \
    CALL(none, chatnio_client_new_with_stopper, (w->config, w->auth, w->url, w->url_len, w->stopper, &o->client, &o->error)) \
    CALL(stopper, chatnio_stopper_stop, (w->stopper, &o->flag)) \
    CALL(stopper, chatnio_stopper_close, (w->stopper)) \
    CALL(none, chatnio_transcript_parse, ("x", 1, &o->transcript, &o->error)) \
    CALL(transcript, chatnio_transcript_text, (w->transcript, &o->text)) \
    CALL(transcript, chatnio_replay_new, (w->transcript, &o->replay)) \
    CALL(replay, chatnio_replay_auth, (w->replay, &o->auth)) \
    CALL(replay, chatnio_replay_next_step, (w->replay, CHATNIO_STATE_IDLE, &o->step)) \
    CALL(none, chatnio_peer_new, (2026, true, NULL, &o->peer, &o->error)) \
    CALL(peer, chatnio_peer_ca_pem, (w->peer, &o->text)) \
    CALL(peer, chatnio_peer_receive, (w->peer, START, (const uint8_t *)"x", 1)) \
    CALL(peer, chatnio_peer_eof, (w->peer, START)) \
    CALL(peer, chatnio_peer_handle_timeout, (w->peer, START)) \
    CALL(peer, chatnio_peer_send, (w->peer, "x", 1)) \
    CALL(peer, chatnio_peer_cut, (w->peer)) \
    CALL(peer, chatnio_peer_transmit, (w->peer, &o->bytes)) \
    CALL(peer, chatnio_peer_transmitted, (w->peer, 0)) \
    CALL(peer, chatnio_peer_wants, (w->peer, &o->wants))

static void key_log(void *user_data, const char *line, size_t line_len) {
    (void)user_data;
    (void)line;
    (void)line_len;
}

static uint64_t wall_clock(void *user_data) {
    (void)user_data;
    return 1700000000;
}

static const uint64_t ms = 1000;

#define AS_FUNCTION(handle, function, arguments)                                                                       \
    static int32_t call_##function(struct world *w, struct outs *o) {                                                  \
        (void)w, (void)o;                                                                                              \
        return function arguments;                                                                                     \
    }
CALLS(AS_FUNCTION)

static const struct call {
    const char *handle;
    const char *function;
    int32_t (*run)(struct world *w, struct outs *o);
} CALLED[] = {
#define AS_ENTRY(handle, function, arguments) {#handle, #function, call_##function},
    CALLS(AS_ENTRY)
};
#define CALL_COUNT (sizeof CALLED / sizeof CALLED[0])

/* The text must say that, whatever else. */
static void check_told(const char *function, const char *text, size_t len) {
    if (!contains(text, len, "injected for a test") || !contains(text, len, "testing.rs:")) {
        FAIL("%s: the error text does not say what and where: %.*s", function, (int)len, text);
    }
}

/* The call must answer CHATNIO_PANIC, and write nothing but a constructor's error. */
static void check_panics(struct world *world, const struct call *call, const char *after) {
    int32_t status = call->run(world, &world->outs);
    if (status != CHATNIO_PANIC) {
        FAIL("%s answers %s after %s", call->function, chatnio_status_name(status), after);
    }
    if (world->outs.error != world->before.error) {
        chatnio_text text;
        OK(chatnio_error_message(world->outs.error, &text));
        check_told(call->function, text.data, text.len);
        chatnio_error_free(world->outs.error);
        world->outs.error = world->before.error;
    }
    if (!outs_are_untouched(world)) {
        FAIL("%s: an out-parameter was written", call->function);
    }
}

/* Looks at the error text of the handle that broke, if its type has one. */
static void check_error(struct world *world, const struct call *call) {
    char text[256];
    size_t len = 0;
    if (strcmp(call->handle, "config") == 0) {
        OK(chatnio_config_error(world->config, text, sizeof text, &len));
    } else if (strcmp(call->handle, "fresh") == 0) {
        OK(chatnio_config_error(world->fresh, text, sizeof text, &len));
    } else if (strcmp(call->handle, "rest_call") == 0) {
        OK(chatnio_rest_call_error(world->rest_call, text, sizeof text, &len));
    } else if (strcmp(call->handle, "session") == 0) {
        OK(chatnio_session_error(world->session, text, sizeof text, &len));
    } else if (strcmp(call->handle, "connection") == 0) {
        OK(chatnio_connection_error(world->connection, text, sizeof text, &len));
    } else if (strcmp(call->handle, "client") == 0) {
        OK(chatnio_client_error(world->client, text, sizeof text, &len));
    } else {
        return;
    }
    EQUAL(strlen(text), len);
    check_told(call->function, text, len);
}

/* Every other handle must go on as if nothing had happened. */
static void check_others(struct world *world, const char *broken) {
    struct outs *o = &world->outs;
#define GOES_ON(handle, call)                                                                                          \
    if (strcmp(broken, #handle) != 0) {                                                                                \
        OK(call);                                                                                                      \
    }
    GOES_ON(fresh, chatnio_config_set_connect(world->fresh, 1000));
    GOES_ON(auth, chatnio_auth_set_conversation(world->auth, 5));
    GOES_ON(request, chatnio_request_set_top_k(world->request, 5));
    GOES_ON(session, chatnio_session_state(world->session, &o->number));
    GOES_ON(connection, chatnio_connection_state(world->connection, &o->number));
    GOES_ON(retry, chatnio_retry_begin(world->retry, START, &o->deadline));
    GOES_ON(client, chatnio_client_state(world->client, &o->number));
    GOES_ON(stopper, chatnio_stopper_stop(world->stopper, &o->flag));
    GOES_ON(rest_call, chatnio_rest_call_set_id(world->rest_call, 5));
    GOES_ON(rest_answer, chatnio_rest_answer_count(world->rest_answer, &o->size));
    GOES_ON(transcript, chatnio_transcript_text(world->transcript, &o->text));
    GOES_ON(peer, chatnio_peer_ca_pem(world->peer, &o->text));
    GOES_ON(error, chatnio_error_status(world->error, &o->number));
    if (strcmp(broken, "config") != 0) {
        chatnio_session_free(new_session(world->config, NULL, START));
    }
    outs_reset(world);
}

/* What a panic has broken is not made use of where it is given to another handle, which goes on. */
static void broken_arguments(void) {
    chatnio_request *request;
    chatnio_auth *auth;
    chatnio_config *config;
    chatnio_session *session, *made = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request));
    OK(chatnio_request_set_message(request, "hi", 2));
    OK(chatnio_auth_new("sk-x", 4, &auth));
    OK(chatnio_config_new(&config));
    OK(chatnio_session_new(NULL, NULL, 0, &session, NULL));
    chatnio_testing_panic_next();
    EQUAL(CHATNIO_PANIC, chatnio_request_set_top_k(request, 1));
    chatnio_testing_panic_next();
    EQUAL(CHATNIO_PANIC, chatnio_auth_set_conversation(auth, 1));
    chatnio_testing_panic_next();
    EQUAL(CHATNIO_PANIC, chatnio_config_set_record(config, true));
    EQUAL(CHATNIO_PANIC, chatnio_session_request(session, 0, request));
    EQUAL(CHATNIO_PANIC, chatnio_session_new(NULL, auth, 0, &made, NULL));
    EQUAL(CHATNIO_PANIC, chatnio_session_new(config, NULL, 0, &made, NULL));
    CHECK(made == NULL);
    int32_t state;
    OK(chatnio_session_state(session, &state));
    EQUAL(CHATNIO_STATE_IDLE, state);
    chatnio_session_free(session);
    chatnio_config_free(config);
    chatnio_auth_free(auth);
    chatnio_request_free(request);
}

static void panic_in(const struct call *call) {
    struct world world;
    world_new(&world);
    chatnio_testing_panic_next();
    check_panics(&world, call, "the injected panic");
    if (strcmp(call->handle, "none") != 0) {
        check_error(&world, call);
        for (size_t at = 0; at < CALL_COUNT; at++) {
            if (strcmp(CALLED[at].handle, call->handle) == 0) {
                check_panics(&world, &CALLED[at], call->function);
            }
        }
        check_error(&world, call);
    }
    check_others(&world, call->handle);
    world_free(&world);
    puts(call->function);
}

int main(void) {
    /* Whatever is written to standard error goes here. */
    FILE *standard_error = tmpfile();
    int before = dup(2);
    CHECK(standard_error != NULL && before > 2 && dup2(fileno(standard_error), 2) == 2);
    broken_arguments();
    for (size_t at = 0; at < CALL_COUNT; at++) {
        panic_in(&CALLED[at]);
    }
    char written[200];
    fseek(standard_error, 0, SEEK_SET);
    size_t len = fread(written, 1, sizeof written, standard_error);
    if (len > 0) {
        FAIL("on standard error: %.*s", (int)len, written);
    }
    CHECK(dup2(before, 2) == 2 && close(before) == 0 && fclose(standard_error) == 0);
    return done();
}
