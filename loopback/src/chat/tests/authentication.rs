//! What the first message does (protocol.md, section 1).

use super::*;

#[test]
fn authentication_has_no_reply() {
    // R1.7.
    all(|generation| {
        assert_eq!(Rig::open(generation).until(10_000).take(), "");
    });
}

#[test]
fn wrong_types_in_the_authentication_drop_or_deafen() {
    // R1.9.
    for bad in [r#"{"token":"sk-a","id":"1"}"#, r#"{"token":5,"id":-1}"#, "hello", "[]"] {
        for (generation, expected) in [(G2023, ""), (G2024, "drop"), (G2026, "drop")] {
            let mut rig = Rig::new(generation);
            rig.send(bad).send(AUTH).ask("ten", "q").until(1000);
            assert_eq!(rig.take(), expected, "{bad}");
            assert_eq!(rig.chat.is_deaf(), generation == G2023);
        }
    }
}

#[test]
fn a_later_message_that_is_not_json_drops_the_socket_mid_answer() {
    // R2.4 and R2.11.
    all(|generation| {
        for bad in ["hello", "[1]", r#"{"message":5}"#, r#"{"web":"false"}"#] {
            let mut rig = Rig::open(generation);
            rig.ask("ten", "q").until(60).send(bad).until(2000);
            assert!(rig.take().ends_with("(p1) drop"), "{generation} {bad}");
        }
    });
}

#[test]
fn a_bad_token_goes_on_as_anonymous_and_the_first_chat_tells() {
    // R1.8 and R4.2.
    for token in ["anonymous", "", "Bearer anonymous", "sk-bad"] {
        let options = Options { bad_keys: vec!["sk-bad".to_owned()], ..Options::new(G2026) };
        let mut rig = Rig::with(World::new(), options);
        rig.send(&format!(r#"{{"token":"{token}","id":5}}"#)).ask("hello", "hi").until(1000);
        assert_eq!(rig.take(), "#-1 END0(not authenticated error (model: hello))");
    }
    let mut rig = Rig::with(World::new(), Options { faults: vec![Fault::BadKey], ..Options::new(G2026) });
    rig.send(AUTH).ask("hello", "hi").until(1000);
    assert_eq!(rig.take(), "#-1 END0(not authenticated error (model: hello))");
    let mut rig = Rig::new(G2023);
    rig.send(ANONYMOUS).ask("gpt-4", "@hello hi").until(1000);
    assert!(rig.take().starts_with("END0(You don't have enough quota"));
}

#[test]
fn a_login_token_is_as_good_as_a_key() {
    // R1.4.
    let mut rig = Rig::new(G2026);
    rig.send(r#"{"token":"eyJ.x.y","id":-1}"#).ask("ten", "q").until(1000);
    assert_eq!(rig.world.conversations("eyJ.x.y"), [1]);
}

#[test]
fn a_bearer_prefix_is_tolerated() {
    // R1.5.
    let mut rig = Rig::new(G2024);
    rig.send(r#"{"token":" Bearer sk-a ","id":-1}"#).ask("ten", "q").until(1000);
    assert_eq!(rig.world.conversations("sk-a"), [1]);
}

#[test]
fn ids_are_taken_at_authentication_and_written_at_the_first_chat() {
    // R1.2, R1.3, R1.6, R1.10 and R1.11.
    let world = World::new();
    let connect = |auth: &str| {
        let mut rig = Rig::with(world.clone(), Options::new(G2024));
        rig.send(auth);
        rig
    };
    let (mut one, mut two) = (connect(AUTH), connect(AUTH));
    assert!(world.conversations("sk-a").is_empty());
    assert!(one.ask("ten", "one").take().starts_with("#1"));
    assert!(two.ask("ten", "two").take().starts_with("#1"));
    one.until(1000);
    assert!(one.history().starts_with("u:one|a:p1"));
    two.until(1000);
    assert!(two.history().starts_with("u:two|a:p1"), "the last writer wins");
    assert!(connect(AUTH).ask("ten", "q").take().starts_with("#2"), "a new one");
    assert!(connect(r#"{"token":"sk-a","id":1}"#).ask("ten", "q").take().starts_with("#1"), "resumed");
    assert!(connect(r#"{"token":"sk-a","id":77}"#).ask("ten", "q").take().starts_with("#3"), "replaced");
    let hash = world.share("sk-a", 1).unwrap();
    let mut shared = connect(&format!(r#"{{"token":"sk-b","id":1,"ref":"{hash}"}}"#));
    shared.ask("ten", "q");
    assert!(world.messages("sk-b", 1).unwrap().len() > 2, "starts from the share");
}
