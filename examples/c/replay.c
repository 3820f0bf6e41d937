/*
 * Unit-tests a bot by recorded transcripts: no network, no clock, the same result every time.
 *
 *     cc replay.c $(pkg-config --cflags --libs chatnio) -o replay
 *     ./replay ../../transcripts/2026-03
 *
 * Exit status: 0 all is as expected; 1 something is not; 2 usage, or a transcript cannot be read.
 */
#include <chatnio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The program under test: a bot that counts an answer's pieces, stops one that goes on for too long, and has a verdict
   on each. It knows a session, and neither socket nor clock; in the real program a WebSocket drives the same code. */
struct bot {
    unsigned max_pieces, pieces;
    char verdict[128];
};

static int32_t bot_on_event(struct bot *bot, chatnio_session *session, uint64_t now, const chatnio_event *event)
{
    if (event->kind == CHATNIO_EVENT_DELTA && event->text.len > 0 && ++bot->pieces == bot->max_pieces) {
        return chatnio_session_stop(session, now, NULL);
    }
    if (event->kind == CHATNIO_EVENT_END) {
        chatnio_text notice = event->answer->notice;
        switch (event->outcome) {
        case CHATNIO_OUTCOME_COMPLETE:
            snprintf(bot->verdict, sizeof bot->verdict, "%u pieces", bot->pieces);
            break;
        case CHATNIO_OUTCOME_STOPPED:
            snprintf(bot->verdict, sizeof bot->verdict, "too long");
            break;
        case CHATNIO_OUTCOME_NOTICE:
            snprintf(bot->verdict, sizeof bot->verdict, "no answer: %.*s", (int)notice.len, notice.data);
            break;
        default:
            snprintf(bot->verdict, sizeof bot->verdict, "cut short");
        }
    }
    return CHATNIO_OK;
}

/* From here on: the test. */

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(2);
}

/* What a test program cannot go on without. */
static void must(int32_t status, const char *call)
{
    if (status != CHATNIO_OK) {
        fprintf(stderr, "%s: %s: %s\n", call, chatnio_status_name(status), chatnio_status_message(status));
        exit(2);
    }
}
#define MUST(call) must(call, #call)

static chatnio_transcript *read_transcript(const char *folder, const char *name)
{
    char path[1024], text[64 * 1024];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        fail("the path is too long");
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t len = fread(text, 1, sizeof text, file);
    if (ferror(file) || len == sizeof text) {
        fail("the transcript cannot be read, or is too long for this test");
    }
    fclose(file);

    chatnio_transcript *transcript;
    chatnio_error *error;
    if (chatnio_transcript_parse(text, len, &transcript, &error) != CHATNIO_OK) {
        chatnio_text message;
        MUST(chatnio_error_message(error, &message));
        fprintf(stderr, "%s: %.*s\n", path, (int)message.len, message.data);
        exit(2);
    }
    return transcript;
}

/* ANCHOR: test */
/* Plays a transcript to a bot. Returns how many messages its session sent beside those in the transcript: its stops. */
static unsigned play(const char *folder, const char *name, struct bot *bot)
{
    const uint64_t now = 0; /* Time stands still. */
    chatnio_replay *replay;
    chatnio_auth *auth;
    chatnio_session *session;
    chatnio_transcript *transcript = read_transcript(folder, name);
    MUST(chatnio_replay_new(transcript, &replay));
    MUST(chatnio_replay_auth(replay, &auth));
    MUST(chatnio_session_new(NULL, auth, now, &session, NULL));
    chatnio_auth_free(auth);
    chatnio_transcript_free(transcript);

    unsigned sent = 0;
    for (;;) {
        int32_t state;
        chatnio_step step = CHATNIO_STEP_INIT;
        chatnio_event event = CHATNIO_EVENT_INIT;
        MUST(chatnio_session_state(session, &state));
        int32_t status = chatnio_replay_next_step(replay, state, &step);
        if (status == CHATNIO_ABSENT) {
            break; /* The transcript is at its end. */
        }
        must(status, "next step");

        switch (step.kind) {
        case CHATNIO_STEP_REQUEST:
            MUST(chatnio_session_request(session, now, step.request));
            break;
        case CHATNIO_STEP_RECEIVE:
            MUST(chatnio_session_receive(session, now, step.text.data, step.text.len, &event));
            MUST(bot_on_event(bot, session, now, &event));
            break;
        case CHATNIO_STEP_CLOSED:
            MUST(chatnio_session_closed(session, CHATNIO_CLOSE_SERVER, &event));
            MUST(bot_on_event(bot, session, now, &event));
            break;
        default:
            fail("a clean recording has nothing to warn of");
        }
        chatnio_text message;
        while (chatnio_session_next_transmit(session, &message) == CHATNIO_OK) {
            sent += step.kind != CHATNIO_STEP_REQUEST;
        }
    }
    chatnio_session_free(session);
    chatnio_replay_free(replay);
    return sent;
}
/* ANCHOR_END: test */

static int failures;

/* Not assert(), which release builds leave out. */
static void check(bool as_expected, const char *what, int line)
{
    if (!as_expected) {
        fprintf(stderr, "replay.c:%d: not true: %s\n", line, what);
        failures++;
    }
}
#define CHECK(condition) check(condition, #condition, __LINE__)

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER_OF_TRANSCRIPTS\n", argv[0]);
        return 2;
    }

    struct bot answered = {.max_pieces = 100};
    CHECK(play(argv[1], "hello.txt", &answered) == 0);
    CHECK(strcmp(answered.verdict, "6 pieces") == 0);

    struct bot impatient = {.max_pieces = 3};
    CHECK(play(argv[1], "hello.txt", &impatient) == 1);
    CHECK(impatient.pieces == 6); /* They go on coming after a stop. */
    CHECK(strcmp(impatient.verdict, "too long") == 0);

    struct bot refused = {.max_pieces = 100};
    CHECK(play(argv[1], "anon_denied.txt", &refused) == 0);
    CHECK(strcmp(refused.verdict, "no answer: not authenticated error (model: hello)") == 0);

    puts(failures == 0 ? "the bot does what it should" : "the bot does not do what it should");
    return failures == 0 ? 0 : 1;
}
