//! The functions and data of an object, as they are defined.

use std::collections::HashMap;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{
    ExtFuncData, ExternalName, FuncRef, Function, Signature, UserExternalName,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, Context};
use cranelift_module::{
    DataDescription, DataId, FuncId, Init, Linkage, Module, ModuleDeclarations, ModuleError,
    ModuleReloc, ModuleRelocTarget, ModuleResult, default_libcall_names,
};
use wengert_run::CompileError;

use super::{Kind, Piece, Reference, Target, Way};

/// A function (0) or data (1), and its number.
type Key = (u32, u32);

fn key(of: &ModuleRelocTarget) -> Option<Key> {
    match of {
        ModuleRelocTarget::User { namespace, index } => Some((*namespace, *index)),
        _ => None,
    }
}

/// A definition, whose references are not resolved yet.
struct Defined {
    of: Key,
    kind: Kind,
    align: u64,
    bytes: Vec<u8>,
    relocs: Vec<ModuleReloc>,
}

/// What an object consists of.
pub(super) struct Pieces {
    isa: &'static dyn TargetIsa,
    declarations: ModuleDeclarations,
    defined: Vec<Defined>,
    /// The places of what is defined.
    places: HashMap<Key, usize>,
}

impl Pieces {
    pub(super) fn new(isa: &'static dyn TargetIsa) -> Pieces {
        Pieces {
            isa,
            declarations: ModuleDeclarations::default(),
            defined: vec![],
            places: HashMap::new(),
        }
    }

    /// Everything that was defined, with what refers to what.
    pub(super) fn finish(self) -> Result<Vec<Piece>, CompileError> {
        let target = |to: &ModuleRelocTarget| match to {
            ModuleRelocTarget::LibCall(call) => Ok(Target::Named(default_libcall_names()(*call))),
            _ => {
                let place = key(to).and_then(|k| self.places.get(&k));
                let name = || key(to).and_then(|k| self.name(k, Linkage::Import));
                let found = place.map(|&i| Target::Piece(i));
                found.or_else(|| name().map(Target::Named)).ok_or_else(|| {
                    let message = format!("an object refers to {to}, which is not in it");
                    CompileError::Codegen(message)
                })
            }
        };
        let reference = |kind: Kind, r: &ModuleReloc| {
            let to = target(&r.name)?;
            let way = way(r.kind).filter(|way| (*way == Way::Address) == (kind == Kind::Pointers));
            let way = way.ok_or_else(|| {
                let message = format!("an object has no reference of the kind {}", r.kind);
                CompileError::Codegen(message)
            })?;
            Ok(Reference {
                at: r.offset,
                way,
                to,
                addend: r.addend,
            })
        };
        let piece = |d: &Defined| {
            let references = d.relocs.iter().map(|r| reference(d.kind, r));
            Ok(Piece {
                name: self.name(d.of, Linkage::Export),
                kind: d.kind,
                align: d.align,
                bytes: d.bytes.clone(),
                references: references.collect::<Result<_, CompileError>>()?,
            })
        };
        self.defined.iter().map(piece).collect()
    }

    /// The name of a function that is exported, or imported.
    fn name(&self, (namespace, index): Key, linkage: Linkage) -> Option<String> {
        if namespace != 0 {
            return None;
        }
        let id = FuncId::from_u32(index);
        let declared = self.declarations.get_function_decl(id);
        let name = (declared.linkage == linkage).then_some(declared.name.as_ref());
        name.flatten().cloned()
    }

    /// Defines something, unless that has happened before; then it returns its name.
    fn add(
        &mut self,
        of: impl Into<ModuleRelocTarget>,
        kind: Kind,
        align: u64,
        bytes: &[u8],
        relocs: Vec<ModuleReloc>,
    ) -> Result<(), String> {
        let of = of.into();
        let Some(of) = key(&of).filter(|k| !self.places.contains_key(k)) else {
            return Err(of.to_string());
        };
        self.places.insert(of, self.defined.len());
        self.defined.push(Defined {
            of,
            kind,
            align,
            bytes: bytes.to_vec(),
            relocs,
        });
        Ok(())
    }
}

/// How an instruction refers to what it names.
fn way(kind: Reloc) -> Option<Way> {
    Some(match kind {
        Reloc::Abs8 => Way::Address,
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 => Way::X86Near,
        Reloc::Arm64Call => Way::Arm64Call,
        Reloc::Aarch64AdrPrelPgHi21 => Way::Arm64Page,
        Reloc::Aarch64AddAbsLo12Nc => Way::Arm64InPage,
        _ => return None,
    })
}

impl Module for Pieces {
    fn isa(&self) -> &dyn TargetIsa {
        self.isa
    }

    fn declarations(&self) -> &ModuleDeclarations {
        &self.declarations
    }

    fn declare_function(
        &mut self,
        name: &str,
        linkage: Linkage,
        signature: &Signature,
    ) -> ModuleResult<FuncId> {
        let declared = self
            .declarations
            .declare_function(name, linkage, signature)?;
        Ok(declared.0)
    }

    fn declare_anonymous_function(&mut self, signature: &Signature) -> ModuleResult<FuncId> {
        self.declarations.declare_anonymous_function(signature)
    }

    fn declare_data(
        &mut self,
        name: &str,
        linkage: Linkage,
        writable: bool,
        tls: bool,
    ) -> ModuleResult<DataId> {
        let declared = self
            .declarations
            .declare_data(name, linkage, writable, tls)?;
        Ok(declared.0)
    }

    fn declare_anonymous_data(&mut self, writable: bool, tls: bool) -> ModuleResult<DataId> {
        self.declarations.declare_anonymous_data(writable, tls)
    }

    /// A linker puts a stub near the code for a function that is elsewhere.
    fn declare_func_in_func(&mut self, id: FuncId, func: &mut Function) -> FuncRef {
        let declared = self.declarations.get_function_decl(id);
        let signature = func.import_signature(declared.signature.clone());
        let name = func.declare_imported_user_function(UserExternalName {
            namespace: 0,
            index: id.as_u32(),
        });
        func.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        })
    }

    fn define_function_with_control_plane(
        &mut self,
        id: FuncId,
        context: &mut Context,
        plane: &mut ControlPlane,
    ) -> ModuleResult<()> {
        context.compile(self.isa, plane)?;
        let code = context.compiled_code().expect("it was just compiled");
        let relocs = code.buffer.relocs().iter();
        let relocs = relocs.map(|r| ModuleReloc::from_mach_reloc(r, &context.func, id));
        let (align, relocs) = (u64::from(code.buffer.alignment), relocs.collect());
        self.add(id, Kind::Code, align, code.code_buffer(), relocs)
            .map_err(ModuleError::DuplicateDefinition)
    }

    fn define_function_bytes(
        &mut self,
        id: FuncId,
        align: u64,
        bytes: &[u8],
        relocs: &[ModuleReloc],
    ) -> ModuleResult<()> {
        self.add(id, Kind::Code, align, bytes, relocs.to_vec())
            .map_err(ModuleError::DuplicateDefinition)
    }

    fn define_data(&mut self, id: DataId, data: &DataDescription) -> ModuleResult<()> {
        let Init::Bytes { contents } = &data.init else {
            let message = "data of an object that is not read-only".to_string();
            return Err(ModuleError::Compilation(CodegenError::Unsupported(message)));
        };
        let relocs: Vec<ModuleReloc> = data.all_relocs(Reloc::Abs8).collect();
        let kind = match relocs.is_empty() {
            true => Kind::Data,
            false => Kind::Pointers,
        };
        let align = data.align.unwrap_or(8);
        self.add(id, kind, align, contents, relocs)
            .map_err(ModuleError::DuplicateDefinition)
    }
}
