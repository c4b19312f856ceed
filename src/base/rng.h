/* Counter-based random numbers: any element of a stream is computed without the elements before it,
 * so that random values depend on (seed, epoch, sample) and never on the rank or the order of
 * calls.
 *
 * The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
 * Generators, OOPSLA 2014), applied to key + index * golden ratio. */
#ifndef LS_BASE_RNG_H
#define LS_BASE_RNG_H

#include <math.h>
#include <stdint.h>

static inline uint64_t ls_mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Returns element `index` of the stream `key`. Local. */
static inline uint64_t ls_rng_at(uint64_t key, uint64_t index)
{
    return ls_mix64(key + (index + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Returns the key of a stream, from a seed, a purpose (ls_rng_purpose) and a number. Local. */
static inline uint64_t ls_rng_key(uint64_t seed, uint64_t purpose, uint64_t number)
{
    return ls_rng_at(ls_rng_at(ls_mix64(seed), purpose), number);
}

/* Returns element `index` of the stream, uniform in [0, 1). Local. */
static inline double ls_rng_uniform(uint64_t key, uint64_t index)
{
    return (double)(ls_rng_at(key, index) >> 11) * 0x1p-53;
}

/* Returns element `index` of a stream of numbers of the standard normal distribution, by the
 * transform of Box and Muller (A note on the generation of random normal deviates, 1958). The
 * stream is made of the elements 2 `index` and 2 `index` + 1 of the stream `key`. Local. */
static inline double ls_rng_normal(uint64_t key, uint64_t index)
{
    const double u = 1 - ls_rng_uniform(key, 2 * index), v = ls_rng_uniform(key, 2 * index + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

enum ls_rng_purpose {
    LS_RNG_SHUFFLE = 1,
    LS_RNG_INITIALISE = 2,
    LS_RNG_PASS = 3,
    LS_RNG_AUGMENT = 4,
    LS_RNG_SYNTHETIC = 5,
    LS_RNG_HOLD_OUT = 6,
    LS_RNG_EXPORT = 7,
    LS_RNG_PIXELS = 8,
    LS_RNG_GENERATE = 9,
    LS_RNG_SAMPLES = 10,
    LS_RNG_CORRUPT = 11
};

#endif
