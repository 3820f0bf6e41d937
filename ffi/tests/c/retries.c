/* When a host that connects by itself tries again: on a simulated clock, as the client does by itself. */
#include "link.h"

static chatnio_retry *new_retry(const chatnio_config *config, uint64_t now) {
    chatnio_retry *retry = NULL;
    OK(chatnio_retry_new(config, now, &retry));
    return retry;
}

static uint64_t begin(chatnio_retry *retry, uint64_t now) {
    uint64_t at = 0;
    OK(chatnio_retry_begin(retry, now, &at));
    return at;
}

/* It is tried again, `wait` later, or up to a half of that more. */
static uint64_t again(chatnio_retry *retry, uint64_t now, int32_t cause, uint64_t after, uint64_t wait) {
    uint64_t at = 0;
    OK(chatnio_retry_failed(retry, now, cause, after, &at));
    if (at < now + wait || at > now + wait + wait / 2) {
        FAIL("%llu ms after a wait of %llu", (unsigned long long)(at - now), (unsigned long long)wait);
    }
    return at;
}

static void gives_up(chatnio_retry *retry, uint64_t now, int32_t cause, uint64_t after) {
    uint64_t at = 77;
    IS(CHATNIO_ABSENT, chatnio_retry_failed(retry, now, cause, after, &at));
    EQUAL(77, at);
}

static void by_default(void) {
    chatnio_retry *retry = new_retry(NULL, START);
    uint64_t deadline = 0;
    OK(chatnio_retry_deadline(retry, &deadline));
    EQUAL(START + 20000, deadline);
    /* Nobody has asked for a limit. */
    for (int at = 0; at < 20; at++) {
        EQUAL(START + 5, begin(retry, START + 5));
    }
    uint64_t now = again(retry, START + 10, CHATNIO_RETRY_LOST, 0, 500);
    now = again(retry, now, CHATNIO_RETRY_THROTTLED, 0, 2200);
    gives_up(retry, now, CHATNIO_RETRY_UNAVAILABLE, 0);
    chatnio_retry_free(retry);
}

static void waits(void) {
    static const struct {
        int32_t cause;
        uint64_t after, wait;
    } CASES[] = {
        {CHATNIO_RETRY_THROTTLED, 0, 1100},     {CHATNIO_RETRY_THROTTLED, 1, 1100},
        {CHATNIO_RETRY_THROTTLED, 7000, 7000},  {CHATNIO_RETRY_UNAVAILABLE, 0, 500},
        {CHATNIO_RETRY_UNAVAILABLE, 900, 900},  {CHATNIO_RETRY_LOST, 0, 500},
    };
    for (size_t at = 0; at < sizeof CASES / sizeof CASES[0]; at++) {
        chatnio_retry *retry = new_retry(NULL, START);
        again(retry, START, CASES[at].cause, CASES[at].after, CASES[at].wait);
        chatnio_retry_free(retry);
    }
}

/* All tries have one deadline; what the server asks for is not shortened for it. */
static void in_time(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_connect_retries(config, 100));
    OK(chatnio_config_set_connect(config, 2000));
    OK(chatnio_config_set_handshake(config, 1000));
    chatnio_retry *retry = new_retry(config, START);
    uint64_t deadline = 0, now = START;
    OK(chatnio_retry_deadline(retry, &deadline));
    EQUAL(START + 3000, deadline);
    int tries = 0;
    while (chatnio_retry_failed(retry, now, CHATNIO_RETRY_LOST, 0, &now) == CHATNIO_OK) {
        CHECK(now < deadline);
        tries++;
    }
    EQUAL(2, tries);
    chatnio_retry_free(retry);
    retry = new_retry(config, START);
    gives_up(retry, START, CHATNIO_RETRY_UNAVAILABLE, 3000);
    gives_up(retry, START, CHATNIO_RETRY_UNAVAILABLE, UINT64_MAX);
    again(retry, START, CHATNIO_RETRY_UNAVAILABLE, 2900, 2900);
    chatnio_retry_free(retry);
    /* It was used. */
    IS(CHATNIO_FROZEN, chatnio_config_set_connect_retries(config, 0));
    chatnio_config_free(config);

    config = new_config();
    OK(chatnio_config_set_connect_retries(config, 0));
    OK(chatnio_config_set_handshake(config, 0));
    retry = new_retry(config, START);
    OK(chatnio_retry_deadline(retry, &deadline));
    CHECK(deadline == UINT64_MAX);
    gives_up(retry, START, CHATNIO_RETRY_LOST, 0);
    chatnio_retry_free(retry);
    chatnio_config_free(config);

    /* Without a deadline the server has one: a minute. */
    config = new_config();
    OK(chatnio_config_set_handshake(config, 0));
    retry = new_retry(config, START);
    again(retry, START, CHATNIO_RETRY_THROTTLED, 60000, 60000);
    gives_up(retry, START, CHATNIO_RETRY_THROTTLED, 60001);
    IS(CHATNIO_INVALID, chatnio_retry_failed(retry, START, 0, 0, &now));
    IS(CHATNIO_INVALID, chatnio_retry_failed(retry, START, 4, 0, &now));
    chatnio_retry_free(retry);
    chatnio_config_free(config);
}

/* A call has a limit of its own, which those of connecting are nothing to. */
static void in_time_of_a_call(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_connect_retries(config, 9));
    OK(chatnio_config_set_connect(config, 1));
    chatnio_retry *retry = NULL;
    uint64_t deadline = 0;
    OK(chatnio_retry_new_within(config, 30000, START, &retry));
    OK(chatnio_retry_deadline(retry, &deadline));
    EQUAL(START + 30000, deadline);
    uint64_t now = again(retry, START, CHATNIO_RETRY_UNAVAILABLE, 12000, 12000);
    gives_up(retry, now, CHATNIO_RETRY_UNAVAILABLE, 18000);
    chatnio_retry_free(retry);
    OK(chatnio_retry_new_within(config, 0, START, &retry));
    OK(chatnio_retry_deadline(retry, &deadline));
    CHECK(deadline == UINT64_MAX);
    again(retry, START, CHATNIO_RETRY_THROTTLED, 0, 1100);
    chatnio_retry_free(retry);
    chatnio_config_free(config);
}

/* Places are shared by all that have the configuration, and go by the system's clock, of which hardly any passes. */
static void places(void) {
    chatnio_config *config = new_config();
    OK(chatnio_config_set_connects_per_second(config, 1));
    chatnio_retry *one = new_retry(config, START), *other = new_retry(config, START);
    EQUAL(START, begin(one, START));
    uint64_t second = begin(other, START), third = begin(one, START);
    CHECK(second > START && second <= START + 1000 && third > START + 1000 && third <= START + 2000);
    /* Never later than it is to be over. */
    for (int at = 0; at < 30; at++) {
        CHECK(begin(other, START) <= START + 20000);
    }
    chatnio_retry_free(other);
    chatnio_retry_free(one);
    chatnio_config_free(config);
}

static int32_t cause_of(const chatnio_connection *connection, int32_t expected) {
    int32_t cause = 0;
    IS(expected, chatnio_connection_retry_cause(connection, &cause));
    return cause;
}

/* A connection that was answered so, before it was open. */
static void answered(chatnio_config *config, const char *answer, int32_t expected, uint64_t after) {
    struct link link;
    link_new(&link, false, config, NULL);
    cause_of(link.connection, CHATNIO_ABSENT);
    OK(chatnio_connection_receive(link.connection, START, (const uint8_t *)answer, strlen(answer)));
    OK(chatnio_connection_eof(link.connection, START));
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    EQUAL(expected, cause_of(link.connection, expected == 0 ? CHATNIO_ABSENT : CHATNIO_OK));
    uint64_t ms = 0;
    IS(after == 0 ? CHATNIO_ABSENT : CHATNIO_OK, chatnio_connection_retry_after(link.connection, &ms));
    EQUAL(after, ms);
    link_free(&link);
}

static void causes(void) {
    answered(NULL, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", CHATNIO_RETRY_THROTTLED, 7000);
    answered(NULL, "HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n", CHATNIO_RETRY_UNAVAILABLE, 0);
    answered(NULL, "HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", CHATNIO_RETRY_UNAVAILABLE, 1000);
    answered(NULL, "HTTP/1.1 504 x\r\nContent-Length: 0\r\n\r\n", CHATNIO_RETRY_UNAVAILABLE, 0);
    answered(NULL, "", CHATNIO_RETRY_LOST, 0);
    answered(NULL, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 0, 0);
    answered(NULL, "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", 0, 0);
    answered(NULL, "SSH-2.0-OpenSSH\r\n\r\n", 0, 0);

    /* The host's own socket was refused, or the host has closed. */
    static const bool CLOSES[] = {false, true};
    for (size_t at = 0; at < 2; at++) {
        struct link link;
        link_new(&link, false, NULL, NULL);
        if (CLOSES[at]) {
            OK(chatnio_connection_close(link.connection, START));
        } else {
            OK(chatnio_connection_failed(link.connection, START, 111));
        }
        chatnio_event event = new_event();
        OK(chatnio_connection_next_event(link.connection, &event));
        EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
        EQUAL(CLOSES[at] ? 0 : CHATNIO_RETRY_LOST,
              cause_of(link.connection, CLOSES[at] ? CHATNIO_ABSENT : CHATNIO_OK));
        link_free(&link);
    }

    /* What was open may have been asked: that is the host's own matter. */
    struct link link;
    link_new(&link, false, NULL, NULL);
    link_exchange(&link);
    OK(chatnio_connection_eof(link.connection, START));
    chatnio_event event = new_event();
    OK(chatnio_connection_next_event(link.connection, &event));
    EQUAL(CHATNIO_EVENT_CLOSED, event.kind);
    cause_of(link.connection, CHATNIO_ABSENT);
    link_free(&link);

    /* A proxy's own answers count as those of a gateway. */
    chatnio_config *config = new_config();
    OK(chatnio_config_set_proxy(config, TEXT("http://proxy.example")));
    answered(config, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\n\r\n", CHATNIO_RETRY_THROTTLED, 7000);
    answered(config, "HTTP/1.1 503 x\r\nRetry-After: 1\r\n\r\n", CHATNIO_RETRY_UNAVAILABLE, 1000);
    answered(config, "HTTP/1.1 502 x\r\n\r\n", CHATNIO_RETRY_UNAVAILABLE, 0);
    answered(config, "HTTP/1.1 403 x\r\n\r\n", 0, 0);
    chatnio_config_free(config);
}

int main(void) {
    by_default();
    waits();
    in_time();
    in_time_of_a_call();
    places();
    causes();
    return done();
}
