/* TestU01's battery SmallCrush on 32-bit words from the standard input, again and again until a gigabyte of them has been read.
 *
 * With Debian's package libtestu01-0-dev, in the root of the repository:
 * gcc -O2 -I/usr/include/testu01 crates/wengert-check/tools/small_crush.c -o small_crush \
 *     -ltestu01 -ltestu01probdist -ltestu01mylib -lm
 * target/release/random_stream | ./small_crush
 */
#include <TestU01.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t words;

static unsigned int next(void) {
    static uint32_t buffer[1 << 16];
    static size_t at = sizeof buffer / sizeof *buffer;
    if (at == sizeof buffer / sizeof *buffer) {
        if (fread(buffer, sizeof buffer, 1, stdin) != 1) {
            fprintf(stderr, "the stream has ended\n");
            exit(1);
        }
        at = 0;
    }
    words++;
    return buffer[at++];
}

int main(void) {
    unif01_Gen *gen = unif01_CreateExternGenBits("standard input", next);
    swrite_Basic = FALSE;
    while (words < 250000000) {
        bbattery_SmallCrush(gen);
        printf("%.2f GB so far\n", 4e-9 * (double)words);
        fflush(stdout);
    }
    unif01_DeleteExternGenBits(gen);
    return 0;
}
