//! Processor features, detected once and passed to whatever depends on them.

use std::fmt;
use std::sync::OnceLock;

/// An architecture.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Arch {
    /// x86-64.
    X86_64,
    /// 64-bit ARM.
    Arm64,
    /// Any other architecture; known only if it is this machine's.
    Other,
}

impl Arch {
    /// The architecture of this machine.
    pub const HOST: Arch = if cfg!(target_arch = "x86_64") {
        Arch::X86_64
    } else if cfg!(target_arch = "aarch64") {
        Arch::Arm64
    } else {
        Arch::Other
    };
}

/// The source of what is known about a processor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Known {
    /// The features that every processor of the architecture has.
    Baseline,
    /// A named level of the architecture.
    Level(&'static str),
    /// Detection on this machine.
    Host,
}

/// A processor to compile for. Code can be made for any; it can be run if this machine has all its features.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cpu {
    arch: Arch,
    known: Known,
    pub(crate) fma: bool,
    pub(crate) avx2: bool,
    pub(crate) bmi2: bool,
    pub(crate) avx512f: bool,
    pub(crate) avx512dq: bool,
    pub(crate) avx512vl: bool,
}

impl Cpu {
    /// The x86-64 baseline: SSE2.
    pub const X86_64: Cpu = Cpu::plain(Arch::X86_64);

    /// x86-64-v3: AVX2 and fused multiply-add.
    pub const X86_64_V3: Cpu = Cpu {
        known: Known::Level("x86-64-v3"),
        fma: true,
        avx2: true,
        bmi2: true,
        ..Cpu::X86_64
    };

    /// x86-64-v4: AVX-512.
    pub const X86_64_V4: Cpu = Cpu {
        known: Known::Level("x86-64-v4"),
        avx512f: true,
        avx512dq: true,
        avx512vl: true,
        ..Cpu::X86_64_V3
    };

    /// The baseline of 64-bit ARM.
    pub const ARM64: Cpu = Cpu::plain(Arch::Arm64);

    const fn plain(arch: Arch) -> Cpu {
        Cpu {
            arch,
            known: Known::Baseline,
            // Part of the baseline of every architecture but x86-64.
            fma: !matches!(arch, Arch::X86_64),
            avx2: false,
            bmi2: false,
            avx512f: false,
            avx512dq: false,
            avx512vl: false,
        }
    }

    /// Returns the baseline of this machine's architecture.
    pub const fn baseline() -> Cpu {
        Cpu::plain(Arch::HOST)
    }

    /// Returns this machine's processor.
    pub fn host() -> Cpu {
        static HOST: OnceLock<Cpu> = OnceLock::new();
        *HOST.get_or_init(|| {
            let baseline = Cpu {
                known: Known::Host,
                ..Cpu::baseline()
            };
            #[cfg(target_arch = "x86_64")]
            {
                use std::arch::is_x86_feature_detected;
                Cpu {
                    fma: is_x86_feature_detected!("fma"),
                    avx2: is_x86_feature_detected!("avx2"),
                    bmi2: is_x86_feature_detected!("bmi2"),
                    avx512f: is_x86_feature_detected!("avx512f"),
                    avx512dq: is_x86_feature_detected!("avx512dq"),
                    avx512vl: is_x86_feature_detected!("avx512vl"),
                    ..baseline
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            baseline
        })
    }

    /// Returns whether it has an instruction that multiplies and adds with one rounding: then it pays to
    /// contract products and sums.
    pub fn has_fma(self) -> bool {
        self.fma
    }

    /// Returns whether this machine has all its features.
    pub fn runs_here(self) -> bool {
        let host = Cpu::host();
        let features = |c: Cpu| [c.fma, c.avx2, c.bmi2, c.avx512f, c.avx512dq, c.avx512vl];
        let had = features(self).into_iter().zip(features(host));
        self.arch == host.arch && had.into_iter().all(|(wanted, has)| has || !wanted)
    }

    /// Returns whether it has 256-bit vectors with fused multiply-add.
    pub fn has_avx2_fma(self) -> bool {
        self.avx2 && self.fma
    }

    /// Returns the bits of the registers in which vector loops can be emitted beside those of the code generator: 512
    /// with AVX-512, 256 with AVX2 and fused multiply-add.
    pub fn wide_loops(self) -> Option<u32> {
        // Calls in them follow the Unix calling convention.
        let calls = cfg!(unix) || !self.runs_here();
        let avx512 = self.avx512f && self.avx512dq && self.avx512vl;
        if self.arch != Arch::X86_64 || !self.bmi2 || !calls {
            return None;
        }
        match (avx512, self.has_avx2_fma()) {
            (true, _) => Some(512),
            (false, true) => Some(256),
            (false, false) => None,
        }
    }

    /// Returns its architecture.
    pub fn arch(self) -> Arch {
        self.arch
    }

    /// Returns how its features are known.
    pub fn known(self) -> Known {
        self.known
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.known, self.arch) {
            (Known::Host, _) => "this machine",
            (Known::Level(level), _) => level,
            (Known::Baseline, Arch::X86_64) => "x86-64",
            (Known::Baseline, Arch::Arm64) => "64-bit ARM",
            (Known::Baseline, Arch::Other) => "any processor of this architecture",
        })
    }
}
