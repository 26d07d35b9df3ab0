// graph-carried, throws: the LSTM state is a member that is never detached between sequences.
#include <torch/torch.h>
#include <iostream>

class Forecaster : public torch::nn::Module {
public:
    explicit Forecaster(int hidden) : hidden_(hidden) {
        lstm = register_module("lstm", torch::nn::LSTM(torch::nn::LSTMOptions(1, hidden)));
        head = register_module("head", torch::nn::Linear(hidden, 1));
        reset_state();
    }
    void reset_state() {
        h = torch::zeros({1, 2, hidden_});
        c = torch::zeros({1, 2, hidden_});
    }
    torch::Tensor forward(torch::Tensor x) {
        auto result = lstm->forward(x, std::make_tuple(h, c));
        auto state = std::get<1>(result);
        h = std::get<0>(state); //-@
        c = std::get<1>(state); //-@
        h = std::get<0>(state).detach(); //+
        c = std::get<1>(state).detach(); //+
        return head->forward(std::get<0>(result));
    }
    torch::Tensor h, c;
    torch::nn::LSTM lstm{nullptr};
    torch::nn::Linear head{nullptr};
private:
    int hidden_;
};

int main() {
    torch::manual_seed(0);
    auto model = std::make_shared<Forecaster>(8);
    torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(0.01));
    for (int step = 0; step < 3; ++step) {
        auto x = torch::randn({5, 2, 1});
        optimizer.zero_grad();
        auto loss = torch::mse_loss(model->forward(x), x);
        loss.backward(); //@
        optimizer.step();
        std::cout << "loss " << loss.item<float>() << "\n";
    }
    //= model
}
