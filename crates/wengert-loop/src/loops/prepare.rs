//! The passes between lowering and emission.

use super::Program;
use super::divide::divide;
use super::forward::forward;
use super::fuse::fuse;
use super::promote::promote;
use super::unroll::unroll;
use super::{dead_carries, dead_stores};
use crate::timing::timed;

/// Returns the program as a back end should emit it: short loops are unrolled, neighbouring loops joined, and
/// elements that are stored and read again are in registers. Its results have the same bits.
pub fn prepare(program: &Program) -> Program {
    let program = timed("unroll loops", || unroll(program));
    let program = timed("promote memory", || promote(&program));
    let program = timed("fuse loops", || fuse(&program));
    let mut program = timed("forward stores", || forward(&program));
    timed("drop carries and stores", || {
        dead_carries::remove(&mut program);
        dead_stores::remove(&mut program);
    });
    timed("divide by constants", || divide(&program))
}
