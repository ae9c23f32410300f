#pragma once

// Integer dot products of the matrix and depthwise tiles, in the form that each instruction set has.
//
// A step of the matrix tile takes CV_DEPTH_GROUP depth elements of 16 output channels at once. Activations are packed as
// `cv_activation`, which is the code plus CV_ACTIVATION_OFFSET. The depthwise tile takes two taps of 16 channels;
// `cv_depthwise_index` says where each weight goes, and the accumulators hold channels in the order that is cheap, until
// `cv_depthwise_sums` puts them in place. All products are exact.

#include "CVectorTypes.h"

// A packed depthwise weight: wide enough for the difference of two 8-bit codes.
typedef int16_t cv_depthwise_weight;

#include "CVectorProductsX86.h"
#include "CVectorProductsARM.h"

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "edgeserve's kernels need x86-64 or aarch64"
#endif
