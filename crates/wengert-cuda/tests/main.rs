//! The tests of this crate in one program. They run it on a stand-in for the driver and NVRTC, which a compiler of C++
//! makes, and say so if there is no compiler.

mod calls;
mod conformance;
mod libraries;
mod standin;
mod texts;
