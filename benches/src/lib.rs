//! What a chunk costs by this library, and what others take for the same: see README.md.
//!
//! [`ours`] is the only part that knows this library's API, one file for each level. [`contenders`] names everything
//! that is measured, [`groups`] says what is compared with what, [`rounds`] measures in turns, and [`report`] and
//! [`plots`] write down what came of it.

pub mod contender;
pub mod contenders;
pub mod groups;
pub mod instructions;
pub mod messages;
pub mod ours;
pub mod peers;
pub mod plots;
pub mod python;
pub mod report;
pub mod results;
pub mod rounds;
pub mod sample;
pub mod series;
pub mod world;
