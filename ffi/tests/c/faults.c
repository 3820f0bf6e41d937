/* Servers that each do one thing wrong: what the blocking client and a connection make of each is what the table says.
 *
 *     faults FOLDER     with the files of `loopback/with-faults`
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* No row needs as long, in ms: whatever hangs fails. */
#define LONG 30000
/* The deadline that a row names, so that it passes soon. */
#define SHORT 300
/* A handshake's, within which a part of it is to come, on a busy machine, too. */
#define SHORT_HANDSHAKE 3000
/* How many are tried at once: most of them wait. */
#define AT_ONCE 16

static const char TOKEN[] = "sk-secret";

struct row {
    const char *fault, *over, *url, *status, *by, *text;
    size_t text_len;
};

/* What a caller gets. */
struct seen {
    char status[64];
    char text[4096];
    size_t text_len;
};

static char *table, roots[256];
static struct row rows[1000];
static size_t row_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t next_row, wrong;

static uint64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Reads FOLDER/table: six cells a line, with a NUL in place of each tab that parts two of them. */
static void read_table(const char *folder) {
    char path[300];
    snprintf(path, sizeof path, "%s/table", folder);
    snprintf(roots, sizeof roots, "%s/ca.pem", folder);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    CHECK(size > 0 && fseek(file, 0, SEEK_SET) == 0);
    table = malloc((size_t)size + 1);
    CHECK(table != NULL && fread(table, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    char *at = memchr(table, '\n', (size_t)size);
    CHECK(at != NULL);
    /* The first line's last cell. */
    const char *count = at;
    while (count[-1] != '\t') {
        count--;
    }
    size_t announced = strtoul(count, NULL, 10);
    for (at++; *at != '\n';) {
        char *end = memchr(at, '\n', (size_t)(table + size - at));
        CHECK(end != NULL && row_count < sizeof rows / sizeof rows[0]);
        const char *cells[6];
        for (int cell = 0; cell < 6; cell++) {
            cells[cell] = at;
            at = cell == 5 ? end : memchr(at, '\t', (size_t)(end - at));
            CHECK(at != NULL);
            *at++ = '\0';
        }
        struct row *row = &rows[row_count++];
        row->fault = cells[0], row->over = cells[1], row->url = cells[2];
        row->status = cells[3], row->by = cells[4], row->text = cells[5];
        row->text_len = (size_t)(end - cells[5]);
    }
    CHECK(row_count == announced);
}

/* All deadlines are long, except the one that the row names: a client that waits for another gets another status. */
static chatnio_config *config_of(const struct row *row) {
    chatnio_config *config = new_config();
#define WITHIN(name, ms) OK(chatnio_config_set_##name(config, strcmp(row->by, #name) == 0 ? (ms) : LONG))
    WITHIN(connect, SHORT);
    WITHIN(handshake, SHORT_HANDSHAKE);
    WITHIN(first_frame, SHORT);
    WITHIN(next_frame, SHORT);
    WITHIN(ping_after, SHORT);
    WITHIN(pong_within, SHORT);
    WITHIN(close, SHORT);
    OK(chatnio_config_set_connect_retries(config, 0));
    OK(chatnio_config_set_max_message(config, 64 << 10));
    OK(chatnio_config_set_max_answer(config, 1 << 20));
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    OK(chatnio_config_add_root_file(config, roots, strlen(roots)));
    return config;
}

/* The library's text for people: there is one, and the token is not in it. */
static void check_message(const struct row *row, const char *message, size_t len) {
    if (len == 0 || contains(message, len, TOKEN)) {
        FAIL("%s: the message is wrong: %.*s", row->fault, (int)len, message);
    }
}

/* Why there is no connection: the status without its prefix, and for two of them the code. */
static void set_end(struct seen *seen, int32_t status, int32_t code) {
    const char *name = chatnio_status_name(status) + strlen("CHATNIO_");
    if (status == CHATNIO_CLOSED_BY_SERVER && code == 0) {
        snprintf(seen->status, sizeof seen->status, "%s -", name);
    } else if (status == CHATNIO_CLOSED_BY_SERVER || status == CHATNIO_HTTP) {
        snprintf(seen->status, sizeof seen->status, "%s %d", name, (int)code);
    } else {
        snprintf(seen->status, sizeof seen->status, "%s", name);
    }
}

/* Adds a piece, of which no more is kept than is compared. */
static void add_text(struct seen *seen, chatnio_text text) {
    size_t room = sizeof seen->text - seen->text_len;
    size_t len = text.len < room ? text.len : room;
    if (len > 0) {
        memcpy(seen->text + seen->text_len, text.data, len);
        seen->text_len += len;
    }
}

/* Takes an event of an answer; true once it is the end of one that has ended, or was interrupted and drains. */
static bool take(struct seen *seen, const chatnio_event *event, bool is_over) {
    if (event->kind == CHATNIO_EVENT_DELTA || event->kind == CHATNIO_EVENT_END) {
        add_text(seen, event->text);
    }
    if (event->kind != CHATNIO_EVENT_END) {
        return false;
    }
    const char *name = chatnio_outcome_name(event->outcome);
    if (event->outcome == CHATNIO_OUTCOME_INTERRUPTED) {
        name = chatnio_interruption_name(event->interruption);
    }
    snprintf(seen->status, sizeof seen->status, "%s", name);
    return event->outcome != CHATNIO_OUTCOME_INTERRUPTED || !is_over;
}

/* By the blocking client. */
static void ask_client(const struct row *row, struct seen *seen) {
    chatnio_config *config = config_of(row);
    chatnio_auth *auth = new_auth(TOKEN);
    chatnio_client *client = NULL;
    chatnio_error *error = NULL;
    int32_t status = chatnio_client_new(config, auth, row->url, strlen(row->url), &client, &error);
    if (status != CHATNIO_OK) {
        int32_t code = 0;
        chatnio_text message;
        OK(chatnio_error_code(error, &code));
        OK(chatnio_error_message(error, &message));
        check_message(row, message.data, message.len);
        set_end(seen, status, code);
        chatnio_error_free(error);
    } else {
        chatnio_request *chat = new_chat("hi", NULL);
        chatnio_event event = new_event();
        status = chatnio_client_request(client, chat);
        for (bool has_ended = false; status == CHATNIO_OK && !has_ended;) {
            status = chatnio_client_next(client, LONG, &event);
            if (status == CHATNIO_OK) {
                int32_t state = 0;
                OK(chatnio_client_state(client, &state));
                has_ended = take(seen, &event, state == CHATNIO_STATE_CLOSED);
            }
        }
        if (status != CHATNIO_OK) {
            char message[1000];
            size_t len = 0;
            int32_t code = 0;
            OK(chatnio_client_end_code(client, &code));
            OK(chatnio_client_error(client, message, sizeof message, &len));
            check_message(row, message, len);
            set_end(seen, status, code);
        }
        chatnio_request_free(chat);
        chatnio_client_free(client);
    }
    chatnio_auth_free(auth);
    chatnio_config_free(config);
}

/* Connects a socket, as hosts do; -1 when there is nobody, or nobody answers within `ms`, with why as a status. */
static int connect_socket(const chatnio_connection *connection, int ms, int32_t *status) {
    chatnio_text host;
    uint16_t number = 0;
    char port[6];
    OK(chatnio_connection_host(connection, &host));
    OK(chatnio_connection_port(connection, &number));
    snprintf(port, sizeof port, "%u", (unsigned)number);
    struct addrinfo hints, *addresses = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_family = AF_INET;
    *status = CHATNIO_RESOLVE;
    if (getaddrinfo(host.data, port, &hints, &addresses) != 0) {
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    int failed = connect(fd, addresses->ai_addr, addresses->ai_addrlen) == 0 ? 0 : errno;
    freeaddrinfo(addresses);
    *status = CHATNIO_CONNECT;
    if (failed == EINPROGRESS) {
        struct pollfd poller = {fd, POLLOUT, 0};
        socklen_t len = sizeof failed;
        if (poll(&poller, 1, ms) == 0) {
            *status = CHATNIO_CONNECT_TIMEOUT;
        } else {
            CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0);
        }
    }
    if (failed != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Gives the connection what the socket has, and the socket what the connection has. */
static void move_bytes(chatnio_connection *connection, int fd, short events) {
    chatnio_bytes bytes;
    if ((events & ~POLLOUT) != 0) {
        uint8_t buffer[16 * 1024];
        ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        if (count > 0) {
            OK(chatnio_connection_receive(connection, now_ms(), buffer, (size_t)count));
        } else if (count == 0) {
            OK(chatnio_connection_eof(connection, now_ms()));
        } else if (errno != EAGAIN) {
            OK(chatnio_connection_failed(connection, now_ms(), errno));
        }
    }
    if ((events & POLLOUT) != 0 && chatnio_connection_transmit(connection, &bytes) == CHATNIO_OK) {
        ssize_t count = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (count >= 0) {
            OK(chatnio_connection_transmitted(connection, (size_t)count));
        } else if (errno != EAGAIN) {
            OK(chatnio_connection_failed(connection, now_ms(), errno));
        }
    }
}

/* By a connection over a socket of the program's. */
static void ask_connection(const struct row *row, struct seen *seen) {
    chatnio_config *config = config_of(row);
    chatnio_auth *auth = new_auth(TOKEN);
    chatnio_request *chat = new_chat("hi", NULL);
    chatnio_connection *connection = NULL;
    OK(chatnio_connection_new(config, auth, row->url, strlen(row->url), now_ms(), &connection, NULL));
    OK(chatnio_connection_request(connection, now_ms(), chat));
    int32_t status = CHATNIO_OK;
    int fd = connect_socket(connection, strcmp(row->by, "connect") == 0 ? SHORT : LONG, &status);
    if (fd < 0) {
        set_end(seen, status, 0);
    }
    uint64_t start = now_ms();
    for (bool has_ended = fd < 0; !has_ended;) {
        chatnio_event event = new_event();
        while (!has_ended && (status = chatnio_connection_next_event(connection, &event)) == CHATNIO_OK) {
            if (event.kind == CHATNIO_EVENT_CLOSED) {
                check_message(row, event.text.data, event.text.len);
                set_end(seen, event.status, event.code);
                has_ended = true;
            } else {
                has_ended = take(seen, &event, connection_state(connection) == CHATNIO_STATE_CLOSED);
            }
        }
        chatnio_wants wants = new_wants();
        OK(chatnio_connection_wants(connection, &wants));
        if (has_ended) {
            break;
        }
        if (wants.finished || now_ms() - start > LONG) {
            FAIL("%s, %s: the connection is %s", row->fault, row->over, wants.finished ? "over without a word" : "late");
        }
        struct pollfd poller = {fd, 0, 0};
        poller.events = (short)((wants.want_read ? POLLIN : 0) | (wants.want_write ? POLLOUT : 0));
        CHECK(poll(&poller, 1, chatnio_timeout_ms(wants.deadline, now_ms())) >= 0);
        move_bytes(connection, fd, poller.revents);
        OK(chatnio_connection_handle_timeout(connection, now_ms()));
    }
    if (fd >= 0) {
        close(fd);
    }
    chatnio_connection_free(connection);
    chatnio_request_free(chat);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
}

/* Compares with the row: its text is at most 40 characters, without white space at its end. */
static void compare(const struct row *row, const char *by, struct seen *seen) {
    size_t len = 0, characters = 0;
    while (seen->text_len > 0 && seen->text[seen->text_len - 1] == ' ') {
        seen->text_len--;
    }
    while (len < seen->text_len) {
        bool begins = ((unsigned char)seen->text[len] & 0xc0) != 0x80;
        if (begins && characters++ == 40) {
            break;
        }
        len++;
    }
    if (strcmp(seen->status, row->status) != 0 || len != row->text_len || memcmp(seen->text, row->text, len) != 0) {
        pthread_mutex_lock(&lock);
        wrong++;
        printf("%s, %s, %s: %s \"%.*s\" instead of %s \"%s\"\n", row->fault, row->over, by, seen->status, (int)len,
               seen->text, row->status, row->text);
        pthread_mutex_unlock(&lock);
    }
}

static void *try_rows(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        const struct row *row = next_row < row_count ? &rows[next_row++] : NULL;
        pthread_mutex_unlock(&lock);
        if (row == NULL) {
            return NULL;
        }
        struct seen *seen = calloc(1, sizeof *seen);
        CHECK(seen != NULL);
        ask_client(row, seen);
        compare(row, "client", seen);
        memset(seen, 0, sizeof *seen);
        ask_connection(row, seen);
        compare(row, "connection", seen);
        free(seen);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    read_table(argv[1]);
    pthread_t threads[AT_ONCE];
    for (int at = 0; at < AT_ONCE; at++) {
        CHECK(pthread_create(&threads[at], NULL, try_rows, NULL) == 0);
    }
    for (int at = 0; at < AT_ONCE; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    free(table);
    CHECK(wrong == 0);
    return done();
}
