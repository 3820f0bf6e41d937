/* Wrong order, wrong sizes, wrong texts, wrong numbers: each gives its documented status, nothing is handed out, and
 * the handle goes on. NULL is in nulls.c. */
#include "world.h"

#include <math.h>

/* The call must be refused by that status, and write no out-parameter. */
#define REFUSED(status, call) (IS(status, call), check_untouched(world, __LINE__, #call))

static void check_untouched(struct world *world, int line, const char *call) {
    if (world->outs.error != world->before.error) {
        chatnio_error_free(world->outs.error);
        world->outs.error = world->before.error;
    }
    if (!outs_are_untouched(world)) {
        FAIL("line %d: %s has written an out-parameter", line, call);
    }
}

/* Bytes that are not UTF-8, one of each kind: a lone continuation, a cut sequence, a surrogate, too large, overlong. */
static const char *const NOT_UTF8[] = {"\x80", "a\xc3", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc0\xaf"};

static void texts(struct world *world) {
    struct outs *o = &world->outs;
    for (size_t at = 0; at < sizeof NOT_UTF8 / sizeof NOT_UTF8[0]; at++) {
        const char *bad = NOT_UTF8[at];
        size_t len = strlen(bad);
        REFUSED(CHATNIO_NOT_UTF8, chatnio_auth_new(bad, len, &o->auth));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_auth_set_share(world->auth, bad, len));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_request_set_message(world->request, bad, len));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_request_set_model(world->request, bad, len));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_request_add_mask(world->request, bad, len, TEXT("x")));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_request_add_mask(world->request, TEXT("user"), bad, len));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_config_add_header(world->fresh, bad, len, TEXT("x")));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_config_add_header(world->fresh, TEXT("x"), bad, len));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_config_add_root_file(world->fresh, bad, len));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_session_receive(world->session, START, bad, len, &o->event));
        REFUSED(CHATNIO_NOT_UTF8,
                chatnio_connection_new(NULL, NULL, bad, len, START, &o->connection, &o->error));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_client_new(NULL, NULL, bad, len, &o->client, &o->error));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_client_new_socket(NULL, NULL, bad, len, 0, &o->client, &o->error));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_transcript_parse(bad, len, &o->transcript, &o->error));
        REFUSED(CHATNIO_NOT_UTF8, chatnio_peer_send(world->peer, bad, len));
    }
    chatnio_event event = new_event();
    REFUSED(CHATNIO_NOT_UTF8, chatnio_event_field(&event, TEXT("\xff"), &o->text));
    /* What is not UTF-8 to a session leaves no trace. */
    chatnio_counters counters = new_counters();
    OK(chatnio_session_counters(world->session, &counters));
    EQUAL(0, counters.malformed);
}

/* (NULL, 0) is an empty input, as ("", 0) is. */
static void empty(struct world *world) {
    struct outs *o = &world->outs;
    const char *const empties[] = {NULL, ""};
    for (int at = 0; at < 2; at++) {
        const char *none = empties[at];
        chatnio_auth *auth = NULL;
        OK(chatnio_auth_new(none, 0, &auth));
        REFUSED(CHATNIO_EMPTY_TOKEN, chatnio_session_new(NULL, auth, START, &o->session, &o->error));
        chatnio_auth_free(auth);
        auth = new_auth("sk-x");
        OK(chatnio_auth_set_share(auth, none, 0));
        REFUSED(CHATNIO_EMPTY_SHARE, chatnio_session_new(NULL, auth, START, &o->session, &o->error));
        chatnio_auth_free(auth);
        chatnio_request *request = new_chat("x", NULL);
        OK(chatnio_request_set_message(request, none, 0));
        REFUSED(CHATNIO_EMPTY_MESSAGE, chatnio_session_request(world->session, START, request));
        chatnio_request_free(request);
        REFUSED(CHATNIO_BAD_URL, chatnio_connection_new(NULL, NULL, none, 0, START, &o->connection, &o->error));
        REFUSED(CHATNIO_BAD_URL, chatnio_client_new(NULL, NULL, none, 0, &o->client, &o->error));
        REFUSED(CHATNIO_BAD_HEADER, chatnio_config_add_header(world->fresh, none, 0, TEXT("x")));
        REFUSED(CHATNIO_BAD_ROOTS, chatnio_config_add_root_file(world->fresh, none, 0));
        REFUSED(CHATNIO_BAD_ROOTS, chatnio_config_add_roots_pem(world->fresh, none, 0));
        REFUSED(CHATNIO_BAD_ROOTS, chatnio_config_add_root_der(world->fresh, (const uint8_t *)none, 0));
        OK(chatnio_config_set_stop_repeats(world->fresh, NULL, 0));
        chatnio_transcript *transcript = NULL;
        OK(chatnio_transcript_parse(none, 0, &transcript, NULL));
        chatnio_transcript_free(transcript);
        OK(chatnio_connection_receive(world->connection, START, (const uint8_t *)none, 0));
        OK(chatnio_peer_receive(world->peer, START, (const uint8_t *)none, 0));
        chatnio_session *session = new_session(NULL, NULL, START);
        chatnio_event event = new_event();
        OK(chatnio_session_receive(session, START, none, 0, &event));
        EQUAL(CHATNIO_EVENT_MALFORMED, event.kind);
        EQUAL(CHATNIO_MALFORMED, event.status);
        REFUSED(CHATNIO_ABSENT, chatnio_event_field(&event, none, 0, &o->text));
        chatnio_session_free(session);
    }
    /* No buffer: only the length is asked for. */
    size_t len = 0;
    IS(CHATNIO_INVALID, chatnio_session_request(world->session, START, NULL));
    OK(chatnio_session_error(world->session, NULL, 0, &len));
    CHECK(len > 0);
    OK(chatnio_session_error(world->session, NULL, 0, NULL));
    char one = '?';
    OK(chatnio_session_error(world->session, &one, 0, &len));
    EQUAL('?', one);
    OK(chatnio_session_error(world->session, &one, 1, &len));
    EQUAL(0, one);
    /* It stays whatever succeeds meanwhile, and is not that of a plain CHATNIO_AGAIN. */
    OK(chatnio_session_stop(world->session, START, NULL));
    REFUSED(CHATNIO_AGAIN, chatnio_session_next_transmit(world->session, &o->text));
    char few[5] = "????";
    OK(chatnio_session_error(world->session, few, 4, &len));
    CHECK(len > 0);
    EQUAL(3, strlen(few));
    EQUAL(0, few[4]);
}

/* Lengths that no memory has. Nothing may be read then. */
static void huge(struct world *world) {
    struct outs *o = &world->outs;
    const size_t lengths[] = {SIZE_MAX, SIZE_MAX / 2 + 1};
    for (int at = 0; at < 2; at++) {
        size_t len = lengths[at];
        REFUSED(CHATNIO_INVALID, chatnio_auth_new("x", len, &o->auth));
        REFUSED(CHATNIO_INVALID, chatnio_auth_set_share(world->auth, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_request_set_message(world->request, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_request_set_model(world->request, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_request_add_mask(world->request, "x", len, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_config_add_header(world->fresh, "x", len, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_config_add_root_file(world->fresh, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_config_add_roots_pem(world->fresh, "x", len));
        REFUSED(CHATNIO_INVALID, chatnio_config_add_root_der(world->fresh, (const uint8_t *)"x", len));
        REFUSED(CHATNIO_INVALID, chatnio_session_receive(world->session, START, "x", len, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_connection_receive(world->connection, START, (const uint8_t *)"x", len));
        REFUSED(CHATNIO_INVALID, chatnio_connection_new(NULL, NULL, "x", len, START, &o->connection, &o->error));
        REFUSED(CHATNIO_INVALID, chatnio_client_new(NULL, NULL, "x", len, &o->client, &o->error));
        REFUSED(CHATNIO_INVALID, chatnio_client_new_socket(NULL, NULL, "x", len, 0, &o->client, &o->error));
        REFUSED(CHATNIO_INVALID, chatnio_transcript_parse("x", len, &o->transcript, &o->error));
        REFUSED(CHATNIO_INVALID, chatnio_connection_transmitted(world->connection, len));
        REFUSED(CHATNIO_INVALID, chatnio_peer_transmitted(world->peer, len));
    }
    uint64_t ms = 1;
    REFUSED(CHATNIO_INVALID, chatnio_config_set_stop_repeats(world->fresh, &ms, SIZE_MAX));
    REFUSED(CHATNIO_INVALID, chatnio_config_set_stop_repeats(world->fresh, &ms, SIZE_MAX / sizeof ms));
    /* Limits may be as large as they like. */
    chatnio_config *config = new_config();
    OK(chatnio_config_set_max_message(config, SIZE_MAX));
    OK(chatnio_config_set_max_request(config, SIZE_MAX));
    OK(chatnio_config_set_max_answer(config, SIZE_MAX));
    OK(chatnio_config_set_max_recording(config, SIZE_MAX));
    OK(chatnio_config_set_record(config, true));
    OK(chatnio_config_set_keep_alive(config, UINT64_MAX));
    OK(chatnio_config_set_first_frame(config, UINT64_MAX));
    OK(chatnio_config_set_next_frame(config, UINT64_MAX));
    OK(chatnio_config_set_after_stop(config, UINT64_MAX));
    OK(chatnio_config_set_settle(config, UINT64_MAX));
    OK(chatnio_config_set_ping_after(config, UINT64_MAX));
    OK(chatnio_config_set_pong_within(config, UINT64_MAX));
    OK(chatnio_config_set_handshake(config, UINT64_MAX));
    OK(chatnio_config_set_close(config, UINT64_MAX));
    OK(chatnio_config_set_wall_clock(config, UINT64_MAX));
    struct link link;
    link_new(&link, false, config, NULL);
    chatnio_config_free(config);
    link_exchange(&link);
    link_ask(&link, "hi");
    link_say(&link, "{\"message\":\"x\"}");
    link.now = UINT64_MAX;
    OK(chatnio_connection_handle_timeout(link.connection, UINT64_MAX));
    OK(chatnio_connection_stop(link.connection, UINT64_MAX, NULL));
    link_exchange(&link);
    EQUAL(CHATNIO_STATE_STOPPING, connection_state(link.connection));
    link_free(&link);
}

/* A struct of the caller's, larger than the library knows. */
struct newer_event {
    chatnio_event event;
    char more[24];
};

static void sizes(struct world *world) {
    struct outs *o = &world->outs;
    const size_t wrong[] = {0, 1, sizeof(size_t), sizeof o->event - 1, ((size_t)1 << 16) + 1, SIZE_MAX};
    for (size_t at = 0; at < sizeof wrong / sizeof wrong[0]; at++) {
        size_t size = wrong[at];
        o->event.size = world->before.event.size = size;
        REFUSED(CHATNIO_INVALID, chatnio_session_receive(world->session, START, TEXT("{}"), &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_session_receive_binary(world->session, START, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_session_handle_timeout(world->session, START, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_session_closed(world->session, CHATNIO_CLOSE_HOST, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_session_reconnect(world->session, START, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_connection_next_event(world->connection, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_connection_reconnect(world->connection, START, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_client_next(world->client, 0, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_client_wait(world->client, 0, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_client_ask(world->client, world->request, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_client_close(world->client, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_client_reconnect(world->client, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_client_reconnect_socket(world->client, 0, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_event_field(&o->event, TEXT("x"), &o->text));
        o->answer.size = world->before.answer.size = size;
        REFUSED(CHATNIO_INVALID, chatnio_session_answer(world->session, &o->answer));
        REFUSED(CHATNIO_INVALID, chatnio_connection_answer(world->connection, &o->answer));
        REFUSED(CHATNIO_INVALID, chatnio_client_answer(world->client, &o->answer));
        outs_reset(world);
    }
    const size_t small[] = {0, sizeof o->counters - 1, sizeof o->wants - 1, sizeof o->step - 1};
    for (size_t at = 0; at < sizeof small / sizeof small[0]; at++) {
        if (small[at] < sizeof o->counters) {
            o->counters.size = world->before.counters.size = small[at];
            REFUSED(CHATNIO_INVALID, chatnio_session_counters(world->session, &o->counters));
            REFUSED(CHATNIO_INVALID, chatnio_connection_counters(world->connection, &o->counters));
            REFUSED(CHATNIO_INVALID, chatnio_client_counters(world->client, &o->counters));
        }
        if (small[at] < sizeof o->wants) {
            o->wants.size = world->before.wants.size = small[at];
            REFUSED(CHATNIO_INVALID, chatnio_connection_wants(world->connection, &o->wants));
        }
        if (small[at] < sizeof o->step) {
            o->step.size = world->before.step.size = small[at];
            REFUSED(CHATNIO_INVALID, chatnio_replay_next_step(world->replay, CHATNIO_STATE_IDLE, &o->step));
        }
        outs_reset(world);
    }
    /* None of it has reached the session. */
    EQUAL(CHATNIO_STATE_IDLE, session_state(world->session));

    /* A larger one gets zeros behind what the library knows, and its own size back. */
    struct newer_event newer;
    memset(&newer, CANARY, sizeof newer);
    newer.event.size = sizeof newer;
    chatnio_session *session = new_session(NULL, NULL, START);
    receive(session, START, "{\"message\":\"x\"}", &newer.event);
    EQUAL(sizeof newer, newer.event.size);
    EQUAL(CHATNIO_EVENT_STRAY, newer.event.kind);
    for (size_t at = 0; at < sizeof newer.more; at++) {
        EQUAL(0, newer.more[at]);
    }
    chatnio_text field;
    OK(chatnio_event_field(&newer.event, TEXT("message"), &field));
    TEXT_IS("\"x\"", field);
    chatnio_session_free(session);
}

/* Steps between events that are not that of any struct; and one that is larger than the library knows. */
static void strides(struct world *world) {
    struct link link;
    link_new(&link, false, NULL, NULL);
    link_exchange(&link);
    link_ask(&link, "hi");
    OK(chatnio_peer_send(link.peer, TEXT("{\"message\":\"a\"}")));
    OK(chatnio_peer_send(link.peer, TEXT("{\"message\":\"b\"}")));
    chatnio_bytes bytes;
    OK(chatnio_peer_transmit(link.peer, &bytes));
    OK(chatnio_connection_receive(link.connection, START, bytes.data, bytes.len));
    struct outs *o = &world->outs;
    const size_t wrong[] = {0, sizeof o->event - 8, sizeof o->event + 1, (size_t)1 << 17, SIZE_MAX - 7, SIZE_MAX};
    for (size_t at = 0; at < sizeof wrong / sizeof wrong[0]; at++) {
        REFUSED(CHATNIO_INVALID, chatnio_connection_next_events(link.connection, o->events, 2, wrong[at], &o->size));
    }
    REFUSED(CHATNIO_INVALID,
            chatnio_connection_next_events(link.connection, o->events, 0, sizeof o->events[0], &o->size));
    struct newer_event newer[3];
    memset(newer, CANARY, sizeof newer);
    size_t count = 0;
    OK(chatnio_connection_next_events(link.connection, &newer[0].event, SIZE_MAX, sizeof newer[0], &count));
    EQUAL(2, count);
    TEXT_IS("a", newer[0].event.text);
    TEXT_IS("b", newer[1].event.text);
    EQUAL(sizeof newer[0], newer[1].event.size);
    EQUAL(0, newer[1].more[0]);
    EQUAL(0, newer[1].more[sizeof newer[1].more - 1]);
    EQUAL((char)CANARY, newer[2].more[0]);
    REFUSED(CHATNIO_AGAIN,
            chatnio_connection_next_events(link.connection, o->events, 2, sizeof o->events[0], &o->size));
    link_free(&link);
}

static void constants(struct world *world) {
    struct outs *o = &world->outs;
    const int32_t unknown[] = {-1, 0, 8, 99, INT32_MAX, INT32_MIN};
    for (size_t at = 0; at < sizeof unknown / sizeof unknown[0]; at++) {
        int32_t number = unknown[at];
        REFUSED(CHATNIO_INVALID, chatnio_request_new(number, &o->request));
        REFUSED(CHATNIO_INVALID, chatnio_config_set_trust(world->fresh, number));
        REFUSED(CHATNIO_INVALID, chatnio_session_closed(world->session, number, &o->event));
        REFUSED(CHATNIO_INVALID, chatnio_replay_next_step(world->replay, number, &o->step));
        if (number != 0) {
            REFUSED(CHATNIO_INVALID, chatnio_peer_new(number, false, NULL, &o->peer, &o->error));
            CHECK(strcmp(chatnio_status_name(number), "CHATNIO_UNKNOWN") == 0);
            CHECK(chatnio_status_message(number) != NULL);
        }
    }
    EQUAL(false, chatnio_status_is_fatal(INT32_MIN));
    EQUAL(false, chatnio_status_is_fatal(CHATNIO_BUSY));
    EQUAL(true, chatnio_status_is_fatal(CHATNIO_CLOSED));
    EQUAL(true, chatnio_status_is_fatal(CHATNIO_PANIC));
    EQUAL(false, chatnio_status_is_retryable(INT32_MIN));
    EQUAL(false, chatnio_status_is_retryable(CHATNIO_CLOSED));
    EQUAL(false, chatnio_status_is_retryable(CHATNIO_BUSY));
    EQUAL(true, chatnio_status_is_retryable(CHATNIO_END_OF_STREAM));
    EQUAL(true, chatnio_status_is_retryable(CHATNIO_THROTTLED));
    EQUAL(false, chatnio_interruption_is_retryable(INT32_MIN));
    EQUAL(false, chatnio_interruption_is_retryable(CHATNIO_INTERRUPTION_NONE));
    EQUAL(false, chatnio_interruption_is_retryable(CHATNIO_INTERRUPTION_ANSWER_TOO_LONG));
    EQUAL(true, chatnio_interruption_is_retryable(CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE));
    EQUAL(true, chatnio_interruption_is_retryable(CHATNIO_INTERRUPTION_CONNECTION_LOST));
    EQUAL(CHATNIO_STATE_IDLE, session_state(world->session));
    const int64_t ids[] = {0, -2, INT64_MIN};
    for (size_t at = 0; at < sizeof ids / sizeof ids[0]; at++) {
        chatnio_auth *auth = new_auth("sk-x");
        OK(chatnio_auth_set_conversation(auth, ids[at]));
        REFUSED(CHATNIO_BAD_CONVERSATION, chatnio_session_new(NULL, auth, START, &o->session, &o->error));
        chatnio_auth_free(auth);
    }
    const int64_t sockets[] = {-1, INT64_MIN, INT64_MAX, (int64_t)INT32_MAX + 1};
    for (size_t at = 0; at < sizeof sockets / sizeof sockets[0]; at++) {
        REFUSED(CHATNIO_INVALID,
                chatnio_client_new_socket(NULL, NULL, TEXT("ws://x"), sockets[at], &o->client, &o->error));
        REFUSED(CHATNIO_INVALID, chatnio_client_reconnect_socket(world->client, sockets[at], &o->event));
    }
    /* A descriptor that is none, and one that is no socket. */
    REFUSED(CHATNIO_INVALID, chatnio_client_new_socket(NULL, NULL, TEXT("ws://x"), 1000, &o->client, &o->error));
    REFUSED(CHATNIO_INVALID, chatnio_client_new_socket(NULL, NULL, TEXT("ws://x"), 0, &o->client, &o->error));
    uint64_t falling[] = {500, 400}, level[] = {500, 500};
    REFUSED(CHATNIO_INVALID, chatnio_config_set_stop_repeats(world->fresh, falling, 2));
    REFUSED(CHATNIO_INVALID, chatnio_config_set_stop_repeats(world->fresh, level, 2));
}

/* Calls that come too early, twice, or too late. */
static void order(struct world *world) {
    struct outs *o = &world->outs;
    chatnio_session *session = new_session(NULL, NULL, START);
    chatnio_event event = new_event();
    bool sent = true;
    REFUSED(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &o->text));
    REFUSED(CHATNIO_AGAIN, chatnio_session_handle_timeout(session, START, &o->event));
    REFUSED(CHATNIO_ABSENT, chatnio_session_answer(session, &o->answer));
    REFUSED(CHATNIO_ABSENT, chatnio_session_transcript(session, &o->transcript));
    OK(chatnio_session_stop(session, START, &sent));
    EQUAL(false, sent);
    chatnio_request *restart = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_RESTART, &restart));
    REFUSED(CHATNIO_NOTHING_TO_RESTART, chatnio_session_request(session, START, restart));
    chatnio_request_free(restart);
    OK(chatnio_session_request(session, START, world->request));
    REFUSED(CHATNIO_BUSY, chatnio_session_request(session, START, world->request));
    OK(chatnio_session_stop(session, START, &sent));
    EQUAL(true, sent);
    OK(chatnio_session_stop(session, START, &sent));
    EQUAL(false, sent);
    OK(chatnio_session_closed(session, CHATNIO_CLOSE_LOST, &event));
    EQUAL(CHATNIO_EVENT_END, event.kind);
    EQUAL(CHATNIO_INTERRUPTION_CONNECTION_LOST, event.interruption);
    OK(chatnio_session_closed(session, CHATNIO_CLOSE_LOST, &event));
    EQUAL(CHATNIO_EVENT_NONE, event.kind);
    REFUSED(CHATNIO_CLOSED, chatnio_session_request(session, START, world->request));
    REFUSED(CHATNIO_CLOSED, chatnio_session_stop(session, START, &o->flag));
    REFUSED(CHATNIO_CLOSED, chatnio_session_receive(session, START, TEXT("{}"), &o->event));
    REFUSED(CHATNIO_CLOSED, chatnio_session_receive_binary(session, START, &o->event));
    REFUSED(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &o->text));
    REFUSED(CHATNIO_AGAIN, chatnio_session_handle_timeout(session, START + 1000000, &o->event));
    uint64_t deadline = 0;
    OK(chatnio_session_deadline(session, &deadline));
    EQUAL(true, deadline == UINT64_MAX);
    OK(chatnio_session_reconnect(session, START, &event));
    OK(chatnio_session_request(session, START, world->request));
    chatnio_session_free(session);

    REFUSED(CHATNIO_AGAIN, chatnio_connection_next_event(world->connection, &o->event));
    REFUSED(CHATNIO_INVALID, chatnio_connection_transmitted(world->connection, 1));
    REFUSED(CHATNIO_ABSENT, chatnio_connection_answer(world->connection, &o->answer));
    REFUSED(CHATNIO_ABSENT, chatnio_connection_refusal_body(world->connection, &o->text));
    REFUSED(CHATNIO_INVALID, chatnio_peer_transmitted(world->peer, 1));
    REFUSED(CHATNIO_CLOSED, chatnio_peer_send(world->peer, TEXT("x")));
    REFUSED(CHATNIO_AGAIN, chatnio_peer_transmit(world->peer, &o->bytes));
    REFUSED(CHATNIO_AGAIN, chatnio_client_next(world->client, 0, &o->event));
    REFUSED(CHATNIO_AGAIN, chatnio_client_wait(world->client, INT32_MIN, &o->event));
    REFUSED(CHATNIO_ABSENT, chatnio_client_answer(world->client, &o->answer));
    chatnio_request *stop = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_STOP, &stop));
    REFUSED(CHATNIO_BAD_PARAMETERS, chatnio_client_ask(world->client, stop, &o->event));
    chatnio_request_free(stop);
    REFUSED(CHATNIO_FROZEN, chatnio_config_set_connect(world->config, 1));
}

/* After a connection has broken off, and after it was closed, everything says so, again and again. */
static void after_the_end(struct world *world) {
    struct outs *o = &world->outs;
    for (int how = 0; how < 3; how++) {
        const int32_t ends[] = {CHATNIO_PROTOCOL, CHATNIO_END_OF_STREAM, CHATNIO_CLOSED};
        struct link link;
        link_new(&link, false, NULL, NULL);
        link_exchange(&link);
        if (how == 0) {
            /* A frame with reserved bits. */
            OK(chatnio_connection_receive(link.connection, START, (const uint8_t *)"\xf1\x01x", 3));
        } else if (how == 1) {
            OK(chatnio_connection_eof(link.connection, START));
        } else {
            OK(chatnio_connection_close(link.connection, START));
            OK(chatnio_connection_eof(link.connection, START));
        }
        chatnio_event event = new_event();
        OK(chatnio_connection_next_event(link.connection, &event));
        EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
        EQUAL(ends[how], event.status);
        CHECK(chatnio_status_is_fatal(event.status) && event.text.len > 0);
        for (int again = 0; again < 2; again++) {
            REFUSED(CHATNIO_AGAIN, chatnio_connection_next_event(link.connection, &o->event));
            REFUSED(CHATNIO_CLOSED, chatnio_connection_request(link.connection, START, world->request));
            REFUSED(CHATNIO_CLOSED, chatnio_connection_stop(link.connection, START, &o->flag));
            OK(chatnio_connection_receive(link.connection, START, (const uint8_t *)"x", 1));
            OK(chatnio_connection_eof(link.connection, START));
            OK(chatnio_connection_failed(link.connection, START, 104));
            OK(chatnio_connection_handle_timeout(link.connection, START + 1000000));
            OK(chatnio_connection_close(link.connection, START));
        }
        EQUAL(CHATNIO_STATE_CLOSED, connection_state(link.connection));
        OK(chatnio_connection_reconnect(link.connection, START, &event));
        EQUAL(CHATNIO_EVENT_NONE, event.kind);
        EQUAL(CHATNIO_STATE_IDLE, connection_state(link.connection));
        link_free(&link);
    }
    /* A blocking client, closed by itself, and cut by its server. */
    chatnio_event event = new_event();
    OK(chatnio_client_close(world->client, &event));
    EQUAL(CHATNIO_EVENT_NONE, event.kind);
    for (int again = 0; again < 2; again++) {
        REFUSED(CHATNIO_CLOSED, chatnio_client_next(world->client, 0, &o->event));
        REFUSED(CHATNIO_CLOSED, chatnio_client_wait(world->client, -1, &o->event));
        REFUSED(CHATNIO_CLOSED, chatnio_client_request(world->client, world->request));
        REFUSED(CHATNIO_CLOSED, chatnio_client_ask(world->client, world->request, &o->event));
        REFUSED(CHATNIO_CLOSED, chatnio_client_stop(world->client, &o->flag));
        OK(chatnio_client_close(world->client, &event));
        bool sent = true;
        OK(chatnio_stopper_stop(world->stopper, &sent));
        EQUAL(false, sent);
        OK(chatnio_stopper_close(world->stopper));
    }
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_client *client = server_client(&server, NULL, world->auth);
    chatnio_request *chat = new_chat("hi", "drop");
    OK(chatnio_client_ask(client, chat, &event));
    EQUAL(CHATNIO_OUTCOME_INTERRUPTED, event.outcome);
    for (int again = 0; again < 2; again++) {
        REFUSED(CHATNIO_END_OF_STREAM, chatnio_client_next(client, -1, &o->event));
        REFUSED(CHATNIO_END_OF_STREAM, chatnio_client_request(client, chat));
    }
    chatnio_request_free(chat);
    chatnio_client_free(client);
    server_join(&server);
}

/* What cannot be asked: nothing is sent, and the reason is told. */
static void requests(struct world *world) {
    static const struct {
        int32_t type;
        const char *message;
        bool model;
        bool index;
        bool mask;
        int32_t status;
    } CASES[] = {
        {CHATNIO_REQUEST_CHAT, NULL, false, false, false, CHATNIO_EMPTY_MESSAGE},
        {CHATNIO_REQUEST_CHAT, " \t\n", false, false, false, CHATNIO_EMPTY_MESSAGE},
        {CHATNIO_REQUEST_CHAT, "x", false, true, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_CHAT, "x", false, false, true, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_RESTART, "x", false, false, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_STOP, "x", false, false, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_STOP, NULL, true, false, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_SHARE, NULL, false, false, false, CHATNIO_EMPTY_SHARE},
        {CHATNIO_REQUEST_MASK, NULL, false, false, false, CHATNIO_BAD_MASK},
        {CHATNIO_REQUEST_MASK, "[]", false, false, false, CHATNIO_BAD_MASK},
        {CHATNIO_REQUEST_MASK, "[1]", false, false, false, CHATNIO_BAD_MASK},
        {CHATNIO_REQUEST_MASK, "[{}]", false, false, true, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_EDIT, "x", false, false, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_EDIT, NULL, false, true, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_EDIT, "x", true, true, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_REMOVE, NULL, false, false, false, CHATNIO_BAD_PARAMETERS},
        {CHATNIO_REQUEST_REMOVE, "x", false, true, false, CHATNIO_BAD_PARAMETERS},
    };
    for (size_t at = 0; at < sizeof CASES / sizeof CASES[0]; at++) {
        chatnio_request *request = NULL;
        OK(chatnio_request_new(CASES[at].type, &request));
        if (CASES[at].message != NULL) {
            OK(chatnio_request_set_message(request, CASES[at].message, strlen(CASES[at].message)));
        }
        if (CASES[at].model) {
            OK(chatnio_request_set_model(request, TEXT("m")));
        }
        if (CASES[at].index) {
            OK(chatnio_request_set_index(request, 0));
        }
        if (CASES[at].mask) {
            OK(chatnio_request_add_mask(request, TEXT("user"), TEXT("x")));
        }
        int32_t status = chatnio_session_request(world->session, START, request);
        if (status != CASES[at].status) {
            FAIL("case %zu: %s", at, chatnio_status_name(status));
        }
        char text[200];
        OK(chatnio_session_error(world->session, text, sizeof text, NULL));
        CHECK(strlen(text) > 0);
        REFUSED(CASES[at].status, chatnio_connection_request(world->connection, START, request));
        REFUSED(CASES[at].status, chatnio_client_request(world->client, request));
        chatnio_request_free(request);
    }
    const float bad[] = {INFINITY, -INFINITY, NAN};
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++) {
        int32_t (*const setters[])(chatnio_request *, float) = {
            chatnio_request_set_temperature,       chatnio_request_set_top_p,
            chatnio_request_set_presence_penalty,  chatnio_request_set_frequency_penalty,
            chatnio_request_set_repetition_penalty};
        for (size_t which = 0; which < sizeof setters / sizeof setters[0]; which++) {
            chatnio_request *request = new_chat("hi", NULL);
            OK(setters[which](request, bad[at]));
            REFUSED(CHATNIO_NOT_FINITE, chatnio_session_request(world->session, START, request));
            chatnio_request_free(request);
        }
    }
    chatnio_request *mask = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_MASK, &mask));
    OK(chatnio_request_add_mask(mask, TEXT("robot"), TEXT("x")));
    REFUSED(CHATNIO_BAD_MASK, chatnio_session_request(world->session, START, mask));
    chatnio_request_free(mask);
    chatnio_config *config = new_config();
    OK(chatnio_config_set_max_request(config, 60));
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_config_free(config);
    chatnio_request *long_one = new_chat("a question that does not fit into sixty bytes of JSON", NULL);
    REFUSED(CHATNIO_REQUEST_TOO_LONG, chatnio_session_request(session, START, long_one));
    chatnio_request_free(long_one);
    chatnio_session_free(session);
    REFUSED(CHATNIO_AGAIN, chatnio_session_next_transmit(world->session, &world->outs.text));
}

static void endpoints(struct world *world) {
    struct outs *o = &world->outs;
    const char *const bad[] = {"ftp://x", "ws://", "ws://x:99999", "ws://user@x", "not a url", "ws://x/\x01"};
    for (size_t at = 0; at < sizeof bad / sizeof bad[0]; at++) {
        REFUSED(CHATNIO_BAD_URL,
                chatnio_connection_new(NULL, NULL, bad[at], strlen(bad[at]), START, &o->connection, &o->error));
    }
    REFUSED(CHATNIO_PLAIN_TOKEN, chatnio_connection_new(NULL, world->auth, TEXT("ws://chat.example"), START,
                                                        &o->connection, &o->error));
    /* Port 1 of this machine: nobody is there. */
    REFUSED(CHATNIO_CONNECT, chatnio_client_new(NULL, NULL, TEXT("ws://127.0.0.1:1"), &o->client, &o->error));
    /* No text ever holds a token. */
    chatnio_auth *auth = new_auth("sk-secret");
    OK(chatnio_auth_set_conversation(auth, -7));
    IS(CHATNIO_BAD_CONVERSATION, chatnio_session_new(NULL, auth, START, &o->session, &o->error));
    chatnio_text text;
    OK(chatnio_error_message(o->error, &text));
    CHECK(text.len > 0 && !contains(text.data, text.len, "secret"));
    chatnio_error_free(o->error);
    o->error = world->before.error;
    chatnio_auth_free(auth);
}

int main(void) {
    struct world world;
    world_new(&world);
    texts(&world);
    empty(&world);
    huge(&world);
    sizes(&world);
    strides(&world);
    constants(&world);
    order(&world);
    requests(&world);
    endpoints(&world);
    after_the_end(&world);
    world_free(&world);
    return done();
}
