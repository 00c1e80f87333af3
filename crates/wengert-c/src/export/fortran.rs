//! A module of Fortran with the interfaces of a source's functions.

use std::fmt::Write;

use wengert::DType;

use super::function::{Function, Leaf};
use crate::CError;
use crate::names;
use crate::unit::{FAILURES, LISTS_FULL, Unit};

/// The longest name that Fortran has.
const LONGEST: usize = 63;

/// What each interface knows already.
const IMPORTED: &str = "scratch c_double c_float c_int c_int8_t c_int32_t c_int64_t";

/// The longest line of a list of names.
const WIDTH: usize = 100;

/// The type of an element. Fortran has no unsigned integers: these have the same bits as signed ones.
fn kind(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "real(c_double)",
        DType::F32 => "real(c_float)",
        DType::I64 | DType::U64 => "integer(c_int64_t)",
        DType::I32 | DType::U32 => "integer(c_int32_t)",
        DType::U8 | DType::Bool => "integer(c_int8_t)",
    }
}

/// The names between parentheses, on as many lines as they need after so many letters.
fn listed(names: &[String], indent: &str, mut width: usize) -> String {
    let mut text = String::from("(");
    for (i, name) in names.iter().enumerate() {
        if i > 0 {
            text += ", ";
        }
        if width + name.len() > WIDTH {
            let _ = write!(text, "&\n{indent}  ");
            width = 0;
        }
        text += name;
        width += name.len() + 2;
    }
    text + ")"
}

/// The module.
pub(super) fn module(name: &str, unit: &Unit, functions: &[Function]) -> Result<String, CError> {
    let upper = name.to_ascii_uppercase();
    let mut text = format!(
        "! {name}: written by Wengert.\n!\n! Compile and link {name}.c, and use this module. What it says of an argument is the type in C's order of axes; here \
         they\n! are in reverse. Bits of unsigned integers are those of signed ones, and booleans are 0 or 1.\n\
         module {name}_module\n  use, intrinsic :: iso_c_binding, only: c_double, c_float, c_int, c_int8_t, c_int32_t, c_int64_t, &\n    \
         c_char, c_null_char, c_ptr, c_f_pointer\n  implicit none\n  private\n\n"
    );
    let mut public = vec![
        format!("{name}_scratch"),
        format!("{name}_error"),
        format!("{upper}_OK"),
        format!("{upper}_LISTS_FULL"),
        format!("{upper}_STOPPED"),
    ];
    public.extend(functions.iter().map(|f| f.name.clone()));
    for name in public
        .iter()
        .chain(functions.iter().flat_map(|f| f.leaf_names()))
    {
        if name.len() > LONGEST {
            return Err(CError::Abi {
                abi: "Fortran".into(),
                why: format!("the name {name} has more than {LONGEST} letters"),
            });
        }
    }
    for name in &public {
        let _ = writeln!(text, "  public :: {name}");
    }
    let _ = write!(
        text,
        "\n  ! The memory of a call. It need not be set, and nothing in it is kept: each thread needs its own.\n  \
         type, bind(c) :: {name}_scratch\n    private\n    integer(c_int64_t) :: memory({})\n  end type\n\n  \
         ! What a call returns: the function's own errors begin at the last one.\n  \
         integer(c_int), parameter :: {upper}_OK = 0\n  integer(c_int), parameter :: {upper}_LISTS_FULL = {LISTS_FULL}\n  \
         integer(c_int), parameter :: {upper}_STOPPED = {FAILURES}\n\n  interface\n",
        unit.scratch_words()
    );
    for f in functions {
        interface(&mut text, name, f);
    }
    let _ = write!(
        text,
        r#"    type(c_ptr) function {name}_message(status) bind(c, name="{name}_message")
      import :: c_ptr, c_int
      integer(c_int), value :: status
    end function
  end interface

contains

  ! What a status means.
  function {name}_error(status) result(text)
    integer(c_int), intent(in) :: status
    character(:), allocatable :: text
    character(kind=c_char), pointer :: letters(:)
    type(c_ptr) :: place
    integer :: i, n
    place = {name}_message(status)
    n = 0
    do
      call c_f_pointer(place, letters, [n + 1])
      if (letters(n + 1) == c_null_char) exit
      n = n + 1
    end do
    allocate (character(n) :: text)
    do i = 1, n
      text(i:i) = letters(i)
    end do
  end function
end module
"#
    );
    Ok(text)
}

fn interface(text: &mut String, unit: &str, f: &Function) {
    let ports: Vec<&str> = f.leaf_names().map(String::as_str).collect();
    let own = [f.name.to_ascii_lowercase(), format!("{unit}_scratch")];
    let reserved = |name: &str| {
        names::among(IMPORTED, name) || own.iter().any(|o| o.eq_ignore_ascii_case(name))
    };
    let ports = names::elsewhere(&ports, reserved, |name| name.to_ascii_lowercase());
    let mut all = ports.clone();
    all.push("scratch".into());
    let indent = "      ";
    let _ = writeln!(text, "    ! {}", f.said());
    let _ = writeln!(
        text,
        "    integer(c_int) function {}{} &\n        bind(c, name=\"{}\")",
        f.name,
        listed(&all, indent, 30 + f.name.len()),
        f.name
    );
    let _ = writeln!(
        text,
        "{indent}import :: c_double, c_float, c_int, c_int8_t, c_int32_t, c_int64_t, {unit}_scratch"
    );
    let leaves = f.inputs.iter().map(|l| (l, "in"));
    let leaves = leaves.chain(f.outputs.iter().map(|l| (l, "out")));
    for ((Leaf { port, spec, said }, intent), name) in leaves.zip(&ports) {
        let dims: Vec<String> = spec.shape.iter().rev().map(|n| n.to_string()).collect();
        let dims = match dims.is_empty() {
            true => String::new(),
            false => format!("({})", dims.join(", ")),
        };
        let _ = writeln!(text, "{indent}! {spec}, {said}");
        let _ = writeln!(
            text,
            "{indent}{}, intent({intent}) :: {name}{dims}",
            kind(port.dtype)
        );
    }
    let _ = write!(
        text,
        "{indent}type({unit}_scratch), intent(inout) :: scratch\n    end function\n\n"
    );
}
