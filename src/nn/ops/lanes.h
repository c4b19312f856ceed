/* Vectors of LS_LANES floats, for loops that are compiled once for each kind of processor
 * (LS_KIND). Elementary functions of vectors are in lanes_math.h.
 *
 * GCC's and Clang's vector extensions: operators work on each lane, comparisons give lanes of -1
 * (true) and 0. */
#ifndef LS_NN_LANES_H
#define LS_NN_LANES_H

#include <stdint.h>
#include <string.h>

/* The name of a kernel of this kind: LS_OF_KIND(ls_conv) is ls_conv_avx2. */
#define LS_OF_KIND(name)          LS_JOIN_AGAIN(name, LS_KIND)
#define LS_JOIN_AGAIN(name, kind) LS_JOIN(name, kind)
#define LS_JOIN(name, kind)       name##_##kind

#define INLINE   static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
enum { LANES = LS_LANES };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t lanes_mask __attribute__((vector_size(LANES * sizeof(float))));

INLINE vector load(const float *from)
{
    vector v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(float *to, vector v)
{
    memcpy(to, &v, sizeof v);
}

/* Stores the first `count` lanes; all, if there are no more lanes. */
INLINE void store_some(float *to, vector v, int64_t count)
{
    float kept[LANES];
    if (count >= LANES) {
        store(to, v);
        return;
    }
    store(kept, v);
    memcpy(to, kept, (size_t)count * sizeof *to);
}

/* Loads `count` floats, the other lanes are 0; or as many as there are lanes. */
INLINE vector load_some(const float *from, int64_t count)
{
    float kept[LANES] = {0};
    if (count >= LANES)
        return load(from);
    memcpy(kept, from, (size_t)count * sizeof *from);
    return load(kept);
}

INLINE vector splat(float value)
{
    return (vector){0} + value;
}

/* Returns a where the mask is true, else b. */
INLINE vector choose(lanes_mask mask, vector a, vector b)
{
    return (vector)(((lanes_mask)a & mask) | ((lanes_mask)b & ~mask));
}

/* Sets negative values to 0. Passes NaN on. */
INLINE vector clamp_negative(vector v)
{
    return (vector)((lanes_mask)v & ~(v < 0));
}

/* Returns the lanes of which `from` has the numbers: 0 .. LANES-1 are those of a, then those of
 * b. */
INLINE vector pick(vector a, vector b, lanes_mask from)
{
#if defined(__clang__)
    vector picked;
    for (int lane = 0; lane < LANES; lane++)
        picked[lane] = from[lane] < LANES ? a[from[lane]] : b[from[lane] - LANES];
    return picked;
#else
    return __builtin_shuffle(a, b, from);
#endif
}

/* Transposes LANES vectors: lane i of vector j becomes lane j of vector i. Each round exchanges
 * lanes whose number has a certain bit with those of the vector whose number has the other bit. */
INLINE void transpose(vector v[LANES])
{
    for (int bit = 1; bit < LANES; bit *= 2) {
        lanes_mask even, odd;
        for (int lane = 0; lane < LANES; lane++) {
            even[lane] = (lane & bit) != 0 ? LANES + lane - bit : lane;
            odd[lane] = (lane & bit) != 0 ? LANES + lane : lane + bit;
        }
        for (int i = 0; i < LANES; i++)
            if ((i & bit) == 0) {
                const vector first = v[i], second = v[i | bit];
                v[i] = pick(first, second, even);
                v[i | bit] = pick(first, second, odd);
            }
    }
}

INLINE int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
