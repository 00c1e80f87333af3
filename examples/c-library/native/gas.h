/* A real gas, by the first terms of the virial equation: p = R T rho (1 + B(T) rho). The coefficient B(T) is a table, between
   whose rows a cubic with continuous slope is taken. Units: mol, m, K, Pa. */
#ifndef GAS_H
#define GAS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gas gas;

enum { GAS_OK, GAS_TABLE, GAS_MEMORY, GAS_COLD, GAS_HOT, GAS_DENSITY };

/* What a status means. */
const char* gas_message(int status);

/* A gas with a table of n > 1 rows, temperatures rising; *status says why it is NULL. It may be shared by threads. */
gas* gas_new(size_t n, const double* temperature, const double* virial, int* status);
void gas_free(gas* g);

/* The pressures of n states. If one is not in the table, *where is its number. */
int gas_pressure(const gas* g, size_t n, const double* density, const double* temperature, double* pressure,
                 size_t* where);

/* The derivatives of the pressures. */
int gas_slopes(const gas* g, size_t n, const double* density, const double* temperature, double* by_density,
               double* by_temperature, size_t* where);

#ifdef __cplusplus
}
#endif

#endif
