// A user's kernel. LibTorch's headers stay out of what nvcc reads: they are for the host compiler.
#include "scale.h"

namespace {

__global__ void scale_kernel(const float *in, float *out, int64_t count, float factor) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) {
    out[i] = in[i] * factor;
  }
}

} // namespace

int scale_on_device(const float *in, float *out, int64_t count, float factor, cudaStream_t stream) {
  constexpr int threads = 256;
  scale_kernel<<<static_cast<unsigned>((count + threads - 1) / threads), threads, 0, stream>>>(
      in, out, count, factor);
  return cudaGetLastError();
}
