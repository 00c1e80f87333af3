//! The handler of the signal.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::thread::Thread;
use crate::sample::Refused;

/// Threads that may be sampled at a time.
const THREADS: usize = 1024;

/// Marks the value of our signals; the number of the thread is in the low bits.
pub(super) const MAGIC: usize = 0x5745_4e47_0000_0000;

static RECORDS: [AtomicPtr<Thread>; THREADS] = [const { AtomicPtr::new(ptr::null_mut()) }; THREADS];

/// The action that was installed before, for signals that are not ours: the address of its function, and its flags.
static BEFORE: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));

/// Gives the record of a thread a number, if there is one left.
pub(super) fn register(thread: &Thread) -> Option<usize> {
    let thread = ptr::from_ref(thread).cast_mut();
    RECORDS.iter().position(|slot| {
        let put =
            slot.compare_exchange(ptr::null_mut(), thread, Ordering::SeqCst, Ordering::Relaxed);
        put.is_ok()
    })
}

/// Frees a number.
pub(super) fn unregister(number: usize) {
    RECORDS[number].store(ptr::null_mut(), Ordering::SeqCst);
}

/// Notes what the thread does that got the signal. It is safe in a signal handler: it reads the table and the thread's
/// own stack, writes to memory that was allocated before, and reads a clock.
extern "C" fn on_signal(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the system passes valid pointers, and the context of a thread on this processor. A record with a number
    // lives until its timer has ended and its last signal was taken.
    unsafe {
        let ours = (*info).si_code == libc::SI_TIMER;
        let value = (*info).si_value().sival_ptr as usize;
        if !ours || value & !(THREADS - 1) != MAGIC {
            return pass_on(signal, info, context);
        }
        let thread = RECORDS[value & (THREADS - 1)].load(Ordering::Relaxed);
        if let Some(thread) = thread.as_ref() {
            let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
            let instruction = registers[libc::REG_RIP as usize] as usize;
            let stack = registers[libc::REG_RSP as usize] as usize;
            let error = *libc::__errno_location();
            thread.tick(instruction, stack);
            *libc::__errno_location() = error;
        }
    }
}

/// Passes a signal that is not ours to the handler that was installed before.
///
/// # Safety
/// The arguments are those of the system.
unsafe fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    type Plain = unsafe extern "C" fn(libc::c_int);
    type Full = unsafe extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
    let action = BEFORE.0.load(Ordering::Relaxed);
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        return;
    }
    let full = BEFORE.1.load(Ordering::Relaxed) & libc::SA_SIGINFO as usize != 0;
    // SAFETY: whoever installed the handler said that it has this type.
    unsafe {
        match full {
            true => std::mem::transmute::<usize, Full>(action)(signal, info, context),
            false => std::mem::transmute::<usize, Plain>(action)(signal),
        }
    }
}

/// The installed handler; the one before is restored when it is dropped.
pub(super) struct Handler {
    before: libc::sigaction,
}

impl Handler {
    pub(super) fn install() -> Result<Handler, Refused> {
        let mut before = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: the action is complete, and the function writes the one before if it succeeds.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            if libc::sigaction(libc::SIGPROF, ptr::null(), before.as_mut_ptr()) == 0 {
                let known = before.assume_init_ref();
                BEFORE.0.store(known.sa_sigaction, Ordering::Relaxed);
                BEFORE.1.store(known.sa_flags as usize, Ordering::Relaxed);
            }
            if libc::sigaction(libc::SIGPROF, &action, before.as_mut_ptr()) != 0 {
                let message = format!("a signal: {}", std::io::Error::last_os_error());
                return Err(Refused::Unsupported(message));
            }
            Ok(Handler {
                before: before.assume_init(),
            })
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // SAFETY: the action is the one that was installed before.
        unsafe { libc::sigaction(libc::SIGPROF, &self.before, ptr::null_mut()) };
    }
}
