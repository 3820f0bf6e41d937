/* Every transcript gives the event log beside it, byte for byte: by a session, and by a connection however the server's
 * bytes are split, plain and in TLS, one event at a time and in batches.
 *
 *     transcripts PLAIN TLS NAME.txt...
 *
 * PLAIN and TLS say how the streams are split: at "every" position for streams up to 16 KB, in "64" seeded ways, or that
 * there are "none"; always also whole and byte by byte. */
#include "event_log.h"
#include "link.h"

#define EVERY_UP_TO (16 * 1024)
#define SEEDED 64
#define NO_TLS false
#define TLS true

struct recorded {
    const char *path;
    chatnio_transcript *transcript;
    struct bytes log;
};

static struct recorded load(const char *path) {
    struct recorded recorded = {path, NULL, {NULL, 0, 0}};
    struct bytes text = read_file(path);
    OK(chatnio_transcript_parse(text.data, text.len, &recorded.transcript, NULL));
    bytes_free(&text);
    char log_path[4096];
    size_t stem = strlen(path) - strlen("txt");
    CHECK(stem + sizeof "log" <= sizeof log_path);
    memcpy(log_path, path, stem);
    strcpy(log_path + stem, "log");
    recorded.log = read_file(log_path);
    return recorded;
}

static void compare(const struct recorded *recorded, const struct bytes *log, const char *how) {
    if (!bytes_equal(&recorded->log, log)) {
        printf("%s, %s:\nexpected\n%.*s\nbut got\n%.*s\n", recorded->path, how, (int)recorded->log.len,
               recorded->log.data, (int)log->len, log->data);
        exit(1);
    }
}

/* A request that was refused: a warning, with the text of the handle's error. */
static void log_skipped(struct bytes *log, size_t line, const char *error) {
    char message[600];
    int len = snprintf(message, sizeof message, "skipped: %s", error);
    chatnio_text text = {message, (size_t)len};
    log_warning(log, line, text);
}

static void by_session(const struct recorded *recorded) {
    struct bytes log = {NULL, 0, 0};
    chatnio_replay *replay = NULL;
    chatnio_auth *auth = NULL;
    OK(chatnio_replay_new(recorded->transcript, &replay));
    OK(chatnio_replay_auth(replay, &auth));
    chatnio_session *session = new_session(NULL, auth, START);
    chatnio_auth_free(auth);
    chatnio_step step = new_step();
    int32_t status;
    while ((status = chatnio_replay_next_step(replay, session_state(session), &step)) == CHATNIO_OK) {
        chatnio_event event = new_event();
        chatnio_text message;
        switch (step.kind) {
        case CHATNIO_STEP_WARNING:
            log_warning(&log, step.line, step.text);
            break;
        case CHATNIO_STEP_REQUEST:
            if (chatnio_session_request(session, START, step.request) != CHATNIO_OK) {
                char error[512];
                OK(chatnio_session_error(session, error, sizeof error, NULL));
                log_skipped(&log, step.line, error);
            }
            while (chatnio_session_next_transmit(session, &message) == CHATNIO_OK) {
            }
            break;
        case CHATNIO_STEP_RECEIVE: {
            char *copy = heap_copy(step.text.data, step.text.len);
            OK(chatnio_session_receive(session, START, copy, step.text.len, &event));
            memset(copy, '!', step.text.len);
            free(copy);
            /* The frames behind the first are due at once. */
            do {
                log_event(&log, &event, step.line);
                event = new_event();
            } while (chatnio_session_handle_timeout(session, START, &event) == CHATNIO_OK);
            break;
        }
        case CHATNIO_STEP_CLOSED:
            OK(chatnio_session_closed(session, CHATNIO_CLOSE_SERVER, &event));
            break;
        default:
            FAIL("a step of the unknown kind %d", step.kind);
        }
        log_event(&log, &event, step.line);
    }
    IS(CHATNIO_ABSENT, status);
    chatnio_event event = new_event();
    OK(chatnio_session_closed(session, CHATNIO_CLOSE_HOST, &event));
    log_event(&log, &event, 0);
    chatnio_session_free(session);
    chatnio_replay_free(replay);
    compare(recorded, &log, "by a session");
    bytes_free(&log);
}

struct writing {
    struct bytes log;
    size_t line;
};

static void write_event(void *context, const chatnio_event *event) {
    struct writing *writing = context;
    log_event(&writing->log, event, writing->line);
}

/* How one play splits the server's stream. */
struct split {
    bool byte_by_byte;
    size_t cuts[8];
    size_t cut_count;
};

/* Plays a transcript through a connection; gives the length of the server's stream. */
static size_t by_connection(const struct recorded *recorded, bool tls, const struct split *split, size_t batch,
                            const char *how) {
    struct writing writing = {{NULL, 0, 0}, 0};
    chatnio_replay *replay = NULL;
    chatnio_auth *auth = NULL;
    OK(chatnio_replay_new(recorded->transcript, &replay));
    OK(chatnio_replay_auth(replay, &auth));
    struct link link;
    link_new(&link, tls, NULL, auth);
    chatnio_auth_free(auth);
    link.byte_by_byte = split->byte_by_byte;
    memcpy(link.cuts, split->cuts, sizeof link.cuts);
    link.cut_count = split->cut_count;
    link.batch = batch;
    link.on_event = write_event;
    link.context = &writing;
    link_exchange(&link);
    chatnio_step step = new_step();
    int32_t status;
    while ((status = chatnio_replay_next_step(replay, connection_state(link.connection), &step)) == CHATNIO_OK) {
        writing.line = 0;
        switch (step.kind) {
        case CHATNIO_STEP_WARNING:
            log_warning(&writing.log, step.line, step.text);
            break;
        case CHATNIO_STEP_REQUEST:
            if (chatnio_connection_request(link.connection, link.now, step.request) != CHATNIO_OK) {
                char error[512];
                OK(chatnio_connection_error(link.connection, error, sizeof error, NULL));
                log_skipped(&writing.log, step.line, error);
            }
            break;
        case CHATNIO_STEP_RECEIVE: {
            writing.line = step.line;
            struct bytes message = {NULL, 0, 0};
            bytes_add(&message, step.text.data, step.text.len);
            bytes_text(&message, "\n");
            OK(chatnio_peer_send(link.peer, message.data, message.len));
            bytes_free(&message);
            break;
        }
        case CHATNIO_STEP_CLOSED:
            OK(chatnio_connection_eof(link.connection, link.now));
            break;
        default:
            FAIL("a step of the unknown kind %d", step.kind);
        }
        link_exchange(&link);
    }
    IS(CHATNIO_ABSENT, status);
    writing.line = 0;
    OK(chatnio_connection_close(link.connection, link.now));
    OK(chatnio_connection_eof(link.connection, link.now));
    link_exchange(&link);
    size_t received = link.received;
    link_free(&link);
    chatnio_replay_free(replay);
    compare(recorded, &writing.log, how);
    bytes_free(&writing.log);
    return received;
}

/* A small generator of split positions, the same at every run. */
static size_t seeded(uint64_t *state) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*state >> 33);
}

/* Gives how many plays there were. */
static size_t at_splits(const struct recorded *recorded, bool tls, bool every) {
    struct split split = {false, {0}, 0};
    size_t len = by_connection(recorded, tls, &split, 0, "whole");
    size_t plays = 0;
    for (size_t batch = 1; batch <= LARGEST_BATCH; batch += 2) {
        by_connection(recorded, tls, &split, batch, "whole, in batches");
        plays++;
    }
    split.byte_by_byte = true;
    by_connection(recorded, tls, &split, 0, "byte by byte");
    by_connection(recorded, tls, &split, 3, "byte by byte, in batches");
    split.byte_by_byte = false;
    plays += 3;
    if (every && len <= EVERY_UP_TO) {
        split.cut_count = 1;
        for (split.cuts[0] = 1; split.cuts[0] < len; split.cuts[0]++) {
            by_connection(recorded, tls, &split, split.cuts[0] % 2 == 0 ? 0 : 3, "split once");
            plays++;
        }
        return plays;
    }
    split.cut_count = sizeof split.cuts / sizeof split.cuts[0];
    for (uint64_t seed = 0; seed < SEEDED; seed++) {
        uint64_t state = seed;
        for (size_t at = 0; at < split.cut_count; at++) {
            split.cuts[at] = 1 + seeded(&state) % len;
        }
        by_connection(recorded, tls, &split, seed % 2 == 0 ? 0 : 5, "split at seeded places");
        plays++;
    }
    return plays;
}

int main(int argc, char **argv) {
    CHECK(argc > 3);
    bool every_plain = strcmp(argv[1], "every") == 0;
    bool every_tls = strcmp(argv[2], "every") == 0;
    bool no_tls = strcmp(argv[2], "none") == 0;
    size_t plain = 0, tls = 0;
    for (int at = 3; at < argc; at++) {
        struct recorded recorded = load(argv[at]);
        by_session(&recorded);
        plain += at_splits(&recorded, NO_TLS, every_plain);
        tls += no_tls ? 0 : at_splits(&recorded, TLS, every_tls);
        chatnio_transcript_free(recorded.transcript);
        bytes_free(&recorded.log);
    }
    printf("%d transcripts, %zu plays plain, %zu in TLS\n", argc - 3, plain, tls);
    return done();
}
