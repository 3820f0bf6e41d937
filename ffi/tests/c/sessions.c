/* What else a session and a connection promise: conversations, counters, memory, limits, unknown fields, recordings,
 * reconnecting. */
#include "link.h"

static const char OPENER[] = "{\"conversation\":29,\"quota\":0,\"message\":\"\",\"end\":false}";
static const char END[] = "{\"quota\":1,\"message\":\"x\",\"end\":true}";

static void ask(chatnio_session *session) {
    chatnio_request *chat = new_chat("hi", NULL);
    OK(chatnio_session_request(session, START, chat));
    chatnio_request_free(chat);
}

static void conversation_is(const chatnio_session *session, int32_t kind, int64_t id, int64_t asked) {
    chatnio_conversation conversation;
    OK(chatnio_session_conversation(session, &conversation));
    EQUAL(kind, conversation.kind);
    EQUAL(id, conversation.id);
    EQUAL(asked, conversation.asked);
}

static void conversations(void) {
    static const struct {
        int64_t asked;
        int32_t kind;
        int64_t shown;
    } CASES[] = {
        {-1, CHATNIO_CONVERSATION_NEW, 0},
        {29, CHATNIO_CONVERSATION_RESUMED, 29},
        {7, CHATNIO_CONVERSATION_REPLACED, 7},
    };
    for (size_t at = 0; at < sizeof CASES / sizeof CASES[0]; at++) {
        chatnio_auth *auth = new_auth("sk-x");
        OK(chatnio_auth_set_conversation(auth, CASES[at].asked));
        chatnio_session *session = new_session(NULL, auth, START);
        chatnio_auth_free(auth);
        conversation_is(session, CHATNIO_CONVERSATION_UNKNOWN, 0, CASES[at].shown);
        ask(session);
        chatnio_event event = new_event();
        receive(session, START, OPENER, &event);
        EQUAL(CHATNIO_EVENT_OPENED, event.kind);
        TEXT_IS(OPENER, event.raw);
        TEXT_IS(NULL, event.text);
        EQUAL(CASES[at].kind, event.conversation.kind);
        EQUAL(29, event.conversation.id);
        EQUAL(CASES[at].shown, event.conversation.asked);
        conversation_is(session, CASES[at].kind, 29, CASES[at].shown);
        receive(session, START, END, &event);
        EQUAL(true, event.answer->has_conversation);
        EQUAL(29, event.answer->conversation);
        chatnio_session_free(session);
    }
}

/* A reconnect ends the turn, authenticates anew and continues the conversation; numbers and counters go on. */
static void reconnect(void) {
    chatnio_auth *auth = new_auth("sk-secret");
    chatnio_session *session = new_session(NULL, auth, START);
    chatnio_auth_free(auth);
    chatnio_event event = new_event();
    chatnio_text message;
    ask(session);
    receive(session, START, OPENER, &event);
    receive(session, START, "{\"message\":\"half\",\"quota\":0.5}", &event);
    receive(session, START, "nonsense", &event);
    EQUAL(CHATNIO_EVENT_MALFORMED, event.kind);
    OK(chatnio_session_reconnect(session, START, &event));
    EQUAL(CHATNIO_EVENT_END, event.kind);
    EQUAL(1, event.turn);
    EQUAL(CHATNIO_INTERRUPTION_RECONNECTED, event.interruption);
    TEXT_IS("half", event.answer->text);
    TEXT_IS("0.5", event.answer->quota_text);
    EQUAL(1, event.answer->malformed);
    CHECK(event.quota == 0.5 && event.answer->quota == 0.5);
    IS(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &message));
    conversation_is(session, CHATNIO_CONVERSATION_UNKNOWN, 0, 29);
    ask(session);
    OK(chatnio_session_next_transmit(session, &message));
    TEXT_IS("{\"token\":\"sk-secret\",\"id\":29}", message);
    OK(chatnio_session_next_transmit(session, &message));
    TEXT_IS("{\"type\":\"chat\",\"message\":\"hi\"}", message);
    receive(session, START, END, &event);
    EQUAL(2, event.turn);
    chatnio_counters counters = new_counters();
    OK(chatnio_session_counters(session, &counters));
    EQUAL(1, counters.malformed);
    chatnio_session_free(session);
}

static void counters(void) {
    chatnio_session *session = new_session(NULL, NULL, START);
    chatnio_event event = new_event();
    receive(session, START, END, &event);
    EQUAL(CHATNIO_EVENT_STRAY, event.kind);
    EQUAL(true, event.frame_end);
    receive(session, START, "{\"end\":1}", &event);
    EQUAL(CHATNIO_EVENT_MALFORMED, event.kind);
    EQUAL(CHATNIO_MALFORMED, event.status);
    TEXT_IS("malformed message: `end`: expected true or false at byte 7", event.text);
    TEXT_IS("{\"end\":1}", event.raw);
    chatnio_text value;
    IS(CHATNIO_ABSENT, chatnio_event_field(&event, TEXT("end"), &value));
    OK(chatnio_session_receive_binary(session, START, &event));
    EQUAL(CHATNIO_EVENT_MALFORMED, event.kind);
    EQUAL(CHATNIO_MALFORMED, event.status);
    TEXT_IS(NULL, event.raw);
    chatnio_counters counters = new_counters();
    OK(chatnio_session_counters(session, &counters));
    EQUAL(1, counters.strays);
    EQUAL(2, counters.malformed);
    EQUAL(0, counters.repeated_stops);
    chatnio_session_free(session);
}

static void unknown_fields(void) {
    chatnio_session *session = new_session(NULL, NULL, START);
    chatnio_event event = new_event();
    ask(session);
    receive(session, START,
            "{\"message\":\"x\",\"title\":\"a \\u00e9\",\"tool_call\":{\"a\":[1, 2]},\"n\":null,\"title\":7}", &event);
    chatnio_text value;
    OK(chatnio_event_field(&event, TEXT("title"), &value));
    TEXT_IS("7", value);
    OK(chatnio_event_field(&event, TEXT("tool_call"), &value));
    TEXT_IS("{\"a\":[1, 2]}", value);
    CHECK(value.data > event.raw.data && value.data < event.raw.data + event.raw.len);
    OK(chatnio_event_field(&event, TEXT("n"), &value));
    TEXT_IS("null", value);
    IS(CHATNIO_ABSENT, chatnio_event_field(&event, TEXT("missing"), &value));
    chatnio_event copy = event;
    OK(chatnio_event_field(&copy, TEXT("message"), &value));
    TEXT_IS("\"x\"", value);
    OK(chatnio_session_closed(session, CHATNIO_CLOSE_LOST, &event));
    IS(CHATNIO_ABSENT, chatnio_event_field(&event, TEXT("message"), &value));
    chatnio_session_free(session);
}

static void limits(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_max_message(config, 60));
    OK(chatnio_config_set_max_answer(config, 10));
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_event event = new_event();
    static const char LONG[] = "{\"message\":\"a message that is longer than sixty bytes, all in all\"}";
    receive(session, START, LONG, &event);
    EQUAL(CHATNIO_EVENT_MALFORMED, event.kind);
    EQUAL(CHATNIO_MESSAGE_TOO_LONG, event.status);
    TEXT_IS("the message has 67 bytes, over the limit of 60 (max_message)", event.text);
    TEXT_IS(NULL, event.raw);
    ask(session);
    receive(session, START, "{\"message\":\"123456\"}", &event);
    receive(session, START, "{\"message\":\"78901\"}", &event);
    EQUAL(CHATNIO_INTERRUPTION_ANSWER_TOO_LONG, event.interruption);
    receive(session, START, END, &event);
    ask(session);
    receive(session, START, LONG, &event);
    EQUAL(CHATNIO_EVENT_END, event.kind);
    EQUAL(CHATNIO_INTERRUPTION_MESSAGE_TOO_LONG, event.interruption);
    chatnio_session_free(session);
    struct link link;
    link_new(&link, false, config, NULL);
    chatnio_config_free(config);
    link_exchange(&link);
    OK(chatnio_peer_send(link.peer, LONG, strlen(LONG)));
    chatnio_bytes bytes;
    OK(chatnio_peer_transmit(link.peer, &bytes));
    OK(chatnio_connection_receive(link.connection, START, bytes.data, bytes.len));
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    EQUAL(CHATNIO_OVERSIZED, event.status);
    link_free(&link);

    /* Texts that are not kept take no memory, and the pieces are there all the same. */
    size_t with = 0, without = 0;
    for (int keep = 0; keep < 2; keep++) {
        config = new_config();
        OK(chatnio_config_set_keep_text(config, keep == 1));
        session = new_session(config, NULL, START);
        chatnio_config_free(config);
        ask(session);
        struct bytes frame = {NULL, 0, 0};
        bytes_text(&frame, "{\"message\":\"");
        for (int at = 0; at < 1000; at++) {
            bytes_text(&frame, "0123456789");
        }
        bytes_text(&frame, "\"}");
        for (int at = 0; at < 10; at++) {
            OK(chatnio_session_receive(session, START, frame.data, frame.len, &event));
            EQUAL(10000, event.text.len);
        }
        bytes_free(&frame);
        OK(chatnio_session_memory(session, keep == 1 ? &with : &without));
        receive(session, START, "{\"end\":true}", &event);
        EQUAL(keep == 1 ? 100000 : 0, event.answer->text.len);
        EQUAL(10, event.answer->chunks);
        chatnio_session_free(session);
    }
    CHECK(with >= without + 100000 && without < 50000);
}

/* A recording holds what was sent and received, without the token, and replays. */
static void recording(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_record(config, true));
    chatnio_auth *auth = new_auth("sk-secret");
    chatnio_session *session = new_session(config, auth, START);
    chatnio_event event = new_event();
    chatnio_text text;
    ask(session);
    while (chatnio_session_next_transmit(session, &text) == CHATNIO_OK) {
    }
    receive(session, START, OPENER, &event);
    receive(session, START, END, &event);
    OK(chatnio_session_closed(session, CHATNIO_CLOSE_SERVER, &event));
    chatnio_transcript *transcript = NULL;
    OK(chatnio_session_transcript(session, &transcript));
    OK(chatnio_transcript_text(transcript, &text));
    static const char EXPECTED[] = "> SEND {\"token\":\"sk-...\",\"id\":-1}\n"
                                   "> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n"
                                   "< RECV {\"conversation\":29,\"quota\":0,\"message\":\"\",\"end\":false}\n"
                                   "< RECV {\"quota\":1,\"message\":\"x\",\"end\":true}\n"
                                   "! CLOSED\n";
    TEXT_IS(EXPECTED, text);
    chatnio_transcript_free(transcript);
    /* A reconnect starts it afresh. */
    OK(chatnio_session_reconnect(session, START, &event));
    OK(chatnio_session_transcript(session, &transcript));
    OK(chatnio_transcript_text(transcript, &text));
    TEXT_IS("", text);
    chatnio_transcript_free(transcript);
    chatnio_session_free(session);

    struct link link;
    link_new(&link, false, config, auth);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    link_exchange(&link);
    link_ask(&link, "hi");
    link_say(&link, OPENER);
    link_say(&link, END);
    OK(chatnio_peer_cut(link.peer));
    OK(chatnio_connection_eof(link.connection, START));
    link_events(&link);
    OK(chatnio_connection_transcript(link.connection, &transcript));
    OK(chatnio_transcript_text(transcript, &text));
    static const char URL[] = "WEBSOCKET ws://localhost/chat\n\n";
    CHECK(text.len == strlen(URL) + strlen(EXPECTED) && memcmp(text.data, URL, strlen(URL)) == 0 &&
          memcmp(text.data + strlen(URL), EXPECTED, strlen(EXPECTED)) == 0);
    chatnio_transcript_free(transcript);
    link_free(&link);

    /* Bounded, if told to be. */
    config = new_config();
    OK(chatnio_config_set_record(config, true));
    OK(chatnio_config_set_max_recording(config, 200));
    session = new_session(config, NULL, START);
    chatnio_config_free(config);
    for (int at = 0; at < 100; at++) {
        receive(session, START, END, &event);
    }
    OK(chatnio_session_transcript(session, &transcript));
    OK(chatnio_transcript_text(transcript, &text));
    CHECK(text.len > 0 && text.len < 500);
    chatnio_transcript_free(transcript);
    chatnio_session_free(session);
}

/* The end of a connection is recorded once, however often it is told. */
static void recorded_once(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_record(config, true));
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_config_free(config);
    chatnio_event event = new_event();
    for (int at = 0; at < 3; at++) {
        OK(chatnio_session_closed(session, CHATNIO_CLOSE_LOST, &event));
    }
    chatnio_transcript *transcript = NULL;
    chatnio_text text;
    OK(chatnio_session_transcript(session, &transcript));
    OK(chatnio_transcript_text(transcript, &text));
    TEXT_IS("! CLOSED\n", text);
    chatnio_transcript_free(transcript);
    chatnio_session_free(session);
}

struct ended {
    int ends;
    int32_t outcome;
    struct bytes text;
};

static void note_end(void *context, const chatnio_event *event) {
    struct ended *ended = context;
    if (event->kind == CHATNIO_EVENT_END) {
        ended->ends++;
        ended->outcome = event->outcome;
        ended->text.len = 0;
        bytes_add(&ended->text, event->answer->text.data, event->answer->text.len);
    }
}

/* A connection reconnects on a new stream; what waited of the old one is gone. */
static void reconnect_connection(bool tls) {
    struct ended ended = {0, 0, {NULL, 0, 0}};
    struct link link;
    chatnio_config *config = new_config();
    link_new(&link, tls, config, NULL);
    link.on_event = note_end;
    link.context = &ended;
    link_exchange(&link);
    link_ask(&link, "hi");
    link_say(&link, OPENER);
    link_say(&link, "{\"message\":\"half\"}");
    chatnio_event event = new_event();
    OK(chatnio_connection_reconnect(link.connection, START, &event));
    EQUAL(CHATNIO_EVENT_END, event.kind);
    EQUAL(CHATNIO_INTERRUPTION_RECONNECTED, event.interruption);
    TEXT_IS("half", event.answer->text);
    EQUAL(0, ended.ends);
    if (!tls) {
        /* A new server has another certificate: this part is about the bytes. */
        chatnio_peer_free(link.peer);
        link.peer = new_peer(0, false, "");
        link_exchange(&link);
        link_ask(&link, "hi");
        link_say(&link, END);
        EQUAL(1, ended.ends);
        EQUAL(CHATNIO_OUTCOME_COMPLETE, ended.outcome);
        CHECK(ended.text.len == 1 && ended.text.data[0] == 'x');
    }
    chatnio_config_free(config);
    bytes_free(&ended.text);
    link_free(&link);
}

/* A peer that plays a transcript by itself, for embedders' tests. */
static void scripted(void) {
    struct ended ended = {0, 0, {NULL, 0, 0}};
    struct link link;
    link_new(&link, false, NULL, NULL);
    chatnio_peer_free(link.peer);
    link.peer = new_peer(0, false, "> SEND {\"token\":\"sk-...\",\"id\":-1}\n"
                                   "> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n"
                                   "< RECV {\"message\":\"Hello\",\"quota\":0.1}\n"
                                   "< RECV {\"message\":\"!\",\"quota\":0.2,\"end\":true}\n");
    link.on_event = note_end;
    link.context = &ended;
    link_exchange(&link);
    link_ask(&link, "hi");
    EQUAL(1, ended.ends);
    EQUAL(CHATNIO_OUTCOME_COMPLETE, ended.outcome);
    CHECK(ended.text.len == 6 && memcmp(ended.text.data, "Hello!", 6) == 0);
    bytes_free(&ended.text);
    link_free(&link);
}

/* The header's version is the library's. */
static void version(void) {
    CHECK(strcmp(CHATNIO_VERSION, chatnio_version()) == 0);
    EQUAL(CHATNIO_VERSION_NUMBER, chatnio_version_number());
    EQUAL(CHATNIO_VERSION_MAJOR << 16 | CHATNIO_VERSION_MINOR << 8 | CHATNIO_VERSION_PATCH, CHATNIO_VERSION_NUMBER);
    EQUAL(CHATNIO_FEATURE_SESSION | CHATNIO_FEATURE_CONNECTION | CHATNIO_FEATURE_CLIENT | CHATNIO_FEATURE_REST,
          chatnio_features());
    CHECK(strcmp("CHATNIO_BUSY", chatnio_status_name(CHATNIO_BUSY)) == 0);
    CHECK(strlen(chatnio_status_message(CHATNIO_BUSY)) > 0);
}

int main(void) {
    conversations();
    reconnect();
    counters();
    unknown_fields();
    limits();
    recording();
    recorded_once();
    reconnect_connection(false);
    reconnect_connection(true);
    scripted();
    version();
    return done();
}
