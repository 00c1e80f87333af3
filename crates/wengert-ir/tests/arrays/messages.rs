//! What a mistake says.
