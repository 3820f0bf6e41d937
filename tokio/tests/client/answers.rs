//! Asking, and what comes of it.

use std::thread;
use std::time::Duration;

use chatnio_loopback::Generation;
use chatnio_tokio::{
    Client, ClientError, ConnectionEnd, Conversation, Event, Events, Interruption, Outcome, Pieces, Request,
    RequestError, State, Stopper, WireError,
};
use futures_util::StreamExt;

use crate::support::{LONG, ask, bounded, chat, config, connect, relayed, serve, until};

#[tokio::test]
async fn pieces_come_one_by_one_and_then_the_answer() {
    for generation in Generation::ALL {
        let server = serve(|options| options.generation = generation);
        let mut client = connect(&server).await;
        // 2023 takes the plan from the question.
        let mut pieces = client.ask(&Request::chat("@hello hi").model("hello")).await.unwrap();
        assert!(pieces.answer().is_none());
        let texts: Vec<String> = pieces.by_ref().map(Result::unwrap).collect().await;
        assert_eq!(texts, ["Hello", "!", " How", " can", " I", " help?"]);
        assert!(pieces.next().await.is_none(), "also when asked again");
        let answer = pieces.answer().unwrap();
        assert_eq!((&*answer.text, answer.outcome), ("Hello! How can I help?", Some(Outcome::Complete)));
        assert!(answer.quota() > 0.0);
        assert_eq!(client.state(), State::Idle);
        let again = client.ask(&Request::restart().model("hello")).await.unwrap().into_answer().await.unwrap();
        assert_eq!((again.turn, &*again.text), (2, "Hello! How can I help?"));
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn events_say_everything() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let events: Vec<Event> = client.events(&chat("garbage")).await.unwrap().collect().await;
    assert!(matches!(&events[0], Event::Opened { turn: 1, frame, .. } if frame.field("end") == Some("false")));
    assert!(events.iter().any(|event| matches!(event, Event::Malformed { raw: Some(raw), .. } if !raw.is_empty())));
    let deltas = events.iter().filter(|event| matches!(event, Event::Delta { quota, .. } if quota.value > 0.0));
    assert!(deltas.count() > 0);
    let Some(Event::End { answer, frame: Some(frame), .. }) = events.last() else { panic!("{events:?}") };
    assert_eq!((answer.outcome, frame.field("end")), (Some(Outcome::Complete), Some("true")));
    assert_eq!(client.counters().malformed, answer.malformed);
}

#[tokio::test]
async fn a_notice_has_no_pieces() {
    let server = serve(|_| ());
    let answer = ask(&mut connect(&server).await, "notice").await;
    assert_eq!((answer.outcome, &*answer.text), (Some(Outcome::Notice), ""));
    assert!(answer.notice.unwrap().contains("quota"));
}

#[tokio::test]
async fn one_turn_at_a_time() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let pieces = client.ask(&chat("endless")).await.unwrap();
    let busy = client.ask(&chat("one")).await;
    assert!(matches!(busy, Err(ClientError::Request(RequestError::Busy { turn: 1 }))), "{busy:?}");
    assert!(pieces.stop());
    assert!(!pieces.stop(), "one stop a turn");
    assert_eq!(bounded(pieces.into_answer()).await.unwrap().outcome, Some(Outcome::Stopped));
}

#[tokio::test]
async fn what_is_answered_is_asked_and_nothing_else_is() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    for request in [Request::stop(), Request::share("x"), Request::remove(1)] {
        let kind = request.kind();
        assert!(matches!(client.ask(&request).await, Err(ClientError::NotAnswered { kind: of }) if of == kind));
        client.request(&request).await.unwrap();
    }
    let error = client.request(&chat("one")).await.unwrap_err();
    assert!(matches!(error, ClientError::Answered { .. }), "{error:?}");
    assert_eq!(ask(&mut client, "one").await.turn, 1, "that one was not sent");
}

#[tokio::test]
async fn a_thread_outside_of_the_runtime_stops_the_answer() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let stopper = client.stopper();
    let mut pieces = client.ask(&chat("endless")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "more ");
    let other = thread::spawn(move || (stopper.stop(), stopper.stop()));
    let answer = bounded(pieces.into_answer()).await.unwrap();
    assert_eq!(other.join().unwrap(), (true, false));
    assert_eq!(answer.outcome, Some(Outcome::Stopped));
    assert!(answer.quota() > 0.0, "what a stopped answer cost is known");
}

#[tokio::test]
async fn the_stream_of_one_answer_does_not_stop_the_next() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let first = client.ask(&chat("one")).await.unwrap();
    until(|| client.state() == State::Idle).await;
    // Its end is there, and nobody has taken it.
    let second = client.ask(&chat("endless")).await.unwrap();
    assert!(!first.stop());
    drop(first);
    assert_ne!(client.state(), State::Stopping);
    assert!(client.stop());
    assert_eq!(bounded(second.into_answer()).await.unwrap().outcome, Some(Outcome::Stopped));
}

#[tokio::test]
async fn a_lost_connection_keeps_the_text_and_can_be_made_anew() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("drop")).await.unwrap();
    let items: Vec<Result<String, ClientError>> = pieces.by_ref().collect().await;
    let (good, bad): (Vec<_>, Vec<_>) = items.into_iter().partition(Result::is_ok);
    assert!(!good.is_empty());
    assert!(matches!(&bad[..], [Err(ClientError::Ended(ConnectionEnd::Lost(_)))]), "{bad:?}");
    let text: String = good.into_iter().map(Result::unwrap).collect();
    assert_eq!(pieces.answer().unwrap().text, text);
    for _ in 0..2 {
        let error = client.ask(&chat("one")).await.unwrap_err();
        assert!(matches!(error, ClientError::Ended(ConnectionEnd::Lost(_))), "said at every call: {error:?}");
    }
    assert!(matches!(client.close().await, Err(ClientError::Ended(ConnectionEnd::Lost(_)))));
    let Conversation::New { id } = client.conversation() else { panic!() };
    client.reconnect().await.unwrap();
    assert_eq!(ask(&mut client, "one").await.text, "one");
    assert_eq!(client.conversation(), Conversation::Resumed { id });
}

#[tokio::test]
async fn a_server_that_goes_ends_the_answer() {
    let mut server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("mute")).await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "said");
    server.stop();
    let error = bounded(pieces.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Ended(_)), "{error:?}");
    assert_eq!(pieces.answer().unwrap().text, "said");
    assert!(client.end().is_some());
}

#[tokio::test]
async fn an_answer_over_the_limit_is_interrupted_and_drained() {
    use chatnio_loopback::Plan;
    let server = serve(|options| {
        options.plans.insert("wide".into(), Plan::text(Duration::ZERO, ["x".repeat(20)]));
    });
    let mut config = config();
    config.session.max_answer = 10;
    let mut client = Client::connect(&server.url(), chatnio_tokio::Auth::new("sk-x"), &config).await.unwrap();
    let mut pieces = client.ask(&chat("wide")).await.unwrap();
    let error = pieces.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(Interruption::AnswerTooLong { limit: 10 })), "{error:?}");
    drop(pieces);
    // Its end is on its way, and the task takes it in.
    until(|| client.state() == State::Idle).await;
    assert_eq!(ask(&mut client, "one").await.text, "one");
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection() {
    let server = serve(|_| ());
    let mut config = config();
    config.session.max_message = 10_000;
    let mut client = Client::connect(&server.url(), chatnio_tokio::Auth::new("sk-x"), &config).await.unwrap();
    let error = client.ask(&chat("image")).await.unwrap().next().await.unwrap().unwrap_err();
    let fits = matches!(&error, ClientError::Ended(ConnectionEnd::Lost(WireError::MessageTooLong { limit: 10_000 })));
    assert!(fits, "{error:?}");
}

#[tokio::test]
async fn a_slow_reader_holds_the_server_back_and_is_interrupted_by_nothing() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&chat("long-60000")).await.unwrap();
    let chunks = |client: &Client| client.with_session(|session| session.answer().map_or(0, |answer| answer.chunks));
    until(|| chunks(&client) >= 4096).await;
    let taken = chunks(&client);
    tokio::time::pause();
    // Far beyond every deadline there is.
    tokio::time::advance(100 * LONG).await;
    tokio::time::resume();
    assert_eq!(chunks(&client), taken, "nothing more is read");
    assert!(client.memory() < 8 << 20, "{}", client.memory());
    let mut text = String::new();
    while let Some(piece) = bounded(pieces.next()).await {
        text += &piece.unwrap();
    }
    assert_eq!(text.len(), 60_000 * "piece ".len());
    assert_eq!(pieces.answer().unwrap().outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn no_deadline_counts_while_a_slow_reader_is_waited_for() {
    use chatnio_loopback::{Ending, Plan};
    // As many as are held, and then nothing.
    const PIECES: usize = 4096;
    let server = serve(|options| {
        let mute = Plan::text(Duration::ZERO, vec!["piece "; PIECES]).ending(Ending::Silent);
        options.plans.insert("mute-4096".into(), mute);
    });
    let mut config = config();
    // The server's answers do not keep up with this clock.
    (config.session.keep_alive, config.ping_after) = (Duration::ZERO, Duration::ZERO);
    let mut client = Client::connect(&server.url(), chatnio_tokio::Auth::new("sk-x"), &config).await.unwrap();
    let mut pieces = client.ask(&chat("mute-4096")).await.unwrap();
    until(|| client.with_session(|session| session.answer().unwrap().chunks) == PIECES as u64).await;
    tokio::time::pause();
    tokio::time::advance(100 * LONG).await;
    for _ in 0..PIECES {
        assert_eq!(pieces.next().await.unwrap().unwrap(), "piece ");
    }
    let asked = tokio::time::Instant::now();
    let error = pieces.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(Interruption::NextFrameDeadline)), "{error:?}");
    assert!(asked.elapsed() > LONG / 2, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn frames_of_one_message_are_handed_out_as_the_reader_takes_them() {
    const FRAMES: u64 = 100_000;
    let message = r#"{"message":"a"}"#.repeat(usize::try_from(FRAMES).unwrap());
    let script = format!(
        "> SEND {{\"type\": \"chat\", \"message\": \"hi\"}}\n< RECV {message}\n< RECV {{\"quota\":0.1,\"end\":true}}\n"
    );
    let server = serve(|options| options.script = Some(script.parse().unwrap()));
    let mut client = connect(&server).await;
    let mut pieces = client.ask(&Request::chat("hi")).await.unwrap();
    let chunks = |client: &Client| client.with_session(|session| session.answer().map_or(0, |answer| answer.chunks));
    until(|| chunks(&client) >= 4096).await;
    // Others have had their turn meanwhile, or this would see all of them.
    assert!(chunks(&client) < 6000, "{}", chunks(&client));
    let mut count = 0;
    while let Some(piece) = bounded(pieces.next()).await {
        assert_eq!(piece.unwrap(), "a");
        count += 1;
    }
    assert_eq!((count, pieces.answer().unwrap().outcome), (FRAMES, Some(Outcome::Complete)));
}

/// A server that pings without an end keeps nobody from an answer that has come.
#[tokio::test]
async fn an_end_is_told_before_more_is_read() {
    let server = serve(|_| ());
    let (mut client, inside, _) = relayed(&server, &config()).await;
    let pieces = client.ask(&chat("one")).await.unwrap();

    // The whole answer, and behind it all the pings that there is room for.
    let answer = br#"{"message":"one","quota":0.1,"end":true}"#;
    let ping = [&[0x89, 100][..], &[b'p'; 100]].concat();
    inside.writable().await.unwrap();
    inside.try_write(&[&[0x81, u8::try_from(answer.len()).unwrap()], &answer[..]].concat()).unwrap();
    let mut sent = 0;
    while let Ok(count) = inside.try_write(&ping) {
        sent += count;
    }
    assert!(sent > 100_000, "{sent}");
    assert_eq!(bounded(pieces.into_answer()).await.unwrap().text, "one");

    // What one read brings is answered, and no more.
    let mut came = vec![0; sent * 2];
    let count = inside.try_read(&mut came).unwrap();
    let (mut at, mut pongs) = (0, 0);
    while at < count {
        pongs += usize::from(came[at] == 0x8a);
        // Its head, its mask and its payload, of which none is long.
        at += 6 + usize::from(came[at + 1] & 0x7f);
    }
    assert!(pongs * ping.len() <= 16 * 1024, "{pongs} of {}", sent / ping.len());
}

#[tokio::test]
async fn a_slow_reader_can_be_left_and_stopped_for() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    let chunks = |client: &Client| client.with_session(|session| session.answer().map_or(0, |answer| answer.chunks));
    let pieces = client.ask(&chat("long-200000")).await.unwrap();
    until(|| chunks(&client) >= 4096).await;
    drop(pieces);
    assert_eq!(bounded(ask(&mut client, "one")).await.text, "one");
    let pieces = client.ask(&chat("long-200000")).await.unwrap();
    until(|| chunks(&client) >= 4096).await;
    assert!(client.stop());
    assert_eq!(bounded(pieces.into_answer()).await.unwrap().outcome, Some(Outcome::Stopped));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_and_streams_go_to_other_tasks() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Client>();
    is_shared::<Pieces>();
    is_shared::<Events>();
    is_shared::<Stopper>();
    let server = serve(|_| ());
    let url = server.url();
    let pieces = tokio::spawn(async move {
        let config = config();
        let mut client = Client::connect(&url, chatnio_tokio::Auth::anonymous(), &config).await.unwrap();
        client.ask(&chat("anon")).await.unwrap()
    });
    // It outlives its client.
    let answer = tokio::spawn(pieces.await.unwrap().into_answer());
    assert_eq!(bounded(answer).await.unwrap().unwrap().outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn a_recording_has_everything_but_the_token() {
    let server = serve(|_| ());
    let mut client = connect(&server).await;
    ask(&mut client, "hello").await;
    let recording = client.transcript().unwrap().to_string();
    assert!(recording.contains("\"message\":\" help?\"") && !recording.contains("secret"), "{recording}");
    assert!(!format!("{client:?}").contains("secret"));
}
