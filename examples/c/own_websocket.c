/*
 * Asks one question over a WebSocket that the program has already, of libwebsockets here: text messages go in and out
 * of the session, and the program says what time it is. The level for hosts whose platform brings a WebSocket; the small
 * library is enough for it.
 *
 *     cc own_websocket.c $(pkg-config --cflags --libs chatnio-session libwebsockets) -o own_websocket
 *     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... ./own_websocket "hi"
 *
 * Exit status: 0 answered; 1 it failed; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A session, and the WebSocket that it goes over. */
struct chat {
    chatnio_session *session;
    struct lws *socket; /* NULL before it is open, and when it is gone. */
    lws_sorted_usec_list_t timer;
    char *message; /* The fragments of a message so far. */
    size_t message_len;
    bool closed_by_server; /* In an orderly way. */
    bool over;             /* Nothing more is to be done with it. */
    bool gone, answered;
};

/* The longest message that is gathered: the session takes no longer one, unless it is configured to. */
enum { MAX_MESSAGE = 32 * 1024 * 1024 };

/* True when `status` is CHATNIO_OK; otherwise a call on the session failed, which says why. */
static bool session_ok(int32_t status, const chatnio_session *session)
{
    char message[1024];
    if (status != CHATNIO_OK && chatnio_session_error(session, message, sizeof message, NULL) == CHATNIO_OK) {
        print(stderr, (chatnio_text){message, strlen(message)});
        putc('\n', stderr);
    }
    return status == CHATNIO_OK;
}

/* libwebsockets' own clock, in milliseconds; the session takes any that is monotonic. */
static uint64_t now_ms(void)
{
    return (uint64_t)lws_now_usecs() / 1000;
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

/* Prints an event; a turn's end is the end of this chat. */
static void print_event(struct chat *chat, const chatnio_event *event)
{
    /* All other kinds of events need nothing done. */
    if (event->kind == CHATNIO_EVENT_DELTA || event->kind == CHATNIO_EVENT_END) {
        print(stdout, event->text);
        if (event->kind == CHATNIO_EVENT_END && event->answer->text.len > 0) {
            putchar('\n');
        }
        if (fflush(stdout) != 0) {
            perror("standard output");
            chat->over = true;
        }
    }
    if (event->kind == CHATNIO_EVENT_END) {
        chat->answered = print_end(event->answer) && !ferror(stdout);
        chat->over = true;
    }
}

static void on_deadline(lws_sorted_usec_list_t *timer);

/* After every call that moved the session on: has what it sends sent, and arms the timer anew. */
static void advance(struct chat *chat)
{
    uint64_t deadline;
    if (!session_ok(chatnio_session_deadline(chat->session, &deadline), chat->session)) {
        chat->over = true;
    }
    lws_callback_on_writable(chat->socket); /* Also where it is over: there it is closed. */
    if (chat->over || deadline == UINT64_MAX) {
        lws_sul_cancel(&chat->timer);
        return;
    }
    uint64_t now = now_ms();
    lws_usec_t left = deadline > now ? (lws_usec_t)(deadline - now) * 1000 : 1;
    lws_sul_schedule(lws_get_context(chat->socket), 0, &chat->timer, on_deadline, left);
}

static void on_deadline(lws_sorted_usec_list_t *timer)
{
    struct chat *chat = lws_container_of(timer, struct chat, timer);
    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status;
    while (!chat->over && (status = chatnio_session_handle_timeout(chat->session, now_ms(), &event)) != CHATNIO_AGAIN) {
        if (session_ok(status, chat->session)) {
            print_event(chat, &event);
        } else {
            chat->over = true;
        }
    }
    advance(chat);
}

/* Takes a fragment, and with the last one the message. */
static void on_message(struct chat *chat, const char *fragment, size_t len)
{
    char *message = len <= MAX_MESSAGE - chat->message_len ? realloc(chat->message, chat->message_len + len + 1) : NULL;
    if (message == NULL) {
        fprintf(stderr, "a message is too long\n");
        chat->over = true;
        return;
    }
    chat->message = message;
    memcpy(chat->message + chat->message_len, fragment, len);
    chat->message_len += len;
    if (!lws_is_final_fragment(chat->socket)) {
        return;
    }

    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status = lws_frame_is_binary(chat->socket)
                         ? chatnio_session_receive_binary(chat->session, now_ms(), &event)
                         : chatnio_session_receive(chat->session, now_ms(), chat->message, chat->message_len, &event);
    chat->message_len = 0;
    if (session_ok(status, chat->session)) {
        print_event(chat, &event);
    } else {
        chat->over = true;
    }
    advance(chat);
}

/* Sends one message, as libwebsockets wants it: one each time that the socket is writable. */
static bool transmit(struct chat *chat)
{
    chatnio_text message;
    int32_t status = chatnio_session_next_transmit(chat->session, &message);
    if (status != CHATNIO_OK) {
        return status == CHATNIO_AGAIN || session_ok(status, chat->session);
    }
    /* libwebsockets writes its header into the room in front, and masks the message in place. */
    unsigned char *buffer = malloc(LWS_PRE + message.len);
    if (buffer == NULL) {
        perror("memory");
        return false;
    }
    memcpy(buffer + LWS_PRE, message.data, message.len);
    int sent = lws_write(chat->socket, buffer + LWS_PRE, message.len, LWS_WRITE_TEXT);
    free(buffer);
    lws_callback_on_writable(chat->socket); /* There may be more. */
    return sent >= 0;                       /* What the system did not take at once libwebsockets keeps, and sends. */
}

/* The WebSocket is gone: a turn that runs ends interrupted. */
static void on_closed(struct chat *chat)
{
    lws_sul_cancel(&chat->timer);
    int32_t reason = chat->closed_by_server ? CHATNIO_CLOSE_SERVER : CHATNIO_CLOSE_LOST;
    chatnio_event event = CHATNIO_EVENT_INIT;
    if (session_ok(chatnio_session_closed(chat->session, reason, &event), chat->session)) {
        print_event(chat, &event);
    }
    chat->gone = true;
}

static int on_socket(struct lws *socket, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct chat *chat = user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fputs("cannot connect: ", stderr);
        print(stderr, (chatnio_text){in, in != NULL ? len : 0});
        putc('\n', stderr);
        on_closed(chat);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        chat->socket = socket;
        advance(chat);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        on_message(chat, in, len);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (!chat->over && !transmit(chat)) {
            chat->over = true;
        }
        break;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        chat->closed_by_server = true;
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        on_closed(chat);
        return 0;
    default:
        return 0;
    }
    if (chat->over) {
        lws_close_reason(socket, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1; /* Has it closed. */
    }
    return 0;
}

/* Where the chat is on a server whose URL has this path: most often it says only so much. */
static const char *chat_path(const char *path)
{
    while (*path == '/') {
        path++;
    }
    if (*path == '\0') {
        return "chat";
    }
    return strcmp(path, "api") == 0 || strcmp(path, "api/") == 0 ? "api/chat" : path;
}

/* Opens the WebSocket, and serves it until it is gone. */
static bool run(struct chat *chat, const struct options *options)
{
    char *url = malloc(strlen(options->url) + 1);
    if (url == NULL) {
        perror("memory");
        return false;
    }
    strcpy(url, options->url);
    const char *scheme, *host, *rest;
    int port;
    if (lws_parse_uri(url, &scheme, &host, &port, &rest) != 0 ||
        (strcmp(scheme, "ws") != 0 && strcmp(scheme, "wss") != 0)) {
        fprintf(stderr, "not a WebSocket's URL: %s\n", options->url);
        free(url);
        return false;
    }
    char path[1024];
    if (snprintf(path, sizeof path, "/%s", chat_path(rest)) >= (int)sizeof path) {
        fprintf(stderr, "the path is too long\n");
        free(url);
        return false;
    }

    lws_set_log_level(LLL_ERR, NULL);
    const struct lws_protocols protocols[] = {{.name = "chat", .callback = on_socket}, {.name = NULL}};
    struct lws_context_creation_info settings = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .client_ssl_ca_filepath = options->ca_file,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };
    struct lws_context *context = lws_create_context(&settings);
    if (context == NULL) {
        fprintf(stderr, "libwebsockets cannot start\n");
        free(url);
        return false;
    }
    struct lws_client_connect_info info = {
        .context = context,
        .address = host,
        .host = host,
        .origin = host,
        .path = path,
        .port = port,
        .ssl_connection = strcmp(scheme, "wss") == 0 ? LCCSCF_USE_SSL : 0,
        .userdata = chat,
    };
    if (lws_client_connect_via_info(&info) == NULL && !chat->gone) {
        fprintf(stderr, "libwebsockets cannot connect\n");
        chat->gone = true;
    }
    while (!chat->gone && lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    free(url);
    return chat->answered;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... %s QUESTION\n", argv[0]);
        return 2;
    }

    chatnio_auth *auth = NULL; /* Stays NULL without a token: without an account. */
    chatnio_request *request = NULL;
    chatnio_error *error = NULL;
    struct chat chat = {.session = NULL};
    bool answered = false;

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

    if (chatnio_session_new(NULL, auth, now_ms(), &chat.session, &error) != CHATNIO_OK) {
        print_error(error);
        goto out;
    }
    /* The request waits inside until it is taken out to be sent. */
    if (session_ok(chatnio_session_request(chat.session, now_ms(), request), chat.session)) {
        answered = run(&chat, &options);
    }

out:
    free(chat.message);
    chatnio_session_free(chat.session);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    return answered ? 0 : 1;
}
