//! wengert-check.
