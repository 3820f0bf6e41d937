/* A sandbox without randomness is CHATNIO_NO_RANDOM, neither a panic nor an abort. Linux only: a filter of system calls
 * lets getrandom(2) be unknown, and no file be opened.
 *
 *     no_random ws://... | wss://... */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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

int main(int argc, char **argv) {
    CHECK(argc == 2);
    /* Made before: roots are files. */
    chatnio_config *config = new_config();
    OK(chatnio_config_load_roots(config));
    enter_sandbox();
    chatnio_connection *connection = NULL;
    chatnio_error *error = NULL;
    int32_t status = chatnio_connection_new(config, NULL, argv[1], strlen(argv[1]), 0, &connection, &error);
    if (status != CHATNIO_OK) {
        chatnio_text text;
        OK(chatnio_error_message(error, &text));
        printf("%s: %.*s\n", argv[1], (int)text.len, text.data);
    }
    IS(CHATNIO_NO_RANDOM, status);
    CHECK(connection == NULL);
    chatnio_error_free(error);
    /* A session needs none. */
    chatnio_session_free(new_session(config, NULL, 0));
    chatnio_config_free(config);
    return done();
}
