//! What the user's words mean: keys, values and their units.
//!
//! | module | what it holds |
//! |---|---|
//! | [`keys`] | a row of the table: its name, and its file in each version of cgroups |
//! | [`table`] | every key that there is |
//! | [`kernel`] | a value in the text of a kernel file, and read from it |
//! | [`setting`] | `KEY=VALUE`, and `FILE=VALUE` for any other file of the kernel |
//! | [`words`] | the values of each kind of key |
//! | [`value`] | what a value is once it is read |
//! | [`size`], [`duration`], [`device`] | bytes and other amounts; times; block devices |

pub mod device;
pub mod duration;
pub mod kernel;
pub mod keys;
pub mod setting;
pub mod size;
pub mod table;
pub mod value;
pub mod words;
