//! Machine code that can be run.

use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use wengert_run::{Code, sample};

use crate::emit::session::Kept;

type Main = unsafe extern "C" fn(*mut u8) -> i32;

/// Machine code of a program, with the data it points to.
pub(crate) struct MachineCode {
    main: Main,
    /// `None` only while it is dropped.
    module: Option<JITModule>,
    _kept: Kept,
}

// SAFETY: code and constants do not change once compiled. The module is only touched by `drop`, which frees its memory.
unsafe impl Sync for MachineCode {}

impl MachineCode {
    /// The final code of a module, whose outer function is `main`.
    pub(crate) fn new(module: JITModule, main: FuncId, kept: Kept) -> MachineCode {
        let code = module.get_finalized_function(main);
        MachineCode {
            // SAFETY: the function was declared with this signature.
            main: unsafe { std::mem::transmute::<*const u8, Main>(code) },
            module: Some(module),
            _kept: kept,
        }
    }
}

impl Code for MachineCode {
    unsafe fn run(&self, frame: *mut u8) -> i32 {
        // SAFETY: by the caller: the frame is of the shape that the code was written for.
        unsafe { sample::call(self.main, frame) }
    }
}

impl Drop for MachineCode {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: no call is running, for it would borrow the code, and no pointer to it leaves it.
            unsafe { module.free_memory() };
        }
    }
}
