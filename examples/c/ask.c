/*
 * Asks one question and prints the answer as it comes, with the blocking client. Ctrl-C stops the answer, which the
 * server then ends and prices; a second one ends the program at once.
 *
 *     cc ask.c $(pkg-config --cflags --libs chatnio) -o ask
 *     CHATNIO_URL=wss://api.chatnio.net CHATNIO_TOKEN=sk-... ./ask "hi"
 *
 * Exit status: 0 answered, or stopped as asked; 1 it failed; 2 usage.
 */
#define _POSIX_C_SOURCE 200809L

#include <chatnio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the environment and the command line say. */
struct options {
    const char *url, *token, *model, *ca_file, *text;
};

static bool read_options(int argc, char **argv, struct options *options)
{
    const char *url = getenv("CHATNIO_URL");
    *options = (struct options){.url = url != NULL ? url : "ws://127.0.0.1:8094",
                                .token = getenv("CHATNIO_TOKEN"),
                                .model = getenv("CHATNIO_MODEL"),
                                .ca_file = getenv("CHATNIO_CA_FILE"),
                                .text = argv[1]};
    return argc == 2;
}

/* Prints a server's words, without the control characters that could drive a terminal. */
static void print(FILE *out, chatnio_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool is_c1 = byte == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0;
        if (is_c1) {
            i++; /* U+0080 to U+009F are two bytes. */
        } else if ((byte >= ' ' && byte != 0x7F) || byte == '\n' || byte == '\t') {
            putc(byte, out);
        }
    }
}

/* True when `status` is CHATNIO_OK; otherwise says why not. */
static bool ok(int32_t status, const char *what)
{
    if (status != CHATNIO_OK) {
        fprintf(stderr, "%s: %s\n", what, chatnio_status_message(status));
    }
    return status == CHATNIO_OK;
}

/* Says why a constructor failed, and frees that. */
static void print_error(chatnio_error *error)
{
    chatnio_text message;
    if (chatnio_error_message(error, &message) == CHATNIO_OK) {
        print(stderr, message);
        putc('\n', stderr);
    }
    chatnio_error_free(error);
}

/* Says why a call on the client failed. */
static void print_client_error(const chatnio_client *client)
{
    char message[1024];
    if (chatnio_client_error(client, message, sizeof message, NULL) == CHATNIO_OK) {
        print(stderr, (chatnio_text){message, strlen(message)});
        putc('\n', stderr);
    }
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1; /* No function of the library may be called here. */
}

/* Says how the turn ended and what it cost; true when it did as it was asked to. */
static bool print_end(const chatnio_answer *answer)
{
    fputs(chatnio_outcome_name(answer->outcome), stderr);
    /* A notice is what the server says instead of the model: out of quota, unknown model, ... */
    chatnio_text why = answer->notice.data != NULL ? answer->notice : answer->reason;
    if (why.data != NULL) {
        fputs(": ", stderr);
        print(stderr, why);
    }
    fprintf(stderr, ", quota %.*s\n", (int)answer->quota_text.len, answer->quota_text.data);
    return answer->outcome == CHATNIO_OUTCOME_COMPLETE || answer->outcome == CHATNIO_OUTCOME_STOPPED;
}

/* Waits for the answer and prints it; true when it came, or was stopped. */
static bool print_answer(chatnio_client *client)
{
    bool stopped = false;
    for (;;) {
        if (interrupted && !stopped) {
            stopped = true;
            int32_t status = chatnio_client_stop(client, NULL);
            /* Of a connection that was lost meanwhile the end comes below, too. */
            if (status != CHATNIO_OK && status != CHATNIO_CLOSED) {
                print_client_error(client);
                return false;
            }
        }

        /* Not for longer: the system may have given the signal to another thread, or just before this call. */
        chatnio_event event = CHATNIO_EVENT_INIT;
        int32_t status = chatnio_client_next(client, 100, &event);
        if (status == CHATNIO_AGAIN || status == CHATNIO_INTERRUPTED) {
            continue;
        }
        if (status != CHATNIO_OK) {
            print_client_error(client);
            return false;
        }

        /* All other kinds of events need nothing done. */
        if (event.kind == CHATNIO_EVENT_DELTA || event.kind == CHATNIO_EVENT_END) {
            print(stdout, event.text);
            if (event.kind == CHATNIO_EVENT_END && event.answer->text.len > 0) {
                putchar('\n');
            }
            if (fflush(stdout) != 0) {
                perror("standard output");
                return false;
            }
        }
        if (event.kind == CHATNIO_EVENT_END) {
            return print_end(event.answer);
        }
    }
}

/* Asks; true when the answer came, or was stopped. */
static bool ask(chatnio_client *client, const chatnio_request *request)
{
    /* Until here Ctrl-C ends the program. Without SA_RESTART it ends the waiting, with SA_RESETHAND a second one ends
       the program again. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) != 0) {
        perror("sigaction");
        return false;
    }

    if (chatnio_client_request(client, request) != CHATNIO_OK) {
        print_client_error(client);
        return false;
    }
    bool answered = print_answer(client);

    /* Also where printing failed: who leaves a running answer alone pays for the rest of it. */
    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status = chatnio_client_close(client, &event);
    if (status != CHATNIO_OK && answered) {
        print_client_error(client); /* The answer is there all the same. */
    }
    return answered;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "usage: CHATNIO_URL=... CHATNIO_TOKEN=... CHATNIO_MODEL=... %s QUESTION\n", argv[0]);
        return 2;
    }

    chatnio_config *config = NULL;
    chatnio_auth *auth = NULL; /* Stays NULL without a token: without an account. */
    chatnio_request *request = NULL;
    chatnio_client *client = NULL;
    chatnio_error *error = NULL;
    bool answered = false;

    if (!ok(chatnio_config_new(&config), "configuration")) {
        goto out;
    }
    if (options.ca_file != NULL &&
        chatnio_config_add_root_file(config, options.ca_file, strlen(options.ca_file)) != CHATNIO_OK) {
        char message[1024];
        if (chatnio_config_error(config, message, sizeof message, NULL) == CHATNIO_OK) {
            fprintf(stderr, "%s\n", message);
        }
        goto out;
    }
    if (options.token != NULL && !ok(chatnio_auth_new(options.token, strlen(options.token), &auth), "token")) {
        goto out;
    }
    if (!ok(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request), "request") ||
        !ok(chatnio_request_set_message(request, options.text, strlen(options.text)), "text")) {
        goto out;
    }
    if (options.model != NULL &&
        !ok(chatnio_request_set_model(request, options.model, strlen(options.model)), "model")) {
        goto out;
    }

    if (chatnio_client_new(config, auth, options.url, strlen(options.url), &client, &error) != CHATNIO_OK) {
        print_error(error);
        goto out;
    }
    answered = ask(client, request);

out:
    chatnio_client_free(client);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    chatnio_config_free(config);
    return answered ? 0 : 1;
}
