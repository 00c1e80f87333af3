//! The tests of this crate in one program.

mod arrays;
mod broadcast;
mod dead;
mod lowering;
mod messages;
mod rows;
mod text;
