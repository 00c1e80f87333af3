//! The places that code comes from.

use cranelift_codegen::ir::SourceLoc;
use cranelift_codegen::{Final, MachBufferFinalized};
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use wengert_loop::loops::{Program, Stmt, walk};
use wengert_loop::source::SourceId;
use wengert_run::lines::{LineSpan, covering};

/// The places that the code of a function comes from, by offsets into it.
pub(crate) struct Traced {
    pub name: String,
    /// Whether it is a function of scalars, which computes for whoever calls it.
    pub pure: bool,
    pub lines: Vec<LineSpan>,
    pub calls: Vec<TracedCall>,
}

/// A call in the code of a function.
pub(crate) struct TracedCall {
    /// The offset of the instruction after it.
    pub back: u32,
    /// The bytes from the slot of the function's own return address down to that of the call's.
    pub depth: u32,
    /// The function that it calls, if that is one of the program.
    pub callee: Option<FuncId>,
}

/// The place of a statement; of a loop or branch that belongs to no operation, such as one over the elements of a result, that
/// of the first statement inside that has one.
pub(crate) fn source_of(program: &Program, stmt: &Stmt) -> Option<SourceId> {
    let inside = || {
        let stmts = walk::blocks(stmt).flat_map(|b| &b.stmts);
        stmts.into_iter().find_map(|s| source_of(program, s))
    };
    program.source_of(stmt).or_else(inside)
}

/// The mark of a place on instructions. Cranelift keeps differences of marks, and -1 is no mark: all are even.
pub(crate) fn srcloc(source: Option<SourceId>) -> SourceLoc {
    source.map_or_else(SourceLoc::default, |s| SourceLoc::new(2 * s.number()))
}

/// The place of a mark.
fn place_of(mark: SourceLoc) -> Option<SourceId> {
    match mark.is_default() {
        true => None,
        false => SourceId::numbered(mark.bits() / 2),
    }
}

/// What is known of the places that a function of Cranelift's comes from.
pub(crate) fn traced(
    buffer: &MachBufferFinalized<Final>,
    len: u32,
    relocs: &[ModuleReloc],
    name: &str,
    pure: bool,
) -> Traced {
    let lines = buffer
        .get_srclocs_sorted()
        .iter()
        .filter(|l| l.start < l.end);
    let lines = lines.map(|l| LineSpan {
        start: l.start,
        end: l.end,
        source: place_of(l.loc),
    });
    // The return address and the register of frames are above the rest of the frame.
    let frame = buffer.frame_layout().map_or(0, |f| f.frame_to_fp_offset);
    let calls = buffer.call_sites().map(|call| {
        // A near call ends with the distance to what it calls.
        let called = relocs.iter().find(|r| r.offset + 4 == call.ret_addr);
        let callee = called.and_then(|r| match &r.name {
            ModuleRelocTarget::User {
                namespace: 0,
                index,
            } => Some(FuncId::from_u32(*index)),
            _ => None,
        });
        TracedCall {
            back: call.ret_addr,
            depth: frame + 16,
            callee,
        }
    });
    Traced {
        name: name.to_string(),
        pure,
        lines: covering(lines, len),
        calls: calls.collect(),
    }
}
