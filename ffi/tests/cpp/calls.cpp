/*
 * The calls of the fuzz target `capi`, by chatnio.hpp: each line of its corpus, or what libFuzzer makes (CALLS_FUZZ).
 * What is refused throws, and every owner frees once; views are read for as long as the header promises them.
 */

#include <chatnio.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace chatnio;

[[noreturn]] void fail(const char *what)
{
    std::fprintf(stderr, "calls: %s\n", what);
    std::abort();
}

/* As fuzz/bodies/src/input.rs reads it: behind the end everything is zero or empty. */
class Input {
public:
    Input(const std::uint8_t *data, std::size_t size) : data_(data), left_(size) {}

    bool is_empty() const { return left_ == 0; }

    std::uint8_t byte()
    {
        if (left_ == 0) {
            return 0;
        }
        --left_;
        return *data_++;
    }
    unsigned number()
    {
        const unsigned high = byte();
        return high << 8 | byte();
    }
    std::int64_t integer()
    {
        std::uint64_t value = 0;
        for (int i = 0; i < 8; ++i) {
            value = value << 8 | byte();
        }
        return static_cast<std::int64_t>(value);
    }
    std::string bytes()
    {
        std::size_t size = byte();
        if (size == 255) {
            size = number();
        }
        size = std::min(size, left_);
        const std::string bytes(reinterpret_cast<const char *>(data_), size);
        data_ += size;
        left_ -= size;
        return bytes;
    }

private:
    const std::uint8_t *data_;
    std::size_t left_;
};

/* A view that is to be readable, and what it was. */
struct Shown {
    std::string_view view;
    std::string text;
};

class Host {
public:
    void act(Input &input)
    {
        const unsigned operation = input.byte() % 40;
        try {
            call(operation, input);
        } catch (const Error &error) {
            if (error.what()[0] == '\0' || error.status() == CHATNIO_PANIC) {
                fail("an error without words, or a panic");
            }
        }
        look();
    }

private:
    void call(unsigned operation, Input &input)
    {
        if (operation <= 4) {
            make(operation, input);
        } else if (operation <= 19 || operation == 34 || operation == 37) {
            on_session(operation, input);
        } else if (operation <= 32 || operation == 38) {
            on_connection(operation, input);
        } else {
            others(operation, input);
        }
    }

    void make(unsigned operation, Input &input)
    {
        const std::chrono::milliseconds time(input.byte() * 50);
        switch (operation) {
        case 0:
            config_ = Config();
            config_.first_frame(time).next_frame(time).after_stop(time).record(true);
            config_.max_message(input.number()).max_answer(input.number());
            break;
        case 1:
            auth_ = nullptr;
            auth_ = Auth(input.bytes());
            auth_.conversation(input.integer()).share(input.bytes());
            break;
        case 2:
            request_.reset();
            request_.emplace(static_cast<std::int32_t>(input.byte() % 9));
            request_->message(input.bytes()).model(input.bytes()).first_frame(time);
            request_->add_mask("user", input.bytes()).extra(input.bytes(), input.bytes());
            break;
        case 3:
            of_session_.clear();
            session_.reset();
            session_.emplace(now_, auth_, config_);
            break;
        default:
            of_connection_.clear();
            connection_.reset();
            connection_.emplace(input.byte() % 4 == 0 ? "no url" : "ws://localhost/chat", now_, auth_, config_);
        }
    }

    void on_session(unsigned operation, Input &input)
    {
        if (!session_) {
            return;
        }
        switch (operation) {
        case 5:
        case 6:
        case 7:
            if (request_ && !session_->request(now_, *request_)) {
                ++busy_;
            }
            break;
        case 8:
            session_->stop(now_);
            break;
        case 14:
            show(session_->receive_binary(now_));
            break;
        case 15:
            show(session_->closed(1 + input.byte() % 4));
            break;
        case 16:
            show(session_->reconnect(now_));
            break;
        case 17:
        case 18:
        case 19:
            now_ += input.number();
            break;
        case 34:
            if (const auto transcript = session_->transcript()) {
                transcript_.emplace(transcript->text());
            }
            break;
        case 37: {
            of_session_.clear();
            /* One that was moved from is empty, and frees nothing. */
            const Session moved = std::move(*session_);
            session_.reset();
            (void)moved.state();
            break;
        }
        default:
            show(session_->receive(now_, input.bytes()));
        }
        if (session_) {
            due();
        }
    }

    void due()
    {
        while (const auto event = session_->handle_timeout(now_)) {
            show(event);
        }
        while (const auto message = session_->next_transmit()) {
            if (message->front() != '{') {
                fail("what is sent is no object");
            }
        }
        if (session_->deadline() <= now_) {
            fail("it spins");
        }
    }

    void on_connection(unsigned operation, Input &input)
    {
        if (!connection_) {
            return;
        }
        switch (operation) {
        case 20:
            if (request_ && !connection_->request(now_, *request_)) {
                ++busy_;
            }
            break;
        case 21:
            connection_->stop(now_);
            break;
        case 28:
            connection_->close(now_);
            break;
        case 29:
            connection_->eof(now_);
            break;
        case 30:
            connection_->failed(now_, input.byte());
            break;
        case 31:
            of_connection_.clear();
            if (const auto end = connection_->reconnect(now_)) {
                keep(of_connection_, *end);
            }
            break;
        case 32:
            connection_->transmitted(input.byte());
            break;
        case 38:
            of_connection_.clear();
            connection_.reset();
            return;
        default:
            if (!connection_->receive(now_, input.bytes())) {
                ++busy_;
            }
            connection_->handle_timeout(now_);
        }
        events(input.byte());
    }

    void events(unsigned several)
    {
        if (several % 2 != 0) {
            Event batch[3];
            of_connection_.clear();
            const std::size_t count = connection_->next_events(batch, 3);
            for (std::size_t i = 0; i < count; ++i) {
                keep(of_connection_, batch[i]);
            }
            look();
        }
        of_connection_.clear();
        for (const Event &event : connection_->events()) {
            of_connection_.clear();
            keep(of_connection_, event);
            look();
        }
        of_connection_.clear();
        while (const auto bytes = connection_->transmit()) {
            connection_->transmitted(bytes->size());
        }
        (void)connection_->wants();
        (void)connection_->refusal_body();
    }

    void others(unsigned operation, Input &input)
    {
        switch (operation) {
        case 33:
            replay_.reset();
            transcript_.reset();
            transcript_.emplace(input.bytes());
            replay_.emplace(*transcript_);
            auth_ = replay_->auth();
            break;
        case 35:
            if (replay_) {
                const auto step = replay_->next_step(1 + input.byte() % 6);
                if (step && step->kind() == CHATNIO_STEP_REQUEST && session_) {
                    (void)session_->request(now_, step->request());
                }
            }
            break;
        default:
            replay_.reset();
            transcript_.reset();
            request_.reset();
            auth_ = nullptr;
            config_ = nullptr;
        }
    }

    void show(const std::optional<Event> &event)
    {
        of_session_.clear();
        if (event) {
            keep(of_session_, *event);
        }
    }

    static void keep(std::vector<Shown> &shown, const Event &event)
    {
        for (const auto view : {event.text(), event.raw(), event.quota_text()}) {
            shown.push_back({view, std::string(view)});
        }
        if (const auto answer = event.answer()) {
            for (const auto view : {answer->text(), answer->notice(), answer->keyword(), answer->reason()}) {
                shown.push_back({view, std::string(view)});
            }
        }
        if (const auto field = event.raw().empty() ? std::nullopt : event.field("message")) {
            shown.push_back({*field, std::string(*field)});
        }
    }

    void look() const
    {
        for (const auto *shown : {&of_session_, &of_connection_}) {
            for (const auto &one : *shown) {
                if (one.view != one.text) {
                    fail("a view has changed");
                }
            }
        }
        if (session_) {
            (void)session_->answer();
            (void)session_->memory();
        }
    }

    std::uint64_t now_ = 1000;
    unsigned busy_ = 0;
    Config config_ = nullptr;
    Auth auth_ = nullptr;
    std::optional<Request> request_;
    std::optional<Session> session_;
    std::optional<Connection> connection_;
    std::optional<Transcript> transcript_;
    std::optional<Replay> replay_;
    std::vector<Shown> of_session_;
    std::vector<Shown> of_connection_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Input input(data, size);
    Host host;
    while (!input.is_empty()) {
        host.act(input);
    }
    return 0;
}

#ifndef CALLS_FUZZ

namespace {

/* A line of a corpus: a byte string as Rust writes it. */
std::vector<std::uint8_t> input_of(const std::string &line)
{
    if (line.size() < 2 || line.front() != '"' || line.back() != '"') {
        fail("a line is no input");
    }
    std::vector<std::uint8_t> input;
    for (std::size_t at = 1; at + 1 < line.size(); ++at) {
        char byte = line[at];
        if (byte == '\\') {
            byte = line[++at];
            switch (byte) {
            case 'n': byte = '\n'; break;
            case 'r': byte = '\r'; break;
            case 't': byte = '\t'; break;
            case 'x':
                byte = static_cast<char>(std::stoi(line.substr(at + 1, 2), nullptr, 16));
                at += 2;
                break;
            default: break;
            }
        }
        input.push_back(static_cast<std::uint8_t>(byte));
    }
    return input;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        fail("usage: calls CORPUS");
    }
    std::ifstream corpus(argv[1]);
    unsigned count = 0;
    for (std::string line; std::getline(corpus, line); ++count) {
        const auto input = input_of(line);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    if (count < 10) {
        fail("there is no corpus");
    }
    std::printf("calls: %u inputs\n", count);
    return 0;
}

#endif
