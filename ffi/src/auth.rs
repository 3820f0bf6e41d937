//! `chatnio_auth`: who asks, and in which conversation.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use chatnio_core::Auth;

use crate::boundary::{Health, Object, boundary, free, hand_over, input};
use crate::failure::Failure;

/// Who asks, and in which conversation. Reusable; sessions, connections and clients take a copy.
pub struct chatnio_auth {
    health: Health,
    value: Auth,
}

impl Object for chatnio_auth {
    fn health(&self) -> &Health {
        &self.health
    }
}

impl chatnio_auth {
    pub(crate) fn new(value: Auth) -> Self {
        chatnio_auth { health: Health::new(), value }
    }

    /// What a constructor was given: NULL asks without an account.
    pub(crate) fn given(auth: Option<&chatnio_auth>) -> Result<Auth, Failure> {
        let Some(auth) = auth else { return Ok(Auth::anonymous()) };
        auth.health.check()?;
        Ok(auth.value.clone())
    }
}

/// Makes an authentication by `token`: an API key `sk-...`, a login token, or `anonymous`, which asks without an
/// account. In a new conversation, unless told otherwise.
///
/// The token is copied, wiped when it is freed, and shown by no error or recording. Servers do not say whether they
/// take it: with a bad one the first question is answered by a notice.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`. An empty token is refused where the authentication is used.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_auth_new(
    token: *const c_char,
    token_len: usize,
    out: Option<&mut MaybeUninit<*mut chatnio_auth>>,
) -> i32 {
    boundary!({
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        let token = input!(text token, token_len)?;
        hand_over(out, chatnio_auth::new(Auth::new(token)));
        Ok(())
    })
}

/// Continues the stored conversation `id`; -1 starts a new one. The event `CHATNIO_EVENT_OPENED` says which one the
/// server opened.
///
/// Errors: `CHATNIO_INVALID` for NULL. Another id is refused where the authentication is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_auth_set_conversation(auth: Option<&mut chatnio_auth>, id: i64) -> i32 {
    boundary!(auth => {
        auth.value = auth.value.clone().conversation(id);
        Ok(())
    })
}

/// Starts a new conversation from a shared one, by the share's hash. One that the server knows wins over a
/// conversation's id.
///
/// Errors: `CHATNIO_INVALID`, `CHATNIO_NOT_UTF8`. An empty hash is refused where the authentication is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_auth_set_share(
    auth: Option<&mut chatnio_auth>,
    hash: *const c_char,
    hash_len: usize,
) -> i32 {
    boundary!(auth => {
        let hash = input!(text hash, hash_len)?;
        auth.value = auth.value.clone().share(hash);
        Ok(())
    })
}

/// Wipes and frees an authentication; NULL is fine. What was made with it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_auth_free(auth: Option<Box<chatnio_auth>>) {
    free(auth);
}
