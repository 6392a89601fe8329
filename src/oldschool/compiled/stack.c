/* Passes through one net of planes: forward, back, second derivatives, and a pass of training.
 *
 * The same arithmetic as oldschool.nets.stack, oldschool.curvature.recursion and
 * oldschool.training.diagonal_lm, which are the forms to read; tests hold them together. There a
 * step is some 130 small tensor operations, whose overhead is most of its time.
 *
 * Activities are (units, batch), samples last. A batch is filled up with samples that pull at
 * nothing until every row of a convolution's planes is whole vectors.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef REAL
#define REAL float
#define WHOLE int32_t
#define SINGLE 1
#else
#define WHOLE int64_t
#endif

enum { LANES = 16, TILE = 8 };
typedef REAL vec __attribute__((vector_size(LANES * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));
typedef REAL vec8 __attribute__((vector_size(8 * sizeof(REAL))));
typedef REAL vec4 __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL)), may_alias));

#define INLINE static inline __attribute__((always_inline))

enum { DENSE, CONVOLUTION, SUBSAMPLING };
enum { LINEAR, TANH, LOGISTIC, LECUN_TANH, RELU };

typedef struct {
    int32_t kind, transfer;
    int32_t maps_below, height_below, width_below;
    int32_t maps, height, width;
    int32_t kernel, stride, padding, shared_bias;
    int32_t weights, biases; /* where they start in the net's vector */
    const int32_t *start;    /* (maps + 1): which of the pairs are a map's */
    const int32_t *planes;   /* (pairs): the planes it reads */
    double border;
} Layer;

typedef struct {
    int32_t depth, parameters;
    double scale, slope; /* of LeCun's tanh */
    const Layer *layers;
} Net;

/* What one layer's products read, and where vectors of its planes begin. */
typedef struct {
    REAL *read, *squared;    /* inputs as the products take them, and of the squared inputs */
    REAL *spread;            /* what a convolution sends back, before overlaps are cut to planes */
    int32_t *at, *below_at;  /* of each vector of a map: in the map, and in what is read */
    int32_t *shift;          /* of each place of a kernel: how far it reads from below_at */
    int32_t vectors, plane;  /* vectors of a map; reals of a plane as it is read */
    int32_t phase, row;      /* reals of a row's every stride-th column, and of a whole row */
} Work;

typedef struct {
    const Net *net;
    int32_t batch;
    REAL **activities; /* (depth + 1) */
    Work *work;
    REAL *delta, *pull, *second, *bow;
    REAL *gradient, *diagonal, *squares;
} State;

INLINE int32_t below(const Layer *l) { return l->maps_below * l->height_below * l->width_below; }
INLINE int32_t above(const Layer *l) { return l->maps * l->height * l->width; }

/* ---- sums of vectors ---- */

/* GCC has __builtin_shufflevector since version 12. */
#if defined(__clang__) || __GNUC__ >= 12
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef WHOLE places __attribute__((vector_size(4 * sizeof(REAL))));
#define PICK(a, b, ...) __builtin_shuffle(a, b, (places){__VA_ARGS__})
#endif

INLINE vec4 halves(vec v)
{
    vec8 a[2];
    vec4 b[2];
    memcpy(a, &v, sizeof a);
    a[0] += a[1];
    memcpy(b, a, sizeof b);
    return b[0] + b[1];
}

INLINE vec4 sums(vec a, vec b, vec c, vec d)
{
    vec4 p = halves(a), q = halves(b), r = halves(c), s = halves(d);
    vec4 pq = PICK(p, q, 0, 4, 1, 5) + PICK(p, q, 2, 6, 3, 7);
    vec4 rs = PICK(r, s, 0, 4, 1, 5) + PICK(r, s, 2, 6, 3, 7);
    return PICK(pq, rs, 0, 1, 4, 5) + PICK(pq, rs, 2, 3, 6, 7);
}

INLINE REAL total(const REAL *x, int32_t n)
{
    vec sum = {0};
    int32_t k = 0;
    for (; k + LANES <= n; k += LANES)
        sum += *(const vec *)(x + k);
    vec4 four = halves(sum);
    REAL rest = (four[0] + four[2]) + (four[1] + four[3]);
    for (; k < n; k++)
        rest += x[k];
    return rest;
}

/* ---- unit functions; slope and bend are functions of the activity ---- */

#ifdef SINGLE
/* e^x to two units in the last place: 2^n times a polynomial (Cephes' expf). */
INLINE float exponential(float x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 87.0f ? 87.0f : x;
    float y, power, whole = x * 1.44269504f + 256.5f;
    int32_t n = (int32_t)(whole > 0 ? whole : 0) - 256; /* NaN has no integer */
    float f = (float)n;
    x -= f * 0.693359375f;
    x += f * 2.12194440e-4f;
    y = 1.9875691500e-4f;
    y = y * x + 1.3981999507e-3f;
    y = y * x + 8.3334519073e-3f;
    y = y * x + 4.1665795894e-2f;
    y = y * x + 1.6666665459e-1f;
    y = y * x + 5.0000001201e-1f;
    y = y * x * x + x + 1.0f;
    n = (n + 127) * (1 << 23);
    memcpy(&power, &n, sizeof power);
    return y * power;
}
#else
INLINE double exponential(double x) { return exp(x); }
#endif

static void transfer(const Net *net, int32_t kind, REAL *a, int32_t n)
{
    const REAL scale = net->scale, slope = net->slope;
    switch (kind) {
    case TANH:
        for (int32_t k = 0; k < n; k++)
            a[k] = 2 / (1 + exponential(-2 * a[k])) - 1;
        break;
    case LOGISTIC:
        for (int32_t k = 0; k < n; k++)
            a[k] = 1 / (1 + exponential(-a[k]));
        break;
    case LECUN_TANH:
        for (int32_t k = 0; k < n; k++)
            a[k] = 2 * scale / (1 + exponential(-2 * slope * a[k])) - scale;
        break;
    case RELU:
        for (int32_t k = 0; k < n; k++)
            a[k] = a[k] < 0 ? 0 : a[k];
        break;
    }
}

INLINE REAL slope_at(const Net *net, int32_t kind, REAL x)
{
    switch (kind) {
    case TANH: return 1 - x * x;
    case LOGISTIC: return x * (1 - x);
    case LECUN_TANH: return (REAL)(net->slope * net->scale) - x * x * (REAL)(net->slope / net->scale);
    case RELU: return x > 0 ? 1 : 0;
    default: return 1;
    }
}

INLINE REAL bend_at(const Net *net, int32_t kind, REAL x)
{
    const REAL scale = net->scale, slope = net->slope;
    switch (kind) {
    case TANH: return -2 * x * (1 - x * x);
    case LOGISTIC: return x * (1 - x) * (1 - 2 * x);
    case LECUN_TANH: return -2 * slope * slope * x * (1 - x * x / (scale * scale));
    default: return 0;
    }
}

INLINE void deltas(const Net *net, const int32_t kind, State *s, const REAL *x, int32_t n, int first,
                   int second, int full)
{
    for (int32_t k = 0; k < n; k++) {
        REAL slope = slope_at(net, kind, x[k]);
        if (second)
            s->second[k] = slope * slope * s->bow[k] + (full ? bend_at(net, kind, x[k]) * s->pull[k] : 0);
        if (first)
            s->delta[k] = slope * s->pull[k];
    }
}

/* ---- what the products read ---- */

/* The planes with their border, every row parted into its columns of equal remainder by the stride:
 * what a row of units reads at one place of the kernel is then one run. */
INLINE void lay_planes(const Layer *l, const Work *w, const REAL *x, REAL *to, const int32_t batch)
{
    const int32_t edge = l->padding, stride = l->stride;
    for (int32_t p = 0; p < l->maps_below; p++)
        for (int32_t y = 0; y < l->height_below; y++) {
            REAL *row = to + p * w->plane + (y + edge) * w->row;
            for (int32_t c = 0; c < l->width_below; c++, x += batch) {
                int32_t column = c + edge;
                memcpy(row + column % stride * w->phase + column / stride * batch, x,
                       batch * sizeof(REAL));
            }
        }
}

INLINE void cut_planes(const Layer *l, const Work *w, REAL *x, const int32_t batch)
{
    const int32_t edge = l->padding, stride = l->stride;
    for (int32_t p = 0; p < l->maps_below; p++)
        for (int32_t y = 0; y < l->height_below; y++) {
            const REAL *row = w->spread + p * w->plane + (y + edge) * w->row;
            for (int32_t c = 0; c < l->width_below; c++, x += batch) {
                int32_t column = c + edge;
                memcpy(x, row + column % stride * w->phase + column / stride * batch,
                       batch * sizeof(REAL));
            }
        }
}

INLINE void add_squares(const Layer *l, const REAL *x, REAL *to, const int32_t size,
                        const int32_t batch)
{
    const int32_t wide = l->width_below * batch;
    for (int32_t row = 0; row < l->maps * l->height; row++)
        for (int32_t c = 0; c < l->width; c++, to += batch)
            for (int32_t s = 0; s < batch; s++) {
                REAL sum = 0;
                for (int32_t i = 0; i < size; i++)
                    for (int32_t j = 0; j < size; j++)
                        sum += x[(row * size + i) * wide + (c * size + j) * batch + s];
                to[s] = sum;
            }
}

/* (units, batch) to (batch, units) and back. */
INLINE void turn(const REAL *x, REAL *to, const int32_t rows, const int32_t columns)
{
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = 0; c < columns; c++)
            to[c * rows + r] = x[r * columns + c];
}

INLINE void lay_batch(const Layer *l, const Work *w, const REAL *x, REAL *to, const int32_t batch)
{
    if (l->kind == CONVOLUTION)
        lay_planes(l, w, x, to, batch);
    else if (l->kind == DENSE)
        turn(x, to, below(l), batch);
    else if (l->kernel == 2)
        add_squares(l, x, to, 2, batch);
    else
        add_squares(l, x, to, l->kernel, batch);
}

/* Loops over a batch of a size that the compiler knows are far quicker. */
static void lay(const Layer *l, const Work *w, const REAL *x, REAL *to, int32_t batch)
{
    switch (batch) {
    case 4: lay_batch(l, w, x, to, 4); break;
    case 8: lay_batch(l, w, x, to, 8); break;
    case 16: lay_batch(l, w, x, to, 16); break;
    default: lay_batch(l, w, x, to, batch);
    }
}

/* ---- convolution ---- */

INLINE void forward_tile(const int tile, const Layer *l, const Work *w, const REAL *weights,
                         int32_t map, int32_t first, REAL bias, REAL *a)
{
    vec sum[TILE];
    const int32_t area = l->kernel * l->kernel;
#pragma GCC unroll 8
    for (int t = 0; t < tile; t++)
        sum[t] = (vec){0} + bias;
    for (int32_t pair = l->start[map]; pair < l->start[map + 1]; pair++) {
        const REAL *plane = w->read + l->planes[pair] * w->plane;
        const REAL *kernel = weights + pair * area;
        for (int32_t k = 0; k < area; k++) {
            const REAL *from = plane + w->shift[k];
            const REAL weight = kernel[k];
#pragma GCC unroll 8
            for (int t = 0; t < tile; t++)
                sum[t] += weight * *(const vec *)(from + w->below_at[first + t]);
        }
    }
#pragma GCC unroll 8
    for (int t = 0; t < tile; t++)
        *(vec *)(a + w->at[first + t]) = sum[t];
}

static void convolution_forward(const Layer *l, const Work *w, const REAL *weights,
                                const REAL *biases, REAL *a, int32_t batch)
{
    const int32_t area = l->height * l->width;
    for (int32_t map = 0; map < l->maps; map++, a += area * batch) {
        const REAL bias = l->shared_bias ? biases[map] : 0;
        int32_t first = 0;
        for (; first + 8 <= w->vectors; first += 8)
            forward_tile(8, l, w, weights, map, first, bias, a);
        for (; first + 4 <= w->vectors; first += 4)
            forward_tile(4, l, w, weights, map, first, bias, a);
        for (; first < w->vectors; first++)
            forward_tile(1, l, w, weights, map, first, bias, a);
        if (!l->shared_bias)
            for (int32_t unit = 0; unit < area; unit++)
                for (int32_t s = 0; s < batch; s++)
                    a[unit * batch + s] += biases[map * area + unit];
    }
}

static void convolution_gather(const Layer *l, const Work *w, const REAL *read, const REAL *delta,
                               REAL *sum, int32_t batch)
{
    const int32_t area = l->kernel * l->kernel;
    for (int32_t map = 0; map < l->maps; map++) {
        const REAL *from = delta + map * l->height * l->width * batch;
        for (int32_t pair = l->start[map]; pair < l->start[map + 1]; pair++) {
            const REAL *plane = read + l->planes[pair] * w->plane;
            REAL *to = sum + pair * area;
            int32_t k = 0;
            for (; k + 4 <= area; k += 4) {
                const int32_t *shift = w->shift + k;
                vec a = {0}, b = {0}, c = {0}, d = {0};
                for (int32_t v = 0; v < w->vectors; v++) {
                    const vec e = *(const vec *)(from + w->at[v]);
                    const REAL *x = plane + w->below_at[v];
                    a += e * *(const vec *)(x + shift[0]);
                    b += e * *(const vec *)(x + shift[1]);
                    c += e * *(const vec *)(x + shift[2]);
                    d += e * *(const vec *)(x + shift[3]);
                }
                *(vec4 *)(to + k) = sums(a, b, c, d);
            }
            for (; k < area; k++) {
                vec a = {0};
                for (int32_t v = 0; v < w->vectors; v++)
                    a += *(const vec *)(from + w->at[v]) *
                         *(const vec *)(plane + w->below_at[v] + w->shift[k]);
                const vec4 four = halves(a);
                to[k] = (four[0] + four[2]) + (four[1] + four[3]);
            }
        }
    }
}

INLINE void back_tile(const int tile, const Layer *l, const Work *w, const REAL *kernel,
                      const REAL *from, REAL *plane, int32_t first)
{
    const int32_t area = l->kernel * l->kernel;
    vec e[TILE];
#pragma GCC unroll 8
    for (int t = 0; t < tile; t++)
        e[t] = *(const vec *)(from + w->at[first + t]);
    for (int32_t k = 0; k < area; k++) {
        REAL *to = plane + w->shift[k];
#pragma GCC unroll 8
        for (int t = 0; t < tile; t++)
            *(vec *)(to + w->below_at[first + t]) += kernel[k] * e[t];
    }
}

static void convolution_back(const Layer *l, const Work *w, const REAL *weights, const REAL *delta,
                             int32_t batch)
{
    const int32_t area = l->kernel * l->kernel;
    memset(w->spread, 0, l->maps_below * w->plane * sizeof(REAL));
    for (int32_t map = 0; map < l->maps; map++) {
        const REAL *from = delta + map * l->height * l->width * batch;
        for (int32_t pair = l->start[map]; pair < l->start[map + 1]; pair++) {
            REAL *plane = w->spread + l->planes[pair] * w->plane;
            const REAL *kernel = weights + pair * area;
            int32_t first = 0;
            for (; first + 8 <= w->vectors; first += 8)
                back_tile(8, l, w, kernel, from, plane, first);
            for (; first + 4 <= w->vectors; first += 4)
                back_tile(4, l, w, kernel, from, plane, first);
            for (; first < w->vectors; first++)
                back_tile(1, l, w, kernel, from, plane, first);
        }
    }
}

/* ---- dense ---- */

static void dense_forward(const Layer *l, const Work *w, const REAL *weights, const REAL *biases,
                          REAL *a, int32_t batch)
{
    const int32_t n = below(l);
    for (int32_t unit = 0; unit < l->maps; unit++, weights += n)
        for (int32_t s = 0; s < batch; s += 4) {
            const REAL *x = w->read + s * n;
            vec p = {0}, q = {0}, r = {0}, t = {0};
            int32_t k = 0;
            for (; k + LANES <= n; k += LANES) {
                const vec weight = *(const vec *)(weights + k);
                p += weight * *(const vec *)(x + k);
                q += weight * *(const vec *)(x + n + k);
                r += weight * *(const vec *)(x + 2 * n + k);
                t += weight * *(const vec *)(x + 3 * n + k);
            }
            vec4 sum = sums(p, q, r, t);
            for (; k < n; k++)
                sum += weights[k] * (vec4){x[k], x[n + k], x[2 * n + k], x[3 * n + k]};
            *(vec4 *)(a + unit * batch + s) = sum + biases[unit];
        }
}

static void dense_gather(const Layer *l, const REAL *read, const REAL *delta, REAL *sum,
                         int32_t batch)
{
    const int32_t n = below(l);
    for (int32_t unit = 0; unit < l->maps; unit++, sum += n, delta += batch) {
        for (int32_t k = 0; k < n; k++)
            sum[k] = delta[0] * read[k];
        for (int32_t s = 1; s < batch; s++) {
            const REAL *x = read + s * n, d = delta[s];
            for (int32_t k = 0; k < n; k++)
                sum[k] += d * x[k];
        }
    }
}

/* To w->spread, (batch, units below). */
static void dense_back(const Layer *l, const Work *w, const REAL *weights, const REAL *delta,
                       int32_t batch)
{
    const int32_t n = below(l);
    memset(w->spread, 0, n * batch * sizeof(REAL));
    for (int32_t unit = 0; unit < l->maps; unit++, weights += n)
        for (int32_t s = 0; s < batch; s++) {
            const REAL d = delta[unit * batch + s];
            REAL *to = w->spread + s * n;
            for (int32_t k = 0; k < n; k++)
                to[k] += d * weights[k];
        }
}

/* ---- subsampling ---- */

static void subsampling_forward(const Layer *l, const Work *w, const REAL *weights,
                                const REAL *biases, REAL *a, int32_t batch)
{
    const int32_t n = l->height * l->width * batch;
    for (int32_t map = 0; map < l->maps; map++)
        for (int32_t k = 0; k < n; k++)
            a[map * n + k] = weights[map] * w->read[map * n + k] + biases[map];
}

static void subsampling_gather(const Layer *l, const REAL *read, const REAL *delta, REAL *sum,
                               int32_t batch)
{
    const int32_t n = l->height * l->width * batch;
    for (int32_t map = 0; map < l->maps; map++, read += n, delta += n) {
        vec four = {0};
        int32_t k = 0;
        for (; k + LANES <= n; k += LANES)
            four += *(const vec *)(read + k) * *(const vec *)(delta + k);
        const vec4 part = halves(four);
        sum[map] = (part[0] + part[2]) + (part[1] + part[3]);
        for (; k < n; k++)
            sum[map] += read[k] * delta[k];
    }
}

INLINE void subsampling_back(const Layer *l, const REAL *weights, const REAL *delta, REAL *pull,
                             const int32_t size, const int32_t batch)
{
    const int32_t wide = l->width_below * batch;
    for (int32_t row = 0; row < l->maps * l->height_below; row++) {
        const REAL weight = weights[row / l->height_below];
        const REAL *from = delta + row / size * l->width * batch;
        REAL *to = pull + row * wide;
        for (int32_t c = 0; c < l->width; c++, from += batch)
            for (int32_t j = 0; j < size; j++, to += batch)
                for (int32_t s = 0; s < batch; s++)
                    to[s] = weight * from[s];
    }
}

/* ---- whole passes ---- */

static void forward(State *s, const REAL *theta)
{
    const Net *net = s->net;
    for (int32_t depth = 0; depth < net->depth; depth++) {
        const Layer *l = net->layers + depth;
        const Work *w = s->work + depth;
        const REAL *weights = theta + l->weights, *biases = theta + l->biases;
        REAL *a = s->activities[depth + 1];
        lay(l, w, s->activities[depth], w->read, s->batch);
        if (l->kind == CONVOLUTION)
            convolution_forward(l, w, weights, biases, a, s->batch);
        else if (l->kind == DENSE)
            dense_forward(l, w, weights, biases, a, s->batch);
        else
            subsampling_forward(l, w, weights, biases, a, s->batch);
        transfer(net, l->transfer, a, above(l) * s->batch);
    }
}

static void gather(const Layer *l, const Work *w, const REAL *read, const REAL *delta, REAL *sum,
                   int32_t batch)
{
    if (l->kind == CONVOLUTION)
        convolution_gather(l, w, read, delta, sum + l->weights, batch);
    else if (l->kind == DENSE)
        dense_gather(l, read, delta, sum + l->weights, batch);
    else
        subsampling_gather(l, read, delta, sum + l->weights, batch);
    const int32_t biases = l->shared_bias ? l->maps : above(l);
    const int32_t each = above(l) / biases * batch;
    for (int32_t b = 0; b < biases; b++)
        sum[l->biases + b] = total(delta + b * each, each);
}

INLINE void pull_batch(const Layer *l, const Work *w, const REAL *theta, const REAL *delta,
                       REAL *pull, const int32_t batch)
{
    if (l->kind == CONVOLUTION)
        cut_planes(l, w, pull, batch);
    else if (l->kind == DENSE)
        turn(w->spread, pull, batch, below(l));
    else if (l->kernel == 2)
        subsampling_back(l, theta + l->weights, delta, pull, 2, batch);
    else
        subsampling_back(l, theta + l->weights, delta, pull, l->kernel, batch);
}

static void back(const Layer *l, const Work *w, const REAL *theta, const REAL *delta, REAL *pull,
                 int32_t batch)
{
    if (l->kind == CONVOLUTION)
        convolution_back(l, w, theta + l->weights, delta, batch);
    else if (l->kind == DENSE)
        dense_back(l, w, theta + l->weights, delta, batch);
    switch (batch) {
    case 4: pull_batch(l, w, theta, delta, pull, 4); break;
    case 8: pull_batch(l, w, theta, delta, pull, 8); break;
    case 16: pull_batch(l, w, theta, delta, pull, 16); break;
    default: pull_batch(l, w, theta, delta, pull, batch);
    }
}

/* From s->pull, dE/dx of the outputs, and s->bow, d2E/dx2, to s->gradient and s->diagonal. */
INLINE void backward(State *s, const REAL *theta, const int first, const int second, const int full)
{
    const Net *net = s->net;
    for (int32_t depth = net->depth - 1; depth >= 0; depth--) {
        const Layer *l = net->layers + depth;
        const Work *w = s->work + depth;
        const REAL *x = s->activities[depth + 1];
        const int32_t n = above(l) * s->batch, under = below(l) * s->batch;
        switch (l->transfer) { /* a loop for each function: the choice leaves the inner loop */
        case LINEAR: deltas(net, LINEAR, s, x, n, first, second, full); break;
        case TANH: deltas(net, TANH, s, x, n, first, second, full); break;
        case LOGISTIC: deltas(net, LOGISTIC, s, x, n, first, second, full); break;
        case LECUN_TANH: deltas(net, LECUN_TANH, s, x, n, first, second, full); break;
        case RELU: deltas(net, RELU, s, x, n, first, second, full); break;
        }
        if (first) {
            gather(l, w, w->read, s->delta, s->gradient, s->batch);
            if (depth)
                back(l, w, theta, s->delta, s->pull, s->batch);
        }
        if (second) {
            const REAL *activity = s->activities[depth];
            REAL *squares = s->delta; /* free again */
            for (int32_t k = 0; k < under; k++)
                squares[k] = activity[k] * activity[k];
            lay(l, w, squares, w->squared, s->batch);
            gather(l, w, w->squared, s->second, s->diagonal, s->batch);
            if (depth)
                back(l, w, s->squares, s->second, s->bow, s->batch);
        }
    }
}

/* ---- memory ---- */

static int32_t divisor(int32_t a, int32_t b) { return b ? divisor(b, a % b) : a; }

/* The least batch of at least `wanted` for which every row of planes is whole vectors. */
static int32_t filled(const Net *net, int32_t wanted)
{
    int32_t step = 4;
    for (int32_t depth = 0; depth < net->depth; depth++)
        if (net->layers[depth].kind == CONVOLUTION) {
            int32_t need = LANES / divisor(LANES, net->layers[depth].width);
            step = need > step ? need : step;
        }
    return (wanted + step - 1) / step * step;
}

static void *room(size_t count, size_t size)
{
    void *found = calloc(count + LANES, size);
    if (!found)
        abort(); /* some hundred kB: nothing can go on without them */
    return found;
}

static void prepare(const Layer *l, Work *w, int32_t batch)
{
    int32_t size = l->kind == SUBSAMPLING ? above(l) * batch : below(l) * batch;
    if (l->kind == CONVOLUTION) {
        const int32_t tall = l->height_below + 2 * l->padding, side = l->kernel;
        const int32_t wide = l->width_below + 2 * l->padding, run = l->width * batch;
        w->phase = (wide + l->stride - 1) / l->stride * batch;
        w->row = l->stride * w->phase;
        w->plane = tall * w->row;
        w->vectors = l->height * run / LANES;
        w->at = room(w->vectors, sizeof(int32_t));
        w->below_at = room(w->vectors, sizeof(int32_t));
        for (int32_t v = 0; v < w->vectors; v++) {
            w->at[v] = v * LANES;
            w->below_at[v] = v * LANES / run * l->stride * w->row + v * LANES % run;
        }
        w->shift = room(side * side, sizeof(int32_t));
        for (int32_t k = 0; k < side * side; k++) {
            int32_t column = k % side;
            w->shift[k] =
                k / side * w->row + column % l->stride * w->phase + column / l->stride * batch;
        }
        size = l->maps_below * w->plane;
    }
    w->read = room(size, sizeof(REAL));
    w->squared = room(size, sizeof(REAL));
    w->spread = room(size, sizeof(REAL));
    if (l->kind == CONVOLUTION && l->padding)
        for (int32_t k = 0; k < size; k++) {
            w->read[k] = (REAL)l->border;
            w->squared[k] = (REAL)(l->border * l->border);
        }
}

static State *begin(const Net *net, int32_t wanted)
{
    State *s = room(1, sizeof(State));
    int32_t most = 0;
    s->net = net;
    s->batch = filled(net, wanted);
    s->activities = room(net->depth + 1, sizeof(REAL *));
    s->work = room(net->depth, sizeof(Work));
    for (int32_t depth = 0; depth <= net->depth; depth++) {
        int32_t units = depth ? above(net->layers + depth - 1) : below(net->layers);
        s->activities[depth] = room(units * s->batch, sizeof(REAL));
        most = units > most ? units : most;
        if (depth < net->depth)
            prepare(net->layers + depth, s->work + depth, s->batch);
    }
    REAL **buffers[] = {&s->delta, &s->pull, &s->second, &s->bow};
    for (int k = 0; k < 4; k++)
        *buffers[k] = room(most * s->batch, sizeof(REAL));
    REAL **vectors[] = {&s->gradient, &s->diagonal, &s->squares};
    for (int k = 0; k < 3; k++)
        *vectors[k] = room(net->parameters, sizeof(REAL));
    return s;
}

static void end(State *s)
{
    for (int32_t depth = 0; depth <= s->net->depth; depth++) {
        free(s->activities[depth]);
        if (depth < s->net->depth) {
            Work *w = s->work + depth;
            void *parts[] = {w->read, w->squared, w->spread, w->at, w->below_at, w->shift};
            for (int k = 0; k < 6; k++)
                free(parts[k]);
        }
    }
    void *parts[] = {s->activities, s->work,     s->delta,    s->pull,    s->second,
                     s->bow,        s->gradient, s->diagonal, s->squares, s};
    for (int k = 0; k < 10; k++)
        free(parts[k]);
}

/* Inputs of samples order[0], order[1], ..., or of the first ones; those past `count` are nought. */
static void take(State *s, const REAL *x, const int64_t *order, int64_t first, int32_t count)
{
    const int32_t units = below(s->net->layers), batch = s->batch;
    REAL *to = s->activities[0];
    for (int32_t k = 0; k < batch; k++) {
        const int64_t sample = k >= count ? 0 : order ? order[first + k] : first + k;
        for (int32_t unit = 0; unit < units; unit++)
            to[unit * batch + k] = k < count ? x[sample * units + unit] : 0;
    }
}

/* dE/dx of the outputs, E = 1/2 |t - o|^2 a sample; returns the sum of E. */
static double pulls(State *s, const REAL *t, const int64_t *order, int64_t first, int32_t count)
{
    const int32_t units = above(s->net->layers + s->net->depth - 1), batch = s->batch;
    const REAL *o = s->activities[s->net->depth];
    double error = 0;
    for (int32_t k = 0; k < batch; k++)
        for (int32_t unit = 0; unit < units; unit++) {
            REAL residual = 0;
            if (k < count)
                residual = o[unit * batch + k] - t[order[first + k] * units + unit];
            s->pull[unit * batch + k] = residual;
            s->bow[unit * batch + k] = k < count;
            error += 0.5 * (double)residual * (double)residual;
        }
    return error;
}

/* ---- what is called from outside ---- */

/* out (K, count) for samples x (count, inputs). */
void outputs(const Net *net, const REAL *theta, const REAL *x, int64_t count, REAL *out)
{
    State *s = begin(net, 16);
    const int32_t units = above(net->layers + net->depth - 1);
    for (int64_t first = 0; first < count; first += s->batch) {
        const int32_t size = count - first < s->batch ? (int32_t)(count - first) : s->batch;
        take(s, x, NULL, first, size);
        forward(s, theta);
        for (int32_t unit = 0; unit < units; unit++)
            memcpy(out + unit * count + first, s->activities[net->depth] + unit * s->batch,
                   size * sizeof(REAL));
    }
    end(s);
}

/* Sums over the samples order[0..count) of E, and added to gradient and diagonal, of the
 * derivatives; without `full` the Levenberg-Marquardt form, which leaves the gradient alone. */
double derivatives(const Net *net, const REAL *theta, const REAL *x, const REAL *t,
                   const int64_t *order, int64_t count, int32_t full, double *gradient,
                   double *diagonal)
{
    State *s = begin(net, 8);
    double error = 0;
    for (int32_t k = 0; k < net->parameters; k++)
        s->squares[k] = theta[k] * theta[k];
    for (int64_t first = 0; first < count; first += s->batch) {
        const int32_t size = count - first < s->batch ? (int32_t)(count - first) : s->batch;
        take(s, x, order, first, size);
        forward(s, theta);
        error += pulls(s, t, order, first, size);
        if (full)
            backward(s, theta, 1, 1, 1);
        else
            backward(s, theta, 0, 1, 0);
        for (int32_t k = 0; k < net->parameters; k++) {
            gradient[k] += full ? s->gradient[k] : 0;
            diagonal[k] += s->diagonal[k];
        }
    }
    end(s);
    return error;
}

/* Steps of `batch` samples each through order[0..count): theta -= rate scale dE/dtheta, the rate
 * falling from 1 to 0 over `shown` samples, of which `taken` have gone before. */
void descend(const Net *net, REAL *theta, const REAL *scale, const REAL *x, const REAL *t,
             const int64_t *order, int64_t count, int32_t batch, double taken, double shown)
{
    State *s = begin(net, batch);
    for (int64_t first = 0; first < count; first += batch) {
        const int32_t size = count - first < batch ? (int32_t)(count - first) : batch;
        take(s, x, order, first, size);
        forward(s, theta);
        pulls(s, t, order, first, size);
        backward(s, theta, 1, 0, 0);
        const REAL step = (REAL)(taken / shown - 1.0);
        for (int32_t k = 0; k < net->parameters; k++)
            theta[k] += step * scale[k] * s->gradient[k];
        taken += size;
    }
    end(s);
}
