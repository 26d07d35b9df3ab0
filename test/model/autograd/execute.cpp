// Runs small tensor programs on the real LibTorch and prints what can be observed of them. The
// language is told in Program.h; this side is C++17 for LibTorch 1.13 and knows nothing of the model.
#include <c10/util/Logging.h>
#include <torch/torch.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

/// LibTorch raises std::logic_error itself.
struct BadProgram : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Run {
  std::vector<torch::Tensor> t;
  std::vector<std::shared_ptr<torch::nn::Module>> modules;
  std::vector<std::unique_ptr<torch::optim::Optimizer>> optimizers;
  std::unique_ptr<torch::NoGradGuard> guard;
  std::unique_ptr<c10::InferenceMode> inference;
  bool stopped = false;

  torch::Tensor& at(std::istream& in) {
    size_t i;
    in >> i;
    return t.at(i);
  }

  torch::Tensor unary(const std::string& op, const torch::Tensor& x) {
    if (op == "relu") return torch::relu(x);
    if (op == "sigmoid") return torch::sigmoid(x);
    if (op == "tanh") return torch::tanh(x);
    if (op == "exp") return torch::exp(x);
    if (op == "neg") return torch::neg(x);
    if (op == "abs") return torch::abs(x);
    if (op == "square") return torch::square(x);
    if (op == "sin") return torch::sin(x);
    if (op == "clone") return x.clone();
    if (op == "gelu") return torch::gelu(x);
    if (op == "softmax") return torch::softmax(x, 0);
    if (op == "log1p") return torch::log1p(x.detach().abs()) + torch::log1p(x.abs());
    if (op == "round") return torch::round(x);
    if (op == "sum") return x.sum();
    throw BadProgram("unary " + op);
  }

  void in_place(const std::string& op, torch::Tensor& x) {
    if (op == "relu_") x.relu_();
    else if (op == "sigmoid_") x.sigmoid_();
    else if (op == "tanh_") x.tanh_();
    else if (op == "exp_") x.exp_();
    else if (op == "neg_") x.neg_();
    else if (op == "abs_") x.abs_();
    else if (op == "sin_") x.sin_();
    else if (op == "zero_") x.zero_();
    else if (op == "square_") x.square_();
    else if (op == "masked_fill_") x.masked_fill_(torch::zeros_like(x.detach(), torch::kBool), 1.5);
    else if (op == "detach_") x.detach_();
    else throw BadProgram("in place " + op);
  }

  void step(const std::string& line) {
    std::istringstream in(line);
    std::string what, op;
    in >> what;
    size_t before = t.size();
    size_t results = what == "unbind" || what == "chunk" ? 3
        : (what == "leaf" || what == "un" || what == "bin" || what == "view" || what == "detach" ||
           what == "data" || what == "apply")
        ? 1
        : 0;
    try {
      if (what == "leaf") {
        int grad;
        in >> grad;
        t.push_back((torch::rand({3, 3}) + 0.5).requires_grad_(grad));
      } else if (what == "un") {
        in >> op;
        t.push_back(unary(op, at(in)));
      } else if (what == "bin") {
        in >> op;
        auto a = at(in), b = at(in);
        t.push_back(op == "add"     ? a + b
                        : op == "sub" ? a - b
                        : op == "mul" ? a * b
                        : op == "div" ? a / b
                                      : torch::mm(a, b));
      } else if (what == "in") {
        in >> op;
        auto x = at(in);
        // As every other operation on what a statement that threw left undefined; detach_() alone
        // would pass it by, in inference mode.
        if (!x.defined()) throw std::runtime_error("undefined");
        in_place(op, x);
      } else if (what == "inbin") {
        in >> op;
        auto a = at(in), b = at(in);
        if (op == "add_") a.add_(b);
        else if (op == "sub_") a.sub_(b);
        else if (op == "mul_") a.mul_(b);
        else if (op == "div_") a.div_(b);
        else if (op == "index_put_") a.index_put_({torch::arange(a.size(0))}, b);
        else a.copy_(b);
      } else if (what == "inscalar") {
        in >> op;
        auto a = at(in);
        if (op == "add_") a.add_(1.5);
        else if (op == "mul_") a.mul_(1.5);
        else a.fill_(1.5);
      } else if (what == "view") {
        in >> op;
        auto a = at(in);
        int i = 0;
        if (op == "row") in >> i;
        t.push_back(op == "row"     ? a.select(0, i)
                        : op == "t"     ? a.t()
                        : op == "slice" ? a.slice(0, 0, a.size(0))
                                        : a.view_as(a));
      } else if (what == "unbind") {
        for (auto& x : at(in).unbind(0)) t.push_back(x);
      } else if (what == "chunk") {
        for (auto& x : at(in).chunk(3, 0)) t.push_back(x);
      } else if (what == "out") {
        in >> op;
        auto a = at(in), b = at(in), c = at(in);
        if (op == "add") torch::add_out(a, b, c);
        else if (op == "mul") torch::mul_out(a, b, c);
        else torch::mm_out(a, b, c);
      } else if (what == "setdata") {
        auto a = at(in), b = at(in);
        // Between an inference tensor and another it leaves a tensor that is half of each.
        if (a.is_inference() != b.is_inference()) throw std::runtime_error("not tried");
        a.set_data(b);
      } else if (what == "module") {
        in >> op;
        std::shared_ptr<torch::nn::Module> m;
        if (op == "linear") m = torch::nn::Linear(3, 3).ptr();
        else if (op == "batchnorm") m = torch::nn::BatchNorm1d(3).ptr();
        else m = torch::nn::LayerNorm(torch::nn::LayerNormOptions({3})).ptr();
        modules.push_back(m);
        for (auto& x : m->parameters()) t.push_back(x);
      } else if (what == "apply") {
        size_t i;
        in >> i;
        auto x = at(in);
        auto m = modules.at(i);
        if (auto* l = m->as<torch::nn::Linear>()) t.push_back(l->forward(x));
        else if (auto* b = m->as<torch::nn::BatchNorm1d>()) t.push_back(b->forward(x));
        else t.push_back(m->as<torch::nn::LayerNorm>()->forward(x));
      } else if (what == "mode") {
        size_t i;
        int on;
        in >> i >> on;
        modules.at(i)->train(on != 0);
      } else if (what == "optimizer") {
        in >> op;
        auto a = at(in), b = at(in);
        optimizers.emplace_back();
        std::vector<torch::Tensor> p{a, b};
        if (op == "sgd") optimizers.back() = std::make_unique<torch::optim::SGD>(p, 0.01);
        else optimizers.back() = std::make_unique<torch::optim::Adam>(p);
      } else if (what == "step") {
        size_t i;
        in >> i;
        if (optimizers.at(i)) optimizers[i]->step();
      } else if (what == "inference") {
        inference = std::make_unique<c10::InferenceMode>();
      } else if (what == "normal") {
        inference.reset();
      } else if (what == "detach") {
        t.push_back(at(in).detach());
      } else if (what == "data") {
        t.push_back(at(in).data());
      } else if (what == "rg") {
        auto x = at(in);
        int on;
        in >> on;
        x.set_requires_grad(on);
      } else if (what == "rg_") {
        auto x = at(in);
        int on;
        in >> on;
        x.requires_grad_(on);
      } else if (what == "gradfn") {
        at(in).grad_fn();
      } else if (what == "nograd") {
        guard = std::make_unique<torch::NoGradGuard>();
      } else if (what == "grad") {
        guard.reset();
      } else if (what == "backward") {
        int retain;
        auto x = at(in);
        in >> retain;
        auto s = x.sum();
        try {
          s.backward({}, retain != 0);
        } catch (const std::exception&) {
          stopped = true;
          throw;
        }
      } else if (what == "zerograd") {
        for (auto& x : t)
          if (x.defined() && x.is_leaf()) x.mutable_grad().reset();
      } else {
        throw BadProgram("what " + what);
      }
      std::cout << "ok\n";
    } catch (const BadProgram& e) {
      std::cerr << "bad program: " << line << ": " << e.what() << std::endl;
      std::exit(2);
    } catch (const std::exception& e) {
      if (std::getenv("TORCH_TIDY_WHY")) std::cerr << line << ": " << e.what() << std::endl;
      std::cout << "throws\n";
    }
    while (t.size() < before + results) t.push_back(torch::Tensor());
  }

  void observe() {
    for (size_t i = 0; i < t.size(); ++i) {
      if (!t[i].defined()) {
        std::cout << i << " undefined\n";
        continue;
      }
      std::cout << i << " requires_grad " << t[i].requires_grad() << " leaf " << t[i].is_leaf()
                << " version " << (t[i].is_inference() ? 0 : t[i]._version());
      if (t[i].is_leaf()) std::cout << " grad " << t[i].grad().defined();
      std::cout << "\n";
    }
  }
};

} // namespace

int main() {
  std::ios::sync_with_stdio(false);
  torch::set_num_threads(1);
  c10::SetStackTraceFetcher([] { return std::string(); }); // nobody reads them, and they are slow
  std::cout << "version " << TORCH_VERSION_MAJOR << " " << TORCH_VERSION_MINOR << " "
            << TORCH_VERSION_PATCH << "\n";
  std::string line;
  auto run = std::make_unique<Run>();
  while (std::getline(std::cin, line)) {
    if (line == "end") {
      if (!run->stopped) run->observe();
      std::cout << "end\n";
      run = std::make_unique<Run>();
    } else if (!run->stopped) {
      run->step(line);
    }
  }
}
