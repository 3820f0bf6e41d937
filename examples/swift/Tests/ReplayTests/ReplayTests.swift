// Unit-testing a program by transcripts: no network, no clock, the same result every time.

import ChatNio
import Testing
import WordBot

// ANCHOR: test
/// Plays a transcript to a bot.
private func play(_ transcript: String) throws -> WordBot {
    var bot = WordBot()
    for replayed in try Transcript(transcript).replay() {
        switch replayed {
        case .event(let event, _): bot.handle(event)
        case .warning(let warning, let line): Issue.record("line \(line): \(warning)")
        }
    }
    return bot
}

@Test func anAnswerIsCounted() throws {
    let bot = try play(
        """
        WEBSOCKET wss://api.chatnio.net/chat

        > SEND {"token":"sk-...","id":-1}
        > SEND {"type":"chat","message":"hi"}
        < RECV {"message":"Hello! How ","quota":0.1,"end":false}
        < RECV {"message":"can I help?","quota":0.1,"end":false}
        < RECV {"message":"","quota":0.1,"end":true}
        """)
    #expect(bot.verdict == "5 words")
}
// ANCHOR_END: test

@Test func aNoticeIsNoAnswer() throws {
    let bot = try play(
        """
        WEBSOCKET wss://api.chatnio.net/chat

        > SEND {"token":"sk-...","id":-1}
        > SEND {"type":"chat","message":"hi"}
        < RECV {"message":"user quota is not enough error","quota":0,"end":true}
        """)
    #expect(bot.verdict == "no answer: user quota is not enough error")
}

@Test func aLostConnectionCutsTheAnswerShort() throws {
    let bot = try play(
        """
        WEBSOCKET wss://api.chatnio.net/chat

        > SEND {"token":"sk-...","id":-1}
        > SEND {"type":"chat","message":"hi"}
        < RECV {"message":"Hello! How ","quota":0.1,"end":false}
        ! CLOSED
        """)
    #expect(bot.verdict == "cut short: closed by server")
}
