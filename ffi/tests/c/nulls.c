/* NULL for every pointer parameter of every function. What it covered it prints, as "function parameter" lines, which
 * must be those of the headers (see `pointers`): a function that is added must be added here. */
#include "world.h"

/* Must be refused, and hand out nothing. */
#define REFUSES(function, parameter, arguments)                                                                        \
    covered(w, #function " " #parameter, CHATNIO_INVALID, function arguments)
/* May be left out. */
#define TAKES(function, parameter, arguments) covered(w, #function " " #parameter, CHATNIO_OK, function arguments)
#define FREES(function, parameter) (function(NULL), covered(w, #function " " #parameter, CHATNIO_OK, CHATNIO_OK))

static void take_back(struct world *world) {
    struct outs *outs = &world->outs;
    const struct outs *before = &world->before;
    if (outs->session != before->session) {
        chatnio_session_free(outs->session);
    }
    if (outs->connection != before->connection) {
        chatnio_connection_free(outs->connection);
    }
    if (outs->retry != before->retry) {
        chatnio_retry_free(outs->retry);
    }
    if (outs->client != before->client) {
        chatnio_client_free(outs->client);
    }
    if (outs->peer != before->peer) {
        chatnio_peer_free(outs->peer);
    }
    if (outs->transcript != before->transcript) {
        chatnio_transcript_free(outs->transcript);
    }
}

/* Looks at what a call has answered, and written. */
static void covered(struct world *world, const char *what, int32_t expected, int32_t status) {
    if (status != expected) {
        FAIL("NULL for %s: %s", what, chatnio_status_name(status));
    }
    if (status != CHATNIO_OK && world->outs.error != world->before.error) {
        /* A constructor says why it refuses. */
        int32_t said = 0;
        OK(chatnio_error_status(world->outs.error, &said));
        EQUAL(status, said);
        chatnio_error_free(world->outs.error);
        world->outs.error = world->before.error;
    }
    if (status != CHATNIO_OK && !outs_are_untouched(world)) {
        FAIL("NULL for %s: an out-parameter was written", what);
    }
    take_back(world);
    outs_reset(world);
    puts(what);
}

static void key_log(void *user_data, const char *line, size_t line_len) {
    (void)user_data;
    (void)line;
    (void)line_len;
}

static uint64_t wall_clock(void *user_data) {
    (void)user_data;
    return 1700000000;
}

static void error_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_error_status, error, (NULL, &o->number));
    REFUSES(chatnio_error_status, status, (w->error, NULL));
    REFUSES(chatnio_error_message, error, (NULL, &o->text));
    REFUSES(chatnio_error_message, message, (w->error, NULL));
    REFUSES(chatnio_error_code, error, (NULL, &o->number));
    REFUSES(chatnio_error_code, code, (w->error, NULL));
    REFUSES(chatnio_error_body, error, (NULL, &o->text));
    REFUSES(chatnio_error_body, body, (w->error, NULL));
    REFUSES(chatnio_error_refusal, error, (NULL, CHATNIO_REFUSAL_BODY, &o->text));
    REFUSES(chatnio_error_refusal, text, (w->error, CHATNIO_REFUSAL_BODY, NULL));
    REFUSES(chatnio_error_retry_after, error, (NULL, &o->deadline));
    REFUSES(chatnio_error_retry_after, ms, (w->error, NULL));
    FREES(chatnio_error_free, error);
}

static void config_nulls(struct world *w, struct outs *o) {
    uint64_t ms = 1;
    REFUSES(chatnio_config_new, out, (NULL));
    REFUSES(chatnio_config_retain, config, (NULL));
    FREES(chatnio_config_free, config);
    REFUSES(chatnio_config_error, config, (NULL, o->buffer, sizeof o->buffer, &o->size));
    REFUSES(chatnio_config_error, buffer, (w->config, NULL, sizeof o->buffer, &o->size));
    TAKES(chatnio_config_error, length, (w->config, o->buffer, sizeof o->buffer, NULL));
    REFUSES(chatnio_config_set_auth_at_once, config, (NULL, true));
    REFUSES(chatnio_config_set_keep_text, config, (NULL, true));
    REFUSES(chatnio_config_set_keep_alive, config, (NULL, 1000));
    REFUSES(chatnio_config_set_first_frame, config, (NULL, 1000));
    REFUSES(chatnio_config_set_next_frame, config, (NULL, 1000));
    REFUSES(chatnio_config_set_answer_within, config, (NULL, 1000));
    REFUSES(chatnio_config_set_after_stop, config, (NULL, 1000));
    REFUSES(chatnio_config_set_settle, config, (NULL, 1000));
    REFUSES(chatnio_config_set_stop_repeats, config, (NULL, &ms, 1));
    REFUSES(chatnio_config_set_stop_repeats, ms, (w->fresh, NULL, 1));
    REFUSES(chatnio_config_set_max_message, config, (NULL, 1));
    REFUSES(chatnio_config_set_max_request, config, (NULL, 1));
    REFUSES(chatnio_config_set_max_answer, config, (NULL, 1));
    REFUSES(chatnio_config_set_record, config, (NULL, true));
    REFUSES(chatnio_config_set_max_recording, config, (NULL, 1));
    REFUSES(chatnio_config_set_connect, config, (NULL, 1000));
    REFUSES(chatnio_config_set_handshake, config, (NULL, 1000));
    REFUSES(chatnio_config_set_proxy, config, (NULL, "a:1", 3));
    REFUSES(chatnio_config_set_proxy, url, (w->fresh, NULL, 1));
    REFUSES(chatnio_config_set_proxy_from_environment, config, (NULL, "a", 1, &o->flag));
    REFUSES(chatnio_config_set_proxy_from_environment, server_url, (w->fresh, NULL, 1, &o->flag));
    TAKES(chatnio_config_set_proxy_from_environment, found, (w->fresh, "localhost", 9, NULL));
    REFUSES(chatnio_config_set_connect_retries, config, (NULL, 1));
    REFUSES(chatnio_config_set_connects_per_second, config, (NULL, 1));
    REFUSES(chatnio_config_set_client_certificate_pem, config, (NULL, "x", 1, "x", 1));
    REFUSES(chatnio_config_set_client_certificate_pem, chain, (w->fresh, NULL, 1, "x", 1));
    REFUSES(chatnio_config_set_client_certificate_pem, key, (w->fresh, "x", 1, NULL, 1));
    REFUSES(chatnio_config_set_client_certificate_file, config, (NULL, "x", 1, "x", 1));
    REFUSES(chatnio_config_set_client_certificate_file, chain, (w->fresh, NULL, 1, "x", 1));
    REFUSES(chatnio_config_set_client_certificate_file, key, (w->fresh, "x", 1, NULL, 1));
    REFUSES(chatnio_config_set_key_log_file, config, (NULL, "x", 1));
    REFUSES(chatnio_config_set_key_log_file, path, (w->fresh, NULL, 1));
    REFUSES(chatnio_config_set_key_log_callback, config, (NULL, key_log, NULL));
    REFUSES(chatnio_config_set_key_log_callback, callback, (w->fresh, NULL, NULL));
    TAKES(chatnio_config_set_key_log_callback, user_data, (w->fresh, key_log, NULL));
    REFUSES(chatnio_config_set_ping_after, config, (NULL, 1000));
    REFUSES(chatnio_config_set_pong_within, config, (NULL, 1000));
    REFUSES(chatnio_config_set_close, config, (NULL, 1000));
    REFUSES(chatnio_config_set_allow_token_over_plain_ws, config, (NULL, true));
    REFUSES(chatnio_config_add_header, config, (NULL, "x", 1, "x", 1));
    REFUSES(chatnio_config_add_header, name, (w->fresh, NULL, 1, "x", 1));
    REFUSES(chatnio_config_add_header, value, (w->fresh, "x", 1, NULL, 1));
    REFUSES(chatnio_config_set_trust, config, (NULL, CHATNIO_TRUST_PLATFORM));
    REFUSES(chatnio_config_add_root_file, config, (NULL, "x", 1));
    REFUSES(chatnio_config_add_root_file, path, (w->fresh, NULL, 1));
    REFUSES(chatnio_config_add_roots_pem, config, (NULL, "x", 1));
    REFUSES(chatnio_config_add_roots_pem, pem, (w->fresh, NULL, 1));
    REFUSES(chatnio_config_add_root_der, config, (NULL, (const uint8_t *)"x", 1));
    REFUSES(chatnio_config_add_root_der, der, (w->fresh, NULL, 1));
    REFUSES(chatnio_config_dangerous_accept_any_certificate, config, (NULL));
    REFUSES(chatnio_config_set_wall_clock, config, (NULL, 1700000000));
    REFUSES(chatnio_config_set_wall_clock_callback, config, (NULL, wall_clock, NULL));
    REFUSES(chatnio_config_set_wall_clock_callback, callback, (w->fresh, NULL, NULL));
    TAKES(chatnio_config_set_wall_clock_callback, user_data, (w->fresh, wall_clock, NULL));
    REFUSES(chatnio_config_load_roots, config, (NULL));
}

static void auth_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_auth_new, token, (NULL, 1, &o->auth));
    REFUSES(chatnio_auth_new, out, ("x", 1, NULL));
    REFUSES(chatnio_auth_set_conversation, auth, (NULL, -1));
    REFUSES(chatnio_auth_set_share, auth, (NULL, "x", 1));
    REFUSES(chatnio_auth_set_share, hash, (w->auth, NULL, 1));
    FREES(chatnio_auth_free, auth);
}

static void request_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_request_new, out, (CHATNIO_REQUEST_CHAT, NULL));
    REFUSES(chatnio_request_get_type, request, (NULL, &o->number));
    REFUSES(chatnio_request_get_type, request_type, (w->request, NULL));
    REFUSES(chatnio_request_set_message, request, (NULL, "x", 1));
    REFUSES(chatnio_request_set_message, message, (w->request, NULL, 1));
    REFUSES(chatnio_request_add_mask, request, (NULL, "x", 1, "x", 1));
    REFUSES(chatnio_request_add_mask, role, (w->request, NULL, 1, "x", 1));
    REFUSES(chatnio_request_add_mask, content, (w->request, "x", 1, NULL, 1));
    REFUSES(chatnio_request_set_index, request, (NULL, 0));
    REFUSES(chatnio_request_set_model, request, (NULL, "x", 1));
    REFUSES(chatnio_request_set_model, model, (w->request, NULL, 1));
    REFUSES(chatnio_request_set_web, request, (NULL, true));
    REFUSES(chatnio_request_set_ignore_context, request, (NULL, true));
    REFUSES(chatnio_request_set_context, request, (NULL, 3));
    REFUSES(chatnio_request_set_max_tokens, request, (NULL, 3));
    REFUSES(chatnio_request_set_temperature, request, (NULL, 1));
    REFUSES(chatnio_request_set_top_p, request, (NULL, 1));
    REFUSES(chatnio_request_set_top_k, request, (NULL, 1));
    REFUSES(chatnio_request_set_presence_penalty, request, (NULL, 1));
    REFUSES(chatnio_request_set_frequency_penalty, request, (NULL, 1));
    REFUSES(chatnio_request_set_repetition_penalty, request, (NULL, 1));
    REFUSES(chatnio_request_set_first_frame, request, (NULL, 1));
    REFUSES(chatnio_request_set_next_frame, request, (NULL, 1));
    REFUSES(chatnio_request_set_answer_within, request, (NULL, 1));
    REFUSES(chatnio_request_add_extra, request, (NULL, "x", 1, "1", 1));
    REFUSES(chatnio_request_add_extra, name, (w->request, NULL, 1, "1", 1));
    REFUSES(chatnio_request_add_extra, json, (w->request, "x", 1, NULL, 1));
    FREES(chatnio_request_free, request);
}

static void rest_call_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_rest_call_new, out, (CHATNIO_REST_QUOTA, NULL));
    REFUSES(chatnio_rest_call_set_id, call, (NULL, 1));
    REFUSES(chatnio_rest_call_set_text, call, (NULL, "x", 1));
    REFUSES(chatnio_rest_call_set_text, text, (w->rest_call, NULL, 1));
    REFUSES(chatnio_rest_call_set_amount, call, (NULL, 1));
    REFUSES(chatnio_rest_call_set_months, call, (NULL, 1));
    REFUSES(chatnio_rest_call_add_index, call, (NULL, 1));
    REFUSES(chatnio_rest_call_add_mask, call, (NULL, "x", 1, "x", 1));
    REFUSES(chatnio_rest_call_add_mask, role, (w->rest_call, NULL, 1, "x", 1));
    REFUSES(chatnio_rest_call_add_mask, content, (w->rest_call, "x", 1, NULL, 1));
    REFUSES(chatnio_rest_call_describe_mask, call, (NULL, "x", 1, "x", 1));
    REFUSES(chatnio_rest_call_describe_mask, description, (w->rest_call, NULL, 1, "x", 1));
    REFUSES(chatnio_rest_call_describe_mask, avatar, (w->rest_call, "x", 1, NULL, 1));
    REFUSES(chatnio_rest_call_prepare, call, (NULL, w->auth, "/x", 2));
    TAKES(chatnio_rest_call_prepare, auth, (w->rest_call, NULL, "/x", 2));
    REFUSES(chatnio_rest_call_prepare, prefix, (w->rest_call, w->auth, NULL, 1));
    REFUSES(chatnio_rest_call_method, call, (NULL, &o->text));
    REFUSES(chatnio_rest_call_method, method, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_target, call, (NULL, &o->text));
    REFUSES(chatnio_rest_call_target, target, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_body, call, (NULL, &o->text));
    REFUSES(chatnio_rest_call_body, body, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_header, call, (NULL, 0, &o->text, &o->text));
    REFUSES(chatnio_rest_call_header, name, (w->rest_call, 0, NULL, &o->text));
    REFUSES(chatnio_rest_call_header, value, (w->rest_call, 0, &o->text, NULL));
    REFUSES(chatnio_rest_call_decode, call, (NULL, 200, (const uint8_t *)"x", 1, &o->rest_answer));
    REFUSES(chatnio_rest_call_decode, body, (w->rest_call, 200, NULL, 1, &o->rest_answer));
    REFUSES(chatnio_rest_call_decode, answer, (w->rest_call, 200, (const uint8_t *)"x", 1, NULL));
    REFUSES(chatnio_rest_call_words, call, (NULL, &o->text));
    REFUSES(chatnio_rest_call_words, words, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_is_repeatable, call, (NULL, &o->flag));
    REFUSES(chatnio_rest_call_is_repeatable, is_repeatable, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_retry_cause, call, (NULL, &o->number));
    REFUSES(chatnio_rest_call_retry_cause, cause, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_is_retryable, call, (NULL, &o->flag));
    REFUSES(chatnio_rest_call_is_retryable, is_retryable, (w->rest_call, NULL));
    REFUSES(chatnio_rest_call_error, call, (NULL, o->buffer, sizeof o->buffer, &o->size));
    REFUSES(chatnio_rest_call_error, buffer, (w->rest_call, NULL, 1, &o->size));
    TAKES(chatnio_rest_call_error, length, (w->rest_call, o->buffer, sizeof o->buffer, NULL));
    REFUSES(chatnio_rest_prefix_len, path, (NULL, 1, &o->size));
    REFUSES(chatnio_rest_prefix_len, prefix_len, ("/chat", 5, NULL));
    FREES(chatnio_rest_call_free, call);
}

static void rest_answer_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_rest_answer_json, answer, (NULL, &o->text));
    REFUSES(chatnio_rest_answer_json, json, (w->rest_answer, NULL));
    REFUSES(chatnio_rest_answer_number, answer, (NULL, &o->real));
    REFUSES(chatnio_rest_answer_number, number, (w->rest_answer, NULL));
    REFUSES(chatnio_rest_answer_text, answer, (NULL, &o->text));
    REFUSES(chatnio_rest_answer_text, text, (w->rest_answer, NULL));
    REFUSES(chatnio_rest_answer_count, answer, (NULL, &o->size));
    REFUSES(chatnio_rest_answer_count, count, (w->rest_answer, NULL));
    REFUSES(chatnio_rest_answer_conversation, answer, (NULL, 0, &o->rest_conversation));
    REFUSES(chatnio_rest_answer_conversation, conversation, (w->rest_answer, 0, NULL));
    REFUSES(chatnio_rest_answer_message, answer, (NULL, 0, &o->rest_message));
    REFUSES(chatnio_rest_answer_message, message, (w->rest_answer, 0, NULL));
    REFUSES(chatnio_rest_answer_model, answer, (NULL, 0, &o->rest_model));
    REFUSES(chatnio_rest_answer_model, model, (w->rest_answer, 0, NULL));
    REFUSES(chatnio_rest_answer_charge, answer, (NULL, 0, &o->rest_charge));
    REFUSES(chatnio_rest_answer_charge, charge, (w->rest_answer, 0, NULL));
    REFUSES(chatnio_rest_answer_charge_model, answer, (NULL, 0, 0, &o->text));
    REFUSES(chatnio_rest_answer_charge_model, model, (w->rest_answer, 0, 0, NULL));
    REFUSES(chatnio_rest_answer_share, answer, (NULL, 0, &o->rest_share));
    REFUSES(chatnio_rest_answer_share, share, (w->rest_answer, 0, NULL));
    REFUSES(chatnio_rest_answer_subscription, answer, (NULL, &o->rest_subscription));
    REFUSES(chatnio_rest_answer_subscription, subscription, (w->rest_answer, NULL));
    FREES(chatnio_rest_answer_free, answer);
}

static void event_nulls(struct world *w, struct outs *o) {
    (void)w;
    REFUSES(chatnio_event_field, event, (NULL, "x", 1, &o->text));
    REFUSES(chatnio_event_field, name, (&o->event, NULL, 1, &o->text));
    REFUSES(chatnio_event_field, value, (&o->event, "x", 1, NULL));
}

static void session_nulls(struct world *w, struct outs *o) {
    TAKES(chatnio_session_new, config, (NULL, w->auth, START, &o->session, &o->error));
    TAKES(chatnio_session_new, auth, (w->config, NULL, START, &o->session, &o->error));
    REFUSES(chatnio_session_new, out, (w->config, w->auth, START, NULL, &o->error));
    TAKES(chatnio_session_new, error, (w->config, w->auth, START, &o->session, NULL));
    REFUSES(chatnio_session_request, session, (NULL, START, w->request));
    REFUSES(chatnio_session_request, request, (w->session, START, NULL));
    REFUSES(chatnio_session_stop, session, (NULL, START, &o->flag));
    TAKES(chatnio_session_stop, sent, (w->session, START, NULL));
    REFUSES(chatnio_session_receive, session, (NULL, START, "x", 1, &o->event));
    REFUSES(chatnio_session_receive, message, (w->session, START, NULL, 1, &o->event));
    REFUSES(chatnio_session_receive, event, (w->session, START, "x", 1, NULL));
    REFUSES(chatnio_session_receive_binary, session, (NULL, START, &o->event));
    REFUSES(chatnio_session_receive_binary, event, (w->session, START, NULL));
    REFUSES(chatnio_session_next_transmit, session, (NULL, &o->text));
    REFUSES(chatnio_session_next_transmit, message, (w->session, NULL));
    REFUSES(chatnio_session_deadline, session, (NULL, &o->deadline));
    REFUSES(chatnio_session_deadline, deadline, (w->session, NULL));
    REFUSES(chatnio_session_handle_timeout, session, (NULL, START, &o->event));
    REFUSES(chatnio_session_handle_timeout, event, (w->session, START, NULL));
    REFUSES(chatnio_session_closed, session, (NULL, CHATNIO_CLOSE_HOST, &o->event));
    REFUSES(chatnio_session_closed, event, (w->session, CHATNIO_CLOSE_HOST, NULL));
    REFUSES(chatnio_session_reconnect, session, (NULL, START, &o->event));
    REFUSES(chatnio_session_reconnect, event, (w->session, START, NULL));
    REFUSES(chatnio_session_state, session, (NULL, &o->number));
    REFUSES(chatnio_session_state, state, (w->session, NULL));
    REFUSES(chatnio_session_answer, session, (NULL, &o->answer));
    REFUSES(chatnio_session_answer, answer, (w->session, NULL));
    REFUSES(chatnio_session_conversation, session, (NULL, &o->conversation));
    REFUSES(chatnio_session_conversation, conversation, (w->session, NULL));
    REFUSES(chatnio_session_counters, session, (NULL, &o->counters));
    REFUSES(chatnio_session_counters, counters, (w->session, NULL));
    REFUSES(chatnio_session_memory, session, (NULL, &o->size));
    REFUSES(chatnio_session_memory, bytes, (w->session, NULL));
    REFUSES(chatnio_session_transcript, session, (NULL, &o->transcript));
    REFUSES(chatnio_session_transcript, out, (w->session, NULL));
    REFUSES(chatnio_session_error, session, (NULL, o->buffer, sizeof o->buffer, &o->size));
    REFUSES(chatnio_session_error, buffer, (w->session, NULL, sizeof o->buffer, &o->size));
    TAKES(chatnio_session_error, length, (w->session, o->buffer, sizeof o->buffer, NULL));
    FREES(chatnio_session_free, session);
}

static void retry_nulls(struct world *w, struct outs *o) {
    TAKES(chatnio_retry_new, config, (NULL, START, &o->retry));
    REFUSES(chatnio_retry_new, out, (w->config, START, NULL));
    TAKES(chatnio_retry_new_within, config, (NULL, 1, START, &o->retry));
    REFUSES(chatnio_retry_new_within, out, (w->config, 1, START, NULL));
    REFUSES(chatnio_retry_begin, retry, (NULL, START, &o->deadline));
    REFUSES(chatnio_retry_begin, at, (w->retry, START, NULL));
    REFUSES(chatnio_retry_failed, retry, (NULL, START, CHATNIO_RETRY_LOST, 0, &o->deadline));
    REFUSES(chatnio_retry_failed, at, (w->retry, START, CHATNIO_RETRY_LOST, 0, NULL));
    REFUSES(chatnio_retry_deadline, retry, (NULL, &o->deadline));
    REFUSES(chatnio_retry_deadline, deadline, (w->retry, NULL));
    FREES(chatnio_retry_free, retry);
}

static void connection_nulls(struct world *w, struct outs *o) {
    TAKES(chatnio_connection_new, config, (NULL, w->auth, w->url, w->url_len, START, &o->connection, &o->error));
    TAKES(chatnio_connection_new, auth, (w->config, NULL, w->url, w->url_len, START, &o->connection, &o->error));
    REFUSES(chatnio_connection_new, url, (w->config, w->auth, NULL, w->url_len, START, &o->connection, &o->error));
    REFUSES(chatnio_connection_new, out, (w->config, w->auth, w->url, w->url_len, START, NULL, &o->error));
    TAKES(chatnio_connection_new, error, (w->config, w->auth, w->url, w->url_len, START, &o->connection, NULL));
    REFUSES(chatnio_connection_host, connection, (NULL, &o->text));
    REFUSES(chatnio_connection_host, host, (w->connection, NULL));
    REFUSES(chatnio_connection_port, connection, (NULL, &o->port));
    REFUSES(chatnio_connection_port, port, (w->connection, NULL));
    REFUSES(chatnio_connection_request, connection, (NULL, START, w->request));
    REFUSES(chatnio_connection_request, request, (w->connection, START, NULL));
    REFUSES(chatnio_connection_stop, connection, (NULL, START, &o->flag));
    TAKES(chatnio_connection_stop, sent, (w->connection, START, NULL));
    REFUSES(chatnio_connection_close, connection, (NULL, START));
    REFUSES(chatnio_connection_receive, connection, (NULL, START, (const uint8_t *)"x", 1));
    REFUSES(chatnio_connection_receive, bytes, (w->connection, START, NULL, 1));
    REFUSES(chatnio_connection_eof, connection, (NULL, START));
    REFUSES(chatnio_connection_failed, connection, (NULL, START, 0));
    REFUSES(chatnio_connection_handle_timeout, connection, (NULL, START));
    REFUSES(chatnio_connection_next_event, connection, (NULL, &o->event));
    REFUSES(chatnio_connection_next_event, event, (w->connection, NULL));
    REFUSES(chatnio_connection_next_events, connection, (NULL, o->events, 2, sizeof o->events[0], &o->size));
    REFUSES(chatnio_connection_next_events, events, (w->connection, NULL, 2, sizeof o->events[0], &o->size));
    REFUSES(chatnio_connection_next_events, count, (w->connection, o->events, 2, sizeof o->events[0], NULL));
    REFUSES(chatnio_connection_transmit, connection, (NULL, &o->bytes));
    REFUSES(chatnio_connection_transmit, bytes, (w->connection, NULL));
    REFUSES(chatnio_connection_transmitted, connection, (NULL, 0));
    REFUSES(chatnio_connection_wants, connection, (NULL, &o->wants));
    REFUSES(chatnio_connection_wants, wants, (w->connection, NULL));
    REFUSES(chatnio_connection_reconnect, connection, (NULL, START, &o->event));
    REFUSES(chatnio_connection_reconnect, event, (w->connection, START, NULL));
    REFUSES(chatnio_connection_state, connection, (NULL, &o->number));
    REFUSES(chatnio_connection_state, state, (w->connection, NULL));
    REFUSES(chatnio_connection_answer, connection, (NULL, &o->answer));
    REFUSES(chatnio_connection_answer, answer, (w->connection, NULL));
    REFUSES(chatnio_connection_conversation, connection, (NULL, &o->conversation));
    REFUSES(chatnio_connection_conversation, conversation, (w->connection, NULL));
    REFUSES(chatnio_connection_counters, connection, (NULL, &o->counters));
    REFUSES(chatnio_connection_counters, counters, (w->connection, NULL));
    REFUSES(chatnio_connection_memory, connection, (NULL, &o->size));
    REFUSES(chatnio_connection_memory, bytes, (w->connection, NULL));
    REFUSES(chatnio_connection_refusal, connection, (NULL, CHATNIO_REFUSAL_BODY, &o->text));
    REFUSES(chatnio_connection_refusal, text, (w->connection, CHATNIO_REFUSAL_BODY, NULL));
    REFUSES(chatnio_connection_retry_after, connection, (NULL, &o->deadline));
    REFUSES(chatnio_connection_retry_after, ms, (w->connection, NULL));
    REFUSES(chatnio_connection_retry_cause, connection, (NULL, &o->number));
    REFUSES(chatnio_connection_retry_cause, cause, (w->connection, NULL));
    REFUSES(chatnio_connection_tls, connection, (NULL, &o->text, &o->text));
    REFUSES(chatnio_connection_tls, version, (w->connection, NULL, &o->text));
    REFUSES(chatnio_connection_tls, cipher, (w->connection, &o->text, NULL));
    REFUSES(chatnio_connection_tls_certificate, connection, (NULL, 0, &o->bytes));
    REFUSES(chatnio_connection_tls_certificate, der, (w->connection, 0, NULL));
    REFUSES(chatnio_connection_refusal_body, connection, (NULL, &o->text));
    REFUSES(chatnio_connection_refusal_body, body, (w->connection, NULL));
    REFUSES(chatnio_connection_transcript, connection, (NULL, &o->transcript));
    REFUSES(chatnio_connection_transcript, out, (w->connection, NULL));
    REFUSES(chatnio_connection_error, connection, (NULL, o->buffer, sizeof o->buffer, &o->size));
    REFUSES(chatnio_connection_error, buffer, (w->connection, NULL, sizeof o->buffer, &o->size));
    TAKES(chatnio_connection_error, length, (w->connection, o->buffer, sizeof o->buffer, NULL));
    FREES(chatnio_connection_free, connection);
}

static void client_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_client_new_with_stopper, url,
            (w->config, w->auth, NULL, w->url_len, w->stopper, &o->client, &o->error));
    REFUSES(chatnio_client_new_with_stopper, stopper,
            (w->config, w->auth, w->url, w->url_len, NULL, &o->client, &o->error));
    REFUSES(chatnio_client_new_with_stopper, out,
            (w->config, w->auth, w->url, w->url_len, w->stopper, NULL, &o->error));
    REFUSES(chatnio_client_new, url, (w->config, w->auth, NULL, w->url_len, &o->client, &o->error));
    REFUSES(chatnio_client_new, out, (w->config, w->auth, w->url, w->url_len, NULL, &o->error));
    REFUSES(chatnio_client_new_socket, url, (w->config, w->auth, NULL, w->url_len, -1, &o->client, &o->error));
    REFUSES(chatnio_client_new_socket, out, (w->config, w->auth, w->url, w->url_len, -1, NULL, &o->error));
    REFUSES(chatnio_client_request, client, (NULL, w->request));
    REFUSES(chatnio_client_request, request, (w->client, NULL));
    REFUSES(chatnio_client_ask, client, (NULL, w->request, &o->event));
    REFUSES(chatnio_client_ask, request, (w->client, NULL, &o->event));
    REFUSES(chatnio_client_ask, event, (w->client, w->request, NULL));
    REFUSES(chatnio_client_next, client, (NULL, 0, &o->event));
    REFUSES(chatnio_client_next, event, (w->client, 0, NULL));
    REFUSES(chatnio_client_wait, client, (NULL, 0, &o->event));
    REFUSES(chatnio_client_wait, event, (w->client, 0, NULL));
    REFUSES(chatnio_client_stop, client, (NULL, &o->flag));
    TAKES(chatnio_client_stop, sent, (w->client, NULL));
    REFUSES(chatnio_client_close, client, (NULL, &o->event));
    REFUSES(chatnio_client_close, event, (w->client, NULL));
    REFUSES(chatnio_client_reconnect, client, (NULL, &o->event));
    REFUSES(chatnio_client_reconnect, event, (w->client, NULL));
    REFUSES(chatnio_client_reconnect_socket, client, (NULL, -1, &o->event));
    REFUSES(chatnio_client_reconnect_socket, event, (w->client, -1, NULL));
    REFUSES(chatnio_client_state, client, (NULL, &o->number));
    REFUSES(chatnio_client_state, state, (w->client, NULL));
    REFUSES(chatnio_client_answer, client, (NULL, &o->answer));
    REFUSES(chatnio_client_answer, answer, (w->client, NULL));
    REFUSES(chatnio_client_conversation, client, (NULL, &o->conversation));
    REFUSES(chatnio_client_conversation, conversation, (w->client, NULL));
    REFUSES(chatnio_client_counters, client, (NULL, &o->counters));
    REFUSES(chatnio_client_counters, counters, (w->client, NULL));
    REFUSES(chatnio_client_memory, client, (NULL, &o->size));
    REFUSES(chatnio_client_memory, bytes, (w->client, NULL));
    REFUSES(chatnio_client_end_code, client, (NULL, &o->number));
    REFUSES(chatnio_client_end_code, code, (w->client, NULL));
    REFUSES(chatnio_client_refusal, client, (NULL, CHATNIO_REFUSAL_BODY, &o->text));
    REFUSES(chatnio_client_refusal, text, (w->client, CHATNIO_REFUSAL_BODY, NULL));
    REFUSES(chatnio_client_retry_after, client, (NULL, &o->deadline));
    REFUSES(chatnio_client_retry_after, ms, (w->client, NULL));
    REFUSES(chatnio_client_tls, client, (NULL, &o->text, &o->text));
    REFUSES(chatnio_client_tls, version, (w->client, NULL, &o->text));
    REFUSES(chatnio_client_tls, cipher, (w->client, &o->text, NULL));
    REFUSES(chatnio_client_tls_certificate, client, (NULL, 0, &o->bytes));
    REFUSES(chatnio_client_tls_certificate, der, (w->client, 0, NULL));
    REFUSES(chatnio_client_refusal_body, client, (NULL, &o->text));
    REFUSES(chatnio_client_refusal_body, body, (w->client, NULL));
    REFUSES(chatnio_client_transcript, client, (NULL, &o->transcript));
    REFUSES(chatnio_client_transcript, out, (w->client, NULL));
    REFUSES(chatnio_client_error, client, (NULL, o->buffer, sizeof o->buffer, &o->size));
    REFUSES(chatnio_client_error, buffer, (w->client, NULL, sizeof o->buffer, &o->size));
    TAKES(chatnio_client_error, length, (w->client, o->buffer, sizeof o->buffer, NULL));
    FREES(chatnio_client_free, client);
    REFUSES(chatnio_client_stopper, client, (NULL, &o->stopper));
    REFUSES(chatnio_client_stopper, out, (w->client, NULL));
}

static void stopper_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_stopper_new, out, (NULL));
    REFUSES(chatnio_stopper_stop, stopper, (NULL, &o->flag));
    TAKES(chatnio_stopper_stop, sent, (w->stopper, NULL));
    REFUSES(chatnio_stopper_close, stopper, (NULL));
    FREES(chatnio_stopper_free, stopper);
}

static void transcript_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_transcript_parse, text, (NULL, 1, &o->transcript, &o->error));
    REFUSES(chatnio_transcript_parse, out, ("x", 1, NULL, &o->error));
    TAKES(chatnio_transcript_parse, error, ("", 0, &o->transcript, NULL));
    REFUSES(chatnio_transcript_text, transcript, (NULL, &o->text));
    REFUSES(chatnio_transcript_text, text, (w->transcript, NULL));
    FREES(chatnio_transcript_free, transcript);
}

static void replay_nulls(struct world *w, struct outs *o) {
    REFUSES(chatnio_replay_new, transcript, (NULL, &o->replay));
    REFUSES(chatnio_replay_new, out, (w->transcript, NULL));
    REFUSES(chatnio_replay_auth, replay, (NULL, &o->auth));
    REFUSES(chatnio_replay_auth, out, (w->replay, NULL));
    REFUSES(chatnio_replay_next_step, replay, (NULL, CHATNIO_STATE_IDLE, &o->step));
    REFUSES(chatnio_replay_next_step, step, (w->replay, CHATNIO_STATE_IDLE, NULL));
    FREES(chatnio_replay_free, replay);
}

static void peer_nulls(struct world *w, struct outs *o) {
    TAKES(chatnio_peer_new, transcript, (2026, true, NULL, &o->peer, &o->error));
    REFUSES(chatnio_peer_new, out, (2026, true, NULL, NULL, &o->error));
    TAKES(chatnio_peer_new, error, (2026, true, NULL, &o->peer, NULL));
    REFUSES(chatnio_peer_ca_pem, peer, (NULL, &o->text));
    REFUSES(chatnio_peer_ca_pem, pem, (w->peer, NULL));
    REFUSES(chatnio_peer_receive, peer, (NULL, START, (const uint8_t *)"x", 1));
    REFUSES(chatnio_peer_receive, bytes, (w->peer, START, NULL, 1));
    REFUSES(chatnio_peer_eof, peer, (NULL, START));
    REFUSES(chatnio_peer_handle_timeout, peer, (NULL, START));
    REFUSES(chatnio_peer_send, peer, (NULL, "x", 1));
    REFUSES(chatnio_peer_send, message, (w->peer, NULL, 1));
    REFUSES(chatnio_peer_cut, peer, (NULL));
    REFUSES(chatnio_peer_transmit, peer, (NULL, &o->bytes));
    REFUSES(chatnio_peer_transmit, bytes, (w->peer, NULL));
    REFUSES(chatnio_peer_transmitted, peer, (NULL, 0));
    REFUSES(chatnio_peer_wants, peer, (NULL, &o->wants));
    REFUSES(chatnio_peer_wants, wants, (w->peer, NULL));
    FREES(chatnio_peer_free, peer);
}

/* What a client's constructors may be given no pointer for; each needs a connection of its own. */
static void client_constructors(struct world *w, struct outs *o) {
    struct server server;
    server_start(&server, 0, false, NULL, 9);
    char url[64];
    size_t len = server_url(&server, url, sizeof url);
    TAKES(chatnio_client_new, config, (NULL, w->auth, url, len, &o->client, &o->error));
    TAKES(chatnio_client_new, auth, (w->config, NULL, url, len, &o->client, &o->error));
    TAKES(chatnio_client_new, error, (w->config, w->auth, url, len, &o->client, NULL));
    chatnio_stopper *stopper = NULL;
    OK(chatnio_stopper_new(&stopper));
    TAKES(chatnio_client_new_with_stopper, config, (NULL, w->auth, url, len, stopper, &o->client, &o->error));
    TAKES(chatnio_client_new_with_stopper, auth, (w->config, NULL, url, len, stopper, &o->client, &o->error));
    TAKES(chatnio_client_new_with_stopper, error, (w->config, w->auth, url, len, stopper, &o->client, NULL));
    chatnio_stopper_free(stopper);
    int socket = connect_to(server.port);
    TAKES(chatnio_client_new_socket, config, (NULL, w->auth, url, len, socket, &o->client, &o->error));
    close(socket);
    socket = connect_to(server.port);
    TAKES(chatnio_client_new_socket, auth, (w->config, NULL, url, len, socket, &o->client, &o->error));
    close(socket);
    socket = connect_to(server.port);
    TAKES(chatnio_client_new_socket, error, (w->config, w->auth, url, len, socket, &o->client, NULL));
    close(socket);
    server_join(&server);
}

int main(void) {
    struct world world;
    world_new(&world);
    struct outs *outs = &world.outs;
    error_nulls(&world, outs);
    config_nulls(&world, outs);
    auth_nulls(&world, outs);
    request_nulls(&world, outs);
    rest_call_nulls(&world, outs);
    rest_answer_nulls(&world, outs);
    event_nulls(&world, outs);
    session_nulls(&world, outs);
    connection_nulls(&world, outs);
    retry_nulls(&world, outs);
    client_nulls(&world, outs);
    stopper_nulls(&world, outs);
    transcript_nulls(&world, outs);
    replay_nulls(&world, outs);
    peer_nulls(&world, outs);
    client_constructors(&world, outs);
    world_free(&world);
    return done();
}
