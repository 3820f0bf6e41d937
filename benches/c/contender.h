/* What all programs here share: they work on one batch for each line of their input, and write what it took as a line
 * of JSON. */
#ifndef CONTENDER_H
#define CONTENDER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A message, as it lies in the file of all. */
struct message {
    const char *data;
    size_t len;
};

struct messages {
    struct message *all;
    size_t count;
};

static inline void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* Every line of a file is a message, its newline included. */
static inline struct messages read_messages(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fail("the file of messages cannot be read");
    }
    size_t length = (size_t)ftell(file);
    char *text = malloc(length + 1);
    rewind(file);
    if (text == NULL || fread(text, 1, length, file) != length) {
        fail("the file of messages cannot be read");
    }
    fclose(file);
    text[length] = '\0';
    struct messages messages = {NULL, 0};
    for (char *at = text; *at != '\0';) {
        char *end = strchr(at, '\n') + 1;
        messages.all = realloc(messages.all, (messages.count + 1) * sizeof *messages.all);
        messages.all[messages.count++] = (struct message){at, (size_t)(end - at)};
        at = end;
    }
    return messages;
}

static inline double nanoseconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

struct watch {
    double cpu, elapsed;
};

static inline struct watch start(void)
{
    return (struct watch){nanoseconds(CLOCK_THREAD_CPUTIME_ID), nanoseconds(CLOCK_MONOTONIC)};
}

static inline void stop(struct watch watch, size_t chunks)
{
    double cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - watch.cpu;
    double elapsed = nanoseconds(CLOCK_MONOTONIC) - watch.elapsed;
    printf("{\"cpu\":%.0f,\"elapsed\":%.0f,\"chunks\":%zu}\n", cpu, elapsed, chunks);
    fflush(stdout);
}

/* Whether there is another batch to be worked on. */
static inline bool next_batch(void)
{
    char line[16];
    return fgets(line, sizeof line, stdin) != NULL;
}

/* How many times all messages are to be gone through, so that it are at least so many chunks. */
static inline size_t times_of(struct messages *messages, const char *chunks)
{
    size_t wanted = strtoul(chunks, NULL, 10);
    if (wanted < messages->count) {
        messages->count = wanted;
    }
    return (wanted + messages->count - 1) / messages->count;
}

#endif
