/* A client in one thread, its stoppers in others. The threads wait for each other by barriers and joins, which
 * ThreadSanitizer knows; what the library does to keep its own state together it cannot see. */
#include "server.h"

#define STOPPERS 8
#define CLIENTS 6

struct stopping {
    chatnio_stopper *stopper;
    pthread_barrier_t *barrier;
    bool closes;
    bool sent;
    pthread_t thread;
};

/* Waits for the others, then stops or closes. */
static void *stop(void *context) {
    struct stopping *stopping = context;
    pthread_barrier_wait(stopping->barrier);
    if (stopping->closes) {
        OK(chatnio_stopper_close(stopping->stopper));
    } else {
        OK(chatnio_stopper_stop(stopping->stopper, &stopping->sent));
    }
    return NULL;
}

/* Asks the slow model, and takes events until the first piece is there. */
static void ask_slowly(chatnio_client *client) {
    chatnio_request *chat = new_chat("hi", "slow");
    OK(chatnio_client_request(client, chat));
    chatnio_request_free(chat);
    chatnio_event event = new_event();
    do {
        OK(chatnio_client_next(client, -1, &event));
    } while (event.kind != CHATNIO_EVENT_DELTA || event.text.len == 0);
}

static struct stopping new_stopping(const chatnio_client *client, pthread_barrier_t *barrier, bool closes) {
    struct stopping stopping;
    memset(&stopping, 0, sizeof stopping);
    OK(chatnio_client_stopper(client, &stopping.stopper));
    stopping.barrier = barrier;
    stopping.closes = closes;
    return stopping;
}

/* Many stop at once: the answer ends, and just one stop goes out. */
static void many_stop(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    chatnio_auth *auth = new_auth("sk-x");
    chatnio_client *client = server_client(&server, config, auth);
    pthread_barrier_t barrier;
    struct stopping stopping[STOPPERS];
    pthread_barrier_init(&barrier, NULL, STOPPERS);
    ask_slowly(client);
    for (int at = 0; at < STOPPERS; at++) {
        stopping[at] = new_stopping(client, &barrier, false);
        start_thread(&stopping[at].thread, stop, &stopping[at]);
    }
    chatnio_event event = new_event();
    OK(chatnio_client_wait(client, -1, &event));
    EQUAL(CHATNIO_OUTCOME_STOPPED, event.outcome);
    int sent = 0;
    for (int at = 0; at < STOPPERS; at++) {
        CHECK(pthread_join(stopping[at].thread, NULL) == 0);
        sent += stopping[at].sent;
        chatnio_stopper_free(stopping[at].stopper);
    }
    EQUAL(1, sent);
    pthread_barrier_destroy(&barrier);
    chatnio_client_free(client);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    server_join(&server);
}

/* Some close while others stop: the turn ends once, and then the client says that it is closed. */
static void many_close(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_auth *auth = new_auth("sk-x");
    chatnio_client *client = server_client(&server, NULL, auth);
    pthread_barrier_t barrier;
    struct stopping stopping[STOPPERS];
    pthread_barrier_init(&barrier, NULL, STOPPERS);
    ask_slowly(client);
    for (int at = 0; at < STOPPERS; at++) {
        stopping[at] = new_stopping(client, &barrier, at % 2 == 0);
        start_thread(&stopping[at].thread, stop, &stopping[at]);
    }
    chatnio_event event = new_event();
    OK(chatnio_client_wait(client, -1, &event));
    /* It may have been stopped before it was closed. */
    if (event.outcome != CHATNIO_OUTCOME_STOPPED) {
        EQUAL(CHATNIO_INTERRUPTION_CLOSED_BY_HOST, event.interruption);
    }
    event = new_event();
    int32_t status;
    while ((status = chatnio_client_next(client, 1000, &event)) == CHATNIO_OK || status == CHATNIO_AGAIN) {
        CHECK(event.kind != CHATNIO_EVENT_END);
    }
    EQUAL(CHATNIO_CLOSED, status);
    for (int at = 0; at < STOPPERS; at++) {
        CHECK(pthread_join(stopping[at].thread, NULL) == 0);
        chatnio_stopper_free(stopping[at].stopper);
    }
    pthread_barrier_destroy(&barrier);
    chatnio_client_free(client);
    chatnio_auth_free(auth);
    server_join(&server);
}

/* Stoppers of a client that is freed under them do nothing. */
static void outlive(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_auth *auth = new_auth("sk-x");
    chatnio_client *client = server_client(&server, NULL, auth);
    pthread_barrier_t barrier;
    struct stopping stopping[STOPPERS];
    pthread_barrier_init(&barrier, NULL, STOPPERS + 1);
    ask_slowly(client);
    for (int at = 0; at < STOPPERS; at++) {
        stopping[at] = new_stopping(client, &barrier, at % 2 == 0);
        start_thread(&stopping[at].thread, stop, &stopping[at]);
    }
    pthread_barrier_wait(&barrier);
    chatnio_client_free(client);
    for (int at = 0; at < STOPPERS; at++) {
        CHECK(pthread_join(stopping[at].thread, NULL) == 0);
    }
    for (int at = 0; at < STOPPERS; at++) {
        bool sent = true;
        OK(chatnio_stopper_stop(stopping[at].stopper, &sent));
        EQUAL(false, sent);
        OK(chatnio_stopper_close(stopping[at].stopper));
        chatnio_stopper_free(stopping[at].stopper);
    }
    pthread_barrier_destroy(&barrier);
    chatnio_auth_free(auth);
    server_join(&server);
}

/* A stopper closes a client that is then reconnected, by URL and over a socket: it stays valid. */
static void reconnects(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 2);
    chatnio_auth *auth = new_auth("sk-x");
    chatnio_client *client = server_client(&server, NULL, auth);
    chatnio_stopper *stopper = NULL;
    OK(chatnio_client_stopper(client, &stopper));
    ask_slowly(client);
    OK(chatnio_stopper_close(stopper));
    chatnio_event event = new_event();
    OK(chatnio_client_wait(client, -1, &event));
    EQUAL(CHATNIO_INTERRUPTION_CLOSED_BY_HOST, event.interruption);
    OK(chatnio_client_reconnect(client, &event));
    EQUAL(CHATNIO_EVENT_NONE, event.kind);
    ask_slowly(client);
    bool sent = false;
    OK(chatnio_stopper_stop(stopper, &sent));
    EQUAL(true, sent);
    OK(chatnio_client_wait(client, -1, &event));
    EQUAL(CHATNIO_OUTCOME_STOPPED, event.outcome);
    EQUAL(2, event.turn);
    chatnio_stopper_free(stopper);
    chatnio_client_free(client);
    chatnio_auth_free(auth);
    server_join(&server);
}

struct chatting {
    const chatnio_config *config;
    const chatnio_request *chat;
    struct server server;
    pthread_t thread;
};

static void *chat(void *context) {
    struct chatting *chatting = context;
    chatnio_auth *auth = new_auth("sk-x");
    int socket = connect_to(chatting->server.port);
    char url[64];
    size_t len = server_url(&chatting->server, url, sizeof url);
    chatnio_client *client = NULL;
    OK(chatnio_client_new_socket(chatting->config, auth, url, len, socket, &client, NULL));
    close(socket);
    chatnio_auth_free(auth);
    for (int turn = 1; turn <= 2; turn++) {
        chatnio_event event = new_event();
        OK(chatnio_client_ask(client, chatting->chat, &event));
        EQUAL(CHATNIO_OUTCOME_COMPLETE, event.outcome);
        EQUAL(turn, event.turn);
        EQUAL(100, event.answer->chunks);
    }
    chatnio_client_free(client);
    return NULL;
}

/* Many clients at once, each in a thread, sharing a configuration and a request. */
static void many_clients(void) {
    chatnio_config *config = new_config();
    chatnio_request *request = new_chat("hi", "long-100");
    struct chatting chatting[CLIENTS];
    for (int at = 0; at < CLIENTS; at++) {
        server_start(&chatting[at].server, 0, false, NULL, 1);
        chatting[at].config = config;
        chatting[at].chat = request;
        start_thread(&chatting[at].thread, chat, &chatting[at]);
    }
    for (int at = 0; at < CLIENTS; at++) {
        CHECK(pthread_join(chatting[at].thread, NULL) == 0);
        server_join(&chatting[at].server);
    }
    chatnio_request_free(request);
    chatnio_config_free(config);
}

/* A configuration is shared, changed until it is used, and let go of by many threads. */
static void *share(void *context) {
    chatnio_config *config = context;
    OK(chatnio_config_retain(config));
    for (int at = 0; at < 100; at++) {
        int32_t status = chatnio_config_set_keep_alive(config, (uint64_t)at);
        CHECK(status == CHATNIO_OK || status == CHATNIO_FROZEN);
        char text[64];
        OK(chatnio_config_error(config, text, sizeof text, NULL));
        OK(chatnio_config_retain(config));
        if (at == 50) {
            chatnio_session_free(new_session(config, NULL, START));
            IS(CHATNIO_FROZEN, chatnio_config_set_keep_alive(config, 1));
        }
        chatnio_config_free(config);
    }
    chatnio_config_free(config);
    return NULL;
}

static void share_configuration(void) {
    chatnio_config *config = new_config();
    pthread_t threads[STOPPERS];
    for (int at = 0; at < STOPPERS; at++) {
        start_thread(&threads[at], share, config);
    }
    for (int at = 0; at < STOPPERS; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    chatnio_config_free(config);
}

/* A stopper that is there before its client ends the connect: it closes first, or while that waits for a server that accepts
 * and says nothing. */
static void a_connect_ends(void) {
    uint16_t port;
    int listener = listen_on_loopback(&port);
    char url[40];
    int len = snprintf(url, sizeof url, "ws://127.0.0.1:%u", (unsigned)port);
    for (int is_first = 0; is_first < 2; is_first++) {
        pthread_barrier_t barrier;
        struct stopping stopping = {.barrier = &barrier, .closes = true};
        OK(chatnio_stopper_new(&stopping.stopper));
        pthread_barrier_init(&barrier, NULL, is_first ? 1 : 2);
        start_thread(&stopping.thread, stop, &stopping);
        if (is_first) {
            CHECK(pthread_join(stopping.thread, NULL) == 0);
        } else {
            pthread_barrier_wait(&barrier);
        }
        chatnio_client *client = NULL;
        IS(CHATNIO_CLOSED,
           chatnio_client_new_with_stopper(NULL, NULL, url, (size_t)len, stopping.stopper, &client, NULL));
        if (!is_first) {
            CHECK(pthread_join(stopping.thread, NULL) == 0);
        }
        pthread_barrier_destroy(&barrier);
        chatnio_stopper_free(stopping.stopper);
    }
    close(listener);
}

/* A handle may be used by another thread each time, if one lets go before the next takes over. */
static void *use_and_free(void *context) {
    chatnio_session *session = context;
    chatnio_event event = new_event();
    receive(session, START, "{\"message\":\"x\"}", &event);
    EQUAL(CHATNIO_EVENT_STRAY, event.kind);
    chatnio_session_free(session);
    return NULL;
}

static void hand_over(void) {
    pthread_t thread;
    start_thread(&thread, use_and_free, new_session(NULL, NULL, START));
    CHECK(pthread_join(thread, NULL) == 0);
}

/* With any argument without TLS: see lifetimes.c. */
int main(int argc, char **argv) {
    (void)argv;
    many_stop(false);
    if (argc == 1) {
        many_stop(true);
    }
    many_close();
    outlive();
    reconnects();
    many_clients();
    share_configuration();
    a_connect_ends();
    hand_over();
    return done();
}
