/*
 * Asks "hi" through what the environment says, and prints the answer, or the status and the text of the failure.
 *
 *     URL, and if they are set PROXY, ROOT, CERTIFICATE, RETRIES, PING_AFTER in seconds, and WEB for a web search
 */
#include <chatnio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t length(const char *text) { return text == NULL ? 0 : strlen(text); }

static int failed(const char *what, int32_t status, chatnio_error *error)
{
    chatnio_text text = {"", 0};
    if (error != NULL) {
        chatnio_error_message(error, &text);
    }
    printf("%s: %s: %.*s\n", what, chatnio_status_name(status), (int)text.len, text.data);
    chatnio_error_free(error);
    return 1;
}

int main(void)
{
    const char *url = getenv("URL"), *proxy = getenv("PROXY"), *root = getenv("ROOT");
    const char *certificate = getenv("CERTIFICATE"), *retries = getenv("RETRIES");
    const char *ping_after = getenv("PING_AFTER");
    chatnio_config *config;
    chatnio_request *request;
    chatnio_client *client;
    chatnio_error *error = NULL;
    int32_t status = chatnio_config_new(&config);
    if (status == CHATNIO_OK && proxy != NULL) {
        status = chatnio_config_set_proxy(config, proxy, length(proxy));
    }
    if (status == CHATNIO_OK && root != NULL) {
        status = chatnio_config_add_root_file(config, root, length(root));
    }
    if (status == CHATNIO_OK && certificate != NULL) {
        status = chatnio_config_set_client_certificate_file(config, certificate, length(certificate), certificate,
                                                            length(certificate));
    }
    if (status == CHATNIO_OK && retries != NULL) {
        status = chatnio_config_set_connect_retries(config, (uint32_t)strtoul(retries, NULL, 10));
    }
    if (status == CHATNIO_OK && ping_after != NULL) {
        status = chatnio_config_set_ping_after(config, (uint64_t)(strtod(ping_after, NULL) * 1000));
    }
    if (status != CHATNIO_OK) {
        return failed("settings", status, NULL);
    }
    status = chatnio_client_new(config, NULL, url, length(url), &client, &error);
    chatnio_config_free(config);
    if (status != CHATNIO_OK) {
        return failed("connect", status, error);
    }
    chatnio_event event = CHATNIO_EVENT_INIT;
    status = chatnio_request_new(CHATNIO_REQUEST_CHAT, &request);
    if (status == CHATNIO_OK) {
        status = chatnio_request_set_message(request, "hi", 2);
    }
    if (status == CHATNIO_OK) {
        status = chatnio_request_set_model(request, "anon", 4);
    }
    if (status == CHATNIO_OK && getenv("WEB") != NULL) {
        status = chatnio_request_set_web(request, true);
    }
    if (status == CHATNIO_OK) {
        status = chatnio_client_ask(client, request, &event);
    }
    if (status != CHATNIO_OK) {
        return failed("ask", status, NULL);
    }
    printf("answer: %.*s\n", (int)event.answer->text.len, event.answer->text.data);
    if (event.answer->outcome == CHATNIO_OUTCOME_INTERRUPTED) {
        printf("interrupted\n");
    }
    chatnio_request_free(request);
    chatnio_client_free(client);
    return 0;
}
