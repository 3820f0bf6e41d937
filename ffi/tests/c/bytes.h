/* A buffer that grows, and files read into one. */
#ifndef BYTES_H
#define BYTES_H

#include "check.h"

struct bytes {
    char *data;
    size_t len;
    size_t capacity;
};

static inline void bytes_add(struct bytes *bytes, const void *data, size_t len) {
    if (bytes->len + len > bytes->capacity) {
        bytes->capacity = 2 * (bytes->len + len);
        bytes->data = realloc(bytes->data, bytes->capacity);
        CHECK(bytes->data != NULL);
    }
    if (len > 0) {
        memcpy(bytes->data + bytes->len, data, len);
        bytes->len += len;
    }
}

static inline void bytes_text(struct bytes *bytes, const char *text) {
    bytes_add(bytes, text, strlen(text));
}

static inline void bytes_number(struct bytes *bytes, long long number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", number);
    bytes_text(bytes, digits);
}

static inline bool bytes_equal(const struct bytes *a, const struct bytes *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static inline void bytes_free(struct bytes *bytes) {
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

/* An exact copy on the heap, so that a tool sees every byte that is read beside it. */
static inline char *heap_copy(const void *data, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    CHECK(copy != NULL);
    memcpy(copy, data, len);
    return copy;
}

static inline struct bytes read_file(const char *path) {
    struct bytes bytes = {NULL, 0, 0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        FAIL("cannot open %s", path);
    }
    char part[4096];
    size_t len;
    while ((len = fread(part, 1, sizeof part, file)) > 0) {
        bytes_add(&bytes, part, len);
    }
    fclose(file);
    return bytes;
}

#endif
