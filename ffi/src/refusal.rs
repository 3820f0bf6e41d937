//! What an HTTP answer said that came instead of a WebSocket.

use std::mem::MaybeUninit;
use std::time::Duration;

use crate::boundary::put;
use crate::failure::Failure;
use crate::view::chatnio_text;

/// What an HTTP answer that refused a connection holds. All of it is as the server, or a gateway in front of it, sent it,
/// bounded, without the secrets that it repeats: the token, the values of headers and of the URL's query, those of a proxy.
#[repr(C)]
pub enum chatnio_refusal_part {
    /// Its body, at most 64 KiB; what was not UTF-8 became U+FFFD.
    CHATNIO_REFUSAL_BODY = 1,
    /// A chat server's own words.
    CHATNIO_REFUSAL_REASON = 2,
    /// Where a redirect points to. It is never followed.
    CHATNIO_REFUSAL_LOCATION = 3,
    /// The authentication that is wanted, by its header `WWW-Authenticate`.
    CHATNIO_REFUSAL_WWW_AUTHENTICATE = 4,
}

/// A refusal as it is kept for the caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusal {
    /// A proxy's is not kept.
    body: Option<String>,
    reason: Option<String>,
    location: Option<String>,
    www_authenticate: Option<String>,
    retry_after: Option<Duration>,
}

#[cfg(feature = "connection")]
impl From<&chatnio_transport::HttpRefusal> for Refusal {
    fn from(refusal: &chatnio_transport::HttpRefusal) -> Self {
        Refusal {
            body: Some(refusal.body.clone()),
            reason: refusal.reason.clone(),
            location: refusal.location.clone(),
            www_authenticate: refusal.www_authenticate.clone(),
            retry_after: refusal.retry_after,
        }
    }
}

#[cfg(feature = "connection")]
impl Refusal {
    pub(crate) fn of(end: &chatnio_transport::ConnectionEnd) -> Option<Box<Self>> {
        let of_proxy = || Some(Refusal { retry_after: Some(end.retry_after()?), ..Refusal::default() });
        end.refusal().map(Refusal::from).or_else(of_proxy).map(Box::new)
    }

    #[cfg(feature = "client")]
    pub(crate) fn memory(&self) -> usize {
        let parts = [&self.body, &self.reason, &self.location, &self.www_authenticate];
        parts.into_iter().flatten().map(String::capacity).sum()
    }
}

pub(crate) const BODY: i32 = chatnio_refusal_part::CHATNIO_REFUSAL_BODY as i32;

/// Shows a part of a refusal.
pub(crate) fn put_part(
    out: Option<&mut MaybeUninit<chatnio_text>>,
    refusal: Option<&Refusal>,
    part: i32,
) -> Result<(), Failure> {
    const REASON: i32 = chatnio_refusal_part::CHATNIO_REFUSAL_REASON as i32;
    const LOCATION: i32 = chatnio_refusal_part::CHATNIO_REFUSAL_LOCATION as i32;
    const WWW_AUTHENTICATE: i32 = chatnio_refusal_part::CHATNIO_REFUSAL_WWW_AUTHENTICATE as i32;
    let out = out.ok_or(Failure::invalid("the out-parameter is NULL"))?;
    let of = |choose: fn(&Refusal) -> Option<&str>| refusal.and_then(choose);
    let text = match part {
        BODY => of(|refusal| refusal.body.as_deref()),
        REASON => of(|refusal| refusal.reason.as_deref()),
        LOCATION => of(|refusal| refusal.location.as_deref()),
        WWW_AUTHENTICATE => of(|refusal| refusal.www_authenticate.as_deref()),
        _ => return Err(Failure::invalid("no such part of a refusal")),
    };
    let text = text.ok_or_else(Failure::absent)?;
    out.write(chatnio_text::new(text));
    Ok(())
}

/// Tells after how long the server wants to be asked again.
pub(crate) fn put_retry_after(out: Option<&mut MaybeUninit<u64>>, refusal: Option<&Refusal>) -> Result<(), Failure> {
    let after = refusal.and_then(|refusal| refusal.retry_after);
    if out.is_none() {
        return Err(Failure::invalid("the out-parameter is NULL"));
    }
    let after = after.ok_or_else(Failure::absent)?;
    put(out, u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}
