//! Everything a program may do with a client, in random order, each future dropped at a random point.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use chatnio_loopback::Server;
use chatnio_tokio::{Auth, Client, Event, Pieces};
use fastrand::Rng;
use tokio::runtime::Handle;

use crate::support::{LONG, ask, bounded, chat, config, serve, until};

/// Lets a future come to its end, or drops it before: then `None`.
async fn perhaps<T>(random: &mut Rng, future: impl Future<Output = T>) -> Option<T> {
    if random.bool() { Some(future.await) } else { polled(random.u32(1..5), future).await }
}

/// Polls a future so often at most, one turn of the loop after the other; `None` when it has not come to its end by then.
async fn polled<T>(mut left: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

async fn round(server: &Server, seed: u64) {
    let random = &mut Rng::with_seed(seed);
    let mut config = config();
    config.session.after_stop = LONG / 60;
    let url = server.url();
    let connect = Client::connect(&url, Auth::new("sk-x"), &config);
    let Some(client) = perhaps(random, connect).await else { return };
    let mut client = client.unwrap();
    let stopper = client.stopper();
    let mut held: Vec<Pieces> = Vec::new();
    for _ in 0..random.usize(1..12) {
        let model = ["one", "endless", "mute", "drop", "long-2000", "notice"][random.usize(..6)];
        match random.u32(..10) {
            0 | 1 => held.extend(perhaps(random, client.ask(&chat(model))).await.and_then(Result::ok)),
            2 => {
                if let Some(Ok(mut events)) = perhaps(random, client.events(&chat(model))).await {
                    let _: Option<Option<Event>> = polled(random.u32(1..5), events.next()).await;
                }
            }
            3 => {
                if let Some(pieces) = held.last_mut() {
                    for _ in 0..random.u32(1..5) {
                        // It may wait for very long.
                        drop(polled(1 + random.u32(..3), pieces.next()).await);
                    }
                }
            }
            4 => drop(held.pop()),
            5 => drop(client.stop()),
            6 => drop(perhaps(random, client.reconnect()).await),
            7 => drop(perhaps(random, client.close()).await),
            8 => drop(stopper.stop()),
            _ if random.u32(..4) == 0 => stopper.close(),
            _ => tokio::task::yield_now().await,
        }
    }
    match random.u32(..3) {
        0 => drop(client),
        1 => {
            drop(held);
            let _ = client.close().await;
            return;
        }
        _ => {
            // Whatever has happened, it can be used again.
            held.clear();
            client.reconnect().await.unwrap();
            assert_eq!(ask(&mut client, "one").await.text, "one");
            return;
        }
    }
    for pieces in held {
        pieces.stop();
        let _ = pieces.into_answer().await;
    }
}

#[tokio::test]
async fn nothing_hangs_in_any_order() {
    let server = serve(|_| ());
    let rounds = std::env::var("ROUNDS").map_or(300, |rounds| rounds.parse().unwrap());
    for seed in 0..rounds {
        if tokio::time::timeout(LONG, round(&server, seed)).await.is_err() {
            panic!("it hangs: seed {seed}");
        }
    }
    bounded(until(|| Handle::current().metrics().num_alive_tasks() == 0)).await;
}
