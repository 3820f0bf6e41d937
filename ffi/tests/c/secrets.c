/* No secret is left behind: clients and connections with a marked token, header, query, proxy's password and a client key meet
 * servers that each do one thing wrong; then all of it is freed, and no text has shown one, nor does the process's memory, nor
 * the core dump that it then leaves.
 *
 *     secrets FOLDER IDENTITY     with the files of `loopback/with-faults`; and with client.pem, a key with its certificate, and
 *                                 client.raw, the key as bytes
 *
 * What may be left is said where it is allowed: see `SECRET`.
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many are tried at once: most of them wait. */
enum { TOKEN, HEADER, QUERY, PASSWORD, KEY_TEXT, KEY, PLANTED, SECRETS, LONGEST = 72, AT_ONCE = 16 };

struct secret {
    const char *name;
    /* No secret stands here as it is, or this program would find itself: each byte is one more. */
    char shifted[LONGEST];
    /* How many copies may be left. */
    int allowed;
    size_t len;
};

static struct secret SECRET[SECRETS] = {
    [TOKEN] = {"token", "tl.NBSLFEupl78", 0, 14},
    [HEADER] = {"header", "NBSLFEifbefs45", 0, 14},
    [QUERY] = {"query", "NBSLFErvfsz2345", 0, 15},
    [PASSWORD] = {"proxy's password", "NBSLFEqbttxpse", 0, 14},
    /* A line of its PEM, of which rustls-pki-types has a copy in a buffer that it does not wipe, in every thread; and its number.
     * That ring has in a form of its own, which nobody looks for. */
    [KEY_TEXT] = {"client key's text", "", INT_MAX, 0},
    [KEY] = {"client key", "", 0, 0},
    /* None: it is kept until the end, so that what is searched is seen to be what it should be. */
    [PLANTED] = {"planted text", "NBSLFEqmboufe", 1, 13},
};

static char memory[1 << 20];

/* Not memset, which a compiler leaves out where nobody reads it any more. */
static void wipe(char *data, size_t len) {
    for (volatile char *at = data; at < data + len; at++) {
        *at = 0;
    }
}

/* Writes a secret, and wipes what an earlier one has left. */
static size_t reveal(int number, char *plain) {
    wipe(plain, LONGEST);
    for (size_t at = 0; at < SECRET[number].len; at++) {
        plain[at] = (char)(SECRET[number].shifted[at] - 1);
    }
    return SECRET[number].len;
}

/* Takes a secret from a file: what `skip` lines leave, up to the end of a line or so many bytes. */
static void read_secret(int number, const char *path, int skip, size_t most) {
    char data[1024];
    int file = open(path, O_RDONLY);
    CHECK(file >= 0);
    ssize_t len = read(file, data, sizeof data);
    CHECK(len > 0);
    close(file);
    const char *at = data;
    for (; skip > 0; skip--) {
        at = (const char *)memchr(at, '\n', (size_t)(data + len - at)) + 1;
    }
    for (; SECRET[number].len < most; SECRET[number].len++) {
        SECRET[number].shifted[SECRET[number].len] = (char)(at[SECRET[number].len] + 1);
    }
    CHECK(at + most <= data + len && most <= LONGEST);
    wipe(data, sizeof data);
}

static bool is_at(const char *data, const struct secret *secret) {
    for (size_t at = 0; at < secret->len; at++) {
        if (data[at] != (char)(secret->shifted[at] - 1)) {
            return false;
        }
    }
    return true;
}

/* The next place from `from` on. */
static const char *find(const char *from, const char *to, const struct secret *secret) {
    for (; from + secret->len <= to; from++) {
        from = memchr(from, (char)(secret->shifted[0] - 1), (size_t)(to - from));
        if (from == NULL || from + secret->len > to) {
            return NULL;
        }
        if (is_at(from, secret)) {
            return from;
        }
    }
    return NULL;
}

/* Whether a text shows a secret. */
static void check_text_for_secrets(const char *what, const char *data, size_t len) {
    for (int number = 0; number < SECRETS; number++) {
        if (find(data, data + len, &SECRET[number]) != NULL) {
            FAIL("%s shows the %s: %.*s", what, SECRET[number].name, (int)len, data);
        }
    }
}

/* Counts the copies of each secret in a part of a file. */
static void search(int file, unsigned long long from, unsigned long long to, int found[SECRETS]) {
    /* Pieces that overlap, so that nothing is missed between two. */
    for (unsigned long long at = from; at < to; at += sizeof memory - LONGEST) {
        size_t len = to - at < sizeof memory ? (size_t)(to - at) : sizeof memory;
        ssize_t count = pread(file, memory, len, (off_t)at);
        if (count <= 0) {
            return;
        }
        for (int number = 0; number < SECRETS; number++) {
            const char *place = memory, *end = memory + count;
            for (; (place = find(place, end, &SECRET[number])) != NULL; place++) {
                /* What lies in the overlap alone was counted as the end of the piece before. */
                found[number] += at == from || place + SECRET[number].len > memory + LONGEST;
            }
        }
    }
}

/* Of each secret no more may be left than is said. */
static void check_found(const char *where, const int found[SECRETS]) {
    bool is_right = found[PLANTED] == 1;
    for (int number = 0; number < SECRETS; number++) {
        printf("%s: %s: %d copies are left, %d may be\n", where, SECRET[number].name, found[number], SECRET[number].allowed);
        is_right = is_right && found[number] <= SECRET[number].allowed;
    }
    CHECK(is_right);
}

/* Searches all that a process may have written to: its heaps, its stacks, its variables, also where it may not read it now. */
static void search_process(pid_t process) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)process);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)process);
    int mem = open(path, O_RDONLY);
    CHECK(maps != NULL && mem >= 0);
    int found[SECRETS] = {0};
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long long from, to;
        char mode[5];
        CHECK(sscanf(line, "%llx-%llx %4s", &from, &to, mode) == 3);
        search(mem, from, to, found);
    }
    close(mem);
    fclose(maps);
    check_found("memory", found);
}

/* Whether the system writes a core dump into the working folder, rather than giving it to a program or another folder. */
static bool dumps_core_here(void) {
    char pattern[200] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");
    struct rlimit limit;
    CHECK(file != NULL && fgets(pattern, sizeof pattern, file) != NULL && getrlimit(RLIMIT_CORE, &limit) == 0);
    fclose(file);
    return pattern[0] != '|' && strchr(pattern, '/') == NULL && limit.rlim_max == RLIM_INFINITY;
}

/* Searches the one file of a folder, and takes both away. */
static void search_core(const char *folder) {
    char path[400] = "";
    DIR *dir = opendir(folder);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%.60s", folder, entry->d_name);
        }
    }
    closedir(dir);
    int file = open(path, O_RDONLY);
    struct stat about;
    CHECK(file >= 0 && fstat(file, &about) == 0);
    int found[SECRETS] = {0};
    search(file, 0, (unsigned long long)about.st_size, found);
    close(file);
    CHECK(remove(path) == 0 && rmdir(folder) == 0);
    check_found("core dump", found);
}

static char roots[300], client[300];

/* A configuration with all secrets; with a faulty server in the place of its proxy, if `proxy` names a kind of those. */
static chatnio_config *config_of(const char *proxy, const char *address) {
    chatnio_config *config = new_config();
    char plain[LONGEST], url[200];
    size_t len = reveal(HEADER, plain);
    OK(chatnio_config_add_header(config, TEXT("Authorization"), plain, len));
    OK(chatnio_config_set_record(config, true));
    OK(chatnio_config_set_connect_retries(config, 0));
    /* Nobody is asked what a silent server says in the end. */
    OK(chatnio_config_set_connect(config, 200));
    OK(chatnio_config_set_handshake(config, 200));
    OK(chatnio_config_set_first_frame(config, 200));
    OK(chatnio_config_set_next_frame(config, 200));
    OK(chatnio_config_set_answer_within(config, 400));
    OK(chatnio_config_set_close(config, 100));
    OK(chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY));
    OK(chatnio_config_add_root_file(config, roots, strlen(roots)));
    OK(chatnio_config_set_client_certificate_file(config, client, strlen(client), client, strlen(client)));
    if (proxy != NULL) {
        reveal(PASSWORD, plain);
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
static void ask(const char *url, const char *proxy, const char *address) {
    chatnio_config *config = config_of(proxy, address);
    char plain[LONGEST], whole[300];
    size_t len = reveal(TOKEN, plain);
    chatnio_auth *auth = NULL;
    OK(chatnio_auth_new(plain, len, &auth));
    reveal(QUERY, plain);
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
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int tried;

/* The table, behind its first line, whose last cell says how many rows follow. */
static int open_table(const char *folder) {
    char path[300], line[100];
    snprintf(path, sizeof path, "%s/table", folder);
    table = fopen(path, "r");
    CHECK(table != NULL && fgets(line, sizeof line, table) != NULL);
    return atoi(strrchr(line, '\t') + 1);
}

/* Takes the next row; its number, or -1 at the end. */
static int next_row(char fault[32], char over[16], char url[200]) {
    char line[8192];
    pthread_mutex_lock(&lock);
    int number = fgets(line, sizeof line, table) != NULL && line[0] != '\n' ? tried++ : -1;
    pthread_mutex_unlock(&lock);
    CHECK(number < 0 || sscanf(line, "%31s %15s %199s", fault, over, url) == 3);
    return number;
}

/* Whether a row's server repeats what it is sent. What is received is not wiped: such rows are tried by themselves. */
static bool repeats(const char *fault) {
    return strstr(fault, "-echo") != NULL;
}

/* Tries rows, each straight, and one in four plain ones by faulty proxies. */
static void *try_rows(void *unused) {
    (void)unused;
    char fault[32], over[16], url[200], address[100];
    for (int number; (number = next_row(fault, over, url)) >= 0;) {
        if (repeats(fault)) {
            continue;
        }
        ask(url, NULL, NULL);
        if (strcmp(over, "plain") == 0 && number % 4 == 0) {
            CHECK(sscanf(url, "ws://%99[^/]", address) == 1);
            ask("ws://localhost:9/chat", "http", address);
            ask("ws://localhost:9/chat", "socks5", address);
        }
    }
    return NULL;
}

/* Tries all rows, frees everything, waits to be searched, and dumps core. */
static void live(const char *folder, const char *core) {
    /* It waits for nobody who has failed. */
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
    int announced = open_table(folder);
    pthread_t threads[AT_ONCE];
    for (int at = 0; at < AT_ONCE; at++) {
        CHECK(pthread_create(&threads[at], NULL, try_rows, NULL) == 0);
    }
    for (int at = 0; at < AT_ONCE; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    fclose(table);
    CHECK(announced > 0 && tried == announced);
    EQUAL(0, chatnio_testing_live_handles());
    static char planted[LONGEST];
    reveal(PLANTED, planted);

    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_CORE, &limit) == 0 && chdir(core) == 0);
    raise(SIGSTOP);
    abort();
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    char core[300], path[300];
    snprintf(core, sizeof core, "%s/core", argv[1]);
    snprintf(roots, sizeof roots, "%s/ca.pem", argv[1]);
    snprintf(client, sizeof client, "%s/client.pem", argv[2]);
    snprintf(path, sizeof path, "%s/client.raw", argv[2]);
    /* The first names the algorithm, too. */
    read_secret(KEY_TEXT, client, 2, 64);
    read_secret(KEY, path, 0, 32);
    CHECK(mkdir(core, 0700) == 0);

    fflush(stdout);
    pid_t process = fork();
    CHECK(process >= 0);
    if (process == 0) {
        live(argv[1], core);
    }
    int status = 0;
    CHECK(waitpid(process, &status, WUNTRACED) == process);
    if (!WIFSTOPPED(status)) {
        FAIL("it did not come to its end");
    }
    search_process(process);
    kill(process, SIGCONT);
    CHECK(waitpid(process, &status, 0) == process && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (dumps_core_here()) {
        search_core(core);
    } else {
        /* Its memory was searched, of which a dump is a part. */
        printf("core dump: the system writes none here\n");
    }

    open_table(argv[1]);
    int repeating = 0;
    char fault[32], over[16], url[200];
    while (next_row(fault, over, url) >= 0) {
        if (repeats(fault)) {
            ask(url, NULL, NULL);
            repeating++;
        }
    }
    fclose(table);
    CHECK(repeating >= 2);
    return done();
}
