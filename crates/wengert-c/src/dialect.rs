//! The dialects of C: what differs between them is here and in the prelude.

/// A dialect of C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// C11, for processors.
    C,
    /// OpenCL C 1.2 with `cl_khr_fp64`, for devices of any vendor.
    OpenCl,
    /// CUDA C++, for a run-time compiler (NVRTC) or `nvcc`.
    Cuda,
}

impl Dialect {
    /// The types of a text for devices, and what it calls by names that differ.
    pub(crate) fn types(self) -> &'static str {
        match self {
            Dialect::C => crate::prelude::TYPES,
            Dialect::OpenCl => include_str!("prelude/opencl.c"),
            Dialect::Cuda => include_str!("prelude/cuda.c"),
        }
    }

    /// A text of tables and functions in C with the qualifiers that they have on devices.
    pub(crate) fn qualified(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            let qualifiers = [
                ("static const ", "W_CONSTANT const "),
                ("static inline ", "W_FUNCTION "),
                ("static ", "W_FUNCTION "),
            ];
            let begins = |&&(c, _): &&(&str, &str)| line.starts_with(c);
            match qualifiers.iter().find(begins) {
                Some((c, device)) => {
                    out += device;
                    out += &line[c.len()..];
                }
                None => out += line,
            }
            out.push('\n');
        }
        out
    }
}
