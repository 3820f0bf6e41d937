/*
 * Asks one question in GLib's main loop, as a program with a graphical interface does: nothing here ever waits, so that
 * the interface goes on.
 *
 *     cc glib_ask.c $(pkg-config --cflags --libs chatnio gio-2.0) -o glib_ask
 *     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... ./glib_ask "hi"
 *
 * Exit status: 0 answered; 1 it failed; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One question: its connection, and what GLib does for it. */
struct chat {
    chatnio_connection *connection;
    GMainLoop *loop;
    GSocketConnection *stream;
    GSocket *socket;
    guint source, timer; /* 0 when there is none. */
    GIOCondition condition;
    bool answered;
};

/* The time on a monotonic clock, in milliseconds: the only clock that the library needs. */
static uint64_t now_ms(void)
{
    return (uint64_t)g_get_monotonic_time() / 1000;
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

/* True when `status` is CHATNIO_OK; otherwise the call on the connection failed: it says why, and the loop ends. */
static bool ok(struct chat *chat, int32_t status)
{
    char message[1024];
    if (status == CHATNIO_OK) {
        return true;
    }
    if (chatnio_connection_error(chat->connection, message, sizeof message, NULL) == CHATNIO_OK) {
        print(stderr, (chatnio_text){message, strlen(message)});
        putc('\n', stderr);
    }
    g_main_loop_quit(chat->loop);
    return false;
}

/* Takes and prints all events there are; false when that failed. */
static bool print_events(struct chat *chat)
{
    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status;
    while ((status = chatnio_connection_next_event(chat->connection, &event)) == CHATNIO_OK) {
        if (event.kind == CHATNIO_EVENT_DELTA || event.kind == CHATNIO_EVENT_END) {
            print(stdout, event.text);
            fflush(stdout);
        }
        if (event.kind == CHATNIO_EVENT_END) {
            const chatnio_answer *answer = event.answer;
            chat->answered = answer->outcome == CHATNIO_OUTCOME_COMPLETE;
            /* A notice is what the server says instead of the model: out of quota, unknown model, ... */
            chatnio_text why = answer->notice.data != NULL ? answer->notice : answer->reason;
            fputs(answer->text.len > 0 ? "\n" : "", stdout);
            fflush(stdout);
            fputs(chatnio_outcome_name(answer->outcome), stderr);
            fputs(why.data != NULL ? ": " : "", stderr);
            print(stderr, why);
            fprintf(stderr, ", quota %.*s\n", (int)answer->quota_text.len, answer->quota_text.data);
            if (!ok(chat, chatnio_connection_close(chat->connection, now_ms()))) {
                return false;
            }
        }
        if (event.kind == CHATNIO_EVENT_CLOSED && event.status != CHATNIO_CLOSED) {
            print(stderr, event.text); /* It was not this side that closed it. */
            putc('\n', stderr);
        }
    }
    return status == CHATNIO_AGAIN || ok(chat, status);
}

/* ANCHOR: advance */
static gboolean on_ready(gint fd, GIOCondition ready, gpointer data);
static gboolean on_deadline(gpointer data);

/* Gives the socket what the connection has, as much as it takes; false when a call on the connection failed. */
static bool transmit(struct chat *chat)
{
    chatnio_bytes bytes;
    int32_t status;
    while ((status = chatnio_connection_transmit(chat->connection, &bytes)) == CHATNIO_OK) {
        ssize_t count = send(g_socket_get_fd(chat->socket), bytes.data, bytes.len, MSG_NOSIGNAL);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            return true; /* The rest goes out when the socket is ready for it. */
        }
        if (!ok(chat, count < 0 ? chatnio_connection_failed(chat->connection, now_ms(), errno)
                                : chatnio_connection_transmitted(chat->connection, (size_t)count))) {
            return false;
        }
    }
    return status == CHATNIO_AGAIN || ok(chat, status);
}

/* Does what there is to do after any call that has moved the connection on: events, sending, the socket, the timer. */
static void advance(struct chat *chat)
{
    chatnio_wants wants = CHATNIO_WANTS_INIT;
    if (!print_events(chat) || (chat->socket != NULL && !transmit(chat)) || !print_events(chat) ||
        !ok(chat, chatnio_connection_wants(chat->connection, &wants))) {
        return;
    }
    if (wants.finished) {
        g_main_loop_quit(chat->loop);
        return;
    }
    GIOCondition condition = (wants.want_read ? G_IO_IN : 0) | (wants.want_write ? G_IO_OUT : 0);
    if (chat->socket != NULL && (chat->source == 0 || condition != chat->condition)) {
        g_clear_handle_id(&chat->source, g_source_remove);
        chat->source = g_unix_fd_add(g_socket_get_fd(chat->socket), condition, on_ready, chat);
        chat->condition = condition;
    }
    g_clear_handle_id(&chat->timer, g_source_remove);
    if (wants.deadline != UINT64_MAX) {
        chat->timer = g_timeout_add((guint)chatnio_timeout_ms(wants.deadline, now_ms()), on_deadline, chat);
    }
}

static gboolean on_ready(gint fd, GIOCondition ready, gpointer data)
{
    struct chat *chat = data;
    if ((ready & ~G_IO_OUT) != 0) {
        uint8_t buffer[16 * 1024];
        ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        int32_t status = CHATNIO_OK;
        if (count > 0) {
            status = chatnio_connection_receive(chat->connection, now_ms(), buffer, (size_t)count);
        } else if (count == 0) {
            status = chatnio_connection_eof(chat->connection, now_ms());
        } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            status = chatnio_connection_failed(chat->connection, now_ms(), errno);
        }
        if (!ok(chat, status)) {
            return G_SOURCE_CONTINUE;
        }
    }
    advance(chat); /* It may have put another source in the place of this one. */
    return G_SOURCE_CONTINUE;
}

static gboolean on_deadline(gpointer data)
{
    struct chat *chat = data;
    chat->timer = 0;
    if (ok(chat, chatnio_connection_handle_timeout(chat->connection, now_ms()))) {
        advance(chat);
    }
    return G_SOURCE_REMOVE;
}
/* ANCHOR_END: advance */

static void on_connected(GObject *client, GAsyncResult *result, gpointer data)
{
    struct chat *chat = data;
    GError *error = NULL;
    chat->stream = g_socket_client_connect_to_host_finish(G_SOCKET_CLIENT(client), result, &error);
    if (chat->stream == NULL) {
        fprintf(stderr, "%s\n", error->message);
        g_error_free(error);
        g_main_loop_quit(chat->loop);
        return;
    }
    chat->socket = g_socket_connection_get_socket(chat->stream);
    g_socket_set_blocking(chat->socket, FALSE);
    advance(chat);
}

/* Connects, and lets the loop run until the connection is over. */
static void run(struct chat *chat)
{
    chatnio_text host; /* This one text has a NUL behind it. */
    uint16_t port;
    if (!ok(chat, chatnio_connection_host(chat->connection, &host)) ||
        !ok(chat, chatnio_connection_port(chat->connection, &port))) {
        return;
    }
    GCancellable *cancellable = g_cancellable_new();
    GSocketClient *client = g_socket_client_new();
    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_connect_to_host_async(client, host.data, port, cancellable, on_connected, chat);
    advance(chat); /* The deadline of the handshake runs already. */
    g_main_loop_run(chat->loop);
    g_cancellable_cancel(cancellable);
    g_clear_handle_id(&chat->source, g_source_remove);
    g_clear_handle_id(&chat->timer, g_source_remove);
    g_clear_object(&chat->stream);
    g_object_unref(client);
    g_object_unref(cancellable);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... %s QUESTION\n", argv[0]);
        return 2;
    }
    const char *url = getenv("CHATNIO_URL"), *token = getenv("CHATNIO_TOKEN"), *model = getenv("CHATNIO_MODEL");
    const char *ca_file = getenv("CHATNIO_CA_FILE");
    url = url != NULL ? url : "ws://127.0.0.1:8094";

    struct chat chat = {.loop = g_main_loop_new(NULL, FALSE)};
    chatnio_config *config = NULL;
    chatnio_auth *auth = NULL; /* Stays NULL without a token: without an account. */
    chatnio_request *request = NULL;
    chatnio_error *error = NULL;
    int32_t status = chatnio_config_new(&config);
    if (!status && ca_file != NULL) status = chatnio_config_add_root_file(config, ca_file, strlen(ca_file));
    if (!status && token != NULL) status = chatnio_auth_new(token, strlen(token), &auth);
    if (!status) status = chatnio_request_new(CHATNIO_REQUEST_CHAT, &request);
    if (!status) status = chatnio_request_set_message(request, argv[1], strlen(argv[1]));
    if (!status && model != NULL) status = chatnio_request_set_model(request, model, strlen(model));
    if (!status) status = chatnio_connection_new(config, auth, url, strlen(url), now_ms(), &chat.connection, &error);
    /* The request waits inside until the WebSocket is open. */
    if (!status) status = chatnio_connection_request(chat.connection, now_ms(), request);
    char message[1024];
    chatnio_text why;
    if (!status) {
        run(&chat);
    } else if (error != NULL && chatnio_error_message(error, &why) == CHATNIO_OK) {
        print(stderr, why);
        putc('\n', stderr);
    } else if (chatnio_config_error(config, message, sizeof message, NULL) == CHATNIO_OK) {
        fprintf(stderr, "%s\n", message);
    } else {
        fprintf(stderr, "%s\n", chatnio_status_message(status));
    }

    chatnio_error_free(error);
    chatnio_connection_free(chat.connection);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    g_main_loop_unref(chat.loop);
    return chat.answered ? 0 : 1;
}
