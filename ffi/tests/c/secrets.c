/* No secret is left behind: clients and connections with a marked token, header, query, proxy's password and client key meet
 * servers that each do one thing wrong; then all of it is freed, and no text has shown one, nor does the process's memory.
 *
 *     secrets FOLDER     with the files of `loopback/with-faults`
 *
 * What may be left is said where it is allowed: see `ALLOWED`.
 */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

/* No secret stands here as it is, or this program would find itself: each byte is one more. */
static const char TOKEN[] = "tl.NBSLFEupl78", HEADER[] = "NBSLFEifbefs45", QUERY[] = "NBSLFErvfsz2345",
                  PASSWORD[] = "NBSLFEqbttxpse";

/* How many are tried at once: most of them wait. */
enum { SECRETS = 4, LONGEST = 32, AT_ONCE = 16 };

struct secret {
    const char *name, *shifted;
    /* How many copies may be left. */
    int allowed;
};

static const struct secret ALLOWED[SECRETS] = {
    {"token", TOKEN, 0},
    {"header", HEADER, 0},
    {"query", QUERY, 0},
    {"proxy's password", PASSWORD, 0},
};

static char memory[1 << 20];

/* Not memset, which a compiler leaves out where nobody reads it any more. */
static void wipe(char *data, size_t len) {
    for (volatile char *at = data; at < data + len; at++) {
        *at = 0;
    }
}

/* Writes a secret, and wipes what an earlier one has left. */
static size_t reveal(const struct secret *secret, char *plain) {
    wipe(plain, LONGEST);
    size_t len = strlen(secret->shifted);
    for (size_t at = 0; at < len; at++) {
        plain[at] = (char)(secret->shifted[at] - 1);
    }
    return len;
}

static bool is_at(const char *data, const struct secret *secret, size_t len) {
    for (size_t at = 0; at < len; at++) {
        if (data[at] != (char)(secret->shifted[at] - 1)) {
            return false;
        }
    }
    return true;
}

/* Whether a text shows a secret. */
static void check_text_for_secrets(const char *what, const char *data, size_t len) {
    for (int number = 0; number < SECRETS; number++) {
        size_t secret_len = strlen(ALLOWED[number].shifted);
        for (size_t at = 0; at + secret_len <= len; at++) {
            if (is_at(data + at, &ALLOWED[number], secret_len)) {
                FAIL("%s shows the %s: %.*s", what, ALLOWED[number].name, (int)len, data);
            }
        }
    }
}

/* Counts the copies of each secret in what the process may write to: its heaps, its stacks, its variables. */
static void search(int found[SECRETS]) {
    FILE *maps = fopen("/proc/self/maps", "r");
    int mem = open("/proc/self/mem", O_RDONLY);
    CHECK(maps != NULL && mem >= 0);
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long long from, to;
        char mode[5];
        CHECK(sscanf(line, "%llx-%llx %4s", &from, &to, mode) == 3);
        if (mode[0] != 'r' || mode[1] != 'w') {
            continue;
        }
        /* Pieces that overlap, so that nothing is missed between two. */
        for (unsigned long long at = from; at < to; at += sizeof memory - LONGEST) {
            size_t len = to - at < sizeof memory ? (size_t)(to - at) : sizeof memory;
            ssize_t count = pread(mem, memory, len, (off_t)at);
            if (count <= 0) {
                break;
            }
            for (int number = 0; number < SECRETS; number++) {
                size_t secret_len = strlen(ALLOWED[number].shifted);
                for (size_t byte = 0; byte + secret_len <= (size_t)count; byte++) {
                    /* A piece's overlap was looked at as the end of the one before; and this buffer holds copies. */
                    bool is_again = at > from && byte + secret_len <= LONGEST;
                    bool is_buffer = at + byte >= (uintptr_t)memory && at + byte < (uintptr_t)memory + sizeof memory;
                    if (!is_again && !is_buffer && is_at(memory + byte, &ALLOWED[number], secret_len)) {
                        found[number]++;
                    }
                }
            }
        }
    }
    close(mem);
    fclose(maps);
    wipe(memory, sizeof memory);
}

/* A configuration with all secrets; with a faulty server in the place of its proxy, if `proxy` names a kind of those. */
static chatnio_config *config_of(const char *roots, const char *proxy, const char *address) {
    chatnio_config *config = new_config();
    char plain[LONGEST], url[200];
    size_t len = reveal(&ALLOWED[1], plain);
    OK(chatnio_config_add_header(config, TEXT("Authorization"), plain, len));
    OK(chatnio_config_set_record(config, true));
    OK(chatnio_config_set_connect_retries(config, 0));
    /* Nobody is asked what a silent server says in the end. */
    OK(chatnio_config_set_connect(config, 200));
    OK(chatnio_config_set_handshake(config, 200));
    OK(chatnio_config_set_first_frame(config, 200));
    OK(chatnio_config_set_next_frame(config, 200));
    OK(chatnio_config_set_close(config, 100));
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    OK(chatnio_config_add_root_file(config, roots, strlen(roots)));
    if (proxy != NULL) {
        reveal(&ALLOWED[3], plain);
        int length = snprintf(url, sizeof url, "%s://user:%s@%s", proxy, plain, address);
        OK(chatnio_config_set_proxy(config, url, (size_t)length));
        wipe(url, sizeof url);
    }
    wipe(plain, sizeof plain);
    return config;
}

static void check_transcript(const chatnio_client *client) {
    chatnio_transcript *transcript = NULL;
    chatnio_text text;
    OK(chatnio_client_transcript(client, &transcript));
    OK(chatnio_transcript_text(transcript, &text));
    CHECK(text.len > 0);
    check_text_for_secrets("a transcript", text.data, text.len);
    chatnio_transcript_free(transcript);
}

/* Asks a question, and looks at every text there is. */
static void ask(const char *roots, const char *url, const char *proxy, const char *address) {
    chatnio_config *config = config_of(roots, proxy, address);
    char plain[LONGEST], whole[300];
    size_t len = reveal(&ALLOWED[0], plain);
    chatnio_auth *auth = NULL;
    OK(chatnio_auth_new(plain, len, &auth));
    reveal(&ALLOWED[2], plain);
    int length = snprintf(whole, sizeof whole, "%s?key=%s", url, plain);
    chatnio_client *client = NULL;
    chatnio_error *error = NULL;
    if (chatnio_client_new(config, auth, whole, (size_t)length, &client, &error) != CHATNIO_OK) {
        chatnio_text text;
        OK(chatnio_error_message(error, &text));
        check_text_for_secrets("an error", text.data, text.len);
        if (chatnio_error_body(error, &text) == CHATNIO_OK) {
            check_text_for_secrets("a refusal", text.data, text.len);
        }
        chatnio_error_free(error);
    } else {
        chatnio_request *chat = new_chat("hi", NULL);
        chatnio_event event = new_event();
        char text[1000];
        size_t text_len = 0;
        int32_t status = chatnio_client_ask(client, chat, &event);
        CHECK(status != CHATNIO_INVALID);
        OK(chatnio_client_error(client, text, sizeof text, &text_len));
        check_text_for_secrets("a client's error", text, strlen(text));
        check_transcript(client);
        chatnio_request_free(chat);
        chatnio_client_free(client);
    }
    wipe(plain, sizeof plain);
    wipe(whole, sizeof whole);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
}

static FILE *table;
static const char *roots;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int tried;

/* Rows whose server repeats what it is sent: what is received is not wiped, so they come when memory has been searched. */
enum { REPEATING = 8 };
static char repeating[REPEATING][200];
static int repeat_count;

/* Tries rows, each straight, and one in four plain ones by faulty proxies. */
static void *try_rows(void *unused) {
    (void)unused;
    for (;;) {
        char line[8192], fault[32], over[16], url[200], address[100];
        pthread_mutex_lock(&lock);
        bool is_row = fgets(line, sizeof line, table) != NULL && line[0] != '\n';
        int number = tried;
        tried += is_row;
        pthread_mutex_unlock(&lock);
        if (!is_row) {
            return NULL;
        }
        CHECK(sscanf(line, "%31s %15s %199s", fault, over, url) == 3);
        if (strstr(fault, "-echo") != NULL) {
            pthread_mutex_lock(&lock);
            CHECK(repeat_count < REPEATING);
            memcpy(repeating[repeat_count++], url, sizeof url);
            pthread_mutex_unlock(&lock);
            continue;
        }
        ask(roots, url, NULL, NULL);
        if (strcmp(over, "plain") == 0 && number % 4 == 0) {
            CHECK(sscanf(url, "ws://%99[^/]", address) == 1);
            ask(roots, "ws://localhost:9/chat", "http", address);
            ask(roots, "ws://localhost:9/chat", "socks5", address);
        }
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    char path[300], file[300], line[100];
    snprintf(path, sizeof path, "%s/table", argv[1]);
    snprintf(file, sizeof file, "%s/ca.pem", argv[1]);
    roots = file;
    table = fopen(path, "r");
    CHECK(table != NULL && fgets(line, sizeof line, table) != NULL);
    /* The first line's last cell says how many rows follow. */
    int announced = atoi(strrchr(line, '\t') + 1);
    pthread_t threads[AT_ONCE];
    for (int at = 0; at < AT_ONCE; at++) {
        CHECK(pthread_create(&threads[at], NULL, try_rows, NULL) == 0);
    }
    for (int at = 0; at < AT_ONCE; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    fclose(table);
    CHECK(announced > 0 && tried == announced);

    int found[SECRETS] = {0};
    search(found);
    for (int number = 0; number < SECRETS; number++) {
        printf("%s: %d copies are left, %d may be\n", ALLOWED[number].name, found[number], ALLOWED[number].allowed);
    }
    for (int number = 0; number < SECRETS; number++) {
        CHECK(found[number] <= ALLOWED[number].allowed);
    }
    /* That the search finds what there is. */
    char *kept = malloc(LONGEST);
    CHECK(kept != NULL);
    reveal(&ALLOWED[0], kept);
    int again[SECRETS] = {0};
    search(again);
    CHECK(again[0] > found[0] && again[1] == found[1]);
    wipe(kept, LONGEST);
    free(kept);

    CHECK(repeat_count >= 2);
    for (int at = 0; at < repeat_count; at++) {
        ask(roots, repeating[at], NULL, NULL);
    }
    return done();
}
