// How the scaler tells a recorder, where one listens, what an optimizer is about to consume.
#pragma once

#include <torch/optim/optimizer.h>

namespace torch_tidy::detail {

/// Called with unscaled gradients right before `optimizer.step()`, or before it is skipped. `scale`
/// is what they were multiplied by in backward.
void about_to_consume(torch::optim::Optimizer &optimizer, double scale, bool skip);
void consumed(torch::optim::Optimizer &optimizer, bool stepped);

} // namespace torch_tidy::detail
