//! The companion calls, against what real servers have answered (rest/answers.txt), and against what none has.

mod any_input;
mod recorded;
mod secrets;
