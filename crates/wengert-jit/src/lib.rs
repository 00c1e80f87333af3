//! Machine code for the loop IR.
