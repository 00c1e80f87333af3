//! The code of instructions.

use super::*;

mod pairs;

type Write<'a> = &'a dyn Fn(&mut Asm);

fn at(base: Gpr, off: i32) -> Mem {
    Mem { base, off }
}

/// The bytes that the GNU assembler produces for the same instructions.
#[test]
fn bytes_are_those_of_an_assembler() {
    let known: &[(Write<'_>, &[u8])] = &[
        (
            &|a| a.three(ops::ADD, Zmm(1), Zmm(18), Src::Reg(Zmm(31)), ALL),
            &[0x62, 0x91, 0xed, 0x40, 0x58, 0xcf],
        ),
        (
            &|a| a.three(ops::MUL, Zmm(17), Zmm(2), Src::Row(at(RBX, -192)), ALL),
            &[0x62, 0xe1, 0xed, 0x48, 0x59, 0x4b, 0xfd],
        ),
        (
            &|a| {
                a.three(
                    ops::fma(true, false, 2),
                    Zmm(9),
                    Zmm(30),
                    Src::Each(at(Gpr(12), 8)),
                    ALL,
                )
            },
            &[0x62, 0x52, 0x8d, 0x50, 0xbc, 0x4c, 0x24, 0x01],
        ),
        (
            &|a| a.compare(ops::COMPARE, Mask(3), Zmm(20), Src::Reg(Zmm(5)), 17),
            &[0x62, 0xf1, 0xdd, 0x40, 0xc2, 0xdd, 0x11],
        ),
        (
            &|a| {
                a.three(
                    ops::BLEND,
                    Zmm(4),
                    Zmm(6),
                    Src::Row(at(Gpr(13), 100)),
                    Mask(5),
                )
            },
            &[0x62, 0xd2, 0xcd, 0x4d, 0x64, 0xa5, 0x64, 0x00, 0x00, 0x00],
        ),
        (
            &|a| a.zeroing(ops::LOAD, Zmm(16), Src::Row(at(RSI, 0)), Mask(7)),
            &[0x62, 0xe1, 0xfd, 0xcf, 0x10, 0x06],
        ),
        (
            &|a| a.store(at(Gpr(8), 64), Zmm(25), ALL),
            &[0x62, 0x41, 0xfd, 0x48, 0x11, 0x48, 0x01],
        ),
        (
            &|a| a.store_few(at(RSI, 64), Zmm(17), 32),
            &[0x62, 0xe1, 0xfd, 0x28, 0x11, 0x4e, 0x02],
        ),
        (
            &|a| a.load_few(Zmm(2), at(Gpr(9), -16), 16),
            &[0x62, 0xd1, 0xfd, 0x08, 0x10, 0x51, 0xff],
        ),
        (
            &|a| a.two(ops::SPREAD, Zmm(3), Src::Each(at(RBX, 1024)), ALL),
            &[0x62, 0xf2, 0xfd, 0x48, 0x19, 0x9b, 0x00, 0x04, 0x00, 0x00],
        ),
        (
            &|a| a.spread(Zmm(21), Gpr(9)),
            &[0x62, 0xc2, 0xfd, 0x48, 0x7c, 0xe9],
        ),
        (
            &|a| a.mask_load(Mask(1), at(Gpr(11), -5)),
            &[0xc4, 0xc1, 0x79, 0x90, 0x4b, 0xfb],
        ),
        (
            &|a| a.mask_from(Mask(2), Gpr(10)),
            &[0xc4, 0xc1, 0x79, 0x92, 0xd2],
        ),
        (
            &|a| a.low_bits(RCX, RCX, RAX),
            &[0xc4, 0xe2, 0xf8, 0xf5, 0xc9],
        ),
        (
            &|a| a.deal_bits(RAX, RAX, RCX),
            &[0xc4, 0xe2, 0xfb, 0xf5, 0xc1],
        ),
        (&|a| a.load(Gpr(12), at(RBP, 0)), &[0x4c, 0x8b, 0x65, 0x00]),
        (
            &|a| a.constant(RAX, 0x1122_3344_5566_7788),
            &[0x48, 0xb8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11],
        ),
        (
            &|a| a.multiply_by(Gpr(14), Gpr(14), 1000),
            &[0x4d, 0x69, 0xf6, 0xe8, 0x03, 0x00, 0x00],
        ),
        (
            &|a| a.move_if(Cond::Greater, RAX, RCX),
            &[0x48, 0x0f, 0x4f, 0xc1],
        ),
    ];
    check(8, known);
}

/// The same for elements of 32 bits and of bytes.
#[test]
fn bytes_of_narrow_elements_are_those_of_an_assembler() {
    let half = Form::Half;
    let known: &[(Write<'_>, &[u8])] = &[
        (
            &|a| a.three(ops::ADD.of(half), Zmm(1), Zmm(18), Src::Reg(Zmm(31)), ALL),
            &[0x62, 0x91, 0x6c, 0x20, 0x58, 0xcf],
        ),
        (
            &|a| {
                a.three(
                    ops::MUL.of(half),
                    Zmm(17),
                    Zmm(2),
                    Src::Row(at(RBX, -96)),
                    ALL,
                )
            },
            &[0x62, 0xe1, 0x6c, 0x28, 0x59, 0x4b, 0xfd],
        ),
        (
            &|a| {
                a.three(
                    ops::fma(true, false, 2).of(half),
                    Zmm(9),
                    Zmm(30),
                    Src::Each(at(Gpr(12), 8)),
                    ALL,
                )
            },
            &[0x62, 0x52, 0x0d, 0x30, 0xbc, 0x4c, 0x24, 0x02],
        ),
        (
            &|a| {
                a.compare(
                    ops::COMPARE.of(half),
                    Mask(3),
                    Zmm(20),
                    Src::Reg(Zmm(5)),
                    17,
                )
            },
            &[0x62, 0xf1, 0x5c, 0x20, 0xc2, 0xdd, 0x11],
        ),
        (
            &|a| a.two(ops::SPREAD.of(half), Zmm(19), Src::Each(at(RBX, 1024)), ALL),
            &[0x62, 0xe2, 0x7d, 0x28, 0x18, 0x9b, 0x00, 0x04, 0x00, 0x00],
        ),
        (
            &|a| a.spread_as(half, Zmm(21), Gpr(9)),
            &[0x62, 0xc2, 0x7d, 0x28, 0x7c, 0xe9],
        ),
        (
            &|a| a.store_as(half, at(Gpr(8), 32), Zmm(25), Mask(7)),
            &[0x62, 0x41, 0x7c, 0x2f, 0x11, 0x48, 0x01],
        ),
        (
            &|a| a.two(convert::PS_PD, Zmm(4), Src::Row(at(Gpr(13), 64)), ALL),
            &[0x62, 0xd1, 0x7c, 0x48, 0x5a, 0x65, 0x02],
        ),
        (
            &|a| a.two(convert::PS_PD, Zmm(4), Src::Each(at(Gpr(13), 8)), ALL),
            &[0x62, 0xd1, 0x7c, 0x58, 0x5a, 0x65, 0x02],
        ),
        (
            &|a| a.two(convert::PD_PS, Zmm(4), Src::Reg(Zmm(21)), ALL),
            &[0x62, 0xb1, 0xfd, 0x48, 0x5a, 0xe5],
        ),
        (
            &|a| a.two(convert::PD_UDQ, Zmm(30), Src::Reg(Zmm(9)), ALL),
            &[0x62, 0x41, 0xfc, 0x48, 0x78, 0xf1],
        ),
        (
            &|a| a.two(convert::SIGNED, Zmm(17), Src::Reg(Zmm(6)), ALL),
            &[0x62, 0xe2, 0x7d, 0x48, 0x25, 0xce],
        ),
        (
            &|a| a.low_halves(Zmm(19), Zmm(8)),
            &[0x62, 0x32, 0x7e, 0x48, 0x35, 0xc3],
        ),
        (
            &|a| a.zeroing(convert::BYTES, Zmm(26), Src::Row(at(Gpr(11), 24)), Mask(7)),
            &[0x62, 0x42, 0x7d, 0xaf, 0x31, 0x53, 0x03],
        ),
        (
            &|a| a.store_bytes(half, at(RSI, 16), Zmm(18), Mask(7)),
            &[0x62, 0xe2, 0x7e, 0x2f, 0x31, 0x56, 0x02],
        ),
        (
            &|a| a.move_low(RCX, Zmm(21)),
            &[0x62, 0xe1, 0x7d, 0x08, 0x7e, 0xe9],
        ),
        (
            &|a| a.test(ops::TEST.of(half), Mask(2), Zmm(19)),
            &[0x62, 0xb2, 0x65, 0x20, 0x27, 0xd3],
        ),
        (
            &|a| {
                a.gather(
                    ops::GATHER_HALF,
                    Zmm(20),
                    at(Gpr(9), 5),
                    (Zmm(27), 4),
                    Mask(7),
                )
            },
            &[
                0x62, 0x82, 0x7d, 0x47, 0x91, 0xa4, 0x99, 0x05, 0x00, 0x00, 0x00,
            ],
        ),
        (
            &|a| {
                a.scatter(
                    ops::SCATTER_HALF,
                    at(RBX, -3),
                    (Zmm(12), 4),
                    Zmm(9),
                    Mask(7),
                )
            },
            &[
                0x62, 0x32, 0x7d, 0x4f, 0xa1, 0x8c, 0xa3, 0xfd, 0xff, 0xff, 0xff,
            ],
        ),
        (
            &|a| a.load_half(Gpr(9), at(Gpr(12), 8)),
            &[0x45, 0x8b, 0x4c, 0x24, 0x08],
        ),
        (
            &|a| a.load_half_signed(RAX, at(RBX, 64)),
            &[0x48, 0x63, 0x43, 0x40],
        ),
        (&|a| a.store_byte(at(RCX, 0), RAX), &[0x48, 0x88, 0x01]),
        (
            &|a| {
                a.three(
                    ops::MUL_LOW_SIGNED.within(half),
                    Zmm(1),
                    Zmm(2),
                    Src::Reg(Zmm(19)),
                    ALL,
                )
            },
            &[0x62, 0xb2, 0xed, 0x28, 0x28, 0xcb],
        ),
        (
            &|a| a.two(convert::UDQ_PS, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7f, 0x28, 0x7a, 0xcd],
        ),
        (
            &|a| a.two(convert::PS_UQQ, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7d, 0x48, 0x78, 0xcd],
        ),
        (
            &|a| a.two(convert::UQQ_PS, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0xff, 0x48, 0x7a, 0xcd],
        ),
        (
            &|a| a.two(convert::QQ_PS, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0xfc, 0x48, 0x5b, 0xcd],
        ),
        (
            &|a| a.two(convert::UDQ_PD, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7e, 0x48, 0x7a, 0xcd],
        ),
        (
            &|a| a.two(convert::PS_DQ, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7e, 0x28, 0x5b, 0xcd],
        ),
        (
            &|a| a.two(convert::PS_UDQ, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7c, 0x28, 0x78, 0xcd],
        ),
        (
            &|a| a.two(convert::PD_DQ, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0xfd, 0x48, 0xe6, 0xcd],
        ),
        (
            &|a| a.two(convert::PS_QQ, Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7d, 0x48, 0x7a, 0xcd],
        ),
        (
            &|a| a.two(ops::ABS_INT.of(half), Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x92, 0x7d, 0x28, 0x1e, 0xcd],
        ),
        (
            &|a| a.two_by(ops::ROUND.of(half), Zmm(1), Src::Reg(Zmm(29)), 9),
            &[0x62, 0x93, 0x7d, 0x28, 0x08, 0xcd, 0x09],
        ),
    ];
    check(8, known);
}

/// The same for sixteen elements of 32 bits, whose masks have as many bits.
#[test]
fn bytes_of_sixteen_elements_are_those_of_an_assembler() {
    let full = Form::Full;
    let known: &[(Write<'_>, &[u8])] = &[
        (
            &|a| a.three(ops::ADD.of(full), Zmm(1), Zmm(18), Src::Reg(Zmm(31)), ALL),
            &[0x62, 0x91, 0x6c, 0x40, 0x58, 0xcf],
        ),
        (
            &|a| {
                a.three(
                    ops::MUL.of(full),
                    Zmm(17),
                    Zmm(2),
                    Src::Row(at(RBX, -192)),
                    ALL,
                )
            },
            &[0x62, 0xe1, 0x6c, 0x48, 0x59, 0x4b, 0xfd],
        ),
        (
            &|a| {
                a.compare(
                    ops::COMPARE.of(full),
                    Mask(3),
                    Zmm(20),
                    Src::Each(at(RBX, 4)),
                    17,
                )
            },
            &[0x62, 0xf1, 0x5c, 0x50, 0xc2, 0x5b, 0x01, 0x11],
        ),
        (
            &|a| a.two(ops::SPREAD.of(full), Zmm(3), Src::Each(at(RBX, 1024)), ALL),
            &[0x62, 0xf2, 0x7d, 0x48, 0x18, 0x9b, 0x00, 0x04, 0x00, 0x00],
        ),
        (
            &|a| a.store_as(full, at(Gpr(8), 64), Zmm(25), Mask(7)),
            &[0x62, 0x41, 0x7c, 0x4f, 0x11, 0x48, 0x01],
        ),
        (
            &|a| {
                a.zeroing(
                    convert::BYTES.with_bytes(full),
                    Zmm(26),
                    Src::Row(at(Gpr(11), 32)),
                    Mask(7),
                )
            },
            &[0x62, 0x42, 0x7d, 0xcf, 0x31, 0x53, 0x02],
        ),
        (
            &|a| a.store_bytes(full, at(RSI, 32), Zmm(18), Mask(7)),
            &[0x62, 0xe2, 0x7e, 0x4f, 0x31, 0x56, 0x02],
        ),
        (
            &|a| a.upper_half(Zmm(19), Zmm(8)),
            &[0x62, 0x33, 0xfd, 0x48, 0x3b, 0xc3, 0x01],
        ),
        (
            &|a| a.join(Zmm(19), Zmm(18), Src::Reg(Zmm(9))),
            &[0x62, 0xc3, 0xed, 0x40, 0x3a, 0xd9, 0x01],
        ),
        (
            &|a| a.join(Zmm(19), Zmm(18), Src::Row(at(RBX, 32))),
            &[0x62, 0xe3, 0xed, 0x40, 0x3a, 0x5b, 0x01, 0x01],
        ),
        (
            &|a| a.two(convert::DQ_PS.within(full), Zmm(1), Src::Reg(Zmm(29)), ALL),
            &[0x62, 0x91, 0x7c, 0x48, 0x5b, 0xcd],
        ),
        (
            &|a| a.mask_op(MaskOp::And, Mask(1), Mask(2), Mask(3)),
            &[0xc4, 0xe1, 0x6c, 0x41, 0xcb],
        ),
        (
            &|a| a.mask_not(Mask(2), Mask(3)),
            &[0xc4, 0xe1, 0x78, 0x44, 0xd3],
        ),
        (&|a| a.mask_test(Mask(4)), &[0xc4, 0xe1, 0x78, 0x98, 0xe4]),
        (
            &|a| a.mask_load(Mask(1), at(Gpr(11), -5)),
            &[0xc4, 0xc1, 0x78, 0x90, 0x4b, 0xfb],
        ),
        (
            &|a| a.mask_store(at(RBX, 16), Mask(3)),
            &[0xc4, 0xe1, 0x78, 0x91, 0x5b, 0x10],
        ),
        (
            &|a| a.mask_from(Mask(2), Gpr(10)),
            &[0xc4, 0xc1, 0x78, 0x92, 0xd2],
        ),
        (
            &|a| a.mask_to(RAX, Mask(2)),
            &[0xc4, 0xe1, 0x78, 0x93, 0xc2],
        ),
    ];
    check(16, known);
}

fn check(lanes: usize, known: &[(Write<'_>, &[u8])]) {
    check_on(Machine::Avx512, lanes, known);
}

fn check_on(machine: Machine, lanes: usize, known: &[(Write<'_>, &[u8])]) {
    for (write, bytes) in known {
        let mut asm = Asm::new(machine, lanes, true);
        write(&mut asm);
        let Finished {
            bytes: code, text, ..
        } = asm.finish();
        assert_eq!(code, *bytes, "{}", text.expect("it was asked for"));
    }
}
