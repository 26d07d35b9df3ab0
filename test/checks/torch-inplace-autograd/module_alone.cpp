// What the notes say of a module that nobody trains in the file.
// RUN: %check %s
#include <torch/torch.h>

struct Net : torch::nn::Module {
  torch::nn::Linear a{nullptr}, b{nullptr};
  Net() {
    a = register_module("a", torch::nn::Linear(3, 3));
    b = register_module("b", torch::nn::Linear(3, 3));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto h = torch::relu(a(x));
    h *= 2;
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
    // CHECK-FIXES: h = h * 2;
    // CHECK-NOTES: :[[@LINE-4]]:14: note: its result is saved for backward by 'relu' here
    // CHECK-NOTES: :[[@LINE-4]]:7: note: in-place 'mul_' writes here
    // CHECK-NOTES: :[[@LINE-7]]:17: note: where this is trained, backward() runs and finds another version
    return b(h);
  }
};
