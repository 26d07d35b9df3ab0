// RUN: %check %s
// Memory that autograd saved, and that is written by other ways than a tensor's. Run: each gradient is wrong.
#include <torch/torch.h>

#include <algorithm>
#include <cstring>

void an_element_through_variable_data() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto alias = h.variable_data();
  // CHECK-FIXES: auto alias = h.variable_data().clone();
  alias[0] = 0.5;
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void a_tensor_on_the_same_memory() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto view = torch::from_blob(h.data_ptr<float>(), {3});
  view.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void every_element_of_an_accessor() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto a = h.accessor<float, 1>();
  for (int i = 0; i < a.size(0); ++i)
    a[i] *= 2;
  // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void an_element_of_a_matrix() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w.view({1, 3}));
  auto a = h.accessor<float, 2>();
  a[0][1] += 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void a_packed_accessor() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto a = h.packed_accessor32<float, 1>();
  a[0] = 2;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void filled_by_an_algorithm() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto *p = h.data_ptr<float>();
  std::fill(p, p + h.numel(), 0.5f);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void copied_over() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  float zeros[3] = {};
  std::memcpy(h.data_ptr(), zeros, sizeof zeros);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void set_to_zero() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  std::memset(h.data_ptr<float>(), 0, 3 * sizeof(float));
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void transformed_in_place() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto *p = h.data_ptr<float>();
  std::transform(p, p + 3, p, [](float v) { return 2 * v; });
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void a_weight_through_its_accessor() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto loss = w.pow(2).sum();
  auto a = w.accessor<float, 1>();
  a[0] = 3;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

void a_value_that_nobody_saved() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 1;
  h.variable_data().mul_(2);
  // CHECK-FIXES: h = h.mul(2);
  // CHECK-MESSAGES: :[[@LINE-2]]:21: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}
