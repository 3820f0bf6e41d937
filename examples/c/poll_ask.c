/*
 * Asks one question and prints the answer as it comes, over a socket and poll(2) of the program's own: what a host with
 * an event loop does. The connection has TLS and WebSocket inside; the program moves bytes and keeps the deadlines.
 *
 *     cc poll_ask.c $(pkg-config --cflags --libs chatnio) -o poll_ask
 *     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... ./poll_ask "hi"
 *
 * Exit status: 0 answered; 1 it failed; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What the environment and the command line say. */
struct options {
    const char *url, *token, *model, *ca_file, *text;
};

static bool read_options(int argc, char **argv, struct options *options)
{
    const char *url = getenv("CHATNIO_URL");
    *options = (struct options){.url = url != NULL ? url : "ws://127.0.0.1:8094",
                                .token = getenv("CHATNIO_TOKEN"),
                                .model = getenv("CHATNIO_MODEL"),
                                .ca_file = getenv("CHATNIO_CA_FILE"),
                                .text = argv[1]};
    return argc == 2;
}

/* Prints a server's words, without the control characters that could drive a terminal. */
static void print(FILE *out, chatnio_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_c1 = byte == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0;
        if (is_c1) {
            i++; /* U+0080 to U+009F are two bytes. */
        } else if ((byte >= ' ' && byte != 0x7F) || byte == '\n' || byte == '\t') {
            putc(byte, out);
        }
    }
}

/* True when `status` is CHATNIO_OK; otherwise says why not. */
static bool ok(int32_t status, const char *what)
{
    if (status != CHATNIO_OK) {
        fprintf(stderr, "%s: %s\n", what, chatnio_status_message(status));
    }
    return status == CHATNIO_OK;
}

/* Says why a constructor failed, and frees that. */
static void print_error(chatnio_error *error)
{
    chatnio_text message;
    if (chatnio_error_message(error, &message) == CHATNIO_OK) {
        print(stderr, message);
        putc('\n', stderr);
    }
    chatnio_error_free(error);
}

/* True when `status` is CHATNIO_OK; otherwise the call on the connection failed, which says why. */
static bool connection_ok(int32_t status, const chatnio_connection *connection)
{
    char message[1024];
    if (status != CHATNIO_OK && chatnio_connection_error(connection, message, sizeof message, NULL) == CHATNIO_OK) {
        print(stderr, (chatnio_text){message, strlen(message)});
        putc('\n', stderr);
    }
    return status == CHATNIO_OK;
}

/* The time on a monotonic clock, in milliseconds: the only clock that the library needs. */
static uint64_t now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        perror("clock_gettime");
        abort();
    }
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * RFC 8305: how long one attempt to connect may be alone before the next one starts, in milliseconds, and how many addresses
 * are tried. One that drops what it is sent would else take all of the time.
 */
enum { NEXT_ATTEMPT = 250, MAX_ATTEMPTS = 16 };

/* The first of these addresses that is, or is not, of this family. */
static const struct addrinfo *find(const struct addrinfo *address, int family, bool is_wanted)
{
    while (address != NULL && (address->ai_family == family) != is_wanted) {
        address = address->ai_next;
    }
    return address;
}

/* Puts the addresses into the order of their attempts: IPv6 and IPv4 take turns. */
static size_t interleave(const struct addrinfo *addresses, const struct addrinfo *order[MAX_ATTEMPTS])
{
    const int family = addresses->ai_family;
    const struct addrinfo *next[] = {addresses, find(addresses, family, false)};
    size_t count = 0;
    for (size_t turn = 0; (next[0] != NULL || next[1] != NULL) && count < MAX_ATTEMPTS; turn = 1 - turn) {
        if (next[turn] != NULL) {
            order[count++] = next[turn];
            next[turn] = find(next[turn]->ai_next, family, turn == 0);
        }
    }
    return count;
}

/* Starts to connect a non-blocking socket to one address; -1 when that fails at once, with the reason in `errno`. */
static int start_connect(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (fd < 0) {
        return -1;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
        (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Takes out the first attempt that poll(2) has found something about: its socket, and in `error` how it went; or -1. */
static int take_done(struct pollfd attempts[MAX_ATTEMPTS], size_t *running, int *error)
{
    for (size_t at = 0; at < *running; at++) {
        if (attempts[at].revents != 0) {
            int fd = attempts[at].fd;
            socklen_t len = sizeof *error;
            if (getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &len) < 0) {
                *error = errno;
            }
            attempts[at] = attempts[--*running];
            return fd;
        }
    }
    return -1;
}

/* ANCHOR: race */
/*
 * Connects to the first address that answers: an attempt starts when the one before has failed, or 250 ms after it, and goes
 * on meanwhile. The others are closed. -1 when none is connected by the deadline, with the reason in `errno`.
 */
static int race(const struct addrinfo *addresses, uint64_t deadline)
{
    const struct addrinfo *order[MAX_ATTEMPTS];
    struct pollfd attempts[MAX_ATTEMPTS];
    const size_t count = interleave(addresses, order);
    size_t started = 0, running = 0;
    uint64_t next = 0;
    int connected = -1, error = ETIMEDOUT;
    for (uint64_t now = now_ms(); connected < 0 && now < deadline; now = now_ms()) {
        if (started < count && now >= next) {
            int fd = start_connect(order[started++]);
            if (fd < 0) {
                error = errno;
                continue;
            }
            attempts[running++] = (struct pollfd){.fd = fd, .events = POLLOUT};
            next = now + NEXT_ATTEMPT;
        }
        if (running == 0) {
            break; /* All have failed. */
        }
        uint64_t until = started < count && next < deadline ? next : deadline;
        int ready = poll(attempts, (nfds_t)running, chatnio_timeout_ms(until, now));
        if (ready < 0 && errno != EINTR) {
            error = errno;
            break;
        }
        int fd = ready > 0 ? take_done(attempts, &running, &error) : -1;
        if (fd >= 0 && error == 0) {
            connected = fd;
        } else if (fd >= 0) {
            close(fd);
            next = 0;
        }
    }
    while (running > 0) {
        close(attempts[--running].fd);
    }
    errno = error;
    return connected;
}
/* ANCHOR_END: race */

/* Connects a socket to where the connection's URL points; -1 when that fails, which it has said. */
static int connect_socket(const chatnio_connection *connection)
{
    chatnio_text name;
    uint16_t number;
    chatnio_wants wants = CHATNIO_WANTS_INIT;
    if (!connection_ok(chatnio_connection_host(connection, &name), connection) ||
        !connection_ok(chatnio_connection_port(connection, &number), connection) ||
        !connection_ok(chatnio_connection_wants(connection, &wants), connection)) {
        return -1;
    }
    const char *host = name.data; /* This one text has a NUL behind it. */
    char port[6];
    snprintf(port, sizeof port, "%u", (unsigned)number);

    /* This blocks, and so does not suit a loop that serves others too: look names up elsewhere there. */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses;
    int unknown = getaddrinfo(host, port, &hints, &addresses);
    if (unknown != 0) {
        fprintf(stderr, "%s: %s\n", host, gai_strerror(unknown));
        return -1;
    }
    int fd = race(addresses, wants.deadline);
    if (fd < 0) {
        fprintf(stderr, "cannot connect to %s port %s: %s\n", host, port, strerror(errno));
    }
    freeaddrinfo(addresses);
    return fd;
}

/* Says how the turn ended and what it cost; true when it did as it was asked to. */
static bool print_end(const chatnio_answer *answer)
{
    fputs(chatnio_outcome_name(answer->outcome), stderr);
    /* A notice is what the server says instead of the model: out of quota, unknown model, ... */
    chatnio_text why = answer->notice.data != NULL ? answer->notice : answer->reason;
    if (why.data != NULL) {
        fputs(": ", stderr);
        print(stderr, why);
    }
    fprintf(stderr, ", quota %.*s\n", (int)answer->quota_text.len, answer->quota_text.data);
    return answer->outcome == CHATNIO_OUTCOME_COMPLETE || answer->outcome == CHATNIO_OUTCOME_STOPPED;
}

/* ANCHOR: receive_transmit */
/* Gives the connection what the socket has; false when a call on the connection failed. */
static bool receive(chatnio_connection *connection, int fd)
{
    uint8_t buffer[16 * 1024];
    ssize_t count = recv(fd, buffer, sizeof buffer, 0);
    if (count > 0) {
        return connection_ok(chatnio_connection_receive(connection, now_ms(), buffer, (size_t)count), connection);
    }
    if (count == 0) {
        return connection_ok(chatnio_connection_eof(connection, now_ms()), connection);
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return true;
    }
    return connection_ok(chatnio_connection_failed(connection, now_ms(), errno), connection);
}

/* Gives the socket what the connection has; false when a call on the connection failed. */
static bool transmit(chatnio_connection *connection, int fd)
{
    chatnio_bytes bytes;
    int32_t status = chatnio_connection_transmit(connection, &bytes);
    if (status != CHATNIO_OK) {
        return status == CHATNIO_AGAIN || connection_ok(status, connection);
    }
    ssize_t count = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    if (count >= 0) {
        return connection_ok(chatnio_connection_transmitted(connection, (size_t)count), connection);
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return true;
    }
    return connection_ok(chatnio_connection_failed(connection, now_ms(), errno), connection);
}
/* ANCHOR_END: receive_transmit */

/* Takes and prints all events there are; false when that failed. `answered` is set when the answer has come. */
static bool print_events(chatnio_connection *connection, bool *answered)
{
    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status;
    while ((status = chatnio_connection_next_event(connection, &event)) == CHATNIO_OK) {
        /* All other kinds of events need nothing done. */
        if (event.kind == CHATNIO_EVENT_DELTA || event.kind == CHATNIO_EVENT_END) {
            print(stdout, event.text);
            if (event.kind == CHATNIO_EVENT_END && event.answer->text.len > 0) {
                putchar('\n');
            }
            if (fflush(stdout) != 0) {
                perror("standard output");
                return false;
            }
        }
        if (event.kind == CHATNIO_EVENT_END) {
            *answered = print_end(event.answer);
            if (!connection_ok(chatnio_connection_close(connection, now_ms()), connection)) {
                return false;
            }
        }
        if (event.kind == CHATNIO_EVENT_CLOSED && event.status != CHATNIO_CLOSED) {
            print(stderr, event.text); /* It was not this side that closed it. */
            putc('\n', stderr);
        }
    }
    return status == CHATNIO_AGAIN || connection_ok(status, connection);
}

/* ANCHOR: run */
/* Drives the connection to its end; true when the answer has come. */
static bool run(chatnio_connection *connection, int fd)
{
    bool answered = false;
    for (;;) {
        chatnio_wants wants = CHATNIO_WANTS_INIT;
        if (!print_events(connection, &answered) ||
            !connection_ok(chatnio_connection_wants(connection, &wants), connection)) {
            return false;
        }
        if (wants.finished) {
            return answered;
        }

        struct pollfd pollfd = {.fd = fd};
        pollfd.events = (short)((wants.want_read ? POLLIN : 0) | (wants.want_write ? POLLOUT : 0));
        if (poll(&pollfd, 1, chatnio_timeout_ms(wants.deadline, now_ms())) < 0) {
            if (errno != EINTR) {
                perror("poll");
                return false;
            }
            continue;
        }
        /* First what has come, then what is due: it may be due no longer. */
        if ((pollfd.revents & ~POLLOUT) != 0 && !receive(connection, fd)) {
            return false;
        }
        if ((pollfd.revents & POLLOUT) != 0 && !transmit(connection, fd)) {
            return false;
        }
        if (!connection_ok(chatnio_connection_handle_timeout(connection, now_ms()), connection)) {
            return false;
        }
    }
}
/* ANCHOR_END: run */

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... %s QUESTION\n", argv[0]);
        return 2;
    }

    chatnio_config *config = NULL;
    chatnio_auth *auth = NULL; /* Stays NULL without a token: without an account. */
    chatnio_request *request = NULL;
    chatnio_connection *connection = NULL;
    chatnio_error *error = NULL;
    int fd = -1;
    bool answered = false;

    if (!ok(chatnio_config_new(&config), "configuration")) {
        goto out;
    }
    if (options.ca_file != NULL &&
        chatnio_config_add_root_file(config, options.ca_file, strlen(options.ca_file)) != CHATNIO_OK) {
        char message[1024];
        if (chatnio_config_error(config, message, sizeof message, NULL) == CHATNIO_OK) {
            fprintf(stderr, "%s\n", message);
        }
        goto out;
    }
    if (options.token != NULL && !ok(chatnio_auth_new(options.token, strlen(options.token), &auth), "token")) {
        goto out;
    }
    if (!ok(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request), "request") ||
        !ok(chatnio_request_set_message(request, options.text, strlen(options.text)), "text")) {
        goto out;
    }
    if (options.model != NULL &&
        !ok(chatnio_request_set_model(request, options.model, strlen(options.model)), "model")) {
        goto out;
    }

    if (chatnio_connection_new(config, auth, options.url, strlen(options.url), now_ms(), &connection, &error) !=
        CHATNIO_OK) {
        print_error(error);
        goto out;
    }
    /* The request waits inside until the WebSocket is open. */
    if (!connection_ok(chatnio_connection_request(connection, now_ms(), request), connection)) {
        goto out;
    }
    fd = connect_socket(connection);
    answered = fd >= 0 && run(connection, fd);

out:
    if (fd >= 0) {
        close(fd);
    }
    chatnio_connection_free(connection);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    return answered ? 0 : 1;
}
