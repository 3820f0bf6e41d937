//! `chatnio_stopper`: stops a client from any thread.

use std::mem::MaybeUninit;

use chatnio_transport::Stopper;

use crate::boundary::{Health, Object, boundary, free, hand_over, put_optional};
use crate::client::chatnio_client;
use crate::failure::Failure;

/// Stops a client's answer, or closes it, from any thread. It may outlive its client, and does nothing then.
///
/// All its functions may be called from any number of threads at once, but `chatnio_stopper_free()`; none from a signal
/// handler: let that set a flag, and look at it between two `chatnio_client_next()` of 100 ms.
pub struct chatnio_stopper {
    pub(crate) health: Health,
    pub(crate) stopper: Stopper,
}

impl Object for chatnio_stopper {
    fn health(&self) -> &Health {
        &self.health
    }
}

/// Makes a stopper for a client that is still to be made, by `chatnio_client_new_with_stopper()`. Free it with
/// `chatnio_stopper_free()`, before or after the client.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_stopper_new(out: Option<&mut MaybeUninit<*mut chatnio_stopper>>) -> i32 {
    boundary!({
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        hand_over(out, chatnio_stopper { health: Health::new(), stopper: Stopper::new() });
        Ok(())
    })
}

/// Makes a stopper for a client. Free it with `chatnio_stopper_free()`, before or after the client.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_client_stopper(
    client: Option<&chatnio_client>,
    out: Option<&mut MaybeUninit<*mut chatnio_stopper>>,
) -> i32 {
    boundary!(client => {
        let out = out.ok_or(Failure::invalid("out is NULL"))?;
        hand_over(out, chatnio_stopper { health: Health::new(), stopper: client.client.stopper() });
        Ok(())
    })
}

/// Stops the running answer at once; its end comes to the thread that waits. `sent`, which may be NULL, tells whether a
/// stop goes out: not when no turn runs, it has had its stop, or the client is gone (of two calls at once the second may
/// find it there still, a moment after it was freed). Any thread.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_stopper_stop(
    stopper: Option<&chatnio_stopper>,
    sent: Option<&mut MaybeUninit<bool>>,
) -> i32 {
    boundary!(stopper => {
        put_optional(sent, stopper.stopper.stop());
        Ok(())
    })
}

/// Closes the connection at once, and what is still being connected within a moment. A thread that waits gets the running
/// turn's end, and then `CHATNIO_CLOSED`. Any thread.
///
/// Errors: `CHATNIO_INVALID` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_stopper_close(stopper: Option<&chatnio_stopper>) -> i32 {
    boundary!(stopper => {
        stopper.stopper.close();
        Ok(())
    })
}

/// Frees a stopper; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn chatnio_stopper_free(stopper: Option<Box<chatnio_stopper>>) {
    free(stopper);
}
