// RUN: %check %s
// Saved, changed behind autograd, and yet no gradient comes out differently: nothing to say.
#include <torch/torch.h>

void relu_asks_for_signs() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  auto loss = h.sum();
  h.data().mul_(0.5);
  loss.backward();
}

void relu_and_the_signs_change() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  auto loss = h.sum();
  h.data().mul_(-1);
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}}'relu' saved for backward{{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

// The weight of the first layer is needed for the gradient of its input only, which nobody wants.
void weight_of_the_first_layer() {
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(1, 2, 3));
  auto loss = conv->forward(torch::rand({1, 1, 5, 5})).sum();
  conv->weight.data().mul_(0.5);
  loss.backward();
}

void weight_of_the_second_layer() {
  torch::nn::Conv2d first(torch::nn::Conv2dOptions(1, 2, 3)), second(torch::nn::Conv2dOptions(2, 2, 3));
  auto loss = second->forward(first->forward(torch::rand({1, 1, 5, 5}))).sum();
  second->weight.data().mul_(0.5);
  // CHECK-MESSAGES: :[[@LINE-1]]:25: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

// With batch_first the cell turns its input around and keeps the copy.
void input_of_a_recurrent_cell() {
  auto w = torch::ones({2, 3, 4}, torch::requires_grad());
  torch::nn::GRU gru(torch::nn::GRUOptions(4, 5).batch_first(true));
  auto h = w + 1;
  auto loss = std::get<0>(gru(h)).sum();
  h.data().mul_(2);
  h.mul_(2);
  loss.backward();
}
// CHECK-FIXES: h = h.mul(-1);
