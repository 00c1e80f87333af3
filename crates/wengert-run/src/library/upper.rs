//! The upper halves of vector registers.
//!
//! Generated code mixes instructions that clear the upper halves of the registers they write with instructions
//! that preserve them. If another library has left upper halves in use, each of the latter waits for all
//! earlier ones, and the code runs about a hundred times slower.

/// Marks the upper halves of all vector registers as unused. Must be called before every entry into generated
/// code, and before every return to it from code that is not generated.
#[inline(always)]
pub fn clear() {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx") {
        // SAFETY: the processor has AVX. Only upper halves of vector registers change, which are caller-saved.
        unsafe {
            std::arch::asm!("vzeroupper", options(nomem, nostack, preserves_flags), out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _)
        };
    }
}
