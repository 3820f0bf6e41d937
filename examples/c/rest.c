/*
 * Lists the stored conversations and tells what is left of the quota: the companion calls, with the HTTP done by libcurl.
 *
 *     cc rest.c $(pkg-config --cflags --libs chatnio libcurl) -o rest
 *     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... ./rest
 *
 * One's own server is wss://HOST, or wss://HOST/api where it also serves its web page.
 *
 * Exit status: 0 done; 1 a call failed; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct body {
    char *data;
    size_t len;
};

/* The longest answer that is taken. */
#define MAX_BODY (64u << 20)

/* How long a call may take in all, in milliseconds. */
#define LIMIT 30000

static size_t on_data(char *data, size_t size, size_t count, void *user_data)
{
    struct body *body = user_data;
    size_t len = size * count;
    char *grown = len <= MAX_BODY - body->len ? realloc(body->data, body->len + len + 1) : NULL;
    if (grown == NULL) {
        return 0; /* curl ends the transfer. */
    }
    memcpy(grown + body->len, data, len);
    body->data = grown;
    body->len += len;
    return len;
}

/* Says why a call failed, if it did. */
static bool ok(int32_t status, const chatnio_rest_call *call)
{
    if (status != CHATNIO_OK) {
        char text[512] = "";
        (void)chatnio_rest_call_error(call, text, sizeof text, NULL);
        fprintf(stderr, "%s: %s\n", chatnio_status_name(status), text[0] ? text : chatnio_status_message(status));
    }
    return status == CHATNIO_OK;
}

/* The request's headers for curl, to be freed. NULL when there is no memory. */
static struct curl_slist *headers_of(const chatnio_rest_call *call)
{
    struct curl_slist *list = NULL;
    chatnio_text name, value;
    for (size_t i = 0; chatnio_rest_call_header(call, i, &name, &value) == CHATNIO_OK; i++) {
        char line[1024];
        int len = snprintf(line, sizeof line, "%.*s: %.*s", (int)name.len, name.data, (int)value.len, value.data);
        struct curl_slist *longer = len > 0 && (size_t)len < sizeof line ? curl_slist_append(list, line) : NULL;
        if (longer == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

/* Sends the call's request to `base`, and gives the HTTP status; 0 when no answer came. */
static long send_request(CURL *curl, const char *base, const chatnio_rest_call *call, long within, struct body *body)
{
    chatnio_text target, form;
    char url[2048];
    if (!ok(chatnio_rest_call_target(call, &target), call) || !ok(chatnio_rest_call_body(call, &form), call)) {
        return 0;
    }
    snprintf(url, sizeof url, "%s%.*s", base, (int)target.len, target.data);
    struct curl_slist *headers = headers_of(call);
    long status = 0;

    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, within);
    /* No redirect is followed, which is curl's default: the key would go along. */
    if (form.data != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)form.len);
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, form.data);
    }
    CURLcode done = curl_easy_perform(curl);
    if (done == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    } else {
        fprintf(stderr, "%s: %s\n", base, curl_easy_strerror(done));
    }
    curl_slist_free_all(headers);
    return status;
}

/* Milliseconds on a clock that is never set. */
static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void wait_until(uint64_t at)
{
    uint64_t from = now();
    uint64_t left = at > from ? at - from : 0;
    struct timespec time = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

/* Whether the call is to be made again, and then waits until it is: for one that only reads, and that may go better. */
static bool waits_for_another(CURL *curl, const chatnio_rest_call *call, long status, chatnio_retry *retry)
{
    bool is_repeatable = false;
    int32_t cause = CHATNIO_RETRY_LOST;
    curl_off_t seconds = 0;
    uint64_t at = 0;
    if (status == 0) {
        chatnio_rest_call_is_repeatable(call, &is_repeatable);
    } else {
        is_repeatable = chatnio_rest_call_retry_cause(call, &cause) == CHATNIO_OK;
        curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
    }
    if (!is_repeatable || chatnio_retry_failed(retry, now(), cause, (uint64_t)seconds * 1000, &at) != CHATNIO_OK) {
        return false;
    }
    fprintf(stderr, "trying again\n");
    wait_until(at);
    return true;
}

/* Makes a call. NULL when it has no result, and why was said. */
static chatnio_rest_answer *make_call(CURL *curl, const char *base, const chatnio_auth *auth, int32_t type)
{
    chatnio_rest_call *call = NULL;
    chatnio_retry *retry = NULL;
    chatnio_rest_answer *answer = NULL;
    if (chatnio_rest_call_new(type, &call) == CHATNIO_OK && ok(chatnio_rest_call_prepare(call, auth, "", 0), call) &&
        chatnio_retry_new_within(NULL, LIMIT, now(), &retry) == CHATNIO_OK) {
        uint64_t deadline = now() + LIMIT;
        long status;
        do {
            struct body body = {NULL, 0};
            uint64_t time = now();
            status = send_request(curl, base, call, time < deadline ? (long)(deadline - time) : 1, &body);
            if (status != 0 && !ok(chatnio_rest_call_decode(call, (int32_t)status, (const uint8_t *)body.data,
                                                            body.len, &answer), call)) {
                answer = NULL;
            }
            free(body.data);
        } while (answer == NULL && waits_for_another(curl, call, status, retry));
    }
    chatnio_retry_free(retry);
    chatnio_rest_call_free(call);
    return answer;
}

/* Prints a server's words, without the control characters that could drive a terminal. */
static void print_line(chatnio_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_c1 = byte == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0;
        if (is_c1) {
            i++; /* U+0080 to U+009F are two bytes. */
        } else {
            putchar(byte < ' ' || byte == 0x7F ? ' ' : byte);
        }
    }
    putchar('\n');
}

static bool print_all(CURL *curl, const char *base, const chatnio_auth *auth)
{
    double quota = 0;
    chatnio_rest_answer *answer = make_call(curl, base, auth, CHATNIO_REST_QUOTA);
    if (answer == NULL || chatnio_rest_answer_number(answer, &quota) != CHATNIO_OK) {
        chatnio_rest_answer_free(answer);
        return false;
    }
    chatnio_rest_answer_free(answer);
    printf("quota: %g\n", quota);

    answer = make_call(curl, base, auth, CHATNIO_REST_CONVERSATIONS);
    if (answer == NULL) {
        return false;
    }
    chatnio_rest_conversation conversation;
    memset(&conversation, 0, sizeof conversation);
    conversation.size = sizeof conversation;
    for (size_t i = 0; chatnio_rest_answer_conversation(answer, i, &conversation) == CHATNIO_OK; i++) {
        printf("%lld: ", (long long)conversation.id);
        print_line(conversation.name);
    }
    chatnio_rest_answer_free(answer);
    return true;
}

/* Whether `url` has this scheme; `rest` is what is behind it. */
static bool has_scheme(const char *url, const char *scheme, const char **rest)
{
    size_t len = strlen(scheme);
    if (strncmp(url, scheme, len) != 0 || strncmp(url + len, "://", 3) != 0) {
        return false;
    }
    *rest = url + len + 3;
    return true;
}

/* Whether what follows a scheme is on this machine. */
static bool is_here(const char *rest)
{
    size_t len = strcspn(rest, ":/");
    return (len == 9 && strncmp(rest, "127.0.0.1", len) == 0) || (len == 9 && strncmp(rest, "localhost", len) == 0);
}

/*
 * What the targets of the calls stand behind: of the chat's wss://HOST[/api][/chat] it is https://HOST[/api]. NULL, or why there is
 * none: a token goes to no other machine in the open.
 */
static const char *base_of(const char *url, bool has_token, char *base, size_t size)
{
    const char *rest = url;
    bool is_plain = has_scheme(url, "ws", &rest) || has_scheme(url, "http", &rest);
    bool is_known = is_plain || has_scheme(url, "wss", &rest) || has_scheme(url, "https", &rest);
    if ((!is_known && strstr(url, "://") != NULL) || strpbrk(rest, "?#@") != NULL) {
        return "the URL should be like wss://HOST or wss://HOST/api";
    }
    if (is_plain && has_token && !is_here(rest)) {
        return "the token does not go to another machine without TLS: use wss://";
    }
    int len = snprintf(base, size, "%s://%s", is_plain ? "http" : "https", rest);
    if (len < 0 || (size_t)len >= size) {
        return "the URL is too long";
    }
    char *path = base + len - strlen(rest) + strcspn(rest, "/");
    size_t prefix = 0;
    if (chatnio_rest_prefix_len(path, strlen(path), &prefix) != CHATNIO_OK) {
        return "the URL is not UTF-8";
    }
    path[prefix] = '\0';
    return NULL;
}

int main(int argc, char **argv)
{
    const char *url = getenv("CHATNIO_URL"), *token = getenv("CHATNIO_TOKEN");
    char base[1024];
    chatnio_auth *auth = NULL; /* Stays NULL without a token: without an account. */
    if (argc != 1) {
        fprintf(stderr, "usage: CHATNIO_URL=... CHATNIO_TOKEN=... %s\n", argv[0]);
        return 2;
    }
    const char *problem = base_of(url != NULL ? url : "ws://127.0.0.1:8094", token != NULL, base, sizeof base);
    if (problem != NULL) {
        fprintf(stderr, "%s\n", problem);
        return 2;
    }
    if (token != NULL && chatnio_auth_new(token, strlen(token), &auth) != CHATNIO_OK) {
        fprintf(stderr, "the token is not UTF-8\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    bool done = curl != NULL && print_all(curl, base, auth);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    chatnio_auth_free(auth);
    return done ? 0 : 1;
}
