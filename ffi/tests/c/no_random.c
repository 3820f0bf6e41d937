/* A sandbox without randomness is CHATNIO_NO_RANDOM, neither a panic nor an abort. Linux only: a filter of system calls
 * lets getrandom(2) be unknown, and no file be opened, for one thread. */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)
/* Goes on to the next statement if the system call is that one, otherwise skips it. */
#define IF_CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)

static void enter_sandbox(void) {
    struct sock_filter filter[] = {
        LOAD(nr),
        IF_CALL(SYS_getrandom),
        ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
#ifdef SYS_open
        IF_CALL(SYS_open),
        ANSWER(SECCOMP_RET_ERRNO | EACCES),
#endif
        IF_CALL(SYS_openat),
        ANSWER(SECCOMP_RET_ERRNO | EACCES),
        ANSWER(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    char byte;
    CHECK(syscall(SYS_getrandom, &byte, 1, 0) == -1 && errno == ENOSYS);
    CHECK(fopen("/dev/urandom", "rb") == NULL && errno == EACCES);
}

static void enter(void *(*run)(void *), void *context) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, context) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Nothing begins. */
static void *begin(void *context) {
    const chatnio_config *config = context;
    enter_sandbox();
    const char *urls[] = {"ws://localhost", "wss://localhost"};
    for (int at = 0; at < 2; at++) {
        chatnio_connection *connection = NULL;
        chatnio_error *error = NULL;
        IS(CHATNIO_NO_RANDOM,
           chatnio_connection_new(config, NULL, urls[at], strlen(urls[at]), START, &connection, &error));
        CHECK(connection == NULL);
        chatnio_error_free(error);
    }
    /* A session needs none. */
    chatnio_session_free(new_session(config, NULL, START));
    return NULL;
}

/* A sandbox is entered later than the connection is made, and another thread goes on with it. */
enum later { ASK, STOP, PING, CLOSE, LATER };

struct opened {
    struct link link;
    enum later later;
};

static void *go_on(void *context) {
    struct opened *opened = context;
    struct link *link = &opened->link;
    chatnio_request *chat = new_chat("hi", NULL);
    enter_sandbox();
    /* What cannot be sent is told by the next event: the connection is over. */
    switch (opened->later) {
    case ASK:
        OK(chatnio_connection_request(link->connection, link->now, chat));
        break;
    case STOP:
        OK(chatnio_connection_stop(link->connection, link->now, NULL));
        break;
    case PING:
        OK(chatnio_connection_receive(link->connection, link->now, (const uint8_t *)"\x89\0", 2));
        break;
    default:
        OK(chatnio_connection_close(link->connection, link->now));
        break;
    }
    chatnio_request_free(chat);
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(link->connection, &event));
    if (event.kind == CHATNIO_EVENT_END) {
        EQUAL(CHATNIO_INTERRUPTION_CONNECTION_LOST, event.interruption);
        OK(chatnio_connection_next_event(link->connection, &event));
    }
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    IS(CHATNIO_NO_RANDOM, event.status);
    chatnio_wants wants = new_wants();
    OK(chatnio_connection_wants(link->connection, &wants));
    CHECK(wants.finished);
    return NULL;
}

int main(void) {
    /* Made before: roots are files. */
    chatnio_config *config = new_config();
    OK(chatnio_config_load_roots(config));
    enter(begin, config);
    chatnio_config_free(config);
    for (enum later later = ASK; later < LATER; later++) {
        struct opened opened;
        opened.later = later;
        link_new(&opened.link, false, NULL, NULL);
        link_exchange(&opened.link);
        if (later == STOP) {
            link_ask(&opened.link, "hi");
        }
        enter(go_on, &opened);
        link_free(&opened.link);
    }
    return done();
}
