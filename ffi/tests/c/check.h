/* What every test here needs: checks that end the program, statuses by name, structs ready to be filled. */
#ifndef CHECK_H
#define CHECK_H

#include <chatnio.h>
#include <chatnio_testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says on standard output what is wrong, and ends the program: standard error must stay empty in these tests. */
#define FAIL(...) (printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"), fflush(stdout), exit(1))

#define CHECK(condition) ((condition) ? (void)0 : FAIL("not so: %s", #condition))

/* The call must answer that status. */
#define IS(expected, call) check_status(__FILE__, __LINE__, #call, expected, call)
#define OK(call) IS(CHATNIO_OK, call)

#define EQUAL(expected, number) check_number(__FILE__, __LINE__, #number, (long long)(expected), (long long)(number))

/* A text literal, as the two arguments that the library takes. */
#define TEXT(literal) literal, sizeof(literal) - 1

/* The view must hold exactly that, or be absent (NULL). */
#define TEXT_IS(expected, view) check_text(__FILE__, __LINE__, #view, expected, (view).data, (view).len)

static inline void check_status(const char *file, int line, const char *call, int32_t expected, int32_t status) {
    if (status != expected) {
        printf("%s:%d: %s answers %s instead of %s\n", file, line, call, chatnio_status_name(status),
               chatnio_status_name(expected));
        fflush(stdout);
        exit(1);
    }
}

static inline void check_number(const char *file, int line, const char *what, long long expected, long long number) {
    if (number != expected) {
        printf("%s:%d: %s is %lld instead of %lld\n", file, line, what, number, expected);
        fflush(stdout);
        exit(1);
    }
}

static inline void check_text(const char *file, int line, const char *what, const char *expected, const char *data,
                              size_t len) {
    int same = expected == NULL || data == NULL ? expected == data
                                                : len == strlen(expected) && memcmp(data, expected, len) == 0;
    if (!same) {
        printf("%s:%d: %s is %.*s instead of %s\n", file, line, what, data == NULL ? 6 : (int)len,
               data == NULL ? "absent" : data, expected == NULL ? "absent" : expected);
        fflush(stdout);
        exit(1);
    }
}

static inline bool contains(const char *data, size_t len, const char *part) {
    size_t part_len = strlen(part);
    for (size_t at = 0; at + part_len <= len; at++) {
        if (memcmp(data + at, part, part_len) == 0) {
            return true;
        }
    }
    return false;
}

static inline chatnio_event new_event(void) {
    chatnio_event event;
    memset(&event, 0, sizeof event);
    event.size = sizeof event;
    return event;
}

static inline chatnio_answer new_answer(void) {
    chatnio_answer answer;
    memset(&answer, 0, sizeof answer);
    answer.size = sizeof answer;
    return answer;
}

static inline chatnio_wants new_wants(void) {
    chatnio_wants wants;
    memset(&wants, 0, sizeof wants);
    wants.size = sizeof wants;
    return wants;
}

static inline chatnio_counters new_counters(void) {
    chatnio_counters counters;
    memset(&counters, 0, sizeof counters);
    counters.size = sizeof counters;
    return counters;
}

static inline chatnio_step new_step(void) {
    chatnio_step step;
    memset(&step, 0, sizeof step);
    step.size = sizeof step;
    return step;
}

static inline chatnio_auth *new_auth(const char *token) {
    chatnio_auth *auth = NULL;
    OK(chatnio_auth_new(token, strlen(token), &auth));
    return auth;
}

static inline chatnio_config *new_config(void) {
    chatnio_config *config = NULL;
    OK(chatnio_config_new(&config));
    return config;
}

/* A chat with `model`, which may be NULL. */
static inline chatnio_request *new_chat(const char *message, const char *model) {
    chatnio_request *request = NULL;
    OK(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request));
    OK(chatnio_request_set_message(request, message, strlen(message)));
    if (model != NULL) {
        OK(chatnio_request_set_model(request, model, strlen(model)));
    }
    return request;
}

static inline chatnio_session *new_session(const chatnio_config *config, const chatnio_auth *auth, uint64_t now) {
    chatnio_session *session = NULL;
    OK(chatnio_session_new(config, auth, now, &session, NULL));
    return session;
}

static inline void receive(chatnio_session *session, uint64_t now, const char *message, chatnio_event *event) {
    OK(chatnio_session_receive(session, now, message, strlen(message), event));
}

static inline int32_t session_state(const chatnio_session *session) {
    int32_t state = 0;
    OK(chatnio_session_state(session, &state));
    return state;
}

static inline int32_t connection_state(const chatnio_connection *connection) {
    int32_t state = 0;
    OK(chatnio_connection_state(connection, &state));
    return state;
}

/* The last line of every test: nothing may be left alive. */
static inline int done(void) {
    EQUAL(0, chatnio_testing_live_handles());
    return 0;
}

#endif
