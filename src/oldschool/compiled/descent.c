/* A step of gradient descent with max-norm, in one pass over the weights of a layer: see descent.py.

   A unit's weights are in the nearest cache when their norm is taken and when they are shortened;
   as three operations on tensors each would come from memory again. Units are shared out among
   threads, each of which does all of a unit, so that weights do not depend on their number. */

#include <math.h>
#include <stdint.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#ifndef REAL
#define REAL float
#endif

enum { LANES = 16 };

/* The sum of squares, in sums side by side that vector registers hold. */
static REAL squares(const REAL *x, int64_t count)
{
    REAL sums[LANES] = {0}, total = 0;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += x[i + lane] * x[i + lane];
    for (; i < count; i++)
        total += x[i] * x[i];
    for (int lane = 0; lane < LANES; lane++)
        total += sums[lane];
    return total;
}

static void shorten(REAL *x, int64_t count, REAL factor)
{
    for (int64_t i = 0; i < count; i++)
        x[i] *= factor;
}

/* How many threads a step takes. */
int threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

/* w <- w - rate v, and every unit's w that is longer than limit is shortened to it.

   w, v: units x inputs. others: units x more, further weights of the same units, shortened with
   them; not read if more is 0. A unit whose norm is no number has no weight that is one then. */
void descend(REAL *restrict w, const REAL *restrict v, REAL *restrict others, double rate,
             double limit, int64_t units, int64_t inputs, int64_t more)
{
    const REAL step = (REAL)rate, longest = (REAL)limit;
#ifdef _OPENMP
#pragma omp parallel for schedule(static)
#endif
    for (int64_t unit = 0; unit < units; unit++) {
        REAL *mine = w + unit * inputs, *further = more ? others + unit * more : others;
        const REAL *velocity = v + unit * inputs;
        for (int64_t i = 0; i < inputs; i++)
            mine[i] -= step * velocity[i];
        const REAL norm = (REAL)sqrt((double)(squares(mine, inputs) + squares(further, more)));
        if (!(norm <= longest)) {
            shorten(mine, inputs, longest / norm);
            shorten(further, more, longest / norm);
        }
    }
}
