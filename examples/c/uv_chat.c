/*
 * Asks several questions at once, each on a connection of its own, in one thread and one libuv loop.
 *
 *     cc uv_chat.c $(pkg-config --cflags --libs chatnio libuv) -o uv_chat
 *     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... ./uv_chat "one" "two" "three"
 *
 * The answers come mixed, piece by piece, each line with its question's number.
 *
 * Exit status: 0 all answered; 1 something failed; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* What the environment and the command line say. */
struct options {
    const char *url, *token, *model, *ca_file;
    char **texts; /* Up to NULL. */
};

static bool read_options(int argc, char **argv, struct options *options)
{
    const char *url = getenv("CHATNIO_URL");
    *options = (struct options){.url = url != NULL ? url : "ws://127.0.0.1:8094",
                                .token = getenv("CHATNIO_TOKEN"),
                                .model = getenv("CHATNIO_MODEL"),
                                .ca_file = getenv("CHATNIO_CA_FILE"),
                                .texts = argv + 1};
    return argc >= 2;
}

/* Prints a server's words on one line, without the control characters that could drive a terminal. */
static void print(FILE *out, chatnio_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_c1 = byte == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0;
        if (is_c1) {
            i++; /* U+0080 to U+009F are two bytes. */
        } else {
            putc(byte >= ' ' && byte != 0x7F ? byte : ' ', out);
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

/* RFC 8305: how long one attempt to connect may be alone before the next one starts, in milliseconds, and how many there are. */
enum { NEXT_ATTEMPT = 250, MAX_ATTEMPTS = 16 };

/* A socket that is being connected to one of the host's addresses. */
struct attempt {
    uv_tcp_t tcp;
    uv_connect_t connect;
};

/* One question: its connection, and what libuv does for it. */
struct chat {
    unsigned number;
    chatnio_connection *connection;
    uv_loop_t *loop;
    uv_getaddrinfo_t lookup;
    struct addrinfo *addresses;
    const struct addrinfo *next[2]; /* Of the first address's family, and of the others: they take turns. */
    struct attempt attempts[MAX_ATTEMPTS];
    size_t started, running;
    uv_timer_t next_attempt;
    uv_stream_t *stream; /* The attempt that has connected; NULL before. */
    bool reading;
    uv_write_t write;
    size_t writing; /* How many bytes libuv is writing; 0 when it is not. */
    uv_timer_t timer;
    unsigned users; /* How many of lookup, attempts and timers are in libuv's hands. */
    bool closing, answered;
    char input[16 * 1024];
};

/* True when `status` is CHATNIO_OK; otherwise a call on the chat's connection failed, which says why. */
static bool chat_ok(const struct chat *chat, int32_t status)
{
    char message[1024];
    if (status != CHATNIO_OK &&
        chatnio_connection_error(chat->connection, message, sizeof message, NULL) == CHATNIO_OK) {
        fprintf(stderr, "%u: ", chat->number);
        print(stderr, (chatnio_text){message, strlen(message)});
        putc('\n', stderr);
    }
    return status == CHATNIO_OK;
}

/* True when `status` is none of libuv's errors; otherwise says which. */
static bool uv_ok(const struct chat *chat, int status)
{
    if (status < 0) {
        fprintf(stderr, "%u: %s\n", chat->number, uv_strerror(status));
    }
    return status >= 0;
}

/* One of those in libuv's hands has come back; with the last one the chat is over. */
static void leave(struct chat *chat)
{
    if (--chat->users == 0) {
        uv_freeaddrinfo(chat->addresses);
        chatnio_connection_free(chat->connection);
    }
}

static void on_closed(uv_handle_t *handle)
{
    leave(handle->data);
}

/* Gives up all attempts to connect except the one that has connected, if it is not NULL. */
static void close_attempts(struct chat *chat, const uv_stream_t *connected)
{
    for (size_t at = 0; at < chat->started; at++) {
        uv_handle_t *tcp = (uv_handle_t *)&chat->attempts[at].tcp;
        if (tcp != (const uv_handle_t *)connected && !uv_is_closing(tcp)) {
            uv_close(tcp, on_closed);
        }
    }
}

static void close_chat(struct chat *chat)
{
    if (chat->closing) {
        return;
    }
    chat->closing = true;
    uv_close((uv_handle_t *)&chat->timer, on_closed);
    uv_close((uv_handle_t *)&chat->next_attempt, on_closed);
    close_attempts(chat, NULL);
    /* If it is running or done already its callback comes anyway. */
    (void)uv_cancel((uv_req_t *)&chat->lookup);
}

/* Takes and prints all events there are; false when that failed. */
static bool print_events(struct chat *chat)
{
    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status;
    while ((status = chatnio_connection_next_event(chat->connection, &event)) == CHATNIO_OK) {
        if (event.kind == CHATNIO_EVENT_DELTA && event.text.len > 0) {
            printf("%u: ", chat->number);
            print(stdout, event.text);
            putchar('\n');
        } else if (event.kind == CHATNIO_EVENT_END) {
            const chatnio_answer *answer = event.answer;
            chat->answered = answer->outcome == CHATNIO_OUTCOME_COMPLETE;
            printf("%u: %s, %zu bytes, quota %.*s ", chat->number, chat->answered ? "complete" : "no answer",
                   answer->text.len, (int)answer->quota_text.len, answer->quota_text.data);
            print(stdout, answer->notice);
            print(stdout, answer->reason);
            putchar('\n');
            if (!chat_ok(chat, chatnio_connection_close(chat->connection, uv_now(chat->loop)))) {
                return false;
            }
        } else if (event.kind == CHATNIO_EVENT_CLOSED && event.status != CHATNIO_CLOSED) {
            fprintf(stderr, "%u: ", chat->number); /* It was not this side that closed it. */
            print(stderr, event.text);
            putc('\n', stderr);
        }
    }
    if (fflush(stdout) != 0) {
        perror("standard output");
        return false;
    }
    return status == CHATNIO_AGAIN || chat_ok(chat, status);
}

static void advance(struct chat *chat);

static void on_written(uv_write_t *write, int status)
{
    struct chat *chat = write->handle->data;
    size_t written = chat->writing;
    chat->writing = 0;
    if (chat->closing) {
        return;
    }
    /* On Unix libuv's errors are the system's, negated. */
    if (!chat_ok(chat, status < 0 ? chatnio_connection_failed(chat->connection, uv_now(chat->loop), -status)
                                  : chatnio_connection_transmitted(chat->connection, written))) {
        close_chat(chat);
        return;
    }
    advance(chat);
}

/* ANCHOR: callbacks */
/* Has libuv write what the connection has to send; false when that failed. */
static bool transmit(struct chat *chat)
{
    /* The bytes stay where they are until the next call of transmit or transmitted: so one write at a time. */
    if (chat->stream == NULL || chat->writing > 0) {
        return true;
    }
    chatnio_bytes bytes;
    int32_t status = chatnio_connection_transmit(chat->connection, &bytes);
    if (status != CHATNIO_OK) {
        return status == CHATNIO_AGAIN || chat_ok(chat, status);
    }
    uv_buf_t buffer = uv_buf_init((char *)bytes.data, (unsigned)bytes.len); /* libuv does not change it. */
    chat->writing = bytes.len;
    return uv_ok(chat, uv_write(&chat->write, chat->stream, &buffer, 1, on_written));
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct chat *chat = handle->data;
    *buffer = uv_buf_init(chat->input, sizeof chat->input);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct chat *chat = stream->data;
    uint64_t now = uv_now(chat->loop);
    int32_t status = CHATNIO_OK; /* A count of 0 means nothing. */
    if (count > 0) {
        status = chatnio_connection_receive(chat->connection, now, (const uint8_t *)buffer->base, (size_t)count);
    } else if (count == UV_EOF) {
        status = chatnio_connection_eof(chat->connection, now);
    } else if (count < 0) {
        status = chatnio_connection_failed(chat->connection, now, (int32_t)-count);
    }
    if (!chat_ok(chat, status)) {
        close_chat(chat);
        return;
    }
    advance(chat);
}

static void on_deadline(uv_timer_t *timer)
{
    struct chat *chat = timer->data;
    if (!chat_ok(chat, chatnio_connection_handle_timeout(chat->connection, uv_now(chat->loop)))) {
        close_chat(chat);
        return;
    }
    advance(chat);
}
/* ANCHOR_END: callbacks */

/* ANCHOR: advance */
/* Reads while the connection wants to, and arms the timer by its deadline; false when that failed. */
static bool wait_for(struct chat *chat, const chatnio_wants *wants)
{
    if (chat->stream != NULL && wants->want_read != chat->reading) {
        chat->reading = wants->want_read;
        if (!uv_ok(chat, chat->reading ? uv_read_start(chat->stream, on_allocate, on_read)
                                       : uv_read_stop(chat->stream))) {
            return false;
        }
    }
    if (wants->deadline == UINT64_MAX) {
        return uv_ok(chat, uv_timer_stop(&chat->timer));
    }
    uint64_t now = uv_now(chat->loop);
    uint64_t left = wants->deadline > now ? wants->deadline - now : 0;
    return uv_ok(chat, uv_timer_start(&chat->timer, on_deadline, left, 0));
}

/* Does what there is to do after any call that has moved the connection on. */
static void advance(struct chat *chat)
{
    chatnio_wants wants = CHATNIO_WANTS_INIT;
    if (!print_events(chat) || !transmit(chat) ||
        !chat_ok(chat, chatnio_connection_wants(chat->connection, &wants)) || wants.finished ||
        !wait_for(chat, &wants)) {
        close_chat(chat);
    }
}
/* ANCHOR_END: advance */

/* Tells the connection that there is no socket for it: it ends, and says so. */
static void fail(struct chat *chat, int status)
{
    if (!chat_ok(chat, chatnio_connection_failed(chat->connection, uv_now(chat->loop), -status))) {
        close_chat(chat);
        return;
    }
    advance(chat);
}

/* ANCHOR: race */
/* The first of these addresses that is, or is not, of this family. */
static const struct addrinfo *find(const struct addrinfo *address, int family, bool is_wanted)
{
    while (address != NULL && (address->ai_family == family) != is_wanted) {
        address = address->ai_next;
    }
    return address;
}

/* The address to try next: IPv6 and IPv4 take turns. NULL when there is none. */
static const struct addrinfo *take_address(struct chat *chat)
{
    size_t turn = chat->started % 2;
    if (chat->next[turn] == NULL) {
        turn = 1 - turn;
    }
    const struct addrinfo *address = chat->next[turn];
    if (address != NULL) {
        chat->next[turn] = find(address->ai_next, chat->addresses->ai_family, turn == 0);
    }
    return address;
}

static void on_next_attempt(uv_timer_t *timer);
static void on_connected(uv_connect_t *connect, int status);

/*
 * Starts an attempt to connect to the next address, and the next after that when it has failed or in 250 ms; it goes on
 * meanwhile. `status` is why the last one has failed, or 0: with all of them the connection has.
 */
static void connect_next(struct chat *chat, int status)
{
    const struct addrinfo *address;
    while (chat->started < MAX_ATTEMPTS && (address = take_address(chat)) != NULL) {
        struct attempt *attempt = &chat->attempts[chat->started];
        status = uv_tcp_init(chat->loop, &attempt->tcp);
        if (status < 0) {
            break;
        }
        attempt->tcp.data = chat;
        chat->started++;
        chat->users++;
        status = uv_tcp_connect(&attempt->connect, &attempt->tcp, address->ai_addr, on_connected);
        if (status >= 0) {
            chat->running++;
            (void)uv_timer_start(&chat->next_attempt, on_next_attempt, NEXT_ATTEMPT, 0);
            return;
        }
        uv_close((uv_handle_t *)&attempt->tcp, on_closed);
    }
    if (chat->running == 0) {
        fail(chat, status);
    }
}

static void on_next_attempt(uv_timer_t *timer)
{
    connect_next(timer->data, 0);
}

/* The first attempt that is connected is used, and the others are closed. */
static void on_connected(uv_connect_t *connect, int status)
{
    struct chat *chat = connect->handle->data;
    chat->running--;
    if (chat->closing || chat->stream != NULL) {
        return; /* It was closed. */
    }
    if (status < 0) {
        uv_close((uv_handle_t *)connect->handle, on_closed);
        connect_next(chat, status);
        return;
    }
    chat->stream = connect->handle;
    (void)uv_timer_stop(&chat->next_attempt);
    close_attempts(chat, chat->stream);
    advance(chat);
}
/* ANCHOR_END: race */

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct chat *chat = lookup->data;
    chat->addresses = addresses;
    if (!chat->closing && uv_ok(chat, status)) {
        chat->next[0] = addresses;
        chat->next[1] = find(addresses, addresses->ai_family, false);
        connect_next(chat, 0);
    } else {
        close_chat(chat);
    }
    leave(chat);
}

/* Begins to look the connection's host up, under the connection's own deadline; false when that failed. */
static bool start(struct chat *chat)
{
    chatnio_text name;
    uint16_t number;
    chatnio_wants wants = CHATNIO_WANTS_INIT;
    if (!chat_ok(chat, chatnio_connection_host(chat->connection, &name)) ||
        !chat_ok(chat, chatnio_connection_port(chat->connection, &number)) ||
        !chat_ok(chat, chatnio_connection_wants(chat->connection, &wants))) {
        return false;
    }
    const char *host = name.data; /* This one text has a NUL behind it. */
    char port[6];
    snprintf(port, sizeof port, "%u", (unsigned)number);

    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    chat->lookup.data = chat->timer.data = chat->next_attempt.data = chat;
    /* Which cannot fail. */
    (void)uv_timer_init(chat->loop, &chat->timer);
    (void)uv_timer_init(chat->loop, &chat->next_attempt);
    chat->users += 2;
    if (!uv_ok(chat, uv_getaddrinfo(chat->loop, &chat->lookup, on_looked_up, host, port, &hints))) {
        close_chat(chat);
        return true; /* Closing the timer frees the connection. */
    }
    chat->users++;
    if (!wait_for(chat, &wants)) {
        close_chat(chat);
    }
    return true;
}

/* Asks one question on a connection of its own; false when it could not begin. */
static bool ask(struct chat *chat, const struct options *options, const chatnio_config *config,
                const chatnio_auth *auth, const chatnio_request *request)
{
    chatnio_error *error = NULL;
    if (chatnio_connection_new(config, auth, options->url, strlen(options->url), uv_now(chat->loop), &chat->connection,
                               &error) != CHATNIO_OK) {
        print_error(error);
        return false;
    }
    /* The request waits inside until the WebSocket is open. */
    if (!chat_ok(chat, chatnio_connection_request(chat->connection, uv_now(chat->loop), request)) || !start(chat)) {
        chatnio_connection_free(chat->connection);
        return false;
    }
    return true;
}

/* Asks all questions in one loop; true when all were answered. */
static bool ask_all(const struct options *options, const chatnio_config *config, const chatnio_auth *auth,
                    chatnio_request *request)
{
    size_t count = 0;
    while (options->texts[count] != NULL) {
        count++;
    }
    uv_loop_t loop;
    int status = uv_loop_init(&loop);
    if (status < 0) {
        fprintf(stderr, "loop: %s\n", uv_strerror(status));
        return false;
    }
    struct chat *chats = calloc(count, sizeof *chats);
    bool all = chats != NULL;
    if (chats == NULL) {
        perror("memory");
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = options->texts[i];
        chats[i].number = (unsigned)i + 1;
        chats[i].loop = &loop;
        /* The request is copied where it is used, so one serves all. */
        if (!ok(chatnio_request_set_message(request, text, strlen(text)), "text") ||
            !ask(&chats[i], options, config, auth, request)) {
            break; /* What hinders one hinders all. */
        }
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < count; i++) {
        all = all && chats[i].answered;
    }
    free(chats);
    status = uv_loop_close(&loop);
    if (status < 0) {
        fprintf(stderr, "loop: %s\n", uv_strerror(status));
    }
    return all && status == 0;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... %s QUESTION...\n", argv[0]);
        return 2;
    }
    /* libuv writes to sockets that may be gone: that is to be an error, and not the end of the program. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        perror("signal");
        return 1;
    }

    chatnio_config *config = NULL;
    chatnio_auth *auth = NULL; /* Stays NULL without a token: without an account. */
    chatnio_request *request = NULL;
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
    if (!ok(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request), "request")) {
        goto out;
    }
    if (options.model != NULL &&
        !ok(chatnio_request_set_model(request, options.model, strlen(options.model)), "model")) {
        goto out;
    }

    answered = ask_all(&options, config, auth, request);

out:
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    return answered ? 0 : 1;
}
