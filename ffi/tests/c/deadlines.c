/* Every deadline, on a simulated clock: nothing happens a millisecond early, everything at its time, and a clock that
 * goes back stands still. */
#include "link.h"

#define NEVER UINT64_MAX

static uint64_t session_deadline(const chatnio_session *session) {
    uint64_t deadline = 0;
    OK(chatnio_session_deadline(session, &deadline));
    return deadline;
}

/* The next thing that is due: at `now`, not earlier. */
static void due(chatnio_session *session, uint64_t now, int32_t kind, chatnio_event *event) {
    EQUAL(now, session_deadline(session));
    IS(CHATNIO_AGAIN, chatnio_session_handle_timeout(session, now - 1, event));
    OK(chatnio_session_handle_timeout(session, now, event));
    EQUAL(kind, event->kind);
}

static void sent(chatnio_session *session, const char *expected) {
    chatnio_text message;
    OK(chatnio_session_next_transmit(session, &message));
    TEXT_IS(expected, message);
}

static void sent_all(chatnio_session *session) {
    chatnio_text message;
    while (chatnio_session_next_transmit(session, &message) == CHATNIO_OK) {
    }
}

static chatnio_session *asking(const chatnio_config *config, uint64_t now) {
    chatnio_session *session = new_session(config, NULL, now);
    chatnio_request *chat = new_chat("hi", NULL);
    OK(chatnio_session_request(session, now, chat));
    chatnio_request_free(chat);
    sent_all(session);
    return session;
}

static void keep_alive(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_keep_alive(config, 1000));
    OK(chatnio_config_set_first_frame(config, 0));
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_config_free(config);
    chatnio_event event = new_event();
    due(session, START + 1000, CHATNIO_EVENT_KEEP_ALIVE, &event);
    sent(session, "{\"type\":\"ping\"}");
    due(session, START + 2000, CHATNIO_EVENT_KEEP_ALIVE, &event);
    sent(session, "{\"type\":\"ping\"}");
    /* Any message puts it off; a clock that goes back stands still. */
    receive(session, START + 2500, "{}", &event);
    EQUAL(START + 3500, session_deadline(session));
    receive(session, START, "{}", &event);
    EQUAL(START + 3500, session_deadline(session));
    OK(chatnio_session_closed(session, CHATNIO_CLOSE_HOST, &event));
    EQUAL(true, session_deadline(session) == NEVER);
    chatnio_session_free(session);
}

static void frames(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_keep_alive(config, 0));
    OK(chatnio_config_set_first_frame(config, 3000));
    OK(chatnio_config_set_next_frame(config, 1000));
    chatnio_event event = new_event();

    chatnio_session *session = asking(config, START);
    due(session, START + 3000, CHATNIO_EVENT_END, &event);
    EQUAL(CHATNIO_OUTCOME_INTERRUPTED, event.outcome);
    EQUAL(CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE, event.interruption);
    EQUAL(CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE, event.answer->interruption);
    CHECK(event.answer->reason.len > 0);
    EQUAL(CHATNIO_STATE_DRAINING, session_state(session));
    chatnio_request *chat = new_chat("again", NULL);
    IS(CHATNIO_BUSY, chatnio_session_request(session, START + 3000, chat));
    /* Its end comes late, and then it may be asked again. */
    receive(session, START + 4000, "{\"message\":\"late\",\"end\":true}", &event);
    EQUAL(CHATNIO_EVENT_STRAY, event.kind);
    OK(chatnio_session_request(session, START + 4000, chat));
    chatnio_request_free(chat);
    chatnio_session_free(session);

    session = asking(config, START);
    receive(session, START + 2999, "{\"message\":\"a\"}", &event);
    receive(session, START + 3500, "{\"message\":\"b\"}", &event);
    due(session, START + 4500, CHATNIO_EVENT_END, &event);
    EQUAL(CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE, event.interruption);
    TEXT_IS("ab", event.answer->text);
    chatnio_session_free(session);

    /* Switched off, nothing is due. */
    chatnio_config_free(config);
    config = new_config();
    OK(chatnio_config_set_keep_alive(config, 0));
    OK(chatnio_config_set_first_frame(config, 0));
    OK(chatnio_config_set_next_frame(config, 0));
    session = asking(config, START);
    EQUAL(true, session_deadline(session) == NEVER);
    chatnio_session_free(session);
    chatnio_config_free(config);
}

/* What a request says stands before what the configuration says. */
static void of_a_request(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_keep_alive(config, 0));
    OK(chatnio_config_set_answer_within(config, 9000));
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_config_free(config);
    chatnio_event event = new_event();
    static const struct {
        uint64_t first, next, within, due;
        int32_t interruption;
    } CASES[] = {
        {0, 0, 5000, 5000, CHATNIO_INTERRUPTION_ANSWER_DEADLINE},
        {0, 700, 0, 1700, CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE},
        {800, 0, 0, 800, CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE},
    };
    uint64_t now = START;
    for (size_t at = 0; at < sizeof CASES / sizeof CASES[0]; at++) {
        chatnio_request *chat = new_chat("hi", NULL);
        OK(chatnio_request_set_first_frame(chat, CASES[at].first));
        OK(chatnio_request_set_next_frame(chat, CASES[at].next));
        OK(chatnio_request_set_answer_within(chat, CASES[at].within));
        OK(chatnio_session_request(session, now, chat));
        chatnio_request_free(chat);
        sent_all(session);
        if (CASES[at].first == 0) {
            receive(session, now + 1000, "{\"message\":\"a\"}", &event);
        }
        due(session, now + CASES[at].due, CHATNIO_EVENT_END, &event);
        EQUAL(CASES[at].interruption, event.interruption);
        sent(session, "{\"type\":\"stop\"}");
        OK(chatnio_session_reconnect(session, now + 10000, &event));
        now += 20000;
    }
    chatnio_request *chat = new_chat("hi", NULL);
    OK(chatnio_session_request(session, now, chat));
    chatnio_request_free(chat);
    due(session, now + 9000, CHATNIO_EVENT_END, &event);
    EQUAL(CHATNIO_INTERRUPTION_ANSWER_DEADLINE, event.interruption);
    chatnio_session_free(session);
}

static void stops(void) {
    const uint64_t repeats[] = {100, 300};
    chatnio_config *config = new_config();
    OK(chatnio_config_set_keep_alive(config, 0));
    OK(chatnio_config_set_stop_repeats(config, repeats, 2));
    OK(chatnio_config_set_after_stop(config, 2000));
    chatnio_session *session = asking(config, START);
    chatnio_config_free(config);
    chatnio_event event = new_event();
    OK(chatnio_session_stop(session, START + 50, NULL));
    sent(session, "{\"type\":\"stop\"}");
    for (int at = 0; at < 2; at++) {
        due(session, START + 50 + repeats[at], CHATNIO_EVENT_STOP_REPEATED, &event);
        EQUAL(1, event.turn);
        sent(session, "{\"type\":\"stop\"}");
    }
    due(session, START + 2050, CHATNIO_EVENT_END, &event);
    EQUAL(CHATNIO_INTERRUPTION_AFTER_STOP_DEADLINE, event.interruption);
    chatnio_counters counters = new_counters();
    OK(chatnio_session_counters(session, &counters));
    EQUAL(2, counters.repeated_stops);
    chatnio_session_free(session);

    /* By default the stop goes out four times more. */
    session = asking(NULL, START);
    OK(chatnio_session_stop(session, START, NULL));
    sent(session, "{\"type\":\"stop\"}");
    const uint64_t defaults[] = {150, 1000, 2000, 4000};
    for (int at = 0; at < 4; at++) {
        due(session, START + defaults[at], CHATNIO_EVENT_STOP_REPEATED, &event);
        sent(session, "{\"type\":\"stop\"}");
    }
    due(session, START + 10000, CHATNIO_EVENT_END, &event);
    chatnio_session_free(session);
}

static const char END[] = "{\"message\":\"\",\"quota\":0.5,\"end\":true}";

/* What the server could lose after an end is held, and goes out when its time has come, without an event, or before the
 * host's close. */
static void settling(void) {
    enum { HELD, OFF, CLOSED, CASES };
    for (int which = 0; which < CASES; which++) {
        chatnio_config *config = new_config();
        OK(chatnio_config_set_keep_alive(config, 0));
        if (which == OFF) {
            OK(chatnio_config_set_settle(config, 0));
        }
        chatnio_session *session = asking(config, START);
        chatnio_config_free(config);
        chatnio_event event = new_event();
        receive(session, START, END, &event);
        EQUAL(CHATNIO_EVENT_END, event.kind);
        chatnio_request *request = NULL;
        OK(chatnio_request_new(CHATNIO_REQUEST_REMOVE, &request));
        OK(chatnio_request_set_index(request, 0));
        OK(chatnio_session_request(session, START + 100, request));
        chatnio_request_free(request);
        if (which != OFF) {
            chatnio_text none;
            IS(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &none));
            EQUAL(START + 250, session_deadline(session));
        }
        if (which == HELD) {
            IS(CHATNIO_AGAIN, chatnio_session_handle_timeout(session, START + 250, &event));
        }
        if (which == CLOSED) {
            OK(chatnio_session_closed(session, CHATNIO_CLOSE_HOST, &event));
        }
        sent(session, "{\"type\":\"remove\",\"message\":\"0\"}");
        chatnio_session_free(session);
    }
}

/* Events of a connection, as far as these tests look at them. */
struct seen {
    int32_t kinds[16];
    int count;
    int32_t status;
    int32_t interruption;
};

static void see(void *context, const chatnio_event *event) {
    struct seen *seen = context;
    CHECK(seen->count < 16);
    seen->kinds[seen->count++] = event->kind;
    if (event->kind == CHATNIO_EVENT_CLOSED) {
        seen->status = event->status;
    } else if (event->kind == CHATNIO_EVENT_END) {
        seen->interruption = event->interruption;
    }
}

static uint64_t connection_deadline(const struct link *link) {
    chatnio_wants wants = new_wants();
    OK(chatnio_connection_wants(link->connection, &wants));
    return wants.deadline;
}

/* Nothing may happen before the deadline, which must be `at`; then what happened is seen, and sent. */
static void connection_due(struct link *link, struct seen *seen, uint64_t at) {
    EQUAL(at, connection_deadline(link));
    seen->count = 0;
    link->now = at - 1;
    OK(chatnio_connection_handle_timeout(link->connection, link->now));
    link_events(link);
    EQUAL(0, seen->count);
    link->now = at;
    OK(chatnio_connection_handle_timeout(link->connection, link->now));
    link_events(link);
}

static void connection_new(struct link *link, struct seen *seen, chatnio_config *config, bool tls) {
    link_new(link, tls, config, NULL);
    chatnio_config_free(config);
    memset(seen, 0, sizeof *seen);
    link->on_event = see;
    link->context = seen;
}

static void connection_deadlines(bool tls) {
    struct link link;
    struct seen seen;

    /* A server that says nothing at all. */
    chatnio_config *config = new_config();
    OK(chatnio_config_set_handshake(config, 2000));
    connection_new(&link, &seen, config, tls);
    connection_due(&link, &seen, START + 2000);
    EQUAL(CHATNIO_HANDSHAKE_TIMEOUT, seen.status);
    EQUAL(true, connection_deadline(&link) == NEVER);
    link_free(&link);

    /* Pings of the WebSocket, and a server that is dead. */
    config = new_config();
    OK(chatnio_config_set_keep_alive(config, 0));
    OK(chatnio_config_set_ping_after(config, 3000));
    OK(chatnio_config_set_pong_within(config, 500));
    connection_new(&link, &seen, config, tls);
    link_exchange(&link);
    connection_due(&link, &seen, START + 3000);
    EQUAL(0, seen.count);
    /* It answers by itself. */
    link_exchange(&link);
    connection_due(&link, &seen, START + 6000);
    /* This time nobody delivers the ping. */
    connection_due(&link, &seen, START + 6500);
    EQUAL(CHATNIO_UNRESPONSIVE, seen.status);
    link_free(&link);

    /* What a session has. */
    config = new_config();
    OK(chatnio_config_set_keep_alive(config, 1000));
    OK(chatnio_config_set_first_frame(config, 1500));
    OK(chatnio_config_set_ping_after(config, 0));
    connection_new(&link, &seen, config, tls);
    link_exchange(&link);
    connection_due(&link, &seen, START + 1000);
    EQUAL(CHATNIO_EVENT_KEEP_ALIVE, seen.kinds[0]);
    link_exchange(&link);
    link_ask(&link, "hi");
    connection_due(&link, &seen, START + 2000);
    EQUAL(CHATNIO_EVENT_KEEP_ALIVE, seen.kinds[0]);
    link_exchange(&link);
    connection_due(&link, &seen, START + 2500);
    EQUAL(CHATNIO_EVENT_END, seen.kinds[0]);
    EQUAL(CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE, seen.interruption);
    link_free(&link);

    /* A close that nobody answers. */
    config = new_config();
    OK(chatnio_config_set_close(config, 700));
    connection_new(&link, &seen, config, tls);
    link_exchange(&link);
    OK(chatnio_connection_close(link.connection, link.now));
    chatnio_bytes bytes;
    while (chatnio_connection_transmit(link.connection, &bytes) == CHATNIO_OK) {
        OK(chatnio_connection_transmitted(link.connection, bytes.len));
    }
    connection_due(&link, &seen, START + 700);
    EQUAL(CHATNIO_CLOSE_TIMEOUT, seen.status);
    link_free(&link);
}

/* A close is the last word: nothing more is asked or stopped, and what the session had due is not. */
static void closing(void) {
    struct link link;
    struct seen seen;
    chatnio_config *config = new_config();
    OK(chatnio_config_set_keep_alive(config, 100));
    OK(chatnio_config_set_close(config, 700));
    connection_new(&link, &seen, config, false);
    link_exchange(&link);
    link_ask(&link, "hi");
    OK(chatnio_connection_close(link.connection, link.now));
    bool sent = true;
    IS(CHATNIO_CLOSED, chatnio_connection_stop(link.connection, link.now, &sent));
    EQUAL(true, sent);
    connection_due(&link, &seen, START + 700);
    EQUAL(2, seen.count);
    EQUAL(CHATNIO_EVENT_END, seen.kinds[0]);
    EQUAL(CHATNIO_INTERRUPTION_CLOSED_BY_HOST, seen.interruption);
    EQUAL(CHATNIO_CLOSE_TIMEOUT, seen.status);
    link_free(&link);
}

/* A reconnect does not turn the clock back. */
static void reconnect_goes_back(void) {
    struct link link;
    struct seen seen;
    chatnio_config *config = new_config();
    OK(chatnio_config_set_handshake(config, 2000));
    connection_new(&link, &seen, config, false);
    OK(chatnio_connection_handle_timeout(link.connection, START + 500));
    chatnio_event event = new_event();
    OK(chatnio_connection_reconnect(link.connection, START - 500000, &event));
    connection_due(&link, &seen, START + 2500);
    EQUAL(CHATNIO_HANDSHAKE_TIMEOUT, seen.status);
    link_free(&link);
}

static void poll_times(void) {
    EQUAL(-1, chatnio_timeout_ms(NEVER, 0));
    EQUAL(-1, chatnio_timeout_ms(NEVER, NEVER));
    EQUAL(0, chatnio_timeout_ms(0, 0));
    EQUAL(0, chatnio_timeout_ms(5, 6));
    EQUAL(1, chatnio_timeout_ms(6, 5));
    EQUAL(INT32_MAX, chatnio_timeout_ms((uint64_t)INT32_MAX, 0));
    EQUAL(INT32_MAX, chatnio_timeout_ms((uint64_t)INT32_MAX + 1, 0));
    EQUAL(INT32_MAX, chatnio_timeout_ms(NEVER - 1, 0));
}

/* With any argument without TLS: see lifetimes.c. */
int main(int argc, char **argv) {
    (void)argv;
    keep_alive();
    frames();
    of_a_request();
    stops();
    settling();
    for (int tls = 0; tls < (argc > 1 ? 1 : 2); tls++) {
        connection_deadlines(tls);
    }
    closing();
    reconnect_goes_back();
    poll_times();
    return done();
}
