//! Errors in-band (protocol.md, section 4).

use super::*;

#[test]
fn notices_are_ends_without_quota_and_are_stored_as_answers() {
    // R4.1, R4.3, R4.4, R4.6, R4.7 and R4.11.
    for (model, text) in [
        ("none", "no response"),
        ("err", "bad thing happened  (type: upstream_error)"),
        ("err429", "Rate limit reached (type: rate_limit_error)"),
        ("nosuch", "cannot find channel for model nosuch"),
        ("noprice", "the price of the model is not set (model: noprice)"),
        ("notice", "user quota is not enough error (model: notice, minimum quota: 1.00, your quota: 0.00)"),
    ] {
        let mut rig = Rig::open(G2026);
        rig.ask(model, "q").until(1000);
        assert_eq!(rig.take(), format!("#1 END0({text})"));
        assert_eq!(rig.history(), format!("u:q|a:{text}"));
    }
    for (generation, text) in [
        (G2024, "#1 END0(user quota is not enough error (model: paid, "),
        (G2026, "#1 END0(estimated cost exceeds user quota (model: paid, "),
        (G2023, "END0(You don't have enough quota"),
    ] {
        let mut rig = Rig::open(generation);
        assert!(rig.ask("paid", "q").until(1000).take().starts_with(text));
    }
}

#[test]
fn an_unknown_model_in_2023_cannot_be_told_from_an_answer() {
    // R4.5.
    let mut rig = Rig::open(G2023);
    let text = "(Sorry, we cannot find the model you are looking for. Please try another model.) END0()";
    assert_eq!(rig.ask("nosuch", "q").until(1000).take(), text);
}

#[test]
fn an_upstream_that_breaks_off_ends_like_a_complete_one() {
    // R4.9 and R4.10.
    for generation in [G2024, G2026] {
        let mut rig = Rig::open(generation);
        assert_eq!(rig.ask("cut", "q").until(1000).take(), "#1 (partial) (answer) END");
    }
    // 2023 asks the upstream again, twice, and tells in the end.
    let mut rig = Rig::open(G2023);
    let tries = "(partial) (answer) ".repeat(3);
    assert_eq!(rig.ask("cut", "q").until(1000).take(), format!("{tries}END0(unexpected EOF)"));
}

#[test]
fn an_answer_without_text_ends_with_a_placeholder() {
    // R4.7.
    let mut options = Options::new(G2024);
    options.plans.insert("mute".to_owned(), Plan::text(Duration::ZERO, ["", ""]));
    let mut rig = Rig::with(World::new(), options);
    rig.send(AUTH).ask("mute", "q");
    assert_eq!(rig.take(), "#1 () () END0(empty response)");
}
