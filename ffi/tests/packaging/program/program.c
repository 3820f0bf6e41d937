/* What the tests of the packaging build in every way there is: it uses each level a little, and is right or exits 1. */

#include <chatnio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(bool right, const char *what) {
    if (!right) {
        fprintf(stderr, "program: %s\n", what);
        exit(1);
    }
}

static void check_ok(int32_t status, const char *what) {
    if (status != CHATNIO_OK) {
        fprintf(stderr, "program: %s: %s (%s)\n", what, chatnio_status_name(status), chatnio_status_message(status));
        exit(1);
    }
}

static chatnio_request *question(void) {
    chatnio_request *request;
    check_ok(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request), "request_new");
    check_ok(chatnio_request_set_message(request, "hi", 2), "set_message");
    return request;
}

static void version(void) {
    uint32_t packed = CHATNIO_VERSION_MAJOR << 16 | CHATNIO_VERSION_MINOR << 8 | CHATNIO_VERSION_PATCH;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", CHATNIO_VERSION_MAJOR, CHATNIO_VERSION_MINOR, CHATNIO_VERSION_PATCH);
    check(strcmp(text, CHATNIO_VERSION) == 0, "the header's versions differ");
    check(packed == CHATNIO_VERSION_NUMBER, "the header's packed version differs");
    check(strcmp(chatnio_version(), CHATNIO_VERSION) == 0, "the library's version is not the header's");
    check(chatnio_version_number() == CHATNIO_VERSION_NUMBER, "the library's packed version is not the header's");
}

/* One turn: the question goes out, an answer of one message comes in. */
static void session(void) {
    static const char answer[] = "{\"conversation\":0,\"quota\":0.5,\"message\":\"Hello\",\"end\":true}";
    chatnio_session *session;
    check_ok(chatnio_session_new(NULL, NULL, 0, &session, NULL), "session_new");
    chatnio_request *request = question();
    check_ok(chatnio_session_request(session, 0, request), "session_request");
    chatnio_request_free(request);

    chatnio_text message;
    size_t messages = 0;
    while (chatnio_session_next_transmit(session, &message) == CHATNIO_OK) {
        messages++;
    }
    check(messages == 2, "not an authentication and a request went out");

    chatnio_event event = {.size = sizeof event};
    check_ok(chatnio_session_receive(session, 1, answer, strlen(answer), &event), "session_receive");
    check(event.kind == CHATNIO_EVENT_END && event.outcome == CHATNIO_OUTCOME_COMPLETE, "the turn has not ended");
    check(event.answer->quota == 0.5, "the quota is wrong");
    printf("answer: %.*s\n", (int)event.answer->text.len, event.answer->text.data);
    chatnio_session_free(session);
}

#ifndef SESSION_ONLY
/* A handshake begins, with TLS and without. */
static void connection(void) {
    static const char *const urls[] = {"ws://localhost:1", "wss://localhost:1"};
    chatnio_config *config;
    check_ok(chatnio_config_new(&config), "config_new");
    /* Machines without root certificates pass too. */
    check_ok(chatnio_config_dangerous_accept_any_certificate(config), "accept_any_certificate");
    for (size_t i = 0; i < 2; i++) {
        chatnio_connection *connection;
        int32_t status = chatnio_connection_new(config, NULL, urls[i], strlen(urls[i]), 0, &connection, NULL);
        check_ok(status, urls[i]);
        chatnio_bytes bytes;
        check_ok(chatnio_connection_transmit(connection, &bytes), "connection_transmit");
        check(bytes.len > 0 && bytes.data[0] == (i == 0 ? 'G' : 0x16), "no handshake goes out");
        chatnio_connection_free(connection);
    }
    chatnio_config_free(config);
}

static void client(void) {
    static const char url[] = "ftp://localhost";
    chatnio_client *client;
    chatnio_error *error;
    int32_t status = chatnio_client_new(NULL, NULL, url, strlen(url), &client, &error);
    check(status == CHATNIO_BAD_URL, "a client was made for a wrong URL");
    chatnio_text text;
    check_ok(chatnio_error_message(error, &text), "error_message");
    check(text.len > 0, "an error without a text");
    chatnio_error_free(error);
}
#endif

int main(void) {
    version();
    session();
    uint32_t features = CHATNIO_FEATURE_SESSION;
#ifndef SESSION_ONLY
    connection();
    client();
    features |= CHATNIO_FEATURE_CONNECTION | CHATNIO_FEATURE_CLIENT | CHATNIO_FEATURE_REST;
#endif
    check(chatnio_features() == features, "the features are others");
    printf("version %s, features %u\n", chatnio_version(), (unsigned)chatnio_features());
    return 0;
}
