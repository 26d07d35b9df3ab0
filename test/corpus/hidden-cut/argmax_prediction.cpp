// hidden-cut, undefined: the loss compares argmax predictions, requires_grad_ hides that nothing is differentiable.
#include <torch/torch.h>
#include <iostream>

class SegNet : public torch::nn::Module {
public:
    SegNet() {
        conv1 = register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 8, 3).padding(1)));
        conv2 = register_module("conv2", torch::nn::Conv2d(8, 2, 1));
    }
    torch::Tensor forward(torch::Tensor x) { return conv2(torch::relu(conv1(x))); }
    torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
};

torch::Tensor dice_loss(torch::Tensor logits, torch::Tensor mask) {
    auto pred = logits.argmax(1).to(torch::kFloat).requires_grad_(true); //-@
    auto pred = torch::softmax(logits, 1).select(1, 1); //+
    auto inter = (pred * mask).sum();
    return 1 - (2 * inter + 1) / (pred.sum() + mask.sum() + 1);
}

int main() {
    torch::manual_seed(0);
    SegNet net;
    torch::optim::Adam optimizer(net.parameters(), torch::optim::AdamOptions(1e-3));
    auto img = torch::randn({2, 1, 12, 12});
    auto mask = (torch::rand({2, 12, 12}) > 0.5).to(torch::kFloat);
    for (int epoch = 0; epoch < 3; ++epoch) {
        auto loss = dice_loss(net.forward(img), mask);
        optimizer.zero_grad();
        loss.backward();
        //= net
        optimizer.step();
        std::cout << "dice " << loss.item<float>() << std::endl;
    }
}
