/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct bench_sample - what repeated measuring gave
 * @least: the least
 * @median: the median
 * @most: the most
 *
 * In nanoseconds of the clock, which are instructions where the clock counts
 * those. The least is what the thing itself takes: interrupts only add to it.
 */
struct bench_sample {
	double least;
	double median;
	double most;
};

/* Write an error that ends the benchmark, naming what it is about. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2),
						 noreturn));

/* Of accesses: what the names of the ways to measure contain. */
extern const char *bench_way;
/* And that they are measured with few regions only. */
extern bool bench_few;

uint64_t bench_now(void);
void bench_sort(double *values, unsigned int nr, struct bench_sample *sample);
void bench_keep_vm(void);
void bench_pin(unsigned int cpu);
bool bench_two_cpus(void);

void bench_accesses(void);
void bench_changes(void);
void bench_doorbells(void);
void bench_servers(void);
void bench_large(void);
void bench_translate(void);

#endif /* BENCH_H */
