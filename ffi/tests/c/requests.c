/* Every setter of a request and of an authentication ends in the frame that is sent, as docs/protocol.md has it; and
 * requests tell their types. */
#include "link.h"

/* The next message to send must be that. */
static void sends(chatnio_session *session, const char *expected) {
    chatnio_text message;
    OK(chatnio_session_next_transmit(session, &message));
    TEXT_IS(expected, message);
}

/* A session that has sent its authentication. */
static chatnio_session *authenticated(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_auth_at_once(config, true));
    chatnio_session *session = new_session(config, NULL, START);
    chatnio_config_free(config);
    sends(session, "{\"token\":\"anonymous\",\"id\":-1}");
    return session;
}

static void send_one(chatnio_request *request, const char *expected) {
    chatnio_session *session = authenticated();
    chatnio_text message;
    /* The same request goes out as often as it is sent. */
    for (int again = 0; again < 2; again++) {
        OK(chatnio_session_request(session, START, request));
        sends(session, expected);
        IS(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &message));
        chatnio_event event = new_event();
        OK(chatnio_session_receive(session, START, TEXT("{\"message\":\"x\",\"quota\":1,\"end\":true}"), &event));
    }
    chatnio_session_free(session);
    chatnio_request_free(request);
}

static chatnio_request *new_request(int32_t type) {
    chatnio_request *request = NULL;
    OK(chatnio_request_new(type, &request));
    return request;
}

static void type_is(int32_t expected, const chatnio_request *request) {
    int32_t request_type = 0;
    OK(chatnio_request_get_type(request, &request_type));
    EQUAL(expected, request_type);
}

/* A request tells its type: the host's own, whatever is set, and those of a replay. */
static void told_types(void) {
    for (int32_t type = CHATNIO_REQUEST_CHAT; type <= CHATNIO_REQUEST_REMOVE; type++) {
        chatnio_request *request = new_request(type);
        type_is(type, request);
        /* No type takes both. */
        OK(chatnio_request_set_index(request, 7));
        OK(chatnio_request_add_mask(request, TEXT("user"), TEXT("hi")));
        type_is(type, request);
        chatnio_request_free(request);
    }

    chatnio_transcript *transcript = NULL;
    chatnio_replay *replay = NULL;
    OK(chatnio_transcript_parse(TEXT("> SEND {\"token\":\"sk-...\",\"id\":-1}\n"
                                     "> SEND {\"type\":\"chat\",\"message\":\"hi\"}\n"
                                     "> SEND {\"type\":\"restart\"}\n"
                                     "> SEND {\"type\":\"stop\"}\n"
                                     "> SEND {\"type\":\"share\",\"message\":\"ab12\"}\n"
                                     "> SEND {\"type\":\"mask\",\"message\":\"[{\\\"role\\\":\\\"user\\\","
                                     "\\\"content\\\":\\\"a\\\"}]\"}\n"
                                     "> SEND {\"type\":\"edit\",\"message\":\"3:a\"}\n"
                                     "> SEND {\"type\":\"remove\",\"message\":\"3\"}\n"),
                                &transcript, NULL));
    OK(chatnio_replay_new(transcript, &replay));
    chatnio_transcript_free(transcript);
    chatnio_step step = new_step();
    for (int32_t type = CHATNIO_REQUEST_CHAT; type <= CHATNIO_REQUEST_REMOVE; type++) {
        OK(chatnio_replay_next_step(replay, CHATNIO_STATE_IDLE, &step));
        EQUAL(CHATNIO_STEP_REQUEST, step.kind);
        type_is(type, step.request);
    }
    IS(CHATNIO_ABSENT, chatnio_replay_next_step(replay, CHATNIO_STATE_IDLE, &step));
    chatnio_replay_free(replay);
}

static void types(void) {
    send_one(new_chat("hi", NULL), "{\"type\":\"chat\",\"message\":\"hi\"}");
    send_one(new_chat("\"\\\n\x01 \xc3\xa9", "m"),
             "{\"type\":\"chat\",\"message\":\"\\\"\\\\\\n\\u0001 \xc3\xa9\",\"model\":\"m\"}");

    chatnio_request *request = new_request(CHATNIO_REQUEST_CHAT);
    OK(chatnio_request_set_message(request, "a\0b", 3));
    send_one(request, "{\"type\":\"chat\",\"message\":\"a\\u0000b\"}");

    request = new_request(CHATNIO_REQUEST_SHARE);
    OK(chatnio_request_set_message(request, TEXT("ab12")));
    send_one(request, "{\"type\":\"share\",\"message\":\"ab12\"}");

    request = new_request(CHATNIO_REQUEST_MASK);
    OK(chatnio_request_add_mask(request, TEXT("system"), TEXT("Be \"brief\"")));
    OK(chatnio_request_add_mask(request, TEXT("user"), TEXT("hi")));
    send_one(request, "{\"type\":\"mask\",\"message\":\"[{\\\"role\\\":\\\"system\\\",\\\"content\\\":\\\"Be "
                      "\\\\\\\"brief\\\\\\\"\\\"},{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"hi\\\"}]\"}");

    request = new_request(CHATNIO_REQUEST_MASK);
    OK(chatnio_request_set_message(request, TEXT("[{\"role\":\"user\",\"content\":\"a\"}]")));
    send_one(request, "{\"type\":\"mask\",\"message\":\"[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"a\\\"}]\"}");

    request = new_request(CHATNIO_REQUEST_EDIT);
    OK(chatnio_request_set_index(request, 3));
    OK(chatnio_request_set_message(request, TEXT("a:b")));
    send_one(request, "{\"type\":\"edit\",\"message\":\"3:a:b\"}");

    request = new_request(CHATNIO_REQUEST_REMOVE);
    OK(chatnio_request_set_index(request, UINT32_MAX));
    send_one(request, "{\"type\":\"remove\",\"message\":\"4294967295\"}");
}

static void parameters(void) {
    chatnio_request *request = new_chat("hi", NULL);
    OK(chatnio_request_set_web(request, true));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"web\":true}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_ignore_context(request, true));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"ignore_context\":true}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_context(request, -1));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"context\":-1}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_max_tokens(request, INT64_MAX));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"max_tokens\":9223372036854775807}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_temperature(request, 0.5f));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"temperature\":0.5}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_top_p(request, 0.9f));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"top_p\":0.9}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_top_k(request, 40));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"top_k\":40}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_presence_penalty(request, 0.1f));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"presence_penalty\":0.1}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_frequency_penalty(request, -0.2f));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"frequency_penalty\":-0.2}");
    request = new_chat("hi", NULL);
    OK(chatnio_request_set_repetition_penalty(request, 1.1f));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"repetition_penalty\":1.1}");

    /* All at once; and what is set again counts. */
    request = new_chat("hi", "first");
    OK(chatnio_request_set_model(request, TEXT("hello")));
    OK(chatnio_request_set_web(request, false));
    OK(chatnio_request_set_ignore_context(request, true));
    OK(chatnio_request_set_context(request, 3));
    OK(chatnio_request_set_max_tokens(request, 10));
    OK(chatnio_request_set_temperature(request, 0.5f));
    OK(chatnio_request_set_top_p(request, 0.9f));
    OK(chatnio_request_set_top_k(request, 3));
    OK(chatnio_request_set_presence_penalty(request, 0.1f));
    OK(chatnio_request_set_frequency_penalty(request, 0.2f));
    OK(chatnio_request_set_repetition_penalty(request, 1.1f));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"model\":\"hello\",\"web\":false,\"ignore_context\":true,"
                      "\"context\":3,\"max_tokens\":10,\"temperature\":0.5,\"top_p\":0.9,\"top_k\":3,"
                      "\"presence_penalty\":0.1,\"frequency_penalty\":0.2,\"repetition_penalty\":1.1}");

    /* What the library does not know goes behind them, as it was given. */
    request = new_chat("hi", NULL);
    OK(chatnio_request_add_extra(request, TEXT("think"), TEXT("false")));
    OK(chatnio_request_add_extra(request, TEXT("web_search_mode"), TEXT("{\"by\":[\"auto\", 1.50]}")));
    OK(chatnio_request_add_extra(request, TEXT("think"), TEXT("true")));
    OK(chatnio_request_set_top_k(request, 3));
    IS(CHATNIO_KNOWN_FIELD, chatnio_request_add_extra(request, TEXT("model"), TEXT("\"x\"")));
    IS(CHATNIO_KNOWN_FIELD, chatnio_request_add_extra(request, TEXT("Type"), TEXT("\"stop\"")));
    IS(CHATNIO_BAD_EXTRA, chatnio_request_add_extra(request, TEXT("x"), TEXT("1,\"y\":2")));
    IS(CHATNIO_BAD_EXTRA, chatnio_request_add_extra(request, TEXT("x"), TEXT("")));
    send_one(request, "{\"type\":\"chat\",\"message\":\"hi\",\"top_k\":3,\"think\":true,"
                      "\"web_search_mode\":{\"by\":[\"auto\", 1.50]}}");
}

/* Those that need a turn: restart, stop by its function, and stop as a request. */
static void turns(void) {
    chatnio_session *session = authenticated();
    chatnio_request *chat = new_chat("hi", NULL), *restart = new_request(CHATNIO_REQUEST_RESTART),
                    *stop = new_request(CHATNIO_REQUEST_STOP);
    chatnio_event event = new_event();
    chatnio_text message;
    OK(chatnio_session_request(session, START, stop));
    IS(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &message));
    OK(chatnio_session_request(session, START, chat));
    sends(session, "{\"type\":\"chat\",\"message\":\"hi\"}");
    OK(chatnio_session_request(session, START, stop));
    sends(session, "{\"type\":\"stop\"}");
    EQUAL(CHATNIO_STATE_STOPPING, session_state(session));
    receive(session, START, "{\"message\":\"x\",\"end\":true}", &event);
    EQUAL(CHATNIO_OUTCOME_STOPPED, event.outcome);
    OK(chatnio_request_set_model(restart, TEXT("m")));
    OK(chatnio_session_request(session, START, restart));
    sends(session, "{\"type\":\"restart\",\"model\":\"m\"}");
    OK(chatnio_session_stop(session, START, NULL));
    sends(session, "{\"type\":\"stop\"}");
    receive(session, START, "{\"message\":\"x\",\"quota\":1,\"end\":true}", &event);
    EQUAL(CHATNIO_REQUEST_RESTART, event.answer->request_type);
    EQUAL(2, event.turn);
    chatnio_request_free(stop);
    chatnio_request_free(restart);
    chatnio_request_free(chat);
    chatnio_session_free(session);
}

static void authentications(void) {
    chatnio_auth *auth = new_auth("sk-\"x\"");
    chatnio_request *chat = new_chat("hi", NULL);
    chatnio_session *session = new_session(NULL, auth, START);
    chatnio_text message;
    /* Not before the first request. */
    IS(CHATNIO_AGAIN, chatnio_session_next_transmit(session, &message));
    OK(chatnio_session_request(session, START, chat));
    sends(session, "{\"token\":\"sk-\\\"x\\\"\",\"id\":-1}");
    sends(session, "{\"type\":\"chat\",\"message\":\"hi\"}");
    chatnio_session_free(session);
    OK(chatnio_auth_set_conversation(auth, 29));
    OK(chatnio_auth_set_share(auth, TEXT("ab12")));
    session = new_session(NULL, auth, START);
    chatnio_auth_free(auth);
    OK(chatnio_session_request(session, START, chat));
    sends(session, "{\"token\":\"sk-\\\"x\\\"\",\"id\":29,\"ref\":\"ab12\"}");
    chatnio_request_free(chat);
    chatnio_session_free(session);
}

/* The bytes of a handshake hold a header of the host's, and the URL's parts. */
static void handshake(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_add_header(config, TEXT("X-From"), TEXT("a proxy")));
    chatnio_connection *connection = NULL;
    OK(chatnio_connection_new(config, NULL, TEXT("ws://[::1]:8080/api"), START, &connection, NULL));
    chatnio_config_free(config);
    chatnio_bytes bytes;
    OK(chatnio_connection_transmit(connection, &bytes));
    CHECK(contains((const char *)bytes.data, bytes.len, "GET /api/chat HTTP/1.1\r\n"));
    CHECK(contains((const char *)bytes.data, bytes.len, "Host: [::1]:8080\r\n"));
    CHECK(contains((const char *)bytes.data, bytes.len, "x-from: a proxy\r\n"));
    chatnio_text host;
    uint16_t port = 0;
    OK(chatnio_connection_host(connection, &host));
    EQUAL(0, host.data[host.len]);
    TEXT_IS("::1", host);
    OK(chatnio_connection_port(connection, &port));
    EQUAL(8080, port);
    chatnio_connection_free(connection);
}

int main(void) {
    told_types();
    types();
    parameters();
    turns();
    authentications();
    handshake();
    return done();
}
