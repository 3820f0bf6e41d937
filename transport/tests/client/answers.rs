//! Answers: pieces, notices, limits, recordings.

use std::time::Duration;

use chatnio::{
    Auth, Client, ClientError, Event, Interruption, Outcome, Request, RequestError, State, TlsOptions, Trust,
};
use chatnio_loopback::{Certificate, Generation, Plan};

use crate::support::{ask, chat, config, connect, serve};

#[test]
fn an_image_comes_in_one_frame_and_goes_in_one_question() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    let image = ask(&mut client, "image-16000000");
    assert_eq!((image.outcome, image.chunks), (Some(Outcome::Complete), 1));
    assert!(image.text.starts_with("![image](data:image/png;base64,") && image.text.len() > 16_000_000);
    let photo = format!("What is this? {}", &image.text[..6_000_000]);
    let answer = client.ask(&Request::chat(&*photo).model("one")).unwrap().into_answer().unwrap();
    assert_eq!(answer.text, "one", "{answer:?}");
}

#[test]
fn pieces_come_one_by_one_and_then_the_answer() {
    for generation in Generation::ALL {
        let server = serve(|options| options.generation = generation);
        let mut client = connect(&server);
        // 2023 takes the plan from the question.
        let mut pieces = client.ask(&Request::chat("@hello hi").model("hello")).unwrap();
        assert!(pieces.answer().is_none());
        let texts: Vec<String> = pieces.by_ref().map(Result::unwrap).collect();
        assert_eq!(texts, ["Hello", "!", " How", " can", " I", " help?"]);
        let answer = pieces.answer().unwrap();
        assert_eq!((&*answer.text, answer.outcome), ("Hello! How can I help?", Some(Outcome::Complete)));
        assert!(answer.quota() > 0.0);
        drop(pieces);
        assert!(client.next().unwrap().is_none(), "no turn runs");
        assert_eq!(client.state(), State::Idle);
        let again = client.ask(&Request::restart().model("hello")).unwrap().into_answer().unwrap();
        assert_eq!((again.turn, &*again.text), (2, "Hello! How can I help?"));
        assert!(client.close().unwrap().is_none());
    }
}

#[test]
fn a_notice_has_no_pieces() {
    let server = serve(|_| ());
    let answer = ask(&mut connect(&server), "notice");
    assert_eq!((answer.outcome, &*answer.text), (Some(Outcome::Notice), ""));
    assert!(answer.notice.unwrap().contains("quota"));
}

#[test]
fn one_turn_at_a_time() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    client.request(&chat("endless")).unwrap();
    let busy = client.request(&chat("one"));
    assert!(matches!(busy, Err(ClientError::Request(RequestError::Busy { turn: 1 }))), "{busy:?}");
    assert!(matches!(client.ask(&chat("one")), Err(ClientError::Request(RequestError::Busy { turn: 1 }))));
    assert!(client.stop().unwrap());
    assert!(!client.stop().unwrap());
    let mut outcome = None;
    while let Some(event) = client.next().unwrap() {
        if let Event::End(end) = event {
            outcome = end.answer.outcome;
        }
    }
    assert_eq!(outcome, Some(Outcome::Stopped));
}

#[test]
fn only_what_is_answered_can_be_asked() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    for request in [Request::stop(), Request::share("x"), Request::remove(1)] {
        let kind = request.kind();
        assert!(matches!(client.ask(&request), Err(ClientError::NotAnswered { kind: of }) if of == kind));
        client.request(&request).unwrap();
    }
}

#[test]
fn a_long_answer_comes_whole() {
    for tls in [None, Some(Certificate::Valid)] {
        let server = serve(|options| options.tls = tls);
        let mut config = config();
        if let Some(ca) = server.ca_pem() {
            config.tls = TlsOptions::new().trust(Trust::GivenOnly).roots_pem(ca.as_bytes()).unwrap().build().unwrap();
        }
        let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).unwrap();
        let answer = ask(&mut client, "long-20000");
        assert_eq!((answer.chunks, answer.text.len()), (20_000, 20_000 * "piece ".len()));
    }
}

#[test]
fn an_answer_over_the_limit_is_drained_with_what_came_behind_it() {
    let server = serve(|options| {
        let plan = Plan::text(Duration::ZERO, ["x".repeat(20)]);
        options.plans.insert("wide".into(), plan);
    });
    let mut config = config();
    config.session.max_answer = 10;
    let mut client = Client::connect(&server.url(), Auth::new("sk-x"), &config).unwrap();
    let mut pieces = client.ask(&chat("wide")).unwrap();
    let error = pieces.next().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(Interruption::AnswerTooLong { limit: 10 })), "{error:?}");
    drop(pieces);
    // Its end is on its way, or has come in the same segment: nothing of it is lost, and nothing waits for it.
    while client.next().unwrap().is_some() {}
    let answer = (0..10_000).find_map(|_| match client.ask(&chat("one")) {
        Ok(pieces) => Some(pieces.into_answer().unwrap()),
        Err(ClientError::Request(RequestError::Busy { turn: 1 })) => None,
        Err(error) => panic!("{error:?}"),
    });
    assert_eq!(answer.unwrap().text, "one", "asking again is enough");
}

#[test]
fn a_recording_has_everything_but_the_token() {
    let server = serve(|_| ());
    let mut client = connect(&server);
    ask(&mut client, "hello");
    let recording = client.transcript().unwrap().to_string();
    assert!(
        recording.starts_with(&format!("WEBSOCKET {}\n\n> SEND {{\"token\":\"sk-...\",\"id\":-1}}\n", server.url()))
    );
    assert!(recording.contains("\"message\":\" help?\"") && !recording.contains("secret"), "{recording}");
    assert!(!format!("{client:?}").contains("secret"));
}
