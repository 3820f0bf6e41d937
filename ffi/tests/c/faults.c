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

/* How many are tried at once: most of them wait. */
#define AT_ONCE 16

static const char TOKEN[] = "sk-secret";

/* A line of the table, by the names of its columns: see docs/testing.md. Times are in ms. */
struct row {
    const char *fault, *over, *url, *by, *status, *text, *second, *second_text, *end;
    uint64_t limit, others, least, most;
};

/* What a caller gets of a question. */
struct seen {
    char status[64];
    char text[4096];
    size_t text_len;
};

/* What it gets of a row's questions, of which there are one or two. */
struct result {
    struct seen seen[2];
    int questions;
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

/* How many cells a line has. */
#define CELLS 12

/* Reads FOLDER/table, with a NUL in place of each tab that parts two cells. A text may hold one itself. */
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
        const char *cells[CELLS];
        for (int cell = 0; cell < CELLS; cell++) {
            cells[cell] = at;
            at = cell == CELLS - 1 ? end : memchr(at, '\t', (size_t)(end - at));
            CHECK(at != NULL);
            *at++ = '\0';
        }
        struct row *row = &rows[row_count++];
        row->fault = cells[0], row->over = cells[1], row->url = cells[2], row->by = cells[3];
        row->limit = strtoul(cells[4], NULL, 10), row->others = strtoul(cells[5], NULL, 10);
        row->least = strtoul(cells[6], NULL, 10), row->most = strtoul(cells[7], NULL, 10);
        row->status = cells[8], row->text = cells[9], row->second = cells[10], row->second_text = cells[11];
        row->end = end;
    }
    CHECK(row_count == announced);
}

/* How long the limit of a name is to be. */
static uint64_t limit_of(const struct row *row, const char *name) {
    return strcmp(row->by, name) == 0 ? row->limit : row->others;
}

/* All limits are as the row wants them: what ends by another than its own is late. */
static chatnio_config *config_of(const struct row *row) {
    chatnio_config *config = new_config();
#define WITHIN(name) OK(chatnio_config_set_##name(config, limit_of(row, #name)))
    WITHIN(connect);
    WITHIN(handshake);
    WITHIN(first_frame);
    WITHIN(next_frame);
    WITHIN(answer_within);
    WITHIN(after_stop);
    WITHIN(ping_after);
    WITHIN(pong_within);
    WITHIN(close);
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

/* One question by a client, to its end. */
static void ask_once(const struct row *row, chatnio_client *client, const chatnio_request *chat, struct seen *seen) {
    chatnio_event event = new_event();
    int32_t status = chatnio_client_request(client, chat);
    for (bool has_ended = false; status == CHATNIO_OK && !has_ended;) {
        status = chatnio_client_next(client, row->most, &event);
        if (status == CHATNIO_OK) {
            int32_t state = 0;
            OK(chatnio_client_state(client, &state));
            has_ended = take(seen, &event, state == CHATNIO_STATE_CLOSED);
        }
    }
    if (status == CHATNIO_AGAIN) {
        snprintf(seen->status, sizeof seen->status, "late");
    } else if (status != CHATNIO_OK) {
        char message[1000];
        size_t len = 0;
        int32_t code = 0;
        OK(chatnio_client_end_code(client, &code));
        OK(chatnio_client_error(client, message, sizeof message, &len));
        check_message(row, message, len);
        set_end(seen, status, code);
    }
}

/* By the blocking client. */
static void ask_client(const struct row *row, struct result *result) {
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
        set_end(&result->seen[0], status, code);
        chatnio_error_free(error);
    } else {
        chatnio_request *chat = new_chat("hi", NULL);
        for (int question = 0; question < result->questions; question++) {
            ask_once(row, client, chat, &result->seen[question]);
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
static void ask_connection(const struct row *row, struct result *result) {
    uint64_t start = now_ms();
    struct seen *seen = result->seen, *last = &result->seen[result->questions - 1];
    chatnio_config *config = config_of(row);
    chatnio_auth *auth = new_auth(TOKEN);
    chatnio_request *chat = new_chat("hi", NULL);
    chatnio_connection *connection = NULL;
    OK(chatnio_connection_new(config, auth, row->url, strlen(row->url), now_ms(), &connection, NULL));
    OK(chatnio_connection_request(connection, now_ms(), chat));
    int32_t status = CHATNIO_OK;
    int fd = connect_socket(connection, (int)limit_of(row, "connect"), &status);
    if (fd < 0) {
        set_end(seen, status, 0);
    }
    for (bool has_ended = fd < 0; !has_ended;) {
        chatnio_event event = new_event();
        while (!has_ended && (status = chatnio_connection_next_event(connection, &event)) == CHATNIO_OK) {
            if (event.kind == CHATNIO_EVENT_CLOSED) {
                check_message(row, event.text.data, event.text.len);
                set_end(seen, event.status, event.code);
                has_ended = true;
            } else if (take(seen, &event, connection_state(connection) == CHATNIO_STATE_CLOSED)) {
                has_ended = seen == last;
                if (!has_ended) {
                    seen++;
                    /* Where it is refused the connection is over, and says why. */
                    status = chatnio_connection_request(connection, now_ms(), chat);
                    CHECK(status == CHATNIO_OK || status == CHATNIO_CLOSED);
                }
            }
        }
        chatnio_wants wants = new_wants();
        OK(chatnio_connection_wants(connection, &wants));
        if (has_ended) {
            break;
        }
        if (wants.finished || now_ms() - start > row->most) {
            snprintf(seen->status, sizeof seen->status, wants.finished ? "over without a word" : "late");
            break;
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

/* Whether that is what the table says; its text is without white space at its end, and at most 40 characters. */
static bool is_as(struct seen *seen, const char *status, const char *text, const char *text_end) {
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
    seen->text_len = len;
    return strcmp(seen->status, status) == 0 && len == (size_t)(text_end - text) && memcmp(seen->text, text, len) == 0;
}

/* Tries a row in one way, and compares what comes of it. */
static void try_row(const struct row *row, const char *by, void (*ask)(const struct row *, struct result *)) {
    struct result *result = calloc(1, sizeof *result);
    CHECK(result != NULL);
    result->questions = strcmp(row->second, "-") == 0 ? 1 : 2;
    uint64_t start = now_ms();
    ask(row, result);
    uint64_t took = now_ms() - start;
    struct seen *first = &result->seen[0], *second = &result->seen[1];
    bool is_right = is_as(first, row->status, row->text, row->second - 1) &&
                    row->least <= took && took <= row->most &&
                    (result->questions == 1 || is_as(second, row->second, row->second_text, row->end));
    if (!is_right) {
        pthread_mutex_lock(&lock);
        wrong++;
        printf("%s, %s, %s: %s \"%.*s\", then %s \"%.*s\" instead of %s \"%s\", then %s \"%s\"; it took %d ms\n", row->fault,
               row->over, by, first->status, (int)first->text_len, first->text, second->status, (int)second->text_len,
               second->text, row->status, row->text, row->second, row->second_text, (int)took);
        pthread_mutex_unlock(&lock);
    }
    free(result);
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
        try_row(row, "client", ask_client);
        try_row(row, "connection", ask_connection);
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
