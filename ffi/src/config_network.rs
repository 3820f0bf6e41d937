//! The settings of `chatnio_config` for what stands between a client and its server.

use std::ffi::{c_char, c_void};

use chatnio_transport::{Endpoint, Limiter, Proxy};

use crate::boundary::{boundary, input, put_optional};
use crate::config::chatnio_config;
use crate::config_transport::change_tls;
use crate::failure::Failure;

/// Goes through a proxy: `http://` (by CONNECT), `socks5://` (names are looked up here) or `socks5h://` (the proxy looks
/// them up), with a user name and a password before an `@` if it wants them, which no error shows. Empty for none, which is
/// the default: the environment is never looked at.
///
/// A client connects to it by itself. For a connection, `chatnio_connection_host()` and `chatnio_connection_port()` then
/// are the proxy's; a socket that the host has connected is one to the proxy.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_PROXY`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_proxy(
    config: Option<&chatnio_config>,
    url: *const c_char,
    url_len: usize,
) -> i32 {
    boundary!(config => {
        let url = input!(text url, url_len)?;
        let proxy = if url.is_empty() { None } else { Some(Proxy::parse(url)?) };
        config.change(|settings| {
            settings.transport.connection.proxy = proxy;
            Ok(())
        })
    })
}

/// Goes through the proxy that the environment names for a server, as curl has it: `https_proxy` or `HTTPS_PROXY` for TLS,
/// `http_proxy` for none, then `all_proxy` or `ALL_PROXY`, except what `no_proxy` or `NO_PROXY` names, and loopback.
/// `found`, which may be NULL, tells whether there is one; where there is none the setting stays.
///
/// It reads the environment: no other thread may change that meanwhile (setenv(3)).
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_URL`, `CHATNIO_BAD_PROXY`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_proxy_from_environment(
    config: Option<&chatnio_config>,
    server_url: *const c_char,
    server_url_len: usize,
    found: Option<&mut std::mem::MaybeUninit<bool>>,
) -> i32 {
    boundary!(config => {
        let endpoint = Endpoint::parse(input!(text server_url, server_url_len)?)?;
        let proxy = Proxy::from_env(&endpoint)?;
        let is_found = proxy.is_some();
        config.change(|settings| {
            if is_found {
                settings.transport.connection.proxy = proxy;
            }
            Ok(())
        })?;
        put_optional(found, is_found);
        Ok(())
    })
}

/// Sets how often a client's connect, or reconnect, is tried again after it was throttled, refused or lost before the
/// WebSocket was open, or a gateway's server was away; never sooner than the server asks for (and not at all where that is over
/// 60 s), nor 1.1 s after a throttling, and all within `chatnio_config_set_connect()` and `chatnio_config_set_handshake()`
/// together. 2, as the SDKs that users know
/// have it; 0 for never. Hosts that connect by themselves have the same in `chatnio_retry`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_connect_retries(config: Option<&chatnio_config>, retries: u32) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.connect_retries = retries;
        Ok(())
    }))
}

/// Lets all clients, and hosts by `chatnio_retry`, with this configuration together connect so often a second at most, evenly
/// spaced: servers throttle an address at five. 0 for no limit, which is the default.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_connects_per_second(config: Option<&chatnio_config>, connects: u32) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.transport.connection.limiter = (connects > 0).then(|| Limiter::new(connects));
        Ok(())
    }))
}

/// Shows a certificate to servers that ask for one: in PEM the chain, its own certificate first, and its private key, not
/// encrypted. Both may be one text. Copied.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_BAD_CERTIFICATE`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_client_certificate_pem(
    config: Option<&chatnio_config>,
    chain: *const c_char,
    chain_len: usize,
    key: *const c_char,
    key_len: usize,
) -> i32 {
    boundary!(config => {
        let chain = input!(bytes chain.cast::<u8>(), chain_len)?;
        let key = input!(bytes key.cast::<u8>(), key_len)?;
        change_tls(config, |options| Ok(options.client_certificate_pem(chain, key)?))
    })
}

/// As `chatnio_config_set_client_certificate_pem()`, from two files, which may be one. Paths are UTF-8.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_BAD_ROOTS` when a file cannot be read (the error's text names
/// it), `CHATNIO_BAD_CERTIFICATE`, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_client_certificate_file(
    config: Option<&chatnio_config>,
    chain: *const c_char,
    chain_len: usize,
    key: *const c_char,
    key_len: usize,
) -> i32 {
    boundary!(config => {
        let chain = input!(text chain, chain_len)?;
        let key = input!(text key, key_len)?;
        change_tls(config, |options| Ok(options.client_certificate_file(chain, key)?))
    })
}

/// Writes the secrets of every TLS session to the end of a file, in the format of NSS, with which programs such as
/// Wireshark, and everybody else who has it, can read all that is sent. Off. `path` is UTF-8.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`, `CHATNIO_SYSTEM` when it cannot be opened, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_key_log_file(
    config: Option<&chatnio_config>,
    path: *const c_char,
    path_len: usize,
) -> i32 {
    boundary!(config => {
        let path = input!(text path, path_len)?;
        change_tls(config, |options| Ok(options.key_log_file(path)?))
    })
}

/// Takes a line of secrets, without its end and not NUL-terminated, which is valid during the call.
pub type chatnio_key_log = Option<unsafe extern "C" fn(user_data: *mut c_void, line: *const c_char, line_len: usize)>;

/// As `chatnio_config_set_key_log_file()`, to a function of the host's, which is called on the thread that drives the
/// connection and must not call this library. `user_data` is passed on as it is, and must stay valid until the
/// configuration and everything made with it are freed.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_key_log_callback(
    config: Option<&chatnio_config>,
    callback: chatnio_key_log,
    user_data: *mut c_void,
) -> i32 {
    boundary!(config => {
        let callback = callback.ok_or(Failure::invalid("the callback is NULL"))?;
        let host = HostLog { callback, user_data };
        change_tls(config, |options| Ok(options.key_log(move |line| host.log(line))))
    })
}

struct HostLog {
    callback: unsafe extern "C" fn(*mut c_void, *const c_char, usize),
    user_data: *mut c_void,
}

// SAFETY: the pointer is only passed on to the host, which was told on which threads.
unsafe impl Send for HostLog {}
// SAFETY: as above.
unsafe impl Sync for HostLog {}

impl HostLog {
    fn log(&self, line: &str) {
        // SAFETY: the host vouches for both until everything made with the configuration is freed; the line outlives the
        // call.
        unsafe { (self.callback)(self.user_data, line.as_ptr().cast(), line.len()) }
    }
}
