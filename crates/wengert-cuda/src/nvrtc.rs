//! NVRTC: what compiles sources of CUDA at run time.

use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;
use std::ptr::{null, null_mut};

use wengert_run::CompileError;

use crate::CudaError;
use crate::library::{Raw, functions, load, named};

functions! {
    /// Its functions.
    Functions of "run-time compiler NVRTC" from "NVRTC 11.2";
    nvrtcVersion: fn(*mut i32, *mut i32) -> i32;
    nvrtcGetErrorString: fn(i32) -> *const c_char;
    nvrtcGetNumSupportedArchs: fn(*mut i32) -> i32;
    nvrtcGetSupportedArchs: fn(*mut i32) -> i32;
    nvrtcCreateProgram: fn(*mut Raw, *const c_char, *const c_char, i32, *const *const c_char, *const *const c_char) -> i32;
    nvrtcDestroyProgram: fn(*mut Raw) -> i32;
    nvrtcCompileProgram: fn(Raw, i32, *const *const c_char) -> i32;
    nvrtcGetProgramLogSize: fn(Raw, *mut usize) -> i32;
    nvrtcGetProgramLog: fn(Raw, *mut c_char) -> i32;
    nvrtcGetCUBINSize: fn(Raw, *mut usize) -> i32;
    nvrtcGetCUBIN: fn(Raw, *mut c_char) -> i32;
    nvrtcGetPTXSize: fn(Raw, *mut usize) -> i32;
    nvrtcGetPTX: fn(Raw, *mut c_char) -> i32;
}

/// A function that says how long a text of a program is, and one that gives the text.
type Text = (
    unsafe extern "C" fn(Raw, *mut usize) -> i32,
    unsafe extern "C" fn(Raw, *mut c_char) -> i32,
);

/// What keeps the bits: every operation is rounded once, to nearest, and subnormal numbers are numbers.
const EXACT: &[&CStr] = &[
    c"--fmad=false",
    c"--ftz=false",
    c"--prec-div=true",
    c"--prec-sqrt=true",
];

/// A compiler.
pub(crate) struct Nvrtc {
    f: Functions,
    version: (i32, i32),
    /// The architectures that it knows, as ten times the major and once the minor number.
    architectures: Vec<i32>,
}

/// The files that may be a compiler whose code a driver of this version loads: one of the same major number, else an
/// older one, else a newer one.
pub(crate) fn files(driver: i32) -> Vec<PathBuf> {
    let mut majors = [13, 12, 11];
    majors.sort_by_key(|&m| (m > driver / 1000, -m));
    let name = |major: i32| match (cfg!(windows), major) {
        (true, 11) => "nvrtc64_112_0.dll".to_string(),
        (true, m) => format!("nvrtc64_{m}0_0.dll"),
        (false, 11) => "libnvrtc.so.11.2".to_string(),
        (false, m) => format!("libnvrtc.so.{m}"),
    };
    let mut names: Vec<PathBuf> = majors.iter().map(|&m| name(m).into()).collect();
    let inside = if cfg!(windows) { "bin" } else { "lib64" };
    let homes = ["CUDA_PATH", "CUDA_HOME"].map(std::env::var_os);
    let homes = homes.into_iter().flatten().map(PathBuf::from);
    for home in homes.chain([PathBuf::from("/usr/local/cuda")]) {
        let all = majors.iter().map(|&m| home.join(inside).join(name(m)));
        names.extend(all.filter(|file| file.exists()));
    }
    named("WENGERT_NVRTC", names)
}

impl Nvrtc {
    pub fn open(files: &[PathBuf]) -> Result<&'static Nvrtc, CudaError> {
        let library = load(files).map_err(CudaError::Nvrtc)?;
        let mut nvrtc = Nvrtc {
            f: Functions::of(library)?,
            version: (0, 0),
            architectures: vec![],
        };
        let (f, (major, minor)) = (&nvrtc.f, &mut nvrtc.version);
        let mut n = 0;
        // SAFETY: the numbers have places.
        nvrtc_checked(f, "nvrtcVersion", unsafe { (f.nvrtcVersion)(major, minor) })?;
        // SAFETY: as above.
        let status = unsafe { (f.nvrtcGetNumSupportedArchs)(&mut n) };
        nvrtc_checked(f, "nvrtcGetNumSupportedArchs", status)?;
        let mut all = vec![0; n.max(0) as usize];
        // SAFETY: there is room for so many.
        let status = unsafe { (f.nvrtcGetSupportedArchs)(all.as_mut_ptr()) };
        nvrtc_checked(f, "nvrtcGetSupportedArchs", status)?;
        nvrtc.architectures = all;
        Ok(Box::leak(Box::new(nvrtc)))
    }

    /// Compiles a source for an architecture: to its machine code if the compiler knows it, else to code of the
    /// newest older one, which the driver compiles further. The code ends with a zero.
    pub fn compile(&self, source: &str, architecture: i32) -> Result<Vec<u8>, CompileError> {
        let wrong = |e: CudaError| CompileError::Internal(e.to_string());
        let older = self.architectures.iter().copied();
        let Some(known) = older.filter(|&a| a <= architecture).max() else {
            let (a, b) = self.version;
            let oldest = self.architectures.iter().min().copied().unwrap_or(0);
            return Err(CompileError::Machine(format!(
                "NVRTC {a}.{b} has no code for compute capability {}, only from {} on; install an older one",
                decimal(architecture),
                decimal(oldest)
            )));
        };
        let machine = known == architecture;
        let kind = if machine { "sm" } else { "compute" };
        let target = CString::new(format!("--gpu-architecture={kind}_{known}"));
        let target = target.expect("no zero in it");
        let mut options: Vec<*const c_char> = vec![target.as_ptr()];
        options.extend(EXACT.iter().map(|o| o.as_ptr()));

        let text = CString::new(source);
        let text = text.map_err(|_| CompileError::Internal("a zero in a source".into()))?;
        let mut program = Program {
            f: &self.f,
            raw: null_mut(),
        };
        // SAFETY: the texts end with zeros, and there are no headers.
        let status = unsafe {
            (self.f.nvrtcCreateProgram)(
                &mut program.raw,
                text.as_ptr(),
                c"kernels.cu".as_ptr(),
                0,
                null(),
                null(),
            )
        };
        nvrtc_checked(&self.f, "nvrtcCreateProgram", status).map_err(wrong)?;
        // SAFETY: the program is valid, and the options end with zeros.
        let status = unsafe {
            (self.f.nvrtcCompileProgram)(program.raw, options.len() as i32, options.as_ptr())
        };
        if let Err(e) = nvrtc_checked(&self.f, "nvrtcCompileProgram", status) {
            let log = (self.f.nvrtcGetProgramLogSize, self.f.nvrtcGetProgramLog);
            let log = program.text(log, "nvrtcGetProgramLog").unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let log = log.trim_end_matches(['\0', '\n']);
            return Err(CompileError::Codegen(format!("{e}\n{log}")));
        }
        let (code, name): (Text, _) = match machine {
            true => (
                (self.f.nvrtcGetCUBINSize, self.f.nvrtcGetCUBIN),
                "nvrtcGetCUBIN",
            ),
            false => ((self.f.nvrtcGetPTXSize, self.f.nvrtcGetPTX), "nvrtcGetPTX"),
        };
        let mut code = program.text(code, name).map_err(wrong)?;
        code.push(0);
        Ok(code)
    }
}

/// A number of an architecture as people write it.
pub(crate) fn decimal(architecture: i32) -> String {
    format!("{}.{}", architecture / 10, architecture % 10)
}

/// Checks the status of a function of NVRTC.
fn nvrtc_checked(f: &Functions, function: &'static str, status: i32) -> Result<(), CudaError> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: it may be asked for any status; what it returns is null, or a text that stays.
    let text = unsafe { (f.nvrtcGetErrorString)(status) };
    let meaning = match text.is_null() {
        true => "NVRTC does not say what that is".into(),
        false => {
            // SAFETY: it is not null.
            let text = unsafe { CStr::from_ptr(text) };
            text.to_string_lossy().into_owned()
        }
    };
    Err(CudaError::Call {
        function,
        status,
        meaning,
    })
}

/// A program of the compiler's.
struct Program<'a> {
    f: &'a Functions,
    raw: Raw,
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: it is this one's to destroy.
            unsafe { (self.f.nvrtcDestroyProgram)(&mut self.raw) };
        }
    }
}

impl Program<'_> {
    fn text(&self, (size, get): Text, name: &'static str) -> Result<Vec<u8>, CudaError> {
        let mut n = 0;
        // SAFETY: the program is valid, and the number has a place.
        nvrtc_checked(self.f, name, unsafe { size(self.raw, &mut n) })?;
        let mut bytes = vec![0u8; n];
        // SAFETY: there is room for so many bytes.
        nvrtc_checked(self.f, name, unsafe {
            get(self.raw, bytes.as_mut_ptr().cast())
        })?;
        Ok(bytes)
    }
}
