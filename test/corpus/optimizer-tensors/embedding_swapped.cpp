// optimizer-tensors, stale|undefined: the embedding is swapped for a pretrained one without registering it.
#include <torch/torch.h>
#include <iostream>

class TextClassifier : public torch::nn::Module {
public:
    TextClassifier(int64_t vocab, int64_t dim, int64_t classes)
        : embedding(torch::nn::EmbeddingOptions(vocab, dim)), fc(dim, classes) {
        register_module("embedding", embedding);
        register_module("fc", fc);
    }
    void load_vectors(const torch::Tensor& vectors) {
        embedding = torch::nn::Embedding::from_pretrained(vectors, torch::nn::EmbeddingFromPretrainedOptions().freeze(false)); //-@
        replace_module("embedding", embedding); //+
    }
    torch::Tensor forward(torch::Tensor ids) {
        return fc(embedding(ids).mean(1));
    }
    torch::nn::Embedding embedding;
    torch::nn::Linear fc;
};

int main() {
    torch::manual_seed(11);
    auto model = std::make_shared<TextClassifier>(50, 12, 3);
    model->load_vectors(torch::randn({50, 12}));
    torch::optim::Adagrad optimizer(model->parameters(), 0.1);
    auto ids = torch::randint(0, 50, {24, 7});
    auto labels = torch::randint(0, 3, {24});
    for (int epoch = 1; epoch <= 6; ++epoch) {
        optimizer.zero_grad();
        auto loss = torch::nll_loss(torch::log_softmax(model->forward(ids), 1), labels);
        loss.backward();
        optimizer.step();
        std::cout << "Epoch " << epoch << " loss=" << loss.item<double>() << std::endl;
    }
    //= model->embedding
}
