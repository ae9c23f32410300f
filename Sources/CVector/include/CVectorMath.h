#pragma once

#include "CVectorTypes.h"

// Functions of the C library for single numbers, for operators that are too rare for a polynomial.

CV_INLINE float cv_sine(float x) { return __builtin_sinf(x); }
CV_INLINE float cv_cosine(float x) { return __builtin_cosf(x); }
CV_INLINE float cv_logarithm(float x) { return __builtin_logf(x); }
CV_INLINE float cv_exponential(float x) { return __builtin_expf(x); }
CV_INLINE double cv_exponential_double(double x) { return __builtin_exp(x); }
CV_INLINE float cv_exponential_minus_one(float x) { return __builtin_expm1f(x); }
CV_INLINE float cv_hyperbolic_tangent(float x) { return __builtin_tanhf(x); }
CV_INLINE float cv_error_function(float x) { return __builtin_erff(x); }
CV_INLINE float cv_power(float x, float y) { return __builtin_powf(x, y); }
CV_INLINE float cv_arc_tangent(float y, float x) { return __builtin_atan2f(y, x); }
CV_INLINE float cv_remainder(float x, float y) { return __builtin_fmodf(x, y); }
CV_INLINE float cv_square_root(float x) { return __builtin_sqrtf(x); }
CV_INLINE float cv_floor(float x) { return __builtin_floorf(x); }
CV_INLINE float cv_ceiling(float x) { return __builtin_ceilf(x); }
CV_INLINE float cv_round_even(float x) { return __builtin_rintf(x); }
CV_INLINE float cv_round_from_zero(float x) { return __builtin_roundf(x); }
