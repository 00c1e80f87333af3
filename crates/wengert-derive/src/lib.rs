//! wengert-derive.
