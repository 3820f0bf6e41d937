// Servers that each do one thing wrong: what a client makes of each is what the table says. faults FOLDER, with the files
// of `loopback/with-faults`.

#include "check.hpp"
#include "faults.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace chatnio;
using test::Row;

static constexpr std::string_view TOKEN = "sk-secret";

/** What a caller gets of a question. */
struct Got {
    std::string status, text;
};

/** All limits are as the row wants them: what ends by another than its own is late. */
static Config config_of(const Row &row, const std::string &roots)
{
    const auto limit = [&](std::string_view name) { return row.by == name ? row.limit : row.others; };
    Config config;
    config.connect(limit("connect")).handshake(limit("handshake")).first_frame(limit("first_frame")).next_frame(limit("next_frame"));
    config.answer_within(limit("answer_within")).after_stop(limit("after_stop")).close(limit("close")).connect_retries(0);
    config.ping_after(limit("ping_after")).pong_within(limit("pong_within"));
    config.max_message(64 << 10).max_answer(1 << 20).trust(CHATNIO_TRUST_ADDED_ONLY).add_root_file(roots);
    return config;
}

/** Why there is no connection: the status without its prefix, and for two of them the code. */
static std::string end_of(const Error &error, std::int32_t code)
{
    const std::string_view text = error.what();
    CHECK(!text.empty() && text.find(TOKEN) == std::string_view::npos);
    std::string name(status_name(error.status()).substr(std::string_view("CHATNIO_").size()));
    if (error.status() == CHATNIO_CLOSED_BY_SERVER && code == 0) {
        name += " -";
    } else if (error.status() == CHATNIO_CLOSED_BY_SERVER || error.status() == CHATNIO_HTTP) {
        name += " " + std::to_string(code);
    }
    return name;
}

/** Asks one question to its end. */
static Got ask(const Row &row, Client &client)
{
    std::string text;
    try {
        CHECK(client.request(Request::chat("hi")));
        for (;;) {
            const std::optional<Event> event = client.next(row.most);
            if (!event) {
                return {"late", text};
            }
            if (event->kind() == CHATNIO_EVENT_DELTA || event->kind() == CHATNIO_EVENT_END) {
                text += event->text();
            }
            if (event->kind() == CHATNIO_EVENT_END && event->outcome() != CHATNIO_OUTCOME_INTERRUPTED) {
                return {std::string(outcome_name(event->outcome())), text};
            }
            // Otherwise the next call says why.
            if (event->kind() == CHATNIO_EVENT_END && client.state() != CHATNIO_STATE_CLOSED) {
                return {std::string(interruption_name(event->interruption())), text};
            }
        }
    } catch (const Error &error) {
        return {end_of(error, client.end_code()), text};
    }
}

/** Asks a row's questions, of which there may be two. */
static std::vector<Got> ask_all(const Row &row, const Config &config)
{
    std::optional<Client> client;
    try {
        client.emplace(row.url, Auth(TOKEN), config);
    } catch (const Error &error) {
        return {{end_of(error, error.code()), ""}};
    }
    std::vector<Got> got{ask(row, *client)};
    if (row.second != "-") {
        got.push_back(ask(row, *client));
    }
    return got;
}

/** Without white space at its end, at most 40 characters. */
static std::string compared(const std::string &text)
{
    const std::size_t length = text.find_last_not_of(' ') + 1;
    std::size_t characters = 0, at = 0;
    for (; at < length; at++) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
        if (begins && characters++ == 40) {
            break;
        }
    }
    return text.substr(0, at);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    const std::string folder = argv[1];
    const std::vector<Row> table = test::rows(folder + "/table");
    std::mutex mutex;
    std::size_t wrong = 0;
    test::try_rows(table, [&](const Row &row) {
        const auto start = std::chrono::steady_clock::now();
        const std::vector<Got> got = ask_all(row, config_of(row, folder + "/ca.pem"));
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
        std::string seen, wanted = row.status + " \"" + row.text + "\"";
        for (const Got &one : got) {
            seen += (seen.empty() ? "" : ", then ") + one.status + " \"" + compared(one.text) + "\"";
        }
        if (row.second != "-") {
            wanted += ", then " + row.second + " \"" + row.second_text + "\"";
        }
        if (seen != wanted || took < row.least || took > row.most) {
            const std::lock_guard<std::mutex> lock(mutex);
            wrong++;
            std::fprintf(stderr, "%s, %s: %s instead of %s; it took %d ms\n", row.fault.c_str(), row.over.c_str(), seen.c_str(),
                         wanted.c_str(), static_cast<int>(took.count()));
        }
    });
    CHECK(wrong == 0);
}
