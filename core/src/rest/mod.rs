//! The companion HTTP calls (rest.md): stored conversations, quota, models, and whether a key is good.
//!
//! As sans-I/O as the chat: a [`Call`] gives its request as data, the host sends it by the HTTP client that it has, and
//! the call reads the answer. Redirects are not to be followed: the key would go along.
//!
//! ```
//! use chatnio_core::{Auth, rest};
//!
//! let call = rest::quota();
//! let request = call.request(&Auth::new("sk-secret"), "/api")?;
//! assert_eq!((request.method.name(), request.target.as_str()), ("GET", "/api/quota"));
//! for (name, value) in request.headers() {
//!     // the host sets the header
//!     # let _ = (name, value);
//! }
//! // the host sends it, and has got a status and a body
//! let quota = call.decode(200, br#"{"quota":499.49142,"status":true}"#)?;
//! assert_eq!(quota, 499.49142);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Errors
//!
//! The HTTP status says little: most failures come as 200 with `"status":false`. What each means:
//!
//! | error | what to do |
//! | --- | --- |
//! | [`RequestError`] | correct the key or the prefix: nothing was sent |
//! | [`Error::BadKey`], [`Error::NoKey`] | give a good key |
//! | [`Error::BlackListed`] | wait some 20 minutes; good keys are refused too |
//! | [`Error::Throttled`] | try again after a second |
//! | [`Error::NotFound`], [`Error::Refused`] | as the server's words say |
//! | [`Error::NoSuchCall`] | the server is too old for the call, or the base is wrong |
//! | [`Error::WebPage`] | correct the base: `/api`, as a rule |
//! | [`Error::Http`] | [`Error::is_retryable`] tells |
//! | [`Error::Malformed`] | this is no answer of a chat server |

mod answer;
mod calls;
mod decode;
mod error;
mod fields;
mod request;

pub use answer::{
    ApiKey, BillingLimits, BillingUsage, Charge, Conversation, Info, Mask, Message, Model, Object, Package, Share,
    SharedConversation, Subscription, Usage, User,
};
pub use calls::{
    Call, api_key, billing_limits, billing_usage, buy, charges, conversation, conversations, delete_conversation,
    delete_mask, delete_share, info, invite, market, masks, models, package, plans, quota, redeem, rename_conversation,
    save_mask, share_conversation, shared_conversation, shares, subscribe, subscription, user,
};
pub use error::{Error, RequestError};
pub use request::{Method, Request, prefix_of};
