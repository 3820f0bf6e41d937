// The companion calls as C++ sees them. Every recorded answer is compared in the C tests, of which this is a thin layer.

#include "check.hpp"

#include <chatnio_testing.h>

using namespace chatnio;

static void requests()
{
    RestCall call(CHATNIO_REST_RENAME_CONVERSATION);
    CHECK(test::throws(CHATNIO_INVALID, [&] { (void)call.target(); }));
    CHECK(test::throws(CHATNIO_BAD_PARAMETERS, [&] { call.prepare(); }));
    call.id(7).text("n").prepare(Auth("sk-test"), "/api");
    CHECK(call.method() == "POST" && call.target() == "/api/conversation/rename");
    CHECK(call.body() == R"({"id":7,"name":"n"})");
    std::string headers;
    for (std::size_t at = 0; const auto header = call.header(at); at++) {
        headers.append(header->name).append("=").append(header->value).append(";");
    }
    CHECK(headers == "Accept=application/json;Content-Type=application/json;Authorization=Bearer sk-test;");
    CHECK(!call.is_repeatable());

    RestCall quota(CHATNIO_REST_QUOTA);
    CHECK(quota.prepare().body().data() == nullptr && quota.is_repeatable());
    CHECK(RestCall(CHATNIO_REST_SUBSCRIBE).amount(1).months(2).prepare().body() == R"({"level":1,"month":2})");
    CHECK(RestCall(CHATNIO_REST_SHARE_CONVERSATION).id(5).add_index(0).prepare().body() == R"({"id":5,"refs":[0]})");
    RestCall mask(CHATNIO_REST_SAVE_MASK);
    mask.text("n").describe_mask("d", "a").add_mask("system", "x").prepare();
    CHECK(mask.body() ==
          R"({"id":-1,"avatar":"a","name":"n","description":"d","context":[{"role":"system","content":"x"}]})");
    CHECK(rest_prefix("/api/chat") == "/api" && rest_prefix("/chat").empty());
    CHECK(test::throws(CHATNIO_INVALID, [] { RestCall(0); }));
}

static void answers()
{
    RestCall call(CHATNIO_REST_CONVERSATIONS);
    const RestAnswer list = call.decode(200, R"({"data":[{"id":2,"name":"b","context":3}],"status":true})");
    CHECK(list.count() == 1 && list.conversation()->id == 2 && list.conversation()->name == "b");
    CHECK(list.conversation()->context == 3 && list.conversation()->messages == 0 && !list.conversation(1));
    CHECK(!list.number() && !list.text() && !list.subscription() && !list.model(0) && !list.charge(0));
    CHECK(list.json().substr(0, 10) == R"([{"id":2,")");

    RestCall load(CHATNIO_REST_CONVERSATION);
    const RestAnswer loaded =
        load.id(1).decode(200, R"({"data":{"id":1,"message":[{"role":"user","content":"hi"}]},"status":true})");
    CHECK(loaded.count() == 1 && loaded.message(0)->role == "user" && loaded.message(0)->content == "hi");
    CHECK(!loaded.message(1));

    const RestAnswer models = RestCall(CHATNIO_REST_MODELS).decode(200, R"({"data":[{"id":"m","created":5}]})");
    CHECK(models.model(0)->id == "m" && models.model(0)->created == 5 && models.model(0)->owned_by.empty());
    const RestAnswer charges =
        RestCall(CHATNIO_REST_CHARGES).decode(200, R"([{"id":1,"type":"t","models":["m"],"input":1,"output":2}])");
    CHECK(charges.charge(0)->kind == "t" && charges.charge(0)->output == 2 && charges.charge(0)->models == 1);
    CHECK(charges.charge_model(0, 0) == "m" && !charges.charge_model(0, 1));
    const RestAnswer shares = RestCall(CHATNIO_REST_SHARES).decode(200, R"({"data":[{"hash":"h"}],"status":true})");
    CHECK(shares.share(0)->hash == "h" && !shares.share(1));
    const RestAnswer subscription = RestCall(CHATNIO_REST_SUBSCRIPTION).decode(200, R"({"level":2,"status":true})");
    CHECK(subscription.subscription()->level == 2 && !subscription.subscription()->is_subscribed);
    CHECK(RestCall(CHATNIO_REST_QUOTA).decode(200, R"({"quota":5,"status":true})").number() == 5);
    const RestAnswer key = RestCall(CHATNIO_REST_API_KEY).decode(200, R"({"key":"sk-x","status":true})");
    CHECK(key.text() == "sk-x");
}

static void failures()
{
    RestCall call(CHATNIO_REST_QUOTA);
    const auto fails = [&](std::int32_t status, std::int32_t http_status, std::string_view body) {
        return test::throws(status, [&] { (void)call.decode(http_status, body); });
    };
    CHECK(fails(CHATNIO_REST_BAD_KEY, 401, R"({"code":401,"message":"Access denied."})"));
    CHECK(call.words() == "Access denied." && !call.is_retryable());
    CHECK(fails(CHATNIO_REST_HTTP, 503, "") && call.words().data() == nullptr && call.is_retryable());
    CHECK(call.retry_cause() == CHATNIO_RETRY_UNAVAILABLE);
    CHECK(fails(CHATNIO_REST_HTTP, 404, "<html>") && !call.retry_cause());
    CHECK(fails(CHATNIO_REST_WEB_PAGE, 200, "<html>") && fails(CHATNIO_REST_MALFORMED, 200, "{"));
    CHECK(call.decode(200, R"({"quota":5,"status":true}{"quota":6,"status":true})").number() == 5);
}

int main()
{
    requests();
    answers();
    failures();
    CHECK(chatnio_testing_live_handles() == 0);
    return 0;
}
