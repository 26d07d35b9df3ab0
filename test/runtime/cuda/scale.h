#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

// out[i] = in[i] * factor on the device; returns a cudaError_t.
int scale_on_device(const float *in, float *out, int64_t count, float factor, cudaStream_t stream);
