// What this machine can do: some workloads of jax_peer.py by hand in C, f64, W lanes a vector, all cores.
// usage: limits --list | NAME
// build: gcc -O3 -ffp-contract=fast -march=native -mprefer-vector-width=512 -fopenmp -DW=8 limits.c -o limits -lm   (W=2: what 128-bit vectors reach)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <omp.h>
#ifndef W
#define W 8
#endif
typedef double T;
typedef T V __attribute__((vector_size(W * sizeof(T))));
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
static void report(const char *name, double s, double check) { printf("{\"peer\": \"c-w%d\", \"name\": \"%s\", \"run_us\": %.3f, \"check\": %.17g}\n", W, name, s * 1e6, check); }
static inline void f(const V *s, const V *p, V *o) { o[0] = p[0] * (s[1] - s[0]); o[1] = s[0] * (p[1] - s[2]) - s[1]; o[2] = s[0] * s[1] - p[2] * s[2]; }
static inline void f_transposed(const V *s, const V *p, const V *c, V *ds, V *dp) {
    ds[0] = -p[0] * c[0] + (p[1] - s[2]) * c[1] + s[1] * c[2]; ds[1] = p[0] * c[0] - c[1] + s[0] * c[2]; ds[2] = -s[0] * c[1] - p[2] * c[2];
    dp[0] += (s[1] - s[0]) * c[0]; dp[1] += s[0] * c[1]; dp[2] -= s[2] * c[2];
}
#define IL 2
static void lorenz(const T *P, T *out, int n, int steps) {
    T h = 0.01;
#pragma omp parallel for schedule(static)
    for (int i = 0; i < n; i += W * IL) {
        V p[IL][3], s[IL][3];
        for (int l = 0; l < IL; l++) for (int j = 0; j < 3; j++) for (int k = 0; k < W; k++) { p[l][j][k] = P[j * n + i + l * W + k]; s[l][j][k] = 1; }
        for (int t = 0; t < steps; t++) for (int l = 0; l < IL; l++) {
            V a[3], b[3], c[3], d[3], z[3];
            f(s[l], p[l], a); for (int j = 0; j < 3; j++) z[j] = s[l][j] + h / 2 * a[j];
            f(z, p[l], b); for (int j = 0; j < 3; j++) z[j] = s[l][j] + h / 2 * b[j];
            f(z, p[l], c); for (int j = 0; j < 3; j++) z[j] = s[l][j] + h * c[j];
            f(z, p[l], d); for (int j = 0; j < 3; j++) s[l][j] += h / 6 * (a[j] + 2 * b[j] + 2 * c[j] + d[j]);
        }
        for (int l = 0; l < IL; l++) for (int j = 0; j < 3; j++) for (int k = 0; k < W; k++) out[j * n + i + l * W + k] = s[l][j][k];
    }
}
static void lorenz_grad(const T *P, T *out, int n, int steps) {
    T h = 0.01;
#pragma omp parallel
    {
        V *tape = aligned_alloc(64, sizeof(V) * 3 * (steps + 2));
#pragma omp for schedule(static)
        for (int i = 0; i < n; i += W) {
            V p[3], s[3], dp[3] = {}, l[3] = {};
            for (int j = 0; j < 3; j++) for (int k = 0; k < W; k++) { p[j][k] = P[j * n + i + k]; s[j][k] = 1; }
            for (int t = 0; t < steps; t++) {
                V a[3], b[3], c[3], d[3], z[3]; for (int j = 0; j < 3; j++) tape[3 * t + j] = s[j];
                f(s, p, a); for (int j = 0; j < 3; j++) z[j] = s[j] + h / 2 * a[j];
                f(z, p, b); for (int j = 0; j < 3; j++) z[j] = s[j] + h / 2 * b[j];
                f(z, p, c); for (int j = 0; j < 3; j++) z[j] = s[j] + h * c[j];
                f(z, p, d); for (int j = 0; j < 3; j++) s[j] += h / 6 * (a[j] + 2 * b[j] + 2 * c[j] + d[j]);
            }
            tape[3 * steps] = s[0];
            for (int t = steps - 1; t >= 0; t--) {
                l[0] += 2.0 / steps * tape[3 * (t + 1)]; V *y = tape + 3 * t, a[3], b[3], c[3], u2[3], u3[3], u4[3], g[3], d4[3], d3[3], d2[3], d1[3];
                f(y, p, a); for (int j = 0; j < 3; j++) u2[j] = y[j] + h / 2 * a[j];
                f(u2, p, b); for (int j = 0; j < 3; j++) u3[j] = y[j] + h / 2 * b[j];
                f(u3, p, c); for (int j = 0; j < 3; j++) u4[j] = y[j] + h * c[j];
                for (int j = 0; j < 3; j++) g[j] = h / 6 * l[j]; f_transposed(u4, p, g, d4, dp);
                for (int j = 0; j < 3; j++) g[j] = h / 3 * l[j] + h * d4[j]; f_transposed(u3, p, g, d3, dp);
                for (int j = 0; j < 3; j++) g[j] = h / 3 * l[j] + h / 2 * d3[j]; f_transposed(u2, p, g, d2, dp);
                for (int j = 0; j < 3; j++) g[j] = h / 6 * l[j] + h / 2 * d2[j]; f_transposed(y, p, g, d1, dp);
                for (int j = 0; j < 3; j++) l[j] += d4[j] + d3[j] + d2[j] + d1[j];
            }
            for (int j = 0; j < 3; j++) for (int k = 0; k < W; k++) out[j * n + i + k] = dp[j][k];
        }
        free(tape);
    }
}
static void axpy_mul(const T *x, const T *y, T *o, long n) {
#pragma omp parallel for schedule(static)
    for (long i = 0; i < n; i++) o[i] = (2 * x[i] + y[i]) * (x[i] - y[i]);
}
static T u(long i, int k) { double v = (i + 1 + k) * 0.6180339887498949; return v - (long)v; }
static int ascending(const void *a, const void *b) { T x = *(const T *)a, y = *(const T *)b; return (x > y) - (x < y); }
#define MEDIAN(call) ({ T runs[9]; call; for (int r = 0; r < 9; r++) { T t = now(); call; runs[r] = now() - t; } qsort(runs, 9, sizeof(T), ascending); runs[4]; })
int main(int argc, char **argv) {
    const char *name = argc == 2 ? argv[1] : "--list"; T s, check = 0;
    if (!strcmp(name, "--list")) { printf("C, %d f64 a vector\node/lorenz_10000\node/lorenz_grad_1000\nmap/axpy_mul_1e7\n", W); return 0; }
    if (!strcmp(name, "map/axpy_mul_1e7")) {
        long n = 10000000; T *x = malloc(8 * n), *y = malloc(8 * n), *o = malloc(8 * n);
        for (long i = 0; i < n; i++) { x[i] = u(i, 0); y[i] = u(i, 7); o[i] = 0; }
        s = MEDIAN(axpy_mul(x, y, o, n)); for (long i = 0; i < n; i++) check += o[i];
    } else {
        T c[3] = {10.0, 28.0, 8 / 3.0}; int grad = !strcmp(name, "ode/lorenz_grad_1000"), n = grad ? 1000 : 10000, all = (n + W * IL - 1) / (W * IL) * (W * IL);
        T *P = malloc(3 * all * 8), *o = malloc(3 * all * 8);
        for (int j = 0; j < 3; j++) for (int i = 0; i < all; i++) P[j * all + i] = c[j] * (1 + 0.01 * u(i, j));
        s = grad ? MEDIAN(lorenz_grad(P, o, all, 1000)) : MEDIAN(lorenz(P, o, all, 1000));
        for (int j = 0; j < 3; j++) for (int i = 0; i < n; i++) check += o[j * all + i];
    }
    report(name, s, check);
}
