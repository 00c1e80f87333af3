//! What a call on a device moves, for people.

use wengert_ir::error::counted;
use wengert_ir::ir::Type;
use wengert_ir::ir::view::Outline;

use super::compiled::Compiled;
use super::machine::OnDevice;

/// Describes what a call moves, and what stays on the device. `args` and `results` are the names of the leaves.
pub(super) fn moves(
    compiled: &Compiled,
    code: &OnDevice,
    args: &[String],
    results: &[String],
) -> Outline {
    let device = code.device();
    let types = compiled.func.ir().param_types();
    let (given, captured) = types.split_at(types.len() - compiled.captured);
    let all: usize = given.iter().map(bytes).sum();
    let mut out = Outline::new(format!(
        "on {device} | a call moves {} if its arguments are on the host",
        counted(all, "byte", "bytes")
    ));
    for (name, ty) in args.iter().zip(given) {
        out.push(Outline::new(format!(
            "{name}: {ty}, {} to the device, unless it is there",
            counted(bytes(ty), "byte", "bytes")
        )));
    }
    for ty in captured {
        out.push(Outline::new(format!(
            "an array of the function's own: {ty}, {} that stay there",
            counted(bytes(ty), "byte", "bytes")
        )));
    }
    for (name, form) in results.iter().zip(&compiled.results) {
        out.push(Outline::new(format!(
            "{name}: {}, stays there; {} to the host when it is read",
            form.ty,
            counted(bytes(&form.ty), "byte", "bytes")
        )));
    }
    out
}

fn bytes(ty: &Type) -> usize {
    ty.size() * ty.dtype.bytes()
}

/// Describes the code: the text that the device's compiler wrote, line by line.
pub(super) fn listed(text: &str) -> Outline {
    let mut out = Outline::new("code for the device");
    for line in text.lines() {
        out.push(Outline::new(line));
    }
    out
}
