/* A server on 127.0.0.1, in a thread of the test: it pumps bytes between a socket and a `chatnio_peer`. */
#ifndef SERVER_H
#define SERVER_H

#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct server {
    int32_t year;
    bool tls;
    /* How many connections are served, one after the other. */
    int connections;
    int listener;
    uint16_t port;
    pthread_t thread;
    /* One a connection, made before, so that their certificates are known. */
    chatnio_peer *peers[16];
};

static inline uint64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Sends what the peer has; false when the client is gone. */
static inline bool serve_output(int socket, chatnio_peer *peer) {
    chatnio_bytes bytes;
    while (chatnio_peer_transmit(peer, &bytes) == CHATNIO_OK) {
        ssize_t sent = send(socket, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0) {
            return false;
        }
        OK(chatnio_peer_transmitted(peer, (size_t)sent));
    }
    return true;
}

/* Serves one connection to its end. */
static inline void serve(int socket, chatnio_peer *peer) {
    for (;;) {
        if (!serve_output(socket, peer)) {
            return;
        }
        chatnio_wants wants = new_wants();
        OK(chatnio_peer_wants(peer, &wants));
        if (wants.finished) {
            return;
        }
        struct pollfd poller = {socket, POLLIN, 0};
        int ready = poll(&poller, 1, chatnio_timeout_ms(wants.deadline, now_ms()));
        if (ready > 0) {
            uint8_t buffer[4096];
            ssize_t len = recv(socket, buffer, sizeof buffer, 0);
            if (len <= 0) {
                OK(chatnio_peer_eof(peer, now_ms()));
                return;
            }
            OK(chatnio_peer_receive(peer, now_ms(), buffer, (size_t)len));
        }
        OK(chatnio_peer_handle_timeout(peer, now_ms()));
    }
}

static inline void *server_run(void *context) {
    struct server *server = context;
    for (int at = 0; at < server->connections; at++) {
        int socket = accept(server->listener, NULL, NULL);
        CHECK(socket >= 0);
        serve(socket, server->peers[at]);
        close(socket);
    }
    return NULL;
}

static inline int listen_on_loopback(uint16_t *port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, len) == 0 && listen(listener, 16) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static inline int connect_to(uint16_t port) {
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    CHECK(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    return client;
}

/* Starts a thread that takes no signals: those are for the thread that waits. */
static inline void start_thread(pthread_t *thread, void *(*run)(void *), void *context) {
    sigset_t all, before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    CHECK(pthread_create(thread, NULL, run, context) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

/* Starts a server for so many connections, which plays a transcript or, without one, its models. */
static inline void server_start(struct server *server, int32_t year, bool tls, const char *transcript,
                                int connections) {
    memset(server, 0, sizeof *server);
    server->year = year;
    server->tls = tls;
    server->connections = connections;
    CHECK(connections <= 16);
    for (int at = 0; at < connections; at++) {
        server->peers[at] = new_peer(year, tls, transcript);
    }
    server->listener = listen_on_loopback(&server->port);
    start_thread(&server->thread, server_run, server);
}

/* Waits for the end of its last connection. */
static inline void server_join(struct server *server) {
    CHECK(pthread_join(server->thread, NULL) == 0);
    close(server->listener);
    for (int at = 0; at < server->connections; at++) {
        chatnio_peer_free(server->peers[at]);
    }
}

/* A configuration that trusts the server. */
static inline chatnio_config *server_config(const struct server *server) {
    chatnio_config *config = new_config();
    for (int at = 0; at < server->connections && server->tls; at++) {
        trust_peer(config, server->peers[at]);
    }
    return config;
}

static inline size_t server_url(const struct server *server, char *url, size_t capacity) {
    return (size_t)snprintf(url, capacity, "%s://127.0.0.1:%u/chat", server->tls ? "wss" : "ws",
                            (unsigned)server->port);
}

static inline chatnio_client *server_client(const struct server *server, const chatnio_config *config,
                                            const chatnio_auth *auth) {
    char url[64];
    chatnio_client *client = NULL;
    OK(chatnio_client_new(config, auth, url, server_url(server, url, sizeof url), &client, NULL));
    return client;
}

#endif
