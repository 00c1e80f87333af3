//! The array operations: their values against results worked out by hand, and each of their rules
//! against the result that it must agree with.

mod at;
mod cumulative;
mod dot;
mod dynamic;
mod index;
mod layout;
mod messages;
mod num_messages;
mod order;
mod places;
mod reduce;
mod rules;
