//! The settings of a server.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::generation::Generation;
use crate::page::Pages;
use crate::plan::Plan;
use crate::rest::Fault;
use crate::script::Script;

/// The settings of a server and of each of its connections.
#[derive(Clone)]
pub struct Options {
    /// Which generation of the server is played. Default: 2026-03.
    pub generation: Generation,
    /// What the durations of the fake models are multiplied by: 1 is their own pace (the default), 0
    /// as fast as possible.
    pub pace: f64,
    /// Fake models by name; they go before the built-in ones.
    pub plans: BTreeMap<String, Plan>,
    /// When given, connections play this recording instead of fake models. A question that it has no
    /// answer to, or none left, ends the connection.
    pub script: Option<Script>,
    /// How long a web search takes, at pace 1 (protocol.md, R3.17). 0.4 s by default.
    pub web_search: Duration,
    /// How long one write to the server's database takes, at pace 1; no time by default. The request loop does nothing
    /// else meanwhile, so what comes right after an end waits in the queue, where the last answer's poller finds it
    /// (2026: protocol.md, R5.5, R5.6 and R5.12).
    pub write_time: Duration,
    /// With a seed, writes take [`write_time`](Self::write_time) in the mean, some more, some less, in a sequence that
    /// follows from the seed. Without one (the default) each takes just that.
    pub seed: Option<u64>,
    /// Tokens that are not accepted: like a real server, it goes on as anonymous
    /// (protocol.md, R1.8). [`Fault::BadKey`] is for all of them.
    pub bad_keys: Vec<String>,
    /// The TCP port; 0 (the default) takes a free one.
    pub port: u16,
    /// The certificate to serve TLS with; plain TCP without (the default).
    pub tls: Option<Certificate>,
    /// How many connections a second one address may open before the others are throttled
    /// (protocol.md, R6.1, R6.5). `Some(0)` refuses all, `None` (the default) none.
    pub throttle: Option<u32>,
    /// When given, every connection is refused with this answer before the WebSocket opens.
    pub refusal: Option<Refusal>,
    /// Whether the head and the body of a refusal go out as two segments (protocol.md, R6.3).
    pub two_segments: bool,
    /// What goes wrong with the companion calls (docs/rest.md). Default: nothing.
    pub faults: Vec<Fault>,
    /// Told each request as it comes, before anything is answered: neither authentications nor keep-alives. Default: nobody.
    pub hearer: Option<Hearer>,
    /// Web pages to serve beside the chat. Default: none.
    pub pages: Option<Pages>,
}

/// Is told the requests of all connections, from any of their threads: which connection's it is, by a number that no other
/// connection of the [`World`](crate::World) has, and the request.
pub type Hearer = Arc<dyn Fn(u64, &str) + Send + Sync>;

impl Default for Options {
    fn default() -> Self {
        Self {
            generation: Generation::default(),
            pace: 1.0,
            plans: BTreeMap::new(),
            script: None,
            web_search: Duration::from_millis(400),
            write_time: Duration::ZERO,
            seed: None,
            bad_keys: Vec::new(),
            port: 0,
            tls: None,
            throttle: None,
            refusal: None,
            two_segments: false,
            faults: Vec::new(),
            hearer: None,
            pages: None,
        }
    }
}

impl Options {
    /// The default settings for a generation.
    #[must_use]
    pub fn new(generation: Generation) -> Self {
        Self { generation, ..Self::default() }
    }

    /// Whether the server serves its web page, too.
    pub(crate) fn has_web_page(&self) -> bool {
        self.faults.contains(&Fault::WebPage)
    }

    /// Whether a key or a login token is good.
    pub(crate) fn accepts(&self, key: &str) -> bool {
        !self.faults.contains(&Fault::BadKey) && !self.bad_keys.iter().any(|bad| bad == key)
    }

    /// A duration of a fake model at the wanted pace. A pace that is no number counts as 0.
    pub(crate) fn paced(&self, duration: Duration) -> Duration {
        if self.pace == 1.0 {
            return duration;
        }
        let seconds = (duration.as_secs_f64() * self.pace).max(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// Without the keys, of which only the number shows.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("generation", &self.generation)
            .field("pace", &self.pace)
            .field("plans", &self.plans)
            .field("script", &self.script.is_some())
            .field("web_search", &self.web_search)
            .field("write_time", &self.write_time)
            .field("seed", &self.seed)
            .field("bad_keys", &self.bad_keys.len())
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("throttle", &self.throttle)
            .field("refusal", &self.refusal)
            .field("two_segments", &self.two_segments)
            .field("faults", &self.faults)
            .field("hearer", &self.hearer.is_some())
            .field("pages", &self.pages)
            .finish()
    }
}

/// What the server's certificate, made when it starts and signed by a CA of its own, is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// Good for `localhost` and 127.0.0.1.
    Valid,
    /// As [`Certificate::Valid`], but its time is over.
    Expired,
    /// Good only for another name.
    WrongName,
}

/// An HTTP answer in place of the WebSocket's 101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, such as 503.
    pub status: u16,
    /// The body, JSON, HTML or plain text.
    pub body: String,
}

/// What a real server says to who is throttled.
const TOO_MANY: &str = "You have sent too many requests. Please try again later.";

impl Refusal {
    /// The throttling of the newer real servers: HTTP 200 with a JSON body (protocol.md, R6.1).
    #[must_use]
    pub fn throttled() -> Self {
        Self::throttled_by(Generation::G2026)
    }

    /// The throttling of a generation's server; 2023 has no name for the error (protocol.md, R6.2).
    #[must_use]
    pub fn throttled_by(generation: Generation) -> Self {
        let error = match generation {
            Generation::G2023 => "",
            Generation::G2024 | Generation::G2026 => "\"error\":\"request_throttled\",",
        };
        Self { status: 200, body: format!("{{{error}\"reason\":\"{TOO_MANY}\",\"status\":false}}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_scales_durations_and_never_fails() {
        let second = Duration::from_secs(1);
        for (pace, expected) in [
            (1.0, second),
            (0.5, Duration::from_millis(500)),
            (0.0, Duration::ZERO),
            (-1.0, Duration::ZERO),
            (f64::NAN, Duration::ZERO),
            (f64::INFINITY, Duration::MAX),
        ] {
            let options = Options { pace, ..Options::default() };
            assert_eq!(options.paced(second), expected, "{pace}");
        }
    }

    #[test]
    fn keys_do_not_show() {
        let options = Options { bad_keys: vec!["sk-secret".to_owned()], ..Options::default() };
        assert!(!format!("{options:?}").contains("secret"));
    }
}
