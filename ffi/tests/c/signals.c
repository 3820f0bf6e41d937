/* Signals while waiting, SIGPIPE at its default, time-outs, and fork. */

/* What some of the calls answer is of no matter here. */
#define CHATNIO_MUST_USE

#include "server.h"

#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

static volatile sig_atomic_t alarms;

static void on_alarm(int signal) {
    (void)signal;
    alarms++;
}

/* SIGALRM every 5 ms, caught without SA_RESTART; 0 ends it. */
static void alarm_every(int ms) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval timer = {{0, ms * 1000}, {0, ms * 1000}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static chatnio_client *keyed_client(const struct server *server, const chatnio_config *config) {
    chatnio_auth *auth = new_auth("sk-x");
    chatnio_client *client = server_client(server, config, auth);
    chatnio_auth_free(auth);
    return client;
}

/* A signal ends a wait, whichever call waits; the calls after it go on. */
static void interrupted(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    chatnio_client *client = keyed_client(&server, config);
    /* Nothing comes from this one, but its opener. */
    chatnio_request *silent = new_chat("hi", "silent");
    chatnio_event event, untouched;
    memset(&untouched, 0xa5, sizeof untouched);
    untouched.size = sizeof untouched;
    memcpy(&event, &untouched, sizeof event);
    alarm_every(5);

    IS(CHATNIO_INTERRUPTED, chatnio_client_ask(client, silent, &event));
    CHECK(memcmp(&event, &untouched, sizeof event) == 0);
    IS(CHATNIO_INTERRUPTED, chatnio_client_wait(client, -1, &event));
    IS(CHATNIO_INTERRUPTED, chatnio_client_wait(client, 600000, &event));
    CHECK(memcmp(&event, &untouched, sizeof event) == 0);
    int32_t status;
    for (int interruptions = 0; interruptions < 3;) {
        status = chatnio_client_next(client, interruptions == 0 ? 600000 : -1, &event);
        if (status == CHATNIO_INTERRUPTED) {
            interruptions++;
        } else {
            OK(status);
            EQUAL(CHATNIO_EVENT_OPENED, event.kind);
        }
    }
    OK(chatnio_client_stop(client, NULL));
    while ((status = chatnio_client_wait(client, -1, &event)) == CHATNIO_INTERRUPTED) {
    }
    OK(status);
    EQUAL(CHATNIO_OUTCOME_STOPPED, event.outcome);

    /* Nothing of an answer is lost between interruptions. */
    chatnio_request *chat = new_chat("hi", "hello");
    OK(chatnio_client_request(client, chat));
    struct bytes got = {NULL, 0, 0};
    do {
        memcpy(&event, &untouched, sizeof event);
        status = chatnio_client_next(client, -1, &event);
        if (status == CHATNIO_OK && event.kind != CHATNIO_EVENT_STRAY) {
            bytes_add(&got, event.text.data, event.text.len);
        } else if (status != CHATNIO_OK) {
            IS(CHATNIO_INTERRUPTED, status);
            CHECK(memcmp(&event, &untouched, sizeof event) == 0);
        }
    } while (event.kind != CHATNIO_EVENT_END);
    EQUAL(CHATNIO_OUTCOME_COMPLETE, event.outcome);
    CHECK(got.len > 0 && got.len == event.answer->text.len);
    CHECK(memcmp(got.data, event.answer->text.data, got.len) == 0);

    /* Closing is bounded, and not interrupted. */
    OK(chatnio_client_close(client, &event));
    alarm_every(0);
    CHECK(alarms > 0);
    bytes_free(&got);
    chatnio_request_free(chat);
    chatnio_request_free(silent);
    chatnio_client_free(client);
    chatnio_config_free(config);
    server_join(&server);
}

/* 0 only looks, and a short time-out comes back, while a turn runs and while none does. */
static void time_outs(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_client *client = keyed_client(&server, NULL);
    chatnio_event event = new_event();
    IS(CHATNIO_AGAIN, chatnio_client_next(client, 0, &event));
    IS(CHATNIO_AGAIN, chatnio_client_wait(client, 10, &event));
    IS(CHATNIO_AGAIN, chatnio_client_wait(client, -1, &event));
    chatnio_request *silent = new_chat("hi", "silent");
    OK(chatnio_client_request(client, silent));
    chatnio_request_free(silent);
    const int32_t timeouts[] = {0, 1, 20};
    for (size_t at = 0; at < sizeof timeouts / sizeof timeouts[0]; at++) {
        int32_t status;
        while ((status = chatnio_client_next(client, timeouts[at], &event)) == CHATNIO_OK) {
            EQUAL(CHATNIO_EVENT_OPENED, event.kind);
        }
        IS(CHATNIO_AGAIN, status);
        IS(CHATNIO_AGAIN, chatnio_client_wait(client, timeouts[at], &event));
    }
    OK(chatnio_client_stop(client, NULL));
    OK(chatnio_client_wait(client, INT32_MAX, &event));
    EQUAL(CHATNIO_OUTCOME_STOPPED, event.outcome);
    chatnio_client_free(client);
    server_join(&server);
}

/* A blocking wait is bounded also when the server never pauses; and waiting keeps an idle connection alive. */
static void bounded_waits(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 2);
    chatnio_config *config = server_config(&server);
    OK(chatnio_config_set_keep_alive(config, 20));
    chatnio_client *client = server_client(&server, config, NULL);
    chatnio_event event = new_event();
    OK(chatnio_client_next(client, -1, &event));
    EQUAL(CHATNIO_EVENT_KEEP_ALIVE, event.kind);
    /* There is nothing to wait for. */
    IS(CHATNIO_AGAIN, chatnio_client_wait(client, -1, &event));
    chatnio_client_free(client);
    chatnio_config_free(config);

    /* It never comes to its end, nor to hear the close. */
    chatnio_auth *auth = new_auth("sk-x");
    config = server_config(&server);
    OK(chatnio_config_set_close(config, 50));
    client = server_client(&server, config, auth);
    chatnio_config_free(config);
    chatnio_auth_free(auth);
    chatnio_request *chat = new_chat("hi", "long-1000000000");
    OK(chatnio_client_request(client, chat));
    chatnio_request_free(chat);
    IS(CHATNIO_AGAIN, chatnio_client_wait(client, 1, &event));
    chatnio_answer answer = new_answer();
    OK(chatnio_client_answer(client, &answer));
    EQUAL(CHATNIO_OUTCOME_NONE, answer.outcome);
    OK(chatnio_client_close(client, &event));
    EQUAL(CHATNIO_INTERRUPTION_CLOSED_BY_HOST, event.interruption);
    chatnio_client_free(client);
    server_join(&server);
}

/* A server that sends frames as fast as it can, from the first request on, until the client is gone. */
static void *flood(void *context) {
    int listener = *(int *)context;
    int socket = accept(listener, NULL, NULL);
    CHECK(socket >= 0);
    chatnio_peer *peer = new_peer(0, false, "");
    for (bool asked = false; !asked;) {
        uint8_t buffer[4096];
        ssize_t len = recv(socket, buffer, sizeof buffer, 0);
        CHECK(len > 0);
        OK(chatnio_peer_receive(peer, now_ms(), buffer, (size_t)len));
        /* What comes once the WebSocket is open is the request. */
        asked = chatnio_peer_send(peer, TEXT("{}")) == CHATNIO_OK && buffer[0] != 'G';
        CHECK(serve_output(socket, peer));
    }
    chatnio_peer_free(peer);
    static const char FRAME[] = "\x81\x0e{\"message\":\"\"}";
    static char frames[4096 * (sizeof FRAME - 1)];
    for (size_t at = 0; at < sizeof frames; at += sizeof FRAME - 1) {
        memcpy(frames + at, FRAME, sizeof FRAME - 1);
    }
    for (size_t sent = 0;;) {
        ssize_t len = send(socket, frames + sent, sizeof frames - sent, MSG_NOSIGNAL);
        if (len < 0) {
            break;
        }
        sent = (sent + (size_t)len) % sizeof frames;
    }
    close(socket);
    return NULL;
}

/* A wait comes back also when there is always one more event. */
static void flooded(void) {
    uint16_t port = 0;
    int listener = listen_on_loopback(&port);
    pthread_t thread;
    start_thread(&thread, flood, &listener);
    char url[64];
    size_t url_len = (size_t)snprintf(url, sizeof url, "ws://127.0.0.1:%u", (unsigned)port);
    chatnio_client *client = NULL;
    OK(chatnio_client_new(NULL, NULL, url, url_len, &client, NULL));
    chatnio_request *chat = new_chat("hi", NULL);
    OK(chatnio_client_request(client, chat));
    chatnio_request_free(chat);
    chatnio_event event = new_event();
    const int32_t timeouts[] = {0, 1, 20};
    for (size_t at = 0; at < sizeof timeouts / sizeof timeouts[0]; at++) {
        IS(CHATNIO_AGAIN, chatnio_client_wait(client, timeouts[at], &event));
    }
    chatnio_client_free(client);
    CHECK(pthread_join(thread, NULL) == 0);
    close(listener);
}

/* Instead of the system's: the library sends by plain `send` alone, since what these send raises SIGPIPE. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
    FAIL("a vectored write of %d parts at %p to %d", count, (const void *)parts, fd);
    return -1;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    FAIL("a vectored send of %p to %d, flags %d", (const void *)message, fd, flags);
    return -1;
}

/* Whether a plain write to a socket that is shut down ends the process: else the test below could not fail. */
static void sigpipe_is_deadly(void) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    close(pair[1]);
    pid_t child = fork();
    if (child == 0) {
        _exit(write(pair[0], "x", 1) == 1 ? 0 : 1);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    close(pair[0]);
}

/* The way out is shut, so that every write of the client's raises SIGPIPE unless it says otherwise. */
static void shut(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    int socket = connect_to(server.port);
    char url[64];
    size_t len = server_url(&server, url, sizeof url);
    chatnio_client *client = NULL;
    OK(chatnio_client_new_socket(config, NULL, url, len, socket, &client, NULL));
    CHECK(shutdown(socket, SHUT_WR) == 0);
    chatnio_stopper *stopper = NULL;
    OK(chatnio_client_stopper(client, &stopper));
    chatnio_request *chat = new_chat("hi", NULL);
    chatnio_event event = new_event();
    int32_t status = chatnio_client_request(client, chat);
    if (status == CHATNIO_OK) {
        OK(chatnio_client_next(client, -1, &event));
        EQUAL(CHATNIO_INTERRUPTION_CONNECTION_LOST, event.interruption);
    }
    OK(chatnio_stopper_stop(stopper, NULL));
    OK(chatnio_stopper_close(stopper));
    CHECK(chatnio_status_is_fatal(chatnio_client_next(client, 0, &event)));
    CHECK(chatnio_status_is_fatal(chatnio_client_request(client, chat)));
    chatnio_client_close(client, &event);
    IS(CHATNIO_GIVEN_SOCKET, chatnio_client_reconnect(client, &event));
    chatnio_request_free(chat);
    chatnio_stopper_free(stopper);
    chatnio_client_free(client);
    chatnio_config_free(config);
    close(socket);
    server_join(&server);
}

/* The peer vanishes in the middle of an answer, without a word, while the client goes on writing. */
static void vanished(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    chatnio_client *client = keyed_client(&server, config);
    /* This model's socket is cut. */
    chatnio_request *chat = new_chat("hi", "drop");
    OK(chatnio_client_request(client, chat));
    chatnio_stopper *stopper = NULL;
    OK(chatnio_client_stopper(client, &stopper));
    /* The server is gone now, and nobody has read that. */
    server_join(&server);
    for (int at = 0; at < 3; at++) {
        OK(chatnio_stopper_stop(stopper, NULL));
        chatnio_client_stop(client, NULL);
        chatnio_client_request(client, chat);
    }
    OK(chatnio_stopper_close(stopper));
    chatnio_event event = new_event();
    int32_t status;
    int ends = 0;
    while ((status = chatnio_client_next(client, -1, &event)) == CHATNIO_OK) {
        ends += event.kind == CHATNIO_EVENT_END;
    }
    EQUAL(1, ends);
    CHECK(chatnio_status_is_fatal(status));
    chatnio_request_free(chat);
    chatnio_stopper_free(stopper);
    chatnio_client_free(client);
    chatnio_config_free(config);
}

/* A forked child frees its parent's client; the parent's answer goes on to its end. */
static void forked(bool tls) {
    struct server server;
    server_start(&server, 0, tls, NULL, 1);
    chatnio_config *config = server_config(&server);
    chatnio_client *client = keyed_client(&server, config);
    chatnio_request *chat = new_chat("hi", "hello");
    OK(chatnio_client_request(client, chat));
    chatnio_request_free(chat);
    chatnio_event event = new_event();
    do {
        OK(chatnio_client_next(client, -1, &event));
    } while (event.kind != CHATNIO_EVENT_DELTA);
    pid_t child = fork();
    if (child == 0) {
        chatnio_client_free(client);
        chatnio_config_free(config);
        /* Another program, so that no tool counts what the parent's other threads have here. */
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    OK(chatnio_client_wait(client, -1, &event));
    EQUAL(CHATNIO_OUTCOME_COMPLETE, event.outcome);
    /* And it may be used on. */
    chat = new_chat("hi", NULL);
    OK(chatnio_client_ask(client, chat, &event));
    EQUAL(CHATNIO_OUTCOME_COMPLETE, event.outcome);
    chatnio_request_free(chat);
    chatnio_client_free(client);
    chatnio_config_free(config);
    server_join(&server);
}

/* With any argument without TLS: see lifetimes.c. */
int main(int argc, char **argv) {
    (void)argv;
    struct sigaction action;
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    sigpipe_is_deadly();
    time_outs();
    bounded_waits();
    flooded();
    for (int tls = 0; tls < (argc > 1 ? 1 : 2); tls++) {
        interrupted(tls);
        shut(tls);
        vanished(tls);
        forked(tls);
    }
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    return done();
}
