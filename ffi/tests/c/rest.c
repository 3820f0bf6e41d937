/* The companion calls: every recorded answer of rest/answers.txt gives the request and the result that stand there, and
 * the structs show what is in them: rest answers.txt */
#include "bytes.h"
#include "link.h"

/* A call's name in the file, and what of its arguments is set how. */
static const struct named {
    const char *name;
    int32_t type;
    const char *id, *text, *amount, *months;
} CALLS[] = {
    {"conversations", CHATNIO_REST_CONVERSATIONS, 0, 0, 0, 0},
    {"conversation", CHATNIO_REST_CONVERSATION, "id", 0, 0, 0},
    {"delete_conversation", CHATNIO_REST_DELETE_CONVERSATION, "id", 0, 0, 0},
    {"rename_conversation", CHATNIO_REST_RENAME_CONVERSATION, "id", "re\"named", 0, 0},
    {"share_conversation", CHATNIO_REST_SHARE_CONVERSATION, "id", 0, 0, 0},
    {"quota", CHATNIO_REST_QUOTA, 0, 0, 0, 0},
    {"subscription", CHATNIO_REST_SUBSCRIPTION, 0, 0, 0, 0},
    {"package", CHATNIO_REST_PACKAGE, 0, 0, 0, 0},
    {"buy", CHATNIO_REST_BUY, 0, 0, "quota", 0},
    {"subscribe", CHATNIO_REST_SUBSCRIBE, 0, 0, "level", "months"},
    {"models", CHATNIO_REST_MODELS, 0, 0, 0, 0},
    {"charges", CHATNIO_REST_CHARGES, 0, 0, 0, 0},
    {"shared_conversation", CHATNIO_REST_SHARED_CONVERSATION, 0, "c535a/b c", 0, 0},
    {"shares", CHATNIO_REST_SHARES, 0, 0, 0, 0},
    {"delete_share", CHATNIO_REST_DELETE_SHARE, 0, "c535", 0, 0},
    {"masks", CHATNIO_REST_MASKS, 0, 0, 0, 0},
    {"save_mask", CHATNIO_REST_SAVE_MASK, 0, "n", 0, 0},
    {"delete_mask", CHATNIO_REST_DELETE_MASK, "id", 0, 0, 0},
    {"user", CHATNIO_REST_USER, 0, 0, 0, 0},
    {"info", CHATNIO_REST_INFO, 0, 0, 0, 0},
    {"market", CHATNIO_REST_MARKET, 0, 0, 0, 0},
    {"plans", CHATNIO_REST_PLANS, 0, 0, 0, 0},
    {"billing_usage", CHATNIO_REST_BILLING_USAGE, 0, 0, 0, 0},
    {"billing_limits", CHATNIO_REST_BILLING_LIMITS, 0, 0, 0, 0},
    {"api_key", CHATNIO_REST_API_KEY, 0, 0, 0, 0},
    {"invite", CHATNIO_REST_INVITE, 0, "abc", 0, 0},
    {"redeem", CHATNIO_REST_REDEEM, 0, "abc", 0, 0},
};
#define CALL_COUNT (sizeof CALLS / sizeof CALLS[0])

static const struct {
    int32_t status;
    const char *code;
} CODES[] = {
    {CHATNIO_REST_BAD_KEY, "bad_key"},
    {CHATNIO_REST_NO_KEY, "no_key"},
    {CHATNIO_REST_BLACK_LISTED, "black_listed"},
    {CHATNIO_REST_THROTTLED, "throttled"},
    {CHATNIO_REST_NOT_FOUND, "not_found"},
    {CHATNIO_REST_REFUSED, "refused"},
    {CHATNIO_REST_NO_SUCH_CALL, "no_such_call"},
    {CHATNIO_REST_WEB_PAGE, "web_page"},
    {CHATNIO_REST_HTTP, "http"},
    {CHATNIO_REST_MALFORMED, "malformed"},
};

static chatnio_rest_call *new_call(int32_t type) {
    chatnio_rest_call *call = NULL;
    OK(chatnio_rest_call_new(type, &call));
    return call;
}

/* The whole number behind "name": in the arguments. */
static int64_t number_of(const char *arguments, const char *name) {
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(arguments, key);
    CHECK(at != NULL);
    return strtol(at + strlen(key), NULL, 10);
}

/* The call of a "name {arguments}" line. */
static chatnio_rest_call *call_of(char *line, size_t *which) {
    char *arguments = strchr(line, ' ');
    CHECK(arguments != NULL);
    *arguments++ = '\0';
    for (*which = 0; *which < CALL_COUNT && strcmp(CALLS[*which].name, line) != 0; ++*which) {
    }
    if (*which == CALL_COUNT) {
        FAIL("there is no call %s", line);
    }
    const struct named *named = &CALLS[*which];
    chatnio_rest_call *call = new_call(named->type);
    if (named->id != NULL) {
        OK(chatnio_rest_call_set_id(call, number_of(arguments, named->id)));
    }
    if (named->text != NULL) {
        OK(chatnio_rest_call_set_text(call, named->text, strlen(named->text)));
    }
    if (named->amount != NULL) {
        OK(chatnio_rest_call_set_amount(call, number_of(arguments, named->amount)));
    }
    if (named->months != NULL) {
        OK(chatnio_rest_call_set_months(call, number_of(arguments, named->months)));
    }
    if (named->type == CHATNIO_REST_SAVE_MASK) {
        OK(chatnio_rest_call_add_mask(call, TEXT("system"), TEXT("x")));
    }
    return call;
}

static void add_view(struct bytes *out, chatnio_text text) {
    bytes_add(out, text.data, text.len);
}

/* "METHOD target body" */
static void request_line(struct bytes *out, chatnio_rest_call *call) {
    chatnio_text method, target, body;
    OK(chatnio_rest_call_prepare(call, NULL, TEXT("")));
    OK(chatnio_rest_call_method(call, &method));
    OK(chatnio_rest_call_target(call, &target));
    OK(chatnio_rest_call_body(call, &body));
    bytes_text(out, "> ");
    add_view(out, method);
    bytes_text(out, " ");
    add_view(out, target);
    if (body.data != NULL) {
        bytes_text(out, " ");
        add_view(out, body);
    }
}

/* "= result", or "! code words" */
static void outcome_line(struct bytes *out, chatnio_rest_call *call, const char *status_and_body) {
    char *body;
    long http_status = strtol(status_and_body, &body, 10);
    /* On the heap, so that what reads beyond it is seen. */
    size_t body_len = strlen(body + 1);
    char *copy = heap_copy(body + 1, body_len);
    chatnio_rest_answer *answer = NULL;
    int32_t status = chatnio_rest_call_decode(call, (int32_t)http_status, (const uint8_t *)copy, body_len, &answer);
    free(copy);
    if (status == CHATNIO_OK) {
        chatnio_text json;
        OK(chatnio_rest_answer_json(answer, &json));
        bytes_text(out, "= ");
        add_view(out, json);
        chatnio_rest_answer_free(answer);
        return;
    }
    CHECK(answer == NULL && !chatnio_status_is_fatal(status));
    char text[512];
    OK(chatnio_rest_call_error(call, text, sizeof text, NULL));
    CHECK(strlen(text) > 10);
    for (size_t at = 0; at < sizeof CODES / sizeof CODES[0]; at++) {
        if (CODES[at].status == status) {
            chatnio_text words;
            OK(chatnio_rest_call_words(call, &words));
            bytes_text(out, "! ");
            bytes_text(out, CODES[at].code);
            if (words.data != NULL) {
                bytes_text(out, " ");
                add_view(out, words);
            }
            return;
        }
    }
    FAIL("%s is the answer to %s", chatnio_status_name(status), status_and_body);
}

static void recorded(const char *path) {
    struct bytes file = read_file(path);
    bytes_add(&file, "", 1);
    chatnio_rest_call *call = NULL;
    bool seen[CALL_COUNT] = {false};
    size_t compared = 0, which;
    struct bytes expected = {NULL, 0, 0};
    for (char *line = file.data, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (strncmp(line, "CALL ", 5) == 0) {
            chatnio_rest_call_free(call);
            call = call_of(line + 5, &which);
            CHECK(!seen[which]);
            seen[which] = true;
        } else if (line[0] == '>') {
            request_line(&expected, call);
            bytes_add(&expected, "", 1);
            if (strcmp(expected.data, line) != 0) {
                FAIL("the request is %s instead of %s", expected.data, line);
            }
            bytes_free(&expected);
        } else if (line[0] == '<') {
            outcome_line(&expected, call, line + 2);
            bytes_add(&expected, "", 1);
        } else if (line[0] == '=' || line[0] == '!') {
            if (strcmp(expected.data, line) != 0) {
                FAIL("the outcome is %s instead of %s", expected.data, line);
            }
            bytes_free(&expected);
            compared++;
        }
    }
    for (size_t at = 0; at < CALL_COUNT; at++) {
        CHECK(seen[at]);
    }
    CHECK(compared > 50);
    chatnio_rest_call_free(call);
    bytes_free(&file);
}

static chatnio_rest_answer *decoded(chatnio_rest_call *call, const char *body) {
    chatnio_rest_answer *answer = NULL;
    OK(chatnio_rest_call_decode(call, 200, (const uint8_t *)body, strlen(body), &answer));
    chatnio_rest_call_free(call);
    return answer;
}

static size_t count_of(const chatnio_rest_answer *answer) {
    size_t count = 99;
    OK(chatnio_rest_answer_count(answer, &count));
    return count;
}

static void conversations(void) {
    chatnio_rest_answer *answer = decoded(new_call(CHATNIO_REST_CONVERSATIONS),
                                          "{\"data\":[{\"id\":2,\"name\":\"b\",\"model\":\"m\",\"enable_web\":true,"
                                          "\"context\":3},{\"id\":1,\"name\":\"a\",\"shared\":true}],\"status\":true}");
    chatnio_rest_conversation conversation = {sizeof conversation, 0, {0, 0}, {0, 0}, 0, 0, 0, 0};
    EQUAL(2, count_of(answer));
    OK(chatnio_rest_answer_conversation(answer, 0, &conversation));
    EQUAL(2, conversation.id);
    TEXT_IS("b", conversation.name);
    TEXT_IS("m", conversation.model);
    CHECK(conversation.web && !conversation.shared && conversation.context == 3 && conversation.messages == 0);
    OK(chatnio_rest_answer_conversation(answer, 1, &conversation));
    CHECK(conversation.id == 1 && conversation.shared);
    IS(CHATNIO_ABSENT, chatnio_rest_answer_conversation(answer, 2, &conversation));
    double number;
    IS(CHATNIO_ABSENT, chatnio_rest_answer_number(answer, &number));
    chatnio_rest_answer_free(answer);

    chatnio_rest_call *call = new_call(CHATNIO_REST_CONVERSATION);
    OK(chatnio_rest_call_set_id(call, 29));
    answer = decoded(call, "{\"data\":{\"id\":29,\"name\":\"n\",\"message\":[{\"role\":\"user\",\"content\":\"h\\u00e9\"},"
                           "{\"role\":\"assistant\",\"content\":\"\"}]},\"status\":true}");
    chatnio_rest_message message = {sizeof message, {0, 0}, {0, 0}};
    OK(chatnio_rest_answer_conversation(answer, 0, &conversation));
    CHECK(conversation.id == 29 && conversation.messages == 2 && count_of(answer) == 2);
    OK(chatnio_rest_answer_message(answer, 0, &message));
    TEXT_IS("user", message.role);
    TEXT_IS("h\xc3\xa9", message.content);
    OK(chatnio_rest_answer_message(answer, 1, &message));
    TEXT_IS("", message.content);
    IS(CHATNIO_ABSENT, chatnio_rest_answer_message(answer, 2, &message));
    message.size = 0;
    IS(CHATNIO_INVALID, chatnio_rest_answer_message(answer, 0, &message));
    chatnio_rest_answer_free(answer);
}

static void models_and_prices(void) {
    chatnio_rest_answer *answer = decoded(new_call(CHATNIO_REST_MODELS),
                                          "{\"data\":[{\"id\":\"gpt-4\",\"created\":5,\"owned_by\":\"system\"}]}");
    chatnio_rest_model model = {sizeof model, {0, 0}, {0, 0}, 0};
    EQUAL(1, count_of(answer));
    OK(chatnio_rest_answer_model(answer, 0, &model));
    TEXT_IS("gpt-4", model.id);
    TEXT_IS("system", model.owned_by);
    EQUAL(5, model.created);
    IS(CHATNIO_ABSENT, chatnio_rest_answer_model(answer, 1, &model));
    chatnio_rest_answer_free(answer);

    answer = decoded(new_call(CHATNIO_REST_CHARGES),
                     "[{\"id\":1,\"type\":\"token-billing\",\"models\":[\"a\",\"b\"],\"input\":0.01,\"output\":0.03}]");
    chatnio_rest_charge charge = {sizeof charge, 0, {0, 0}, 0, 0, 0, 0};
    chatnio_text text;
    EQUAL(1, count_of(answer));
    OK(chatnio_rest_answer_charge(answer, 0, &charge));
    TEXT_IS("token-billing", charge.kind);
    CHECK(charge.input == 0.01 && charge.output == 0.03 && charge.models == 2 && !charge.anonymous);
    OK(chatnio_rest_answer_charge_model(answer, 0, 1, &text));
    TEXT_IS("b", text);
    IS(CHATNIO_ABSENT, chatnio_rest_answer_charge_model(answer, 0, 2, &text));
    IS(CHATNIO_ABSENT, chatnio_rest_answer_charge(answer, 1, &charge));
    chatnio_rest_answer_free(answer);
}

static void other_results(void) {
    chatnio_rest_answer *answer = decoded(
        new_call(CHATNIO_REST_SHARES),
        "{\"data\":[{\"hash\":\"c5\",\"conversation_id\":8,\"name\":\"n\",\"time\":\"2026\"}],\"status\":true}");
    chatnio_rest_share share = {sizeof share, {0, 0}, 0, {0, 0}, {0, 0}};
    OK(chatnio_rest_answer_share(answer, 0, &share));
    TEXT_IS("c5", share.hash);
    TEXT_IS("2026", share.time);
    EQUAL(8, share.conversation_id);
    IS(CHATNIO_ABSENT, chatnio_rest_answer_share(answer, 1, &share));
    chatnio_rest_answer_free(answer);

    answer = decoded(new_call(CHATNIO_REST_SUBSCRIPTION),
                     "{\"is_subscribed\":true,\"level\":2,\"expired\":30,\"refresh_at\":\"later\",\"status\":true}");
    chatnio_rest_subscription subscription = {sizeof subscription, 0, 0, 0, 0, {0, 0}, 0, {0, 0}};
    OK(chatnio_rest_answer_subscription(answer, &subscription));
    CHECK(subscription.is_subscribed && !subscription.enterprise && subscription.level == 2);
    CHECK(subscription.expired == 30 && subscription.refresh == 0);
    TEXT_IS("later", subscription.refresh_at);
    TEXT_IS("", subscription.expired_at);
    EQUAL(0, count_of(answer));
    chatnio_rest_answer_free(answer);

    double number = 0;
    chatnio_text text;
    answer = decoded(new_call(CHATNIO_REST_QUOTA), "{\"quota\":499.49142,\"status\":true}");
    OK(chatnio_rest_answer_number(answer, &number));
    CHECK(number == 499.49142);
    IS(CHATNIO_ABSENT, chatnio_rest_answer_text(answer, &text));
    IS(CHATNIO_ABSENT, chatnio_rest_answer_subscription(answer, &subscription));
    chatnio_rest_answer_free(answer);
    answer = decoded(new_call(CHATNIO_REST_API_KEY), "{\"key\":\"sk-x\",\"status\":true}");
    OK(chatnio_rest_answer_text(answer, &text));
    TEXT_IS("sk-x", text);
    chatnio_rest_answer_free(answer);
}

static void header_is(const chatnio_rest_call *call, size_t index, const char *expected_name, const char *expected) {
    chatnio_text name, value;
    OK(chatnio_rest_call_header(call, index, &name, &value));
    TEXT_IS(expected_name, name);
    TEXT_IS(expected, value);
}

static void requests(void) {
    chatnio_rest_call *call = new_call(CHATNIO_REST_RENAME_CONVERSATION);
    chatnio_auth *auth = new_auth("sk-of-the-test");
    chatnio_text text;
    IS(CHATNIO_INVALID, chatnio_rest_call_target(call, &text));
    IS(CHATNIO_BAD_PARAMETERS, chatnio_rest_call_prepare(call, auth, TEXT("/api")));
    OK(chatnio_rest_call_set_id(call, 7));
    OK(chatnio_rest_call_set_text(call, TEXT("n")));
    OK(chatnio_rest_call_prepare(call, auth, TEXT("/api")));
    OK(chatnio_rest_call_target(call, &text));
    TEXT_IS("/api/conversation/rename", text);
    header_is(call, 0, "Accept", "application/json");
    header_is(call, 1, "Content-Type", "application/json");
    header_is(call, 2, "Authorization", "Bearer sk-of-the-test");
    chatnio_text name, value;
    IS(CHATNIO_ABSENT, chatnio_rest_call_header(call, 3, &name, &value));
    /* A server that repeats the key is not quoted. */
    const char *repeating = "{\"message\":\"bad key sk-of-the-test\",\"status\":false}";
    chatnio_rest_answer *result = NULL;
    char error[200];
    IS(CHATNIO_REST_BAD_KEY, chatnio_rest_call_decode(call, 401, (const uint8_t *)repeating, strlen(repeating), &result));
    OK(chatnio_rest_call_words(call, &text));
    TEXT_IS("bad key sk-...", text);
    OK(chatnio_rest_call_error(call, error, sizeof error, NULL));
    CHECK(strstr(error, "sk-...") != NULL && strstr(error, "of-the-test") == NULL);
    OK(chatnio_rest_call_prepare(call, NULL, TEXT("")));
    IS(CHATNIO_ABSENT, chatnio_rest_call_header(call, 2, &name, &value));
    IS(CHATNIO_BAD_URL, chatnio_rest_call_prepare(call, NULL, TEXT("https://h")));
    chatnio_auth_free(auth);
    auth = new_auth("sk-SECRET\n");
    IS(CHATNIO_BAD_TOKEN, chatnio_rest_call_prepare(call, auth, TEXT("")));
    OK(chatnio_rest_call_error(call, error, sizeof error, NULL));
    CHECK(strstr(error, "SECRET") == NULL);
    chatnio_auth_free(auth);
    bool answer = true;
    OK(chatnio_rest_call_is_repeatable(call, &answer));
    CHECK(!answer);
    chatnio_rest_call_free(call);

    call = new_call(CHATNIO_REST_QUOTA);
    chatnio_rest_answer *none = NULL;
    OK(chatnio_rest_call_is_repeatable(call, &answer));
    CHECK(answer);
    OK(chatnio_rest_call_is_retryable(call, &answer));
    CHECK(!answer);
    int32_t cause = 0;
    IS(CHATNIO_ABSENT, chatnio_rest_call_retry_cause(call, &cause));
    IS(CHATNIO_REST_HTTP, chatnio_rest_call_decode(call, 503, NULL, 0, &none));
    OK(chatnio_rest_call_is_retryable(call, &answer));
    CHECK(answer);
    OK(chatnio_rest_call_retry_cause(call, &cause));
    EQUAL(CHATNIO_RETRY_UNAVAILABLE, cause);
    IS(CHATNIO_REST_HTTP, chatnio_rest_call_decode(call, 429, NULL, 0, &none));
    OK(chatnio_rest_call_retry_cause(call, &cause));
    EQUAL(CHATNIO_RETRY_THROTTLED, cause);
    IS(CHATNIO_REST_HTTP, chatnio_rest_call_decode(call, 500, NULL, 0, &none));
    IS(CHATNIO_ABSENT, chatnio_rest_call_retry_cause(call, &cause));
    OK(chatnio_rest_call_error(call, error, sizeof error, NULL));
    CHECK(strstr(error, "HTTP 500") != NULL); /* What is absent is no failure: it leaves the last one's text. */
    IS(CHATNIO_INVALID, chatnio_rest_call_decode(call, -1, NULL, 0, &none));
    chatnio_rest_call_free(call);
    IS(CHATNIO_INVALID, chatnio_rest_call_new(0, &call));
    IS(CHATNIO_INVALID, chatnio_rest_call_new(CHATNIO_REST_REDEEM + 1, &call));

    size_t len = 99;
    OK(chatnio_rest_prefix_len(TEXT("/api/chat"), &len));
    EQUAL(4, len);
    OK(chatnio_rest_prefix_len(TEXT("/chat"), &len));
    EQUAL(0, len);

    call = new_call(CHATNIO_REST_SAVE_MASK);
    OK(chatnio_rest_call_set_id(call, 5));
    OK(chatnio_rest_call_set_text(call, TEXT("n")));
    OK(chatnio_rest_call_describe_mask(call, TEXT("d"), TEXT("a")));
    OK(chatnio_rest_call_prepare(call, NULL, TEXT("")));
    OK(chatnio_rest_call_body(call, &text));
    TEXT_IS("{\"id\":5,\"avatar\":\"a\",\"name\":\"n\",\"description\":\"d\",\"context\":[]}", text);
    chatnio_rest_call_free(call);
    call = new_call(CHATNIO_REST_SHARE_CONVERSATION);
    OK(chatnio_rest_call_set_id(call, 5));
    OK(chatnio_rest_call_add_index(call, 0));
    OK(chatnio_rest_call_add_index(call, 3));
    OK(chatnio_rest_call_prepare(call, NULL, TEXT("")));
    OK(chatnio_rest_call_body(call, &text));
    TEXT_IS("{\"id\":5,\"refs\":[0,3]}", text);
    chatnio_rest_call_free(call);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    recorded(argv[1]);
    conversations();
    models_and_prices();
    other_results();
    requests();
    return done();
}
