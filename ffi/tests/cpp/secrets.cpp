// No secret is in a text that a program could print or store: every fault of the table, plain and over TLS, to clients that have
// one of each kind; and again with the faulty server in the place of a proxy.
// secrets FOLDER CHAIN KEY, with the files of `loopback/with-faults`, and of a client's certificate.

#include "check.hpp"
#include "faults.hpp"

#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace chatnio;

static const std::string TOKEN = "sk-MARKEDtoken", HEADER = "MARKEDheader", QUERY = "MARKEDquery", PASSWORD = "MARKEDpassword";
/** `user:MARKEDpassword`, as a proxy is told it. */
static const std::string PASSWORD_BASE64 = "dXNlcjpNQVJLRURwYXNzd29yZA";

/** No row is waited for: what comes of it is not asked here. */
static constexpr std::chrono::milliseconds SHORT{200};

/** A client's certificate, with the key. */
struct Identity {
    std::string chain, key;
};

static std::string contents(const char *path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/** All secrets: the key's by its first line. */
static std::vector<std::string> secrets_of(const Identity &identity)
{
    const std::size_t from = identity.key.find('\n') + 1;
    return {TOKEN, HEADER, QUERY, PASSWORD, PASSWORD_BASE64, identity.key.substr(from, identity.key.find('\n', from) - from)};
}

/** Every text that there was to see. */
using Texts = std::vector<std::string>;

static void add(Texts &texts, std::optional<std::string_view> text)
{
    if (text) {
        texts.emplace_back(*text);
    }
}

static void add(Texts &texts, const Error &error)
{
    texts.emplace_back(error.what());
    add(texts, error.body());
    add(texts, error.location());
}

static void add(Texts &texts, const Event &event)
{
    texts.emplace_back(event.text());
    texts.emplace_back(event.raw());
    if (const std::optional<Answer> answer = event.answer()) {
        texts.emplace_back(answer->text());
    }
}

static Config config_of(const std::string &roots, const Identity &identity, const std::string &proxy)
{
    Config config;
    config.connect(SHORT).handshake(SHORT).first_frame(SHORT).next_frame(SHORT).answer_within(SHORT);
    config.close(SHORT).connect_retries(0);
    config.max_message(64 << 10).max_answer(1 << 20).record(true).add_header("Authorization", HEADER);
    config.trust(CHATNIO_TRUST_ADDED_ONLY).add_root_file(roots).client_certificate_pem(identity.chain, identity.key);
    if (!proxy.empty()) {
        config.proxy(proxy);
    }
    return config;
}

/** Asks one question to its end. */
static Texts ask(const std::string &url, const Config &config)
{
    Texts texts;
    std::optional<Client> client;
    try {
        client.emplace(url + "?key=" + QUERY, Auth(TOKEN), config);
        for (const Event &event : client->ask(Request::chat("hi"))) {
            add(texts, event);
            if (event.kind() == CHATNIO_EVENT_END) {
                break;
            }
        }
        if (const std::optional<Event> event = client->close()) {
            add(texts, *event);
        }
    } catch (const Error &error) {
        add(texts, error);
    }
    if (client) {
        for (const std::int32_t part : {CHATNIO_REFUSAL_LOCATION, CHATNIO_REFUSAL_WWW_AUTHENTICATE}) {
            add(texts, client->refusal(part));
        }
        add(texts, client->refusal_body());
        const std::optional<Transcript> transcript = client->transcript();
        CHECK(transcript && !transcript->text().empty());
        texts.emplace_back(transcript->text());
    }
    CHECK(!texts.empty());
    return texts;
}

/** Which secrets show, by their beginnings, and in what. */
static Texts shown(const std::vector<std::string> &secrets, const Texts &texts)
{
    Texts found;
    for (const std::string &text : texts) {
        for (const std::string &secret : secrets) {
            if (text.find(secret.substr(0, 8)) != std::string::npos) {
                found.push_back(secret + " is in " + text);
            }
        }
    }
    return found;
}

int main(int argc, char **argv)
{
    CHECK(argc == 4);
    const std::string folder = argv[1];
    const Identity identity{contents(argv[2]), contents(argv[3])};
    const std::vector<std::string> secrets = secrets_of(identity);
    CHECK(secrets.back().size() > 40);
    const std::vector<test::Row> table = test::rows(folder + "/table");
    std::mutex mutex;
    std::size_t tried = 0, wrong = 0;
    const auto search = [&](const test::Row &row, const std::string &way, const Texts &texts) {
        const std::lock_guard<std::mutex> lock(mutex);
        tried++;
        for (const std::string &found : shown(secrets, texts)) {
            wrong++;
            std::fprintf(stderr, "%s, %s (%s): %s\n", row.fault.c_str(), row.over.c_str(), way.c_str(), found.c_str());
        }
    };
    test::try_rows(table, [&](const test::Row &row) {
        search(row, "straight", ask(row.url, config_of(folder + "/ca.pem", identity, "")));
        if (row.over == "plain") {
            const std::size_t from = std::string_view("ws://").size();
            const std::string address = row.url.substr(from, row.url.find('/', from) - from);
            for (const std::string kind : {"http", "socks5", "socks5h"}) {
                const std::string proxy = kind + "://user:" + PASSWORD + "@" + address;
                search(row, kind, ask("ws://localhost:9/chat", config_of(folder + "/ca.pem", identity, proxy)));
            }
        }
    });
    CHECK(tried > 1000);
    CHECK(wrong == 0);
    // What shows is found.
    CHECK(shown(secrets, {TOKEN + " " + HEADER, QUERY, PASSWORD_BASE64, PASSWORD, identity.key}).size() == 6);
}
