#include "gas.h"

#include <stdlib.h>
#include <string.h>

static const double R = 8.31446261815324;

struct gas {
  size_t n;
  /* Temperatures, coefficients, and slopes of these. */
  double* t;
  double* b;
  double* s;
  double memory[];
};

const char* gas_message(int status) {
  switch (status) {
  case GAS_OK: return "ok";
  case GAS_TABLE: return "the table needs two rows, and temperatures that rise";
  case GAS_MEMORY: return "there is no memory";
  case GAS_COLD: return "it is colder than the table";
  case GAS_HOT: return "it is hotter than the table";
  case GAS_DENSITY: return "the density is negative, or no number";
  default: return "no status of a gas";
  }
}

gas* gas_new(size_t n, const double* temperature, const double* virial, int* status) {
  *status = GAS_TABLE;
  if (n < 2) return NULL;
  for (size_t i = 1; i < n; i++)
    if (!(temperature[i] > temperature[i - 1])) return NULL;
  *status = GAS_MEMORY;
  if (n > ((size_t)-1 - sizeof(gas)) / (3 * sizeof(double))) return NULL;
  gas* g = malloc(sizeof(gas) + 3 * n * sizeof(double));
  if (!g) return NULL;
  g->n = n;
  g->t = g->memory;
  g->b = g->t + n;
  g->s = g->b + n;
  memcpy(g->t, temperature, n * sizeof(double));
  memcpy(g->b, virial, n * sizeof(double));
  for (size_t i = 0; i < n; i++) {
    /* The slope of the parabola through three rows, and of a line at the ends. */
    const size_t before = i > 0 ? i - 1 : 0, after = i + 1 < n ? i + 1 : n - 1;
    if (before == i || after == i) {
      g->s[i] = (g->b[after] - g->b[before]) / (g->t[after] - g->t[before]);
    } else {
      const double h = g->t[i] - g->t[before], k = g->t[after] - g->t[i];
      const double p = (g->b[i] - g->b[before]) / h, q = (g->b[after] - g->b[i]) / k;
      g->s[i] = (p * k + q * h) / (h + k);
    }
  }
  *status = GAS_OK;
  return g;
}

void gas_free(gas* g) { free(g); }

/* The coefficient and its slope. */
static int coefficient(const gas* g, double density, double t, double* b, double* slope) {
  if (!(density >= 0)) return GAS_DENSITY;
  if (!(t >= g->t[0])) return GAS_COLD;
  if (t > g->t[g->n - 1]) return GAS_HOT;
  size_t low = 0, high = g->n - 1;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (g->t[middle] <= t) low = middle;
    else high = middle;
  }
  const double h = g->t[high] - g->t[low], x = (t - g->t[low]) / h;
  const double b0 = g->b[low], b1 = g->b[high], s0 = h * g->s[low], s1 = h * g->s[high];
  const double c2 = 3 * (b1 - b0) - 2 * s0 - s1, c3 = 2 * (b0 - b1) + s0 + s1;
  *b = b0 + x * (s0 + x * (c2 + x * c3));
  *slope = (s0 + x * (2 * c2 + x * 3 * c3)) / h;
  return GAS_OK;
}

int gas_pressure(const gas* g, size_t n, const double* density, const double* temperature, double* pressure,
                 size_t* where) {
  for (size_t i = 0; i < n; i++) {
    double b, slope;
    const int status = coefficient(g, density[i], temperature[i], &b, &slope);
    if (status) {
      *where = i;
      return status;
    }
    pressure[i] = R * temperature[i] * density[i] * (1 + b * density[i]);
  }
  return GAS_OK;
}

int gas_slopes(const gas* g, size_t n, const double* density, const double* temperature, double* by_density,
               double* by_temperature, size_t* where) {
  for (size_t i = 0; i < n; i++) {
    double b, slope;
    const int status = coefficient(g, density[i], temperature[i], &b, &slope);
    if (status) {
      *where = i;
      return status;
    }
    const double t = temperature[i], rho = density[i];
    by_density[i] = R * t * (1 + 2 * b * rho);
    by_temperature[i] = R * rho * (1 + b * rho) + R * t * rho * rho * slope;
  }
  return GAS_OK;
}
