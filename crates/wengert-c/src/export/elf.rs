//! The file of an object, in the Executable and Linkable Format.

use std::collections::HashMap;

use object::elf;
use object::write::{Object, Relocation, StandardSection, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};
use wengert_jit::object::{Kind, Piece, Target, Way};
use wengert_run::Arch;

use crate::CError;

/// Returns the file of an object: relocatable code of programs of the loop IR, in the Executable and Linkable Format.
/// The name is that of its source, for debuggers.
///
/// ```
/// use wengert_jit::Cpu;
/// use wengert_jit::object::Object;
/// use wengert_loop::loops::Program;
///
/// # if cfg!(not(any(target_arch = "x86_64", target_arch = "aarch64"))) { return Ok(()); }
/// let program = Program::parse("
/// b0: f64[1] input 0
/// b1: f64[1] output 0
/// x: f64 = b0[0]
/// y: f64 = mul x, x
/// b1[0] = y
/// ")?;
/// let mut object = Object::new(Cpu::baseline(), 0)?;
/// object.add(&program, "square", (1, 1), &mut |_| 16)?;
/// let file = wengert_c::elf("square", object)?;
/// assert_eq!(file[..4], *b"\x7fELF");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the code generator refuses a part of it, or the architecture is neither x86-64 nor 64-bit ARM.
pub fn elf(name: &str, made: wengert_jit::object::Object) -> Result<Vec<u8>, CError> {
    let arch = made.arch();
    let pieces = made.finish().map_err(|e| CError::Object(e.to_string()))?;
    file(arch, name, &pieces)
}

/// A relocatable file of pieces.
fn file(arch: Arch, name: &str, pieces: &[Piece]) -> Result<Vec<u8>, CError> {
    let architecture = match arch {
        Arch::X86_64 => Architecture::X86_64,
        Arch::Arm64 => Architecture::Aarch64,
        Arch::Other => {
            let message = "this architecture is neither x86-64 nor 64-bit ARM: compile the source";
            return Err(CError::Object(message.into()));
        }
    };
    let refused = |e: object::write::Error| CError::Object(e.to_string());
    let mut file = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    file.add_file_symbol(name.into());
    let mut placed = vec![];
    for (i, piece) in pieces.iter().enumerate() {
        let section = file.section_id(match piece.kind {
            Kind::Code => StandardSection::Text,
            Kind::Data => StandardSection::ReadOnlyData,
            Kind::Pointers => StandardSection::ReadOnlyDataWithRel,
        });
        let own = || format!("{name}.{i}");
        let symbol = file.add_symbol(Symbol {
            name: piece.name.clone().unwrap_or_else(own).into(),
            value: 0,
            size: 0,
            kind: match piece.kind {
                Kind::Code => SymbolKind::Text,
                _ => SymbolKind::Data,
            },
            scope: match piece.name {
                Some(_) => SymbolScope::Dynamic,
                None => SymbolScope::Compilation,
            },
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        });
        let at = file.add_symbol_data(symbol, section, &piece.bytes, piece.align);
        placed.push((symbol, section, at));
    }
    let mut elsewhere: HashMap<&str, SymbolId> = HashMap::new();
    for (piece, &(_, section, start)) in pieces.iter().zip(&placed) {
        for r in &piece.references {
            let (symbol, is_code) = match &r.to {
                Target::Piece(i) => (placed[*i].0, pieces[*i].kind == Kind::Code),
                Target::Named(name) => {
                    let symbol = *elsewhere.entry(name).or_insert_with(|| {
                        file.add_symbol(Symbol {
                            name: name.clone().into(),
                            value: 0,
                            size: 0,
                            kind: SymbolKind::Text,
                            scope: SymbolScope::Unknown,
                            weak: false,
                            section: SymbolSection::Undefined,
                            flags: SymbolFlags::None,
                        })
                    });
                    (symbol, true)
                }
            };
            let r_type = kind(arch, r.way, is_code);
            let reference = Relocation {
                offset: start + u64::from(r.at),
                symbol,
                addend: r.addend,
                flags: RelocationFlags::Elf { r_type },
            };
            file.add_relocation(section, reference).map_err(refused)?;
        }
    }
    // It asks for no stack that can be executed.
    file.add_section(vec![], b".note.GNU-stack".to_vec(), SectionKind::Linker);
    file.write().map_err(refused)
}

/// The number of a kind of reference.
fn kind(arch: Arch, way: Way, is_code: bool) -> u32 {
    match way {
        Way::Address if arch == Arch::Arm64 => elf::R_AARCH64_ABS64,
        Way::Address => elf::R_X86_64_64,
        Way::X86Near if is_code => elf::R_X86_64_PLT32,
        Way::X86Near => elf::R_X86_64_PC32,
        Way::Arm64Call => elf::R_AARCH64_CALL26,
        Way::Arm64Page => elf::R_AARCH64_ADR_PREL_PG_HI21,
        Way::Arm64InPage => elf::R_AARCH64_ADD_ABS_LO12_NC,
    }
}
