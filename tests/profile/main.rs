//! Where the time of compiled code goes, by the user's lines. A program of its own, since a process has one profile at a
//! time.

mod files;
mod profiles;
mod table;
