// Owners own: they move, free what they hold exactly once, and throw what the library says.

#include "check.hpp"

#include <chatnio_testing.h>

using namespace chatnio;

template <typename Owner>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<Owner> && std::is_nothrow_move_assignable_v<Owner> &&
                            !std::is_copy_constructible_v<Owner> && !std::is_copy_assignable_v<Owner>;

static_assert(moves_only<Config> && moves_only<Auth> && moves_only<Request> && moves_only<Session> &&
              moves_only<Connection> && moves_only<Client> && moves_only<Stopper> && moves_only<Transcript> &&
              moves_only<Replay> && moves_only<RestCall> && moves_only<RestAnswer>);
static_assert(std::is_trivially_copyable_v<Event> && std::is_trivially_copyable_v<Answer>);

static void moving()
{
    Session session(0);
    chatnio_session *const handle = session.native();
    Session other(std::move(session));
    CHECK(session.native() == nullptr && other.native() == handle);
    CHECK(chatnio_testing_live_handles() == 1);

    // What was moved from throws instead of crashing, and can be used again.
    CHECK(test::throws(CHATNIO_INVALID, [&] { (void)session.state(); }));
    session = Session(0);
    CHECK(session.state() == CHATNIO_STATE_IDLE && chatnio_testing_live_handles() == 2);

    // What was there is freed.
    session = std::move(other);
    CHECK(session.native() == handle && chatnio_testing_live_handles() == 1);
}

static void configurations()
{
    Config config;
    config.keep_alive(std::chrono::seconds(5)).keep_text(false).max_answer(1000);
    Config shared = config.share();
    CHECK(shared.native() == config.native());
    config = nullptr;

    // In use it cannot be changed.
    Session session(0, nullptr, shared);
    CHECK(test::throws(CHATNIO_FROZEN, [&] { shared.keep_text(true); }));

    CHECK(test::throws(CHATNIO_INVALID, [] { Config().keep_alive(std::chrono::milliseconds(-1)); }));
    CHECK(test::throws(CHATNIO_BAD_HEADER, [] { Config().add_header("no name", "x"); }));
    // None is the defaults, and nothing to be changed.
    CHECK(test::throws(CHATNIO_INVALID, [] { Config(nullptr).keep_text(true); }));

    // Every other setting is taken.
    const std::uint64_t repeats[] = {100, 200};
    Config every;
    every.auth_at_once(true).keep_text(true).first_frame(std::chrono::seconds(1)).next_frame(std::chrono::seconds(1));
    every.answer_within(std::chrono::seconds(1)).after_stop(std::chrono::seconds(1)).settle(std::chrono::seconds(1)).stop_repeats(repeats, 2).max_message(1).max_request(1).record(true);
    every.max_recording(1).connect(std::chrono::seconds(1)).handshake(std::chrono::seconds(1));
    every.ping_after(std::chrono::seconds(1)).pong_within(std::chrono::seconds(1)).close(std::chrono::seconds(1));
    every.allow_token_over_plain_ws(true).add_header("X-Proxy", "value").trust(CHATNIO_TRUST_PLATFORM);
    every.dangerous_accept_any_certificate().wall_clock(1'800'000'000);
    every.wall_clock_callback([](void *) -> std::uint64_t { return 1'800'000'000; }, nullptr).load_roots();
    CHECK(test::throws(CHATNIO_BAD_ROOTS, [] { Config().add_roots_pem("no PEM"); }));
    CHECK(test::throws(CHATNIO_BAD_ROOTS, [] { Config().add_root_der("no DER"); }));
}

static void errors()
{
    CHECK(test::throws(CHATNIO_BAD_URL, [] { Connection("ftp://example.com", 0); }));
    try {
        Config().add_root_file("/nonexistent/ca.pem");
        CHECK(!"read");
    } catch (const Error &error) {
        CHECK(error.status() == CHATNIO_BAD_ROOTS && !error.is_fatal() && !error.is_retryable());
        CHECK(std::string_view(error.what()).find("/nonexistent/ca.pem") != std::string_view::npos);
    }
    CHECK(test::throws(CHATNIO_EMPTY_TOKEN, [] { Session(0, Auth("")); }));
    CHECK(test::throws(CHATNIO_NOT_UTF8, [] { Request::chat("\xff"); }));
    CHECK(test::throws(CHATNIO_INVALID, [] { Request(12345); }));
    CHECK(test::throws(CHATNIO_BAD_CONVERSATION, [] { Session(0, std::move(Auth("sk-x").conversation(-7))); }));

    try {
        Transcript transcript("< RECV {}\nnonsense\n");
        CHECK(!"made");
    } catch (const Error &error) {
        CHECK(error.status() == CHATNIO_BAD_TRANSCRIPT);
        CHECK(std::string_view(error.what()).find('2') != std::string_view::npos); // The line.
    }

    // The handle's own text, whole, however long.
    Session session(0);
    try {
        (void)session.request(0, Request::chat(" "));
        CHECK(!"sent");
    } catch (const Error &error) {
        CHECK(error.status() == CHATNIO_EMPTY_MESSAGE);
        std::size_t length = 0;
        CHECK(chatnio_session_error(session.native(), nullptr, 0, &length) == CHATNIO_OK);
        CHECK(length > 0 && std::string_view(error.what()).size() == length);
    }
}

static void requests()
{
    Session session(0);
    Request request = Request::chat("first");
    request.message("hi").model("gpt-4").web(true).ignore_context(true).context(3).max_tokens(4).temperature(0.5F);
    request.top_p(0.5F).top_k(5).presence_penalty(0.5F).frequency_penalty(0.5F).repetition_penalty(0.5F);
    request.extra("think", "true");
    CHECK(test::throws(CHATNIO_KNOWN_FIELD, [&] { request.extra("model", "1"); }));
    CHECK(test::throws(CHATNIO_BAD_EXTRA, [&] { request.extra("x", "{"); }));
    CHECK(session.request(0, request));
    CHECK(session.next_transmit()); // The authentication.
    const std::string_view sent = session.next_transmit().value();
    for (const char *part : {"\"hi\"", "\"gpt-4\"", "\"web\":true", "\"ignore_context\":true", "\"context\":3",
                             "\"max_tokens\":4", "\"temperature\":0.5", "\"top_p\":0.5", "\"top_k\":5",
                             "\"presence_penalty\":0.5", "\"frequency_penalty\":0.5", "\"repetition_penalty\":0.5", "\"think\":true"}) {
        CHECK(sent.find(part) != std::string_view::npos);
    }
    CHECK(!session.next_transmit());

    // Busy is no exception: the same request is fine later.
    CHECK(!session.request(0, request));
    CHECK(session.closed(CHATNIO_CLOSE_LOST)->interruption() == CHATNIO_INTERRUPTION_CONNECTION_LOST);
    CHECK(!session.closed(CHATNIO_CLOSE_LOST));
    CHECK(!session.reconnect(1));

    // The types, as they are sent.
    const auto sends = [&](RequestView other, std::string_view expected) {
        CHECK(session.request(1, other));
        while (const auto message = session.next_transmit()) {
            if (message->find(expected) != std::string_view::npos) {
                return true;
            }
        }
        return false;
    };
    CHECK(sends(Request::share("hash"), R"("type":"share","message":"hash")"));
    Request mask = Request::mask();
    mask.add_mask("system", "Be brief");
    CHECK(sends(mask, R"("type":"mask","message":"[{\"role\":\"system\",\"content\":\"Be brief\"}]")"));
    CHECK(sends(Request::edit(2, "new"), R"("type":"edit","message":"2:new")"));
    CHECK(sends(Request::remove(3), R"("type":"remove","message":"3")"));
    CHECK(sends(Request::chat("hi"), R"("type":"chat","message":"hi")"));
    CHECK(session.receive(1, R"({"end":true})").kind() == CHATNIO_EVENT_END);
    CHECK(sends(Request::restart(), R"("type":"restart")"));
    CHECK(sends(Request::stop(), R"("type":"stop")"));

    // And as they are told.
    CHECK(Request::chat("hi").type() == CHATNIO_REQUEST_CHAT && Request::restart().type() == CHATNIO_REQUEST_RESTART);
    CHECK(Request::stop().type() == CHATNIO_REQUEST_STOP && Request::share("hash").type() == CHATNIO_REQUEST_SHARE);
    CHECK(Request::edit(2, "new").type() == CHATNIO_REQUEST_EDIT);
    CHECK(Request::remove(3).type() == CHATNIO_REQUEST_REMOVE);
    CHECK(mask.type() == CHATNIO_REQUEST_MASK && RequestView(mask).type() == CHATNIO_REQUEST_MASK);
    // A step that is none has no request, and so no type.
    CHECK(test::throws(CHATNIO_INVALID, [] { (void)Step().request().type(); }));
}

// As macros of C, in C++.
static void structs_of_c()
{
    chatnio_event event = CHATNIO_EVENT_INIT;
    const chatnio_rest_model model = CHATNIO_REST_MODEL_INIT;
    CHECK(event.size == sizeof event && event.kind == 0 && event.answer == nullptr);
    CHECK(model.size == sizeof model && model.id.data == nullptr);
    chatnio_auth *auth = nullptr;
    CHECK(chatnio_auth_new(CHATNIO_LITERAL("sk-x"), &auth) == CHATNIO_OK);
    chatnio_auth_free(auth);
}

int main()
{
    structs_of_c();
    CHECK(version() == CHATNIO_VERSION && version_number() == CHATNIO_VERSION_NUMBER);
    CHECK((features() & CHATNIO_FEATURE_CLIENT) != 0);
    CHECK(request_type_name(CHATNIO_REQUEST_RESTART) == "restart" && outcome_name(CHATNIO_OUTCOME_NOTICE) == "notice");
    CHECK(interruption_name(CHATNIO_INTERRUPTION_RECONNECTED) == "reconnected");
    CHECK(conversation_kind_name(CHATNIO_CONVERSATION_RESUMED) == "resumed");
    CHECK(status_name(CHATNIO_BUSY) == "CHATNIO_BUSY" && !status_is_fatal(CHATNIO_BUSY));
    CHECK(timeout_ms(UINT64_MAX, 0) == -1 && timeout_ms(7, 5) == 2);
    CHECK(steady_now() <= steady_now());
    moving();
    configurations();
    errors();
    requests();
    CHECK(chatnio_testing_live_handles() == 0);
    std::printf("owners: %u checks\n", test::checks.load());
}
