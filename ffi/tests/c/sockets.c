/* What sockets a client takes from its host: any stream, of TCP, of Unix, of socketpair(2); nothing else. */
#include "server.h"

#include <sys/un.h>

/* The server's end of a socket that is connected. */
struct end {
    int socket;
    chatnio_peer *peer;
    pthread_t thread;
};

static void *serve_end(void *context) {
    struct end *end = context;
    serve(end->socket, end->peer);
    close(end->socket);
    return NULL;
}

static void end_start(struct end *end, int socket) {
    end->socket = socket;
    end->peer = new_peer(0, false, NULL);
    start_thread(&end->thread, serve_end, end);
}

static void end_join(struct end *end) {
    CHECK(pthread_join(end->thread, NULL) == 0);
    chatnio_peer_free(end->peer);
}

static void is_answered(chatnio_client *client) {
    chatnio_request *chat = new_chat("hi", "anon");
    chatnio_event event = new_event();
    OK(chatnio_client_ask(client, chat, &event));
    EQUAL(CHATNIO_OUTCOME_COMPLETE, event.outcome);
    TEXT_IS("Hello! How can I help?", event.answer->text);
    chatnio_request_free(chat);
}

/* Two that are connected to each other, by way of a listening one. */
static void connected_by_name(int sockets[2]) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    char folder[] = "/tmp/chatnio-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 1) == 0);
    sockets[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(sockets[0] >= 0 && connect(sockets[0], (struct sockaddr *)&address, sizeof address) == 0);
    sockets[1] = accept(listener, NULL, NULL);
    CHECK(sockets[1] >= 0);
    close(listener);
    CHECK(unlink(address.sun_path) == 0 && rmdir(folder) == 0);
}

static void streams(void) {
    int pair[2], named[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    connected_by_name(named);
    struct end first, second;
    end_start(&first, pair[1]);
    chatnio_client *client = NULL;
    OK(chatnio_client_new_socket(NULL, NULL, TEXT("ws://localhost"), pair[0], &client, NULL));
    close(pair[0]);
    is_answered(client);
    end_start(&second, named[1]);
    chatnio_event event = new_event();
    OK(chatnio_client_reconnect_socket(client, named[0], &event));
    close(named[0]);
    end_join(&first);
    is_answered(client);
    OK(chatnio_client_close(client, &event));
    chatnio_client_free(client);
    end_join(&second);
}

static void no_streams(void) {
    int datagrams[2], packets[2], pipes[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0);
    CHECK(pipe(pipes) == 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(udp >= 0);
    const int others[] = {datagrams[0], packets[0], pipes[0], udp};
    for (size_t at = 0; at < sizeof others / sizeof others[0]; at++) {
        chatnio_client *client = NULL;
        IS(CHATNIO_INVALID, chatnio_client_new_socket(NULL, NULL, TEXT("ws://localhost"), others[at], &client, NULL));
        close(others[at]);
    }
    close(datagrams[1]);
    close(packets[1]);
    close(pipes[1]);
}

int main(void) {
    streams();
    no_streams();
    return done();
}
