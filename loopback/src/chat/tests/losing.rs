//! Lost connections (protocol.md, section 7). What is below the WebSocket is tested with `Peer`.

use super::*;

#[test]
fn a_lost_connection_s_answer_is_stored_later() {
    for (generation, answer) in [
        (G2023, "write tcp: use of closed network connection"), // R7.3
        (G2024, "p1 p2"),                                       // R7.2
        (G2026, "p1 p2"),
    ] {
        let mut rig = Rig::open(generation);
        rig.ask("ten", "q").until(60);
        rig.chat.handle_eof(rig.now);
        rig.drain();
        assert_eq!(rig.history(), "u:q", "{generation}: not yet");
        rig.until(5000);
        assert!(rig.take().ends_with("(p1) drop"));
        assert_eq!(rig.history(), format!("u:q|a:{answer}"));
        assert_eq!(rig.chat.next_deadline(), None);
    }
}

#[test]
fn a_reconnect_loads_what_was_saved_last_and_may_lose_it_to_the_dying_connection() {
    all(|generation| {
        let world = World::new();
        let mut lost = Rig::with(world.clone(), Options::new(generation));
        lost.send(AUTH).ask("ten", "one").until(60);
        lost.chat.handle_eof(lost.now);
        // The question, not the answer (R7.4).
        let mut next = Rig::with(world, Options::new(generation));
        next.send(r#"{"token":"sk-a","id":1}"#).ask("cut", "two").until(50);
        assert_eq!(next.history(), "u:one|u:two", "{generation}");
        // The dying connection comes to its next piece and writes over it (R7.5).
        lost.until(200);
        assert!(lost.history().starts_with("u:one|a:"), "{generation}: {}", lost.history());
        assert!(!lost.history().contains("u:two"));
    });
}
