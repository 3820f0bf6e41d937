/* What a session and a chunk take of memory by C: bytes of an idle session, without and with a token of 200 bytes, and
 * allocations a chunk. The program counts what the library asks of malloc. `memory FILE` */
#define _GNU_SOURCE
#include "contender.h"

#include <chatnio.h>
#include <errno.h>
#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *old);
extern void *__libc_memalign(size_t alignment, size_t size);

static size_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

void free(void *old)
{
    __libc_free(old);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    allocations++;
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}

enum { SESSIONS = 10000, MEASURED = 100000 };

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

static double idle(const chatnio_auth *auth)
{
    static chatnio_session *sessions[SESSIONS];
    size_t before = in_use();
    for (size_t i = 0; i < SESSIONS; i++) {
        if (chatnio_session_new(NULL, auth, 0, &sessions[i], NULL) != CHATNIO_OK) {
            fail("no session");
        }
    }
    double each = (double)(in_use() - before) / SESSIONS;
    for (size_t i = 0; i < SESSIONS; i++) {
        chatnio_session_free(sessions[i]);
    }
    return each;
}

static void receive(chatnio_session *session, struct message message)
{
    chatnio_event event = {.size = sizeof event};
    if (chatnio_session_receive(session, 0, message.data, message.len, &event) != CHATNIO_OK) {
        fail("a bad message");
    }
}

static double per_chunk(struct messages messages)
{
    chatnio_session *session;
    chatnio_request *request;
    if (chatnio_session_new(NULL, NULL, 0, &session, NULL) != CHATNIO_OK ||
        chatnio_request_new(CHATNIO_REQUEST_CHAT, &request) != CHATNIO_OK ||
        chatnio_request_set_message(request, "hi", 2) != CHATNIO_OK ||
        chatnio_session_request(session, 0, request) != CHATNIO_OK) {
        fail("no session");
    }
    receive(session, messages.all[0]);
    size_t before = allocations;
    for (size_t i = 0; i < MEASURED; i++) {
        receive(session, messages.all[i % messages.count]);
    }
    double each = (double)(allocations - before) / MEASURED;
    chatnio_request_free(request);
    chatnio_session_free(session);
    return each;
}

int main(int argc, char **argv)
{
    static char token[200];
    chatnio_auth *auth;
    memset(token, 't', sizeof token);
    if (argc != 2 || chatnio_auth_new(token, sizeof token, &auth) != CHATNIO_OK) {
        fail("usage: memory FILE");
    }
    double without = idle(NULL);
    printf("%.0f %.0f %.5f\n", without, idle(auth), per_chunk(read_messages(argv[1])));
    chatnio_auth_free(auth);
    return 0;
}
