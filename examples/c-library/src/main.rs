//! Functions of other languages in a traced program: see `bottle.rs`.
//!
//! `cargo run --release --bin c-library`

#[cfg(libraries)]
mod bottle;
#[cfg(libraries)]
mod curve;
#[cfg(libraries)]
mod gas;

#[cfg(libraries)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    bottle::run()
}

#[cfg(not(libraries))]
fn main() {
    println!("This example needs compilers of C and C++, and there were none when it was built.");
}
