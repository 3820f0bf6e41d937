// Servers that each do one thing wrong: what a client makes of each is what the table says. faults FOLDER, with the files
// of `loopback/with-faults`.

#include "check.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace chatnio;

static constexpr std::string_view TOKEN = "sk-secret";

/** No row needs as long: whatever hangs fails. */
static constexpr std::chrono::milliseconds LONG{30000};

/** The deadline that a row names, so that it passes soon. */
static constexpr std::chrono::milliseconds SHORT{300};

struct Row {
    std::string fault, over, url, status, by, text;
};

/** The lines up to the empty one, without the first, which names the columns. */
static std::vector<Row> rows(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::vector<Row> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line) && !line.empty()) {
        std::string cells[6];
        std::size_t from = 0;
        for (std::string &cell : cells) {
            const std::size_t to = std::min(line.find('\t', from), line.size());
            cell = line.substr(from, to - from);
            from = to + 1;
        }
        rows.push_back({cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]});
    }
    return rows;
}

/** All deadlines are long, except the one that the row names: a client that waits for another gets another status. */
static Config config_of(const Row &row, const std::string &roots)
{
    const auto within = [&](std::string_view name) { return row.by == name ? SHORT : LONG; };
    Config config;
    config.connect(within("connect")).handshake(within("handshake")).first_frame(within("first_frame"));
    config.next_frame(within("next_frame")).ping_after(LONG).pong_within(LONG).close(LONG).connect_retries(0);
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

/** Asks one question to its end; `text` is what has come. */
static std::string ask(const Row &row, const Config &config, std::string &text)
{
    std::optional<Client> made;
    try {
        made.emplace(row.url, Auth(TOKEN), config);
    } catch (const Error &error) {
        return end_of(error, error.code());
    }
    Client &client = *made;
    try {
        CHECK(client.request(Request::chat("hi")));
        for (;;) {
            const std::optional<Event> event = client.next(LONG);
            if (!event) {
                return "late";
            }
            if (event->kind() == CHATNIO_EVENT_DELTA || event->kind() == CHATNIO_EVENT_END) {
                text += event->text();
            }
            if (event->kind() == CHATNIO_EVENT_END && event->outcome() != CHATNIO_OUTCOME_INTERRUPTED) {
                return std::string(outcome_name(event->outcome()));
            }
            // Otherwise the next call says why.
            if (event->kind() == CHATNIO_EVENT_END && client.state() != CHATNIO_STATE_CLOSED) {
                return std::string(interruption_name(event->interruption()));
            }
        }
    } catch (const Error &error) {
        return end_of(error, client.end_code());
    }
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
    const std::vector<Row> table = rows(folder + "/table");
    CHECK(table.size() > 500);
    std::atomic<std::size_t> next{0}, wrong{0};
    std::mutex mutex;
    const auto try_rows = [&] {
        for (std::size_t at; (at = next++) < table.size();) {
            const Row &row = table[at];
            std::string text;
            const std::string status = ask(row, config_of(row, folder + "/ca.pem"), text);
            if (status != row.status || compared(text) != row.text) {
                const std::lock_guard<std::mutex> lock(mutex);
                wrong++;
                std::fprintf(stderr, "%s, %s: %s \"%s\" instead of %s \"%s\"\n", row.fault.c_str(), row.over.c_str(),
                             status.c_str(), compared(text).c_str(), row.status.c_str(), row.text.c_str());
            }
        }
    };
    // Most of them wait.
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 16; thread++) {
        threads.emplace_back(try_rows);
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
}
