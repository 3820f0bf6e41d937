import ChatNio
import Foundation
import XCTest

/// The companion calls: every recorded answer, and what the types show.
final class RestTests: HandleTestCase {
    /// What is done with a call, whatever it answers: its request, and an answer's JSON.
    private struct Erased {
        let request: () throws -> Rest.HTTPRequest
        let json: (Int, [UInt8]) throws -> String

        init<Answer>(_ call: Rest.Call<Answer>) {
            request = { try call.request() }
            json = { status, body in
                let json = try call.json(status: status, body: body)
                // Whatever has JSON has a result, too.
                _ = try call.decode(status: status, body: body)
                return json
            }
        }
    }

    /// The call of that name, with the arguments of rest/answers.txt.
    private func call(_ name: String, _ arguments: [String: Any]) throws -> Erased {
        func integer(_ name: String) throws -> Int64 { try XCTUnwrap(arguments[name] as? NSNumber).int64Value }
        func text(_ name: String) throws -> String { try XCTUnwrap(arguments[name] as? String) }
        switch name {
        case "conversations": return Erased(Rest.conversations)
        case "conversation": return Erased(Rest.conversation(try integer("id")))
        case "delete_conversation": return Erased(Rest.deleteConversation(try integer("id")))
        case "rename_conversation": return Erased(Rest.renameConversation(try integer("id"), to: try text("name")))
        case "share_conversation": return Erased(Rest.shareConversation(try integer("id")))
        case "quota": return Erased(Rest.quota)
        case "subscription": return Erased(Rest.subscription)
        case "package": return Erased(Rest.package)
        case "buy": return Erased(Rest.buy(quota: try integer("quota")))
        case "subscribe": return Erased(Rest.subscribe(level: try integer("level"), months: try integer("months")))
        case "models": return Erased(Rest.models)
        case "charges": return Erased(Rest.charges)
        case "shared_conversation": return Erased(Rest.sharedConversation(hash: try text("hash")))
        case "shares": return Erased(Rest.shares)
        case "delete_share": return Erased(Rest.deleteShare(hash: try text("hash")))
        case "masks": return Erased(Rest.masks)
        case "save_mask": return Erased(Rest.saveMask(try text("name"), [Request.Mask(.system, "x")]))
        case "delete_mask": return Erased(Rest.deleteMask(try integer("id")))
        case "user": return Erased(Rest.user)
        case "info": return Erased(Rest.info)
        case "market": return Erased(Rest.market)
        case "plans": return Erased(Rest.plans)
        case "billing_usage": return Erased(Rest.billingUsage)
        case "billing_limits": return Erased(Rest.billingLimits)
        case "api_key": return Erased(Rest.apiKey)
        case "invite": return Erased(Rest.invite(code: try text("code")))
        case "redeem": return Erased(Rest.redeem(code: try text("code")))
        default: throw XCTSkip("there is no call \(name)")
        }
    }

    func testEveryRecordedAnswer() throws {
        var names: [String] = []
        for section in try Checkout.text("rest/answers.txt").components(separatedBy: "\n\n") {
            let lines = section.components(separatedBy: "\n").filter { !$0.hasPrefix("//") && !$0.isEmpty }
            guard let first = lines.first, first.hasPrefix("CALL ") else { continue }
            let words = first.split(separator: " ", maxSplits: 2)
            names.append(String(words[1]))
            let arguments = try JSONSerialization.jsonObject(with: Data(words[2].utf8))
            let call = try call(names.last!, XCTUnwrap(arguments as? [String: Any]))
            var outcome = ""
            for line in lines.dropFirst() {
                switch line.prefix(2) {
                case "> ":
                    let request = try call.request()
                    XCTAssertEqual("> \(request)" + (request.body.map { " " + $0 } ?? ""), line)
                case "< ":
                    let answer = line.dropFirst(2).split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                    outcome = try self.outcome(of: call, status: XCTUnwrap(Int(answer[0])), body: String(answer[1]))
                default:
                    XCTAssertEqual(outcome, line, names.last!)
                }
            }
        }
        XCTAssertEqual(Set(names).count, 27)
    }

    private func outcome(of call: Erased, status: Int, body: String) throws -> String {
        do {
            return "= " + (try call.json(status, Array(body.utf8)))
        } catch let failure as Rest.Failure {
            XCTAssertFalse(failure.description.isEmpty)
            let code = try XCTUnwrap(failure.error.code).description.dropFirst("CHATNIO_REST_".count).lowercased()
            return "! \(code)" + (failure.words.map { " " + $0 } ?? "")
        }
    }

    func testTheKeyIsInItsHeaderAlone() throws {
        let call = Rest.renameConversation(7, to: "n")
        let request = try call.request(auth: Auth(token: "sk-SECRET"), prefix: "/api")
        XCTAssertEqual(request.target, "/api/conversation/rename")
        XCTAssertEqual(
            request.headers.map { "\($0.name): \($0.value)" },
            ["Accept: application/json", "Content-Type: application/json", "Authorization: Bearer sk-SECRET"])
        var dumped = ""
        dump(request, to: &dumped)
        XCTAssertFalse("\(request) \(dumped)".contains("SECRET"))
        XCTAssertFalse(try call.isRepeatable)
        XCTAssertTrue(try Rest.quota.isRepeatable)
        XCTAssertEqual(Rest.prefix(ofPath: "/api/chat"), "/api")
        XCTAssertThrowsError(try Rest.quota.request(auth: Auth(token: "sk-SECRET\n"))) { error in
            XCTAssertEqual((error as? ChatNioError)?.code, .badToken)
            XCTAssertFalse("\(error)".contains("SECRET"))
        }
    }

    func testTheTypesShowWhatCame() throws {
        let loaded = try Rest.conversation(29).decode(
            status: 200,
            body: Array(
                #"{"data":{"id":29,"message":[{"role":"user","content":"é"}],"context":3},"status":true}"#.utf8))
        XCTAssertEqual(loaded.messages.map { [$0.role, $0.content] }, [["user", "é"]])
        XCTAssertEqual(loaded.context, 3)
        let charges = try Rest.charges.decode(
            status: 200, body: Array(#"[{"id":1,"type":"t","models":["a","b"],"input":1,"output":2}]"#.utf8))
        XCTAssertEqual(charges[0].models, ["a", "b"])
        XCTAssertEqual(charges[0].output, 2)
        XCTAssertThrowsError(try Rest.quota.decode(status: 503, body: [])) { error in
            XCTAssertEqual((error as? Rest.Failure)?.retryCause, .unavailable)
        }
        XCTAssertThrowsError(try Rest.quota.decode(status: 429, body: [])) { error in
            XCTAssertEqual((error as? Rest.Failure)?.retryCause, .throttled)
        }
        XCTAssertThrowsError(try Rest.quota.decode(status: 404, body: [])) { error in
            XCTAssertNil((error as? Rest.Failure)?.retryCause, "it would bring the same")
        }
        XCTAssertThrowsError(try Rest.redeem(code: "x").decode(status: 503, body: [])) { error in
            XCTAssertNil((error as? Rest.Failure)?.retryCause, "it must not be repeated")
        }
    }
}
