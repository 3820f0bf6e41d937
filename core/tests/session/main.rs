//! The rules of `Session`, one test each, on a simulated clock.

mod authentication;
mod closed;
mod conversation;
mod deadlines;
mod errors;
mod frames;
mod host;
mod limits;
mod malformed;
mod out_of_place;
mod reconnect;
mod second_end;
mod secrets;
mod sequences;
mod settling;
mod several;
mod states;
mod stopping;
mod texts;
mod turns;
