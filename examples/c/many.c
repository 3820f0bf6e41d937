/*
 * Ten thousand sessions in one process, each driven through a question and its answer, all at once and from memory; and
 * what one of them takes.
 *
 *     cc many.c $(pkg-config --cflags --libs chatnio) -o many
 *     ./many
 *
 * Exit status: 0 all were answered; 1 not so; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* What the server says to each. */
static const char *const FRAMES[] = {
    "{\"conversation\":1,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}\n",
    "{\"conversation\":0,\"quota\":0.00011,\"keyword\":\"\",\"message\":\"Hello\",\"end\":false,\"plan\":false}\n",
    "{\"conversation\":0,\"quota\":0.00014,\"keyword\":\"\",\"message\":\"!\",\"end\":false,\"plan\":false}\n",
    "{\"conversation\":0,\"quota\":0.00014,\"keyword\":\"\",\"message\":\"\",\"end\":true,\"plan\":false}\n",
};

/* True when `status` is CHATNIO_OK; otherwise says why not. */
static bool ok(int32_t status, const char *what)
{
    if (status != CHATNIO_OK) {
        fprintf(stderr, "%s: %s\n", what, chatnio_status_message(status));
    }
    return status == CHATNIO_OK;
}

/* The most memory that this process has had so far, in bytes. */
static size_t resident(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        perror("getrusage");
        exit(1);
    }
#ifdef __APPLE__
    return (size_t)usage.ru_maxrss;
#else
    return (size_t)usage.ru_maxrss * 1024;
#endif
}

/* Makes a session and asks; what it sends would go to its WebSocket. */
static bool begin(chatnio_session **session, const chatnio_config *config, const chatnio_auth *auth,
                  const chatnio_request *request)
{
    chatnio_text message;
    size_t sent = 0;
    if (!ok(chatnio_session_new(config, auth, 0, session, NULL), "session") ||
        !ok(chatnio_session_request(*session, 0, request), "request")) {
        return false;
    }
    while (chatnio_session_next_transmit(*session, &message) == CHATNIO_OK) {
        sent++;
    }
    return sent == 2; /* The authentication goes out with the first request. */
}

/* Drives all sessions through the same turn, frame by frame; gives how many were answered. */
static size_t drive(chatnio_session **sessions, size_t count)
{
    size_t answered = 0;
    for (size_t frame = 0; frame < sizeof FRAMES / sizeof *FRAMES; frame++) {
        for (size_t i = 0; i < count; i++) {
            uint64_t now = 1 + frame;
            chatnio_event event = CHATNIO_EVENT_INIT;
            if (!ok(chatnio_session_receive(sessions[i], now, FRAMES[frame], strlen(FRAMES[frame]), &event), "frame")) {
                return answered;
            }
            if (event.kind == CHATNIO_EVENT_END && event.outcome == CHATNIO_OUTCOME_COMPLETE) {
                answered += event.answer->text.len == 6 && memcmp(event.answer->text.data, "Hello!", 6) == 0;
            }
        }
    }
    return answered;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    if (argc > 2 || count == 0) {
        fprintf(stderr, "usage: %s [COUNT]\n", argv[0]);
        return 2;
    }

    chatnio_config *config = NULL; /* One for all, and so are the authentication and the request. */
    chatnio_auth *auth = NULL;
    chatnio_request *request = NULL;
    size_t made = 0, answered = 0, held = 0;
    chatnio_session **sessions = calloc(count, sizeof *sessions);
    if (sessions == NULL) {
        perror("memory");
        goto out;
    }
    if (!ok(chatnio_config_new(&config), "configuration") || !ok(chatnio_auth_new("sk-...", 6, &auth), "token") ||
        !ok(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request), "request") ||
        !ok(chatnio_request_set_message(request, "hi", 2), "text")) {
        goto out;
    }

    size_t before = resident();
    while (made < count && begin(&sessions[made], config, auth, request)) {
        made++;
    }
    if (made == count) {
        answered = drive(sessions, count);
    }
    size_t after = resident();
    for (size_t i = 0; i < made; i++) {
        size_t bytes = 0;
        if (!ok(chatnio_session_memory(sessions[i], &bytes), "memory")) {
            answered = 0;
        }
        held += bytes;
    }
    printf("%zu sessions, %zu answered\n", made, answered);
    printf("each holds %zu bytes by its own count, and takes %zu of the process\n", held / count,
           (after - before) / count);

out:
    for (size_t i = 0; sessions != NULL && i < count; i++) {
        chatnio_session_free(sessions[i]);
    }
    free(sessions);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    return answered == count ? 0 : 1;
}
