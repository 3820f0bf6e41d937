/* What the library hands out stays as it is for as long as the header says. Meant for AddressSanitizer and valgrind:
 * every view is read again in full after every call that must not invalidate it. */

/* What some of the calls answer is of no matter here. */
#define CHATNIO_MUST_USE

#include "link.h"
#include "server.h"

/* Views and what they held when they were handed out. */
struct held {
    chatnio_text views[16];
    char *copies[16];
    size_t count;
};

static void hold(struct held *held, chatnio_text view) {
    if (view.data != NULL) {
        CHECK(held->count < 16);
        held->views[held->count] = view;
        held->copies[held->count++] = heap_copy(view.data, view.len);
    }
}

static void hold_answer(struct held *held, const chatnio_answer *answer) {
    hold(held, answer->text);
    hold(held, answer->notice);
    hold(held, answer->keyword);
    hold(held, answer->reason);
    hold(held, answer->quota_text);
}

static struct held hold_event(const chatnio_event *event) {
    struct held held;
    memset(&held, 0, sizeof held);
    hold(&held, event->text);
    hold(&held, event->raw);
    hold(&held, event->quota_text);
    if (event->answer != NULL) {
        hold_answer(&held, event->answer);
    }
    if (event->raw.data != NULL && event->kind != CHATNIO_EVENT_MALFORMED) {
        chatnio_text field;
        OK(chatnio_event_field(event, TEXT("message"), &field));
        hold(&held, field);
    }
    CHECK(held.count > 0);
    return held;
}

static void check_held(const struct held *held, const char *after) {
    for (size_t at = 0; at < held->count; at++) {
        if (memcmp(held->views[at].data, held->copies[at], held->views[at].len) != 0) {
            FAIL("view %zu, which was \"%.*s\", has changed after %s", at, (int)held->views[at].len, held->copies[at],
                 after);
        }
    }
}

static void let_go(struct held *held) {
    for (size_t at = 0; at < held->count; at++) {
        free(held->copies[at]);
    }
}

/* Does `call`, and then looks at what is held. */
#define STAYS(held, call) ((void)(call), check_held(held, #call))

/* Frames with texts that are decoded, long enough for buffers to move, and one that says no quota of its own. */
static const char *const FRAMES[] = {
    "{\"conversation\":29,\"quota\":0,\"message\":\"\",\"end\":false}",
    "{\"quota\":0.10,\"message\":\"plain\",\"end\":false}",
    "{\"quota\":0.20,\"message\":\"an \\u00e9scape\\n\",\"end\":false,\"title\":{\"a\":[1,2]}}",
    "{\"message\":\"no quota of its own\",\"end\":false}",
    "{\"quota\":0.4,\"message\":\"{not read\"",
    "{\"quota\":0.50,\"keyword\":\"w\\u00f6rds\",\"message\":\"the l\\u00e4st\",\"end\":true}",
    "{\"quota\":0.60,\"message\":\"a str\\u00e4y\",\"end\":false}",
};
#define FRAME_COUNT (sizeof FRAMES / sizeof FRAMES[0])

static void session_calls(chatnio_session *session, const chatnio_event *event, const struct held *held) {
    int32_t state;
    uint64_t deadline;
    size_t memory;
    bool sent;
    char text[64];
    chatnio_text view;
    chatnio_answer answer = new_answer();
    chatnio_counters counters = new_counters();
    chatnio_conversation conversation;
    chatnio_transcript *transcript = NULL;
    chatnio_request *long_chat = new_chat("a request that is longer than all before, so that buffers grow", "model");
    STAYS(held, chatnio_session_state(session, &state));
    STAYS(held, chatnio_session_deadline(session, &deadline));
    STAYS(held, chatnio_session_memory(session, &memory));
    STAYS(held, chatnio_session_answer(session, &answer));
    STAYS(held, chatnio_session_counters(session, &counters));
    STAYS(held, chatnio_session_conversation(session, &conversation));
    STAYS(held, chatnio_session_transcript(session, &transcript));
    STAYS(held, chatnio_transcript_free(transcript));
    STAYS(held, chatnio_session_error(session, text, sizeof text, &memory));
    STAYS(held, chatnio_event_field(event, TEXT("title"), &view));
    STAYS(held, chatnio_session_request(session, START, long_chat));
    STAYS(held, chatnio_session_request(session, START, NULL));
    STAYS(held, chatnio_session_stop(session, START, &sent));
    for (int at = 0; at < 4; at++) {
        STAYS(held, chatnio_session_next_transmit(session, &view));
    }
    chatnio_request_free(long_chat);
}

static chatnio_config *recording(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_record(config, true));
    return config;
}

static void session_events(void) {
    /* What is held is that of the last frame, so each has a session of its own. */
    for (size_t last = 0; last < FRAME_COUNT; last++) {
        chatnio_config *config = recording();
        chatnio_session *session = new_session(config, NULL, START);
        chatnio_config_free(config);
        chatnio_request *chat = new_chat("hi", NULL);
        OK(chatnio_session_request(session, START, chat));
        chatnio_request_free(chat);
        chatnio_event event = new_event();
        for (size_t at = 0; at <= last; at++) {
            char *copy = heap_copy(FRAMES[at], strlen(FRAMES[at]));
            OK(chatnio_session_receive(session, START, copy, strlen(FRAMES[at]), &event));
            memset(copy, '!', strlen(FRAMES[at]));
            free(copy);
        }
        struct held held = hold_event(&event);
        session_calls(session, &event, &held);
        let_go(&held);
        chatnio_session_free(session);
    }
}

/* The ends that no frame has caused. */
static void session_ends(void) {
    for (int how = 0; how < 3; how++) {
        chatnio_config *config = recording();
        OK(chatnio_config_set_next_frame(config, 1000));
        chatnio_session *session = new_session(config, NULL, START);
        chatnio_config_free(config);
        chatnio_request *chat = new_chat("hi", NULL);
        OK(chatnio_session_request(session, START, chat));
        chatnio_request_free(chat);
        chatnio_event event = new_event();
        receive(session, START, FRAMES[1], &event);
        if (how == 0) {
            OK(chatnio_session_handle_timeout(session, START + 1000, &event));
        } else if (how == 1) {
            OK(chatnio_session_closed(session, CHATNIO_CLOSE_LOST, &event));
        } else {
            OK(chatnio_session_reconnect(session, START, &event));
        }
        EQUAL(CHATNIO_EVENT_END, event.kind);
        TEXT_IS("plain", event.answer->text);
        CHECK(event.answer->reason.data != NULL);
        struct held held = hold_event(&event);
        session_calls(session, &event, &held);
        let_go(&held);
        chatnio_session_free(session);
    }
}

/* A message to send stays, whatever is asked meanwhile: a host may be writing it. */
static void session_transmit(void) {
    chatnio_session *session = new_session(NULL, NULL, START);
    chatnio_request *chat = new_chat("hi", NULL);
    OK(chatnio_session_request(session, START, chat));
    chatnio_text message;
    OK(chatnio_session_next_transmit(session, &message));
    struct held held;
    memset(&held, 0, sizeof held);
    hold(&held, message);
    chatnio_event event = new_event();
    STAYS(&held, chatnio_session_receive(session, START, FRAMES[1], strlen(FRAMES[1]), &event));
    STAYS(&held, chatnio_session_stop(session, START, NULL));
    STAYS(&held, chatnio_session_handle_timeout(session, START + 600, &event));
    STAYS(&held, chatnio_session_request(session, START, chat));
    STAYS(&held, chatnio_session_closed(session, CHATNIO_CLOSE_HOST, &event));
    STAYS(&held, chatnio_session_reconnect(session, START, &event));
    STAYS(&held, chatnio_session_request(session, START, chat));
    let_go(&held);
    chatnio_request_free(chat);
    chatnio_session_free(session);
}

static void connection_calls(chatnio_connection *connection, const chatnio_event *event, const struct held *held) {
    int32_t state;
    uint16_t port;
    size_t memory;
    bool sent;
    char text[64];
    chatnio_text view;
    chatnio_bytes bytes;
    chatnio_answer answer = new_answer();
    chatnio_counters counters = new_counters();
    chatnio_wants wants = new_wants();
    chatnio_conversation conversation;
    chatnio_transcript *transcript = NULL;
    chatnio_request *long_chat = new_chat("a request that is longer than all before, so that buffers grow", "model");
    STAYS(held, chatnio_connection_state(connection, &state));
    STAYS(held, chatnio_connection_wants(connection, &wants));
    STAYS(held, chatnio_connection_memory(connection, &memory));
    STAYS(held, chatnio_connection_answer(connection, &answer));
    STAYS(held, chatnio_connection_counters(connection, &counters));
    STAYS(held, chatnio_connection_conversation(connection, &conversation));
    STAYS(held, chatnio_connection_host(connection, &view));
    STAYS(held, chatnio_connection_port(connection, &port));
    STAYS(held, chatnio_connection_refusal_body(connection, &view));
    STAYS(held, chatnio_connection_transcript(connection, &transcript));
    STAYS(held, chatnio_transcript_free(transcript));
    STAYS(held, chatnio_connection_error(connection, text, sizeof text, &memory));
    STAYS(held, chatnio_event_field(event, TEXT("title"), &view));
    STAYS(held, chatnio_connection_request(connection, START, long_chat));
    STAYS(held, chatnio_connection_request(connection, START, NULL));
    STAYS(held, chatnio_connection_stop(connection, START, &sent));
    if (chatnio_connection_transmit(connection, &bytes) == CHATNIO_OK) {
        STAYS(held, chatnio_connection_transmit(connection, &bytes));
        STAYS(held, chatnio_connection_transmitted(connection, 1));
        STAYS(held, chatnio_connection_transmit(connection, &bytes));
        STAYS(held, chatnio_connection_transmitted(connection, bytes.len));
        STAYS(held, chatnio_connection_transmit(connection, &bytes));
    }
    chatnio_request_free(long_chat);
}

struct holding {
    struct held held;
    chatnio_event event;
};

static void hold_last(void *context, const chatnio_event *event) {
    struct holding *holding = context;
    if (event->text.data != NULL || event->raw.data != NULL) {
        let_go(&holding->held);
        holding->held = hold_event(event);
        holding->event = *event;
    }
}

static void connection_events(bool tls) {
    for (size_t last = 0; last < FRAME_COUNT; last++) {
        chatnio_config *config = recording();
        struct link link;
        link_new(&link, tls, config, NULL);
        chatnio_config_free(config);
        struct holding holding;
        memset(&holding, 0, sizeof holding);
        link_exchange(&link);
        link_ask(&link, "hi");
        link.on_event = hold_last;
        link.context = &holding;
        for (size_t at = 0; at <= last; at++) {
            OK(chatnio_peer_send(link.peer, FRAMES[at], strlen(FRAMES[at])));
            /* `next_event` may invalidate, so the last one is taken by hand. */
            chatnio_bytes bytes;
            OK(chatnio_peer_transmit(link.peer, &bytes));
            char *copy = heap_copy(bytes.data, bytes.len);
            OK(chatnio_connection_receive(link.connection, START, (uint8_t *)copy, bytes.len));
            memset(copy, '!', bytes.len);
            free(copy);
            OK(chatnio_peer_transmitted(link.peer, bytes.len));
            chatnio_event event = new_event();
            OK(chatnio_connection_next_event(link.connection, &event));
            hold_last(&holding, &event);
        }
        connection_calls(link.connection, &holding.event, &holding.held);
        let_go(&holding.held);
        link_free(&link);
    }
}

/* All events of one batch live together, each with its own texts. */
static void batches(bool tls) {
    for (size_t capacity = 1; capacity <= FRAME_COUNT + 2; capacity++) {
        struct link link;
        link_new(&link, tls, NULL, NULL);
        link_exchange(&link);
        link_ask(&link, "hi");
        struct bytes all = {NULL, 0, 0};
        for (size_t at = 0; at < FRAME_COUNT; at++) {
            chatnio_bytes bytes;
            OK(chatnio_peer_send(link.peer, FRAMES[at], strlen(FRAMES[at])));
            OK(chatnio_peer_transmit(link.peer, &bytes));
            bytes_add(&all, bytes.data, bytes.len);
            OK(chatnio_peer_transmitted(link.peer, bytes.len));
        }
        OK(chatnio_connection_receive(link.connection, START, (uint8_t *)all.data, all.len));
        bytes_free(&all);
        size_t seen = 0, count = 0;
        int32_t status;
        chatnio_event events[FRAME_COUNT + 2];
        while ((status = chatnio_connection_next_events(link.connection, events, capacity, sizeof events[0], &count)) ==
               CHATNIO_OK) {
            struct held held[FRAME_COUNT + 2];
            for (size_t at = 0; at < count; at++, seen++) {
                static const char *const TEXTS[] = {NULL, "plain", "an \xc3\xa9scape\n", "no quota of its own",
                                                    NULL, "the l\xc3\xa4st", "a str\xc3\xa4y"};
                static const char *const QUOTAS[] = {"0", "0.10", "0.20", "0.20", NULL, "0.50", "0.60"};
                CHECK(seen < FRAME_COUNT);
                EQUAL(sizeof events[0], events[at].size);
                if (events[at].kind != CHATNIO_EVENT_MALFORMED) {
                    TEXT_IS(TEXTS[seen], events[at].text);
                }
                TEXT_IS(FRAMES[seen], events[at].raw);
                TEXT_IS(QUOTAS[seen], events[at].quota_text);
                held[at] = hold_event(&events[at]);
            }
            for (size_t at = 0; at < count; at++) {
                connection_calls(link.connection, &events[at], &held[at]);
            }
            for (size_t at = 0; at < count; at++) {
                check_held(&held[at], "all of it");
                let_go(&held[at]);
            }
        }
        IS(CHATNIO_AGAIN, status);
        EQUAL(FRAME_COUNT, seen);
        link_free(&link);
    }
}

/* Bytes to send stay where they are while a host is writing them, whatever else is asked or received. */
static void connection_transmit(bool tls) {
    struct link link;
    link_new(&link, tls, NULL, NULL);
    link_exchange(&link);
    /* Requests that are not answered, so that any number of them may wait; so long that buffers must move. */
    chatnio_request *chat = new_chat("hi", NULL), *edit = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_EDIT, &edit));
    OK(chatnio_request_set_index(edit, 1));
    OK(chatnio_request_set_message(edit, TEXT("short")));
    OK(chatnio_connection_request(link.connection, START, edit));
    chatnio_bytes bytes, again;
    OK(chatnio_connection_transmit(link.connection, &bytes));
    char *copy = heap_copy(bytes.data, bytes.len);
    chatnio_event event = new_event();
    chatnio_wants wants = new_wants();
    struct held held = {{{(const char *)bytes.data, bytes.len}}, {copy}, 1};
    char *filler = malloc(300000);
    CHECK(filler != NULL);
    memset(filler, 'x', 300000);
    for (size_t len = 1000; len <= 300000; len *= 5) {
        OK(chatnio_request_set_message(edit, filler, len));
        STAYS(&held, chatnio_connection_request(link.connection, START, edit));
    }
    free(filler);
    STAYS(&held, chatnio_connection_request(link.connection, START, chat));
    STAYS(&held, chatnio_connection_stop(link.connection, START, NULL));
    STAYS(&held, chatnio_connection_handle_timeout(link.connection, START + 600));
    STAYS(&held, chatnio_connection_next_event(link.connection, &event));
    STAYS(&held, chatnio_connection_wants(link.connection, &wants));
    STAYS(&held, chatnio_connection_close(link.connection, START + 600));
    STAYS(&held, chatnio_connection_eof(link.connection, START + 600));
    /* What was handed out may be said to be sent, as far as it was. */
    OK(chatnio_connection_transmitted(link.connection, 3));
    if (chatnio_connection_transmit(link.connection, &again) == CHATNIO_OK) {
        CHECK(again.len >= bytes.len - 3 && memcmp(again.data, copy + 3, bytes.len - 3) == 0);
    }
    free(copy);
    chatnio_request_free(edit);
    chatnio_request_free(chat);
    link_free(&link);
}

static void client_events(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    OK(chatnio_config_set_record(config, true));
    chatnio_client *client = server_client(&server, config, NULL);
    chatnio_stopper *stopper = NULL;
    OK(chatnio_client_stopper(client, &stopper));
    chatnio_request *chat = new_chat("hi", "hello");
    OK(chatnio_client_request(client, chat));
    int32_t kind = 0;
    for (int taken = 1; kind != CHATNIO_EVENT_END; taken++) {
        chatnio_event event = new_event();
        OK(chatnio_client_next(client, -1, &event));
        kind = event.kind;
        struct held held = hold_event(&event);
        int32_t state;
        size_t memory;
        char text[64];
        chatnio_answer answer = new_answer();
        chatnio_counters counters = new_counters();
        chatnio_conversation conversation;
        chatnio_transcript *transcript = NULL;
        STAYS(&held, chatnio_client_state(client, &state));
        STAYS(&held, chatnio_client_memory(client, &memory));
        STAYS(&held, chatnio_client_answer(client, &answer));
        STAYS(&held, chatnio_client_counters(client, &counters));
        STAYS(&held, chatnio_client_conversation(client, &conversation));
        STAYS(&held, chatnio_client_transcript(client, &transcript));
        STAYS(&held, chatnio_transcript_free(transcript));
        STAYS(&held, chatnio_client_error(client, text, sizeof text, &memory));
        STAYS(&held, chatnio_client_request(client, chat));
        if (taken == 4) {
            STAYS(&held, chatnio_client_stop(client, NULL));
            STAYS(&held, chatnio_stopper_stop(stopper, NULL));
        }
        if (kind == CHATNIO_EVENT_END) {
            STAYS(&held, chatnio_stopper_close(stopper));
            STAYS(&held, chatnio_client_request(client, chat));
        }
        let_go(&held);
    }
    chatnio_request_free(chat);
    chatnio_stopper_free(stopper);
    chatnio_client_free(client);
    chatnio_config_free(config);
    server_join(&server);
}

/* The running answer that was shown lives until it is shown again; with a session until the next event. */
static void running_answers(void) {
    chatnio_session *session = new_session(NULL, NULL, START);
    chatnio_request *chat = new_chat("hi", NULL);
    OK(chatnio_session_request(session, START, chat));
    chatnio_request_free(chat);
    chatnio_event event = new_event();
    receive(session, START, FRAMES[2], &event);
    chatnio_answer answer = new_answer();
    OK(chatnio_session_answer(session, &answer));
    TEXT_IS("an \xc3\xa9scape\n", answer.text);
    TEXT_IS("0.20", answer.quota_text);
    struct held held;
    memset(&held, 0, sizeof held);
    hold_answer(&held, &answer);
    session_calls(session, &event, &held);
    let_go(&held);
    chatnio_session_free(session);
}

/* What a replay, a transcript and an error hand out. */
static void others(void) {
    chatnio_transcript *transcript = NULL;
    chatnio_error *error = NULL;
    char *copy = heap_copy(TEXT("> SEND {\"token\":\"sk-...\",\"id\":-1}\n< RECV {\"message\":\"a\"}\n"));
    OK(chatnio_transcript_parse(copy, strlen("> SEND {\"token\":\"sk-...\",\"id\":-1}\n< RECV {\"message\":\"a\"}\n"),
                                &transcript, NULL));
    free(copy);
    chatnio_text text;
    OK(chatnio_transcript_text(transcript, &text));
    CHECK(contains(text.data, text.len, "< RECV {\"message\":\"a\"}\n"));
    chatnio_replay *replay = NULL;
    OK(chatnio_replay_new(transcript, &replay));
    chatnio_transcript_free(transcript);
    chatnio_step step = new_step();
    OK(chatnio_replay_next_step(replay, CHATNIO_STATE_IDLE, &step));
    TEXT_IS("{\"message\":\"a\"}", step.text);
    chatnio_auth *auth = NULL;
    OK(chatnio_replay_auth(replay, &auth));
    TEXT_IS("{\"message\":\"a\"}", step.text);
    chatnio_auth_free(auth);
    chatnio_replay_free(replay);
    IS(CHATNIO_BAD_TRANSCRIPT, chatnio_transcript_parse(TEXT("what is this\n"), &transcript, &error));
    OK(chatnio_error_message(error, &text));
    int32_t status = 0;
    OK(chatnio_error_status(error, &status));
    EQUAL(CHATNIO_BAD_TRANSCRIPT, status);
    CHECK(contains(text.data, text.len, "line 1"));
    chatnio_error_free(error);
}

/* With any argument without TLS, whose bytes valgrind takes for uninitialised (see valgrind.supp). */
int main(int argc, char **argv) {
    (void)argv;
    session_events();
    session_ends();
    session_transmit();
    running_answers();
    others();
    for (int tls = 0; tls < (argc > 1 ? 1 : 2); tls++) {
        connection_events(tls);
        batches(tls);
        connection_transmit(tls);
        client_events(tls);
    }
    return done();
}
