//! `chatnio_config`: the settings of sessions, connections and clients.

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatnio_core::Config;

use crate::boundary::{Health, Object, boundary, guarded, input};
use crate::failure::Failure;
use crate::status::chatnio_status::CHATNIO_FROZEN;

/// The settings of sessions, connections and clients, shared by any number of them and by any number of threads.
///
/// Immutable once something was made with it: setters then answer `CHATNIO_FROZEN`. Reference-counted: whatever is made
/// with it keeps what it needs, so it may be freed at once, and `chatnio_config_retain()` is for a host that shares it
/// among owners of its own. It also owns the root certificates, which are loaded once, and TLS sessions to resume: make
/// one, and give it to every connection. NULL in its place is the defaults.
///
/// Times are in milliseconds and sizes in bytes; 0 switches a deadline or limit off.
pub struct chatnio_config {
    health: Health,
    state: Mutex<State>,
}

struct State {
    settings: Settings,
    in_use: bool,
}

/// Everything that can be set.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) session: Config,
    #[cfg(feature = "connection")]
    pub(crate) transport: crate::config_transport::Transport,
}

impl Object for chatnio_config {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_config {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a setting, unless it is too late.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Settings) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut state = self.state();
        if state.in_use {
            return Err(Failure::new(CHATNIO_FROZEN, "the configuration is in use: make another one"));
        }
        change(&mut state.settings)
    }

    /// Makes something with the settings, which cannot be changed any more once that has succeeded; NULL is the defaults.
    /// `prepare` makes ready what is shared by all that use them.
    pub(crate) fn used<T>(
        config: Option<&chatnio_config>,
        prepare: impl FnOnce(&mut Settings) -> Result<(), Failure>,
        make: impl FnOnce(Settings) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some(config) = config else {
            let mut settings = Settings::default();
            prepare(&mut settings)?;
            return make(settings);
        };
        config.health.check()?;
        let settings = {
            let mut state = config.state();
            prepare(&mut state.settings)?;
            state.settings.clone()
        };
        // Unlocked: a client connects in it.
        let made = make(settings)?;
        config.state().in_use = true;
        Ok(made)
    }
}

/// Makes a configuration with the defaults.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_new(out: Option<&mut MaybeUninit<*mut chatnio_config>>) -> i32 {
    boundary!({
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        let state = Mutex::new(State { settings: Settings::default(), in_use: false });
        let config = Arc::new(chatnio_config { health: Health::new(), state });
        out.write(Arc::into_raw(config).cast_mut());
        Ok(())
    })
}

/// Adds an owner, for which `chatnio_config_free()` is to be called once more. Any thread.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_retain(config: Option<&chatnio_config>) -> i32 {
    boundary!(config => {
        // SAFETY: it came from `Arc::into_raw` in `chatnio_config_new`, and the caller is an owner.
        unsafe { Arc::increment_strong_count(&raw const **config) };
        Ok(())
    })
}

/// Lets go of a configuration, which is freed when nobody owns it any more; NULL is fine. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_free(config: *mut chatnio_config) {
    let _ = guarded(|| {
        if !config.is_null() {
            // SAFETY: it came from `Arc::into_raw` in `chatnio_config_new`, and the caller gives its ownership up.
            drop(unsafe { Arc::from_raw(config.cast_const()) });
        }
        Ok(())
    });
}

/// Copies the text of the last failed call on `config` into `buffer`: as much as fits, NUL-terminated. `length`, which
/// may be NULL, gets the whole length without the NUL; 0 when no call has failed. `(NULL, 0)` only asks for the length.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_error(
    config: Option<&chatnio_config>,
    buffer: *mut std::ffi::c_char,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
) -> i32 {
    crate::boundary::error_text(config, buffer, capacity, length)
}

/// Sends the authentication at once instead of with the first request. Off: the server takes a new conversation's id
/// when it reads the authentication and does not reserve it, so two idle connections would share one.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_auth_at_once(config: Option<&chatnio_config>, on: bool) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.auth_at_once = on;
        Ok(())
    }))
}

/// Gathers each answer's text in the answer. On; a host that only wants the pieces can spare the memory.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_keep_text(config: Option<&chatnio_config>, on: bool) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.keep_text = on;
        Ok(())
    }))
}

/// Sends a keep-alive after so long without a message in either direction. 25,000 ms.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_keep_alive(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.keep_alive = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long a turn's first frame may take. 120,000 ms: a web search comes before it.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_first_frame(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.first_frame = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long each further frame may take. 120,000 ms. A video job sends a frame only when its progress changes, and may
/// take 30 minutes: such a question wants more, by `chatnio_request_set_next_frame()`.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_next_frame(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.next_frame = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long a whole answer may take, counted from when its request goes out. Off: answers may be long, and a video
/// job takes up to 30 minutes.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_answer_within(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.answer_within = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long a turn may go on after its stop was sent. 10,000 ms.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_after_stop(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.after_stop = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets how long the server is left in peace after the end of an answer, before a request goes out that it could lose:
/// one that has no answer, and any at all when the stop was repeated. Also before any question once the server has ended a
/// turn by a notice, without the opener that its turns have. Such a request is accepted at once, and held; its going out is a deadline like any other. A connection that is lost, made anew or freed meanwhile loses it. 250 ms.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_settle(config: Option<&chatnio_config>, ms: u64) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.settle = Duration::from_millis(ms);
        Ok(())
    }))
}

/// Sets when a stop is sent again, counted from the first, in rising order. 150, 1,000, 2,000 and 4,000 ms: servers may
/// swallow a stop, but their queue holds only ten requests. `(NULL, 0)`: never. The times are copied.
///
/// Errors: `CHATNIO_INVALID`, also for times that do not rise; `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_stop_repeats(
    config: Option<&chatnio_config>,
    ms: *const u64,
    count: usize,
) -> i32 {
    boundary!(config => {
        let times = input!(bytes ms, count)?;
        if !times.is_sorted_by(|a, b| a < b) {
            return Err(Failure::invalid("the times of the repeats must rise"));
        }
        config.change(|settings| {
            settings.session.stop_repeats = times.iter().copied().map(Duration::from_millis).collect();
            Ok(())
        })
    })
}

/// Sets the longest message to accept from the server. 32 MiB; connections and clients accept 256 MiB at most.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_max_message(config: Option<&chatnio_config>, bytes: usize) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.max_message = bytes;
        Ok(())
    }))
}

/// Sets the longest message to send. 8 MiB. Four times as much may wait to be sent, and one request more: then requests
/// answer `CHATNIO_UNSENT`. Stops always go out.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_max_request(config: Option<&chatnio_config>, bytes: usize) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.max_request = bytes;
        Ok(())
    }))
}

/// Sets the longest answer to accept, in bytes of its text. 64 MiB.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_max_answer(config: Option<&chatnio_config>, bytes: usize) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.max_answer = bytes;
        Ok(())
    }))
}

/// Records what is sent and received, without tokens: see the `_transcript` functions. Off.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_record(config: Option<&chatnio_config>, on: bool) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.record = on;
        Ok(())
    }))
}

/// Sets how much to record; what comes after is left out. 64 MiB.
///
/// Errors: `CHATNIO_INVALID` for NULL, `CHATNIO_FROZEN`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_config_set_max_recording(config: Option<&chatnio_config>, bytes: usize) -> i32 {
    boundary!(config => config.change(|settings| {
        settings.session.max_recording = bytes;
        Ok(())
    }))
}
