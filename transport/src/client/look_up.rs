//! Names and their addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::ClientError;
use super::patience::Patience;
use crate::dial::Dialer;

/// How many look-ups may be under way in the process. One cannot be broken off: when its time is over its thread is left
/// behind, and ends when the resolver answers.
const MAX_LOOK_UPS: usize = 32;

static LOOK_UPS: AtomicUsize = AtomicUsize::new(0);

/// A place among the look-ups.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let more = |count| (count < MAX_LOOK_UPS).then_some(count + 1);
        LOOK_UPS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        LOOK_UPS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The addresses of a host, which errors call `name`.
pub(super) fn look_up(
    host: &str,
    port: u16,
    name: &str,
    patience: &Patience<'_>,
) -> Result<Vec<SocketAddr>, ClientError> {
    if let Some(known) = Dialer::known(host, port) {
        return Ok(known);
    }
    let host = host.to_owned();
    ask_resolver(name, move || (host.as_str(), port).to_socket_addrs().map(Vec::from_iter), patience)
}

fn ask_resolver(
    name: &str,
    resolve: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
    patience: &Patience<'_>,
) -> Result<Vec<SocketAddr>, ClientError> {
    let failed = |source| ClientError::Resolve { host: name.to_owned(), source: Arc::new(source) };
    let place = Place::take().ok_or_else(|| {
        failed(io::Error::other(format!(
            "{MAX_LOOK_UPS} look-ups wait for the resolver already, which does not answer"
        )))
    })?;
    let (sender, receiver) = mpsc::channel();
    let body = move || {
        let _place = place;
        let _ = sender.send(resolve());
    };
    thread::Builder::new()
        .name("chatnio-look-up".into())
        .spawn(body)
        .map_err(|source| ClientError::Exhausted { what: "thread to look the name up", source: Arc::new(source) })?;
    loop {
        match receiver.recv_timeout(patience.tick(name)?) {
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(source)) => return Err(failed(source)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(failed(io::Error::other("the look-up's thread has ended without a result")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::stopper::Stopper;
    use super::*;

    /// The only test that looks anything up in this process's unit tests: the count is global.
    #[test]
    fn hanging_look_ups_are_bounded_and_can_be_broken_off() {
        let stopper = Stopper::new();
        let patience = Patience::new(Duration::from_millis(1), &stopper);
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        for _ in 0..MAX_LOOK_UPS {
            let wait = wait.clone();
            let hang = move || {
                let _ = wait.lock().unwrap().recv();
                Ok(Vec::new())
            };
            let error = ask_resolver("a.example", hang, &patience).unwrap_err();
            assert!(matches!(error, ClientError::ConnectTimeout { .. }), "{error:?}");
        }
        let error = ask_resolver("a.example", || Ok(Vec::new()), &patience).unwrap_err();
        assert!(error.to_string().contains("32 look-ups"), "{error}");
        drop(release);
        while LOOK_UPS.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        let patience = Patience::new(Duration::ZERO, &stopper);
        assert_eq!(ask_resolver("a.example", || Ok(Vec::new()), &patience).unwrap(), []);

        stopper.close();
        let (_hold, wait) = mpsc::channel::<()>();
        let hang = move || {
            let _ = wait.recv();
            Ok(Vec::new())
        };
        let error = ask_resolver("a.example", hang, &patience).unwrap_err();
        assert!(matches!(error, ClientError::Ended(_)), "{error:?}");
    }
}
