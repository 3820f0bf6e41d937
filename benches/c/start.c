/* How long it takes to load the library and to make a first session, in nanoseconds. `start LIBRARY` */
#include <chatnio.h>
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
    double began = now();
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    int32_t (*session_new)(const chatnio_config *, const chatnio_auth *, uint64_t, chatnio_session **, chatnio_error **);
    if (library == NULL) {
        fprintf(stderr, "usage: start LIBRARY\n");
        return 1;
    }
    /* As POSIX has it, for a pointer to a function. */
    *(void **)&session_new = dlsym(library, "chatnio_session_new");
    chatnio_session *session;
    if (session_new == NULL || session_new(NULL, NULL, 0, &session, NULL) != CHATNIO_OK) {
        fprintf(stderr, "no session\n");
        return 1;
    }
    printf("%.0f\n", now() - began);
    return 0;
}
