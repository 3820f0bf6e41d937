//! The settings of `chatnio_config` that only connections and clients have.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use chatnio_transport::{ConnectionConfig, TlsConfig, TlsOptions, Trust, WallClock};

use crate::boundary::{boundary, input};
use crate::config::{Settings, chatnio_config};
use crate::failure::Failure;

/// Which root certificates count.
#[repr(C)]
pub enum chatnio_trust {
    /// The platform's, and those added.
    CHATNIO_TRUST_PLATFORM = 1,
    /// Only those added.
    CHATNIO_TRUST_ADDED_ONLY = 2,
}

const PLATFORM: i32 = chatnio_trust::CHATNIO_TRUST_PLATFORM as i32;
const ADDED_ONLY: i32 = chatnio_trust::CHATNIO_TRUST_ADDED_ONLY as i32;

/// What a connection needs beyond a session.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    /// Its `session` and `tls` are filled in when it is used.
    pub(crate) connection: ConnectionConfig,
    options: TlsOptions,
    /// Made from the options when they are needed: what was loaded is shared from then on.
    tls: Option<TlsConfig>,
}

impl chatnio_config {
    /// Makes a connection or client with the settings: see [`used`](Self::used).
    ///
    /// # Errors
    /// When only added roots count and there is none.
    pub(crate) fn connected<T>(
        config: Option<&chatnio_config>,
        make: impl FnOnce(&ConnectionConfig) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let prepare = |settings: &mut Settings| {
            if settings.transport.tls.is_none() {
                settings.transport.tls = Some(settings.transport.options.clone().build()?);
            }
            Ok(())
        };
        Self::used(config, prepare, |settings| {
            let mut connection = settings.transport.connection;
            connection.session = settings.session;
            connection.tls = settings.transport.tls.unwrap_or_default();
            make(&connection)
        })
    }
}

/// Sets how long name look-up and TCP connect may take together. 10,000 ms. Only a client connects.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_connect(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.connect = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long the way through the proxy, if there is one, and the TLS and WebSocket handshakes may take together.
/// 10,000 ms.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_handshake(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.handshake = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sends a WebSocket ping after so long without a byte from the server. 30,000 ms. It keeps open what a gateway closes when it
/// is silent (nginx after 60 s), such as the connection of a video job.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_ping_after(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.ping_after = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long the ping's answer, or any other byte, may take before the connection counts as dead. 10,000 ms.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_pong_within(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.pong_within = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long the server may take to answer a closing. 3,000 ms.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_close(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.close = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Lets a token go over plain ws:// to another machine, be it the server's or the proxy's, where everybody on the way can
/// read it. Off.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_allow_token_over_plain_ws(
    config: Option<&chatnio_config>,
    on: bool,
) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.allow_token_over_plain_ws = on;
        Ok(())
    }))
}

/// Adds a header to the WebSocket handshake's request, for a proxy that wants one. Both texts are copied; the value is
/// shown by no error, and wiped when it is freed.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_HEADER`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_add_header(
    config: Option<&chatnio_config>,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
) -> i32 {
    boundary!(config => {
        let name = input!(text name, name_len)?;
        let value = input!(text value, value_len)?;
        config.change(|settings| {
            settings.transport.connection.headers.add(name, value)?;
            Ok(())
        })
    })
}

/// Says which root certificates count (`chatnio_trust`). `CHATNIO_TRUST_PLATFORM`.
///
/// Errors: `CHATNIO_INVALID` for NULL or an unknown constant, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_trust(config: Option<&chatnio_config>, trust: i32) -> i32 {
    boundary!(config => {
        let trust = match trust {
            PLATFORM => Trust::Platform,
            ADDED_ONLY => Trust::GivenOnly,
            _ => return Err(Failure::invalid("no such trust")),
        };
        change_tls(config, |options| Ok(options.trust(trust)))
    })
}

/// Adds every certificate in a file as a root: any number in PEM, or one in DER. `path` is UTF-8.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_ROOTS` (the error's text names the file),
/// `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_add_root_file(
    config: Option<&chatnio_config>,
    path: *const c_char,
    path_len: usize,
) -> i32 {
    boundary!(config => {
        let path = input!(text path, path_len)?;
        change_tls(config, |options| Ok(options.root_file(path)?))
    })
}

/// Adds every certificate in a PEM text as a root. Copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_BAD_ROOTS`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_add_roots_pem(
    config: Option<&chatnio_config>,
    pem: *const c_char,
    pem_len: usize,
) -> i32 {
    boundary!(config => {
        let pem = input!(bytes pem.cast::<u8>(), pem_len)?;
        change_tls(config, |options| Ok(options.roots_pem(pem)?))
    })
}

/// Adds one root certificate in DER. Copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_BAD_ROOTS`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_add_root_der(
    config: Option<&chatnio_config>,
    der: *const u8,
    der_len: usize,
) -> i32 {
    boundary!(config => {
        let der = input!(bytes der, der_len)?;
        change_tls(config, |options| Ok(options.root_der(der)?))
    })
}

/// Accepts every certificate, so that anybody on the way can read and change everything, tokens included. For
/// experiments against one's own server only; `chatnio_config_add_root_file()` is the right way.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_dangerous_accept_any_certificate(config: Option<&chatnio_config>) -> i32 {
    boundary!(config => change_tls(config, |options| Ok(options.dangerous_accept_any_certificate())))
}

/// Checks certificates as if it were always `unix_seconds` (since 1970-01-01 00:00:00 UTC), instead of by the system's
/// clock.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_wall_clock(config: Option<&chatnio_config>, unix_seconds: u64) -> i32 {
    boundary!(config => {
        let clock = WallClock::fixed(Duration::from_secs(unix_seconds));
        change_tls(config, |options| Ok(options.wall_clock(clock)))
    })
}

/// Tells the time, in seconds since 1970-01-01 00:00:00 UTC, when a certificate is checked.
pub type chatnio_wall_clock = Option<unsafe extern "C" fn(user_data: *mut c_void) -> u64>;

/// Checks certificates by a clock of the host's. It is called a few times for each TLS handshake, on the thread that
/// drives the connection, and must not call this library. `user_data` is passed on as it is, and must stay
/// valid until the configuration and everything made with it are freed.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_wall_clock_callback(
    config: Option<&chatnio_config>,
    callback: chatnio_wall_clock,
    user_data: *mut c_void,
) -> i32 {
    boundary!(config => {
        let callback = callback.ok_or(Failure::invalid("the callback is NULL"))?;
        let host = HostClock { callback, user_data };
        let clock = WallClock::from_fn(move || host.now());
        change_tls(config, |options| Ok(options.wall_clock(clock)))
    })
}

struct HostClock {
    callback: unsafe extern "C" fn(*mut c_void) -> u64,
    user_data: *mut c_void,
}

// SAFETY: the pointer is only passed on to the host, which was told on which threads.
unsafe impl Send for HostClock {}
// SAFETY: as above.
unsafe impl Sync for HostClock {}

impl HostClock {
    fn now(&self) -> Duration {
        // SAFETY: the host vouches for both until everything made with the configuration is freed.
        Duration::from_secs(unsafe { (self.callback)(self.user_data) })
    }
}

/// Loads the root certificates now, which reads files and takes some milliseconds, instead of when the first encrypted
/// connection is made. The configuration cannot be changed any more once that has succeeded. Any thread.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_BAD_ROOTS`, `CHATNIO_TLS_NO_ROOTS`, `CHATNIO_NO_RANDOM`, `CHATNIO_TLS`.
/// It may be tried again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_load_roots(config: Option<&chatnio_config>) -> i32 {
    boundary!(config => chatnio_config::connected(Some(config), |config| Ok(config.tls.load()?)))
}

pub(crate) fn change_tls(
    config: &chatnio_config,
    change: impl FnOnce(TlsOptions) -> Result<TlsOptions, Failure>,
) -> Result<(), Failure> {
    config.change(|settings| {
        settings.transport.options = change(settings.transport.options.clone())?;
        // Made for something that came to nothing.
        settings.transport.tls = None;
        Ok(())
    })
}
