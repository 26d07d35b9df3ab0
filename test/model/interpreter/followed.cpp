#include <torch/torch.h>
#include <algorithm>
#include <any>
#include <array>
#include <deque>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>
using torch::Tensor;
static Tensor weight() { return torch::ones({4}, torch::requires_grad()); }
static Tensor plain() { return weight() + 1; } // nobody saves it

void iteratorPlus() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  auto it = v.begin() + 1;
  it->mul_(2); //!
  y.sum().backward();
}
void iteratorFirst() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  auto it = v.begin();
  it->mul_(2);
  y.sum().backward();
}
void reverseIterator() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  v.rbegin()->mul_(2); //!
  y.sum().backward();
}
void iteratorLoop() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  for (auto it = v.begin(); it != v.end(); ++it) it->mul_(2); //!
  y.sum().backward();
}
void erased() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  v.erase(v.begin());
  v[0].mul_(2); //!
  y.sum().backward();
}
void erasedLast() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  v.erase(v.begin() + 1);
  v.back().mul_(2);
  y.sum().backward();
}
void insertedFront() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain()};
  v.insert(v.begin(), y);
  v[0].mul_(2); //!
  y.sum().backward();
}
void reversed() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{plain(), y};
  std::reverse(v.begin(), v.end());
  v[0].mul_(2); //!
  y.sum().backward();
}
void rangeConstructed() {
  Tensor y = weight().sigmoid();
  std::deque<Tensor> v{plain(), y};
  std::vector<Tensor> w(v.begin(), v.end());
  w[1].mul_(2); //!
  y.sum().backward();
}
void forEach() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{y};
  std::for_each(v.begin(), v.end(), [](Tensor& t) { t.mul_(2); }); //!
  y.sum().backward();
}
void transformed() {
  Tensor y = weight();
  std::vector<Tensor> v{y}, out;
  std::transform(v.begin(), v.end(), std::back_inserter(out), [](const Tensor& t) { return t.sigmoid(); });
  Tensor z = out[0];
  z.mul_(2); //!
  z.sum().backward();
}
void accumulated() {
  std::vector<Tensor> v{weight(), weight()};
  Tensor z = std::accumulate(v.begin() + 1, v.end(), v[0], [](Tensor a, Tensor b) { return a * b; }).sigmoid();
  z.mul_(2); //!
  z.sum().backward();
}
void findIf() {
  Tensor y = weight().sigmoid();
  std::vector<std::pair<int, Tensor>> v{{0, plain()}, {1, y}};
  auto it = std::find_if(v.begin(), v.end(), [](const std::pair<int, Tensor>& p) { return p.first == 1; });
  if (it != v.end()) it->second.mul_(2); //!
  y.sum().backward();
}
void sorted() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v{y};
  std::sort(v.begin(), v.end(), [](const Tensor& a, const Tensor& b) { return a.sum().item<float>() < b.sum().item<float>(); });
  v.front().mul_(2); //!
  y.sum().backward();
}
void generated() {
  Tensor y = weight().sigmoid();
  std::vector<Tensor> v(2);
  std::generate(v.begin(), v.end(), [&] { return y; });
  v[1].mul_(2); //!
  y.sum().backward();
}
void mapFind() {
  Tensor y = weight().sigmoid();
  std::map<std::string, Tensor> m;
  m["a"] = plain();
  m["b"] = y;
  auto it = m.find("b");
  if (it != m.end()) it->second.mul_(2); //!
  y.sum().backward();
}
void mapOther() {
  Tensor y = weight().sigmoid();
  std::unordered_map<std::string, Tensor> m{{"a", plain()}, {"b", y}};
  m.at("a").mul_(2);
  y.sum().backward();
}
void mapLoop() {
  Tensor y = weight().sigmoid();
  std::map<std::string, Tensor> m{{"b", y}};
  for (auto it = m.begin(); it != m.end(); ++it) it->second.mul_(2); //!
  y.sum().backward();
}
void mapComputedKey() {
  Tensor y = weight().sigmoid();
  std::unordered_map<std::string, Tensor> m;
  for (int i = 0; i < 2; ++i) m["k" + std::to_string(i)] = i == 0 ? plain() : y;
  m["k1"].mul_(2); //!
  y.sum().backward();
}
void mapComputedKeyOther() {
  Tensor y = weight().sigmoid();
  std::unordered_map<std::string, Tensor> m;
  m["k" + std::to_string(0)] = y;
  m["k" + std::to_string(1)] = plain();
  m["k1"].mul_(2);
  y.sum().backward();
}
void mapErase() {
  Tensor y = weight().sigmoid();
  std::map<int, Tensor> m{{1, y}, {2, plain()}};
  m.erase(1);
  m.begin()->second.mul_(2);
  y.sum().backward();
}
void inQueue() {
  Tensor y = weight().sigmoid();
  std::queue<Tensor> q;
  q.push(plain());
  q.push(y);
  q.pop();
  q.front().mul_(2); //!
  y.sum().backward();
}
void onStack() {
  Tensor y = weight().sigmoid();
  std::stack<Tensor> s;
  s.push(y);
  s.push(plain());
  s.top().mul_(2);
  s.pop();
  s.top().mul_(2); //!
  y.sum().backward();
}
void inVariant() {
  Tensor y = weight().sigmoid();
  std::variant<int, Tensor> v = y;
  if (std::holds_alternative<Tensor>(v)) std::get<Tensor>(v).mul_(2); //!
  y.sum().backward();
}
void inAny() {
  Tensor y = weight().sigmoid();
  std::any a = y;
  std::any_cast<Tensor&>(a).mul_(2); //!
  y.sum().backward();
}
void inOptional() {
  Tensor y = weight().sigmoid();
  std::optional<Tensor> o;
  o = y;
  if (o) o->mul_(2); //!
  y.sum().backward();
}
void inOptionalEmptied() {
  Tensor y = weight().sigmoid();
  std::optional<Tensor> o = y;
  o = std::nullopt;
  if (o) o->mul_(2);
  y.sum().backward();
}
void inTuple() {
  auto pack = [] { auto y = weight().sigmoid(); return std::make_tuple(y, y.size(0), plain()); };
  auto [y, n, p] = pack();
  p.mul_(2);
  y.mul_(2); //!
  y.sum().backward();
}
void throughFunction() {
  Tensor y = weight().sigmoid();
  std::function<void(Tensor)> f = [](Tensor t) { t.mul_(2); }; //!
  f(y);
  y.sum().backward();
}
void functionTable() {
  Tensor y = weight().sigmoid();
  std::map<std::string, std::function<Tensor(Tensor)>> table{{"mul", [](Tensor t) { return t.mul_(2); }}, {"id", [](Tensor t) { return t; }}}; //!
  y = table["mul"](y);
  y.sum().backward();
}
void bound() {
  Tensor y = weight().sigmoid();
  auto scale = [](Tensor t, double by) { t.mul_(by); }; //!
  auto f = std::bind(scale, std::placeholders::_1, 2.0);
  f(y);
  y.sum().backward();
}
struct Base {
  virtual ~Base() = default;
  virtual Tensor act(Tensor t) = 0;
};
struct Writes : Base {
  Tensor act(Tensor t) override { return t.mul_(2); } //!
};
struct Leaves : Base {
  Tensor act(Tensor t) override { return t * 2; }
};
void virtualCall() {
  std::vector<std::unique_ptr<Base>> v;
  v.push_back(std::make_unique<Leaves>());
  v.emplace_back(new Writes());
  Tensor y = weight().sigmoid();
  v[1]->act(y);
  y.sum().backward();
}
void virtualOther() {
  std::shared_ptr<Base> b = std::make_shared<Leaves>();
  Tensor y = weight().sigmoid();
  b->act(y);
  y.sum().backward();
}
template <class F, class... Args>
auto apply2(F&& f, Args&&... args) { return std::forward<F>(f)(std::forward<Args>(args)...); }
void forwarded() {
  Tensor y = weight().sigmoid();
  apply2([](Tensor& t, int k) { t.mul_(k); }, y, 2); //!
  y.sum().backward();
}
template <class T>
struct Holder {
  T value;
  T& get() { return value; }
};
void templated() {
  Tensor y = weight().sigmoid();
  Holder<Tensor> h{y};
  h.get().mul_(2); //!
  y.sum().backward();
}
Tensor power(Tensor x, int n) { return n == 0 ? x.sigmoid() : power(x, n - 1); }
void recursive() {
  Tensor y = power(weight(), 2);
  y.mul_(2); //!
  y.sum().backward();
}
Tensor deep(Tensor x, int n) {
  if (n <= 0) return x.sigmoid();
  return deep(x, n - 1);
}
void recursiveDeep() {
  Tensor y = deep(weight(), 6);
  y.mul_(2); //!
  y.sum().backward();
}
struct Nested : torch::nn::Module {
  std::shared_ptr<Nested> inner;
  explicit Nested(int depth) {
    if (depth > 0) inner = register_module("inner", std::make_shared<Nested>(depth - 1));
  }
  Tensor forward(Tensor x) {
    Tensor y = x * 2;
    return inner ? inner->forward(y) : y.sigmoid();
  }
};
void nestedModules() {
  auto net = std::make_shared<Nested>(4);
  Tensor y = net->forward(weight());
  y.mul_(2); //!
  y.sum().backward();
}
struct Chain : torch::nn::Module {
  Tensor scale = register_parameter("scale", torch::ones({4}));
  std::shared_ptr<Chain> next;
  explicit Chain(std::shared_ptr<Chain> x) : next(x) {}
  Tensor forward(Tensor x) {
    Tensor y = (x * scale).sigmoid();
    y.mul_(2); //!
    return y;
  }
};
void undefinedHasNoElements() {
  Tensor none, y = weight().sigmoid();
  if (none.numel() > 0) y.mul_(2);
  if (none.numel() == 0) y.mul_(2); //!
  y.sum().backward();
}
struct Counter {
  static Tensor last;
};
Tensor Counter::last;
void staticMember() {
  Tensor y = weight().sigmoid();
  Counter::last = y;
  Counter::last.mul_(2); //!
  y.sum().backward();
}
struct View {
  Tensor& t;
  explicit View(Tensor& x) : t(x) {}
  void touch() { t = t * 2; }
};
void referenceMember() {
  Tensor y = plain();
  View v(y);
  v.touch();
  Tensor z = y.sigmoid();
  View u(z);
  u.t.mul_(2); //!
  z.sum().backward();
}
void moved() {
  Tensor y = weight().sigmoid();
  Tensor z = std::move(y);
  z.mul_(2); //!
  z.sum().backward();
}
void swapped() {
  Tensor y = weight().sigmoid(), z = plain();
  std::swap(y, z);
  y.mul_(2);
  z.mul_(2); //!
  z.sum().backward();
}
struct MyError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
void severalHandlers() {
  Tensor y = weight().sigmoid();
  try {
    throw MyError("x");
  } catch (const std::logic_error&) {
    y.mul_(3);
  } catch (const MyError&) {
    y.mul_(2); //!
  }
  y.sum().backward();
}
void switched() {
  Tensor y = weight().sigmoid();
  enum Mode { A, B, C } mode = B;
  switch (mode) {
  case A: y.mul_(3); break;
  case B:
    y.mul_(2); //!
    break;
  case C: y.mul_(4);
  }
  y.sum().backward();
}
void jumped() {
  Tensor y = weight().sigmoid();
  int i = 0;
again:
  if (i++ < 1) goto again;
  y.mul_(2); //!
  y.sum().backward();
}
struct Mul : torch::autograd::Function<Mul> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, Tensor a, Tensor b) {
    ctx->save_for_backward({a, b});
    return a * b;
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::tensor_list g) {
    auto s = ctx->get_saved_variables();
    return {g[0] * s[1], g[0] * s[0]};
  }
};
void customFunction() {
  Tensor a = plain();
  Tensor z = Mul::apply(a, weight());
  a.mul_(2); //!
  z.sum().backward();
}
struct Neg : torch::autograd::Function<Neg> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, Tensor a) { return -a; }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::tensor_list g) { return {-g[0]}; }
};
void customFunctionSavesNothing() {
  Tensor a = plain();
  Tensor z = Neg::apply(a);
  a.mul_(2);
  z.sum().backward();
}
void gradOfGrad() {
  Tensor x = weight();
  Tensor y = (x * weight()).sigmoid();
  auto g = torch::autograd::grad({y.sum()}, {x}, {}, true, true)[0];
  y.mul_(2); //!
  g.sum().backward();
}
void namedItems() {
  torch::nn::Linear lin(2, 2);
  auto dict = lin->named_parameters();
  for (const auto& item : dict.items()) item.value().mul_(2); //!
  lin(torch::ones({1, 2})).sum().backward();
}
void namedPairs() {
  torch::nn::Linear lin(2, 2);
  lin->named_parameters()["weight"].mul_(2); //!
  lin(torch::ones({1, 2})).sum().backward();
}
void parameterDict() {
  torch::nn::ParameterDict d;
  d->insert("a", weight());
  Tensor y = (*d)["a"].sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
void parameterList() {
  torch::nn::ParameterList d;
  d->append(weight());
  Tensor y = d->at(0).sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
void anyModule() {
  torch::nn::AnyModule any(torch::nn::Linear(2, 2));
  Tensor y = any.forward(torch::ones({1, 2})).sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
void gruCell() {
  torch::nn::GRUCell cell(2, 3);
  Tensor h = torch::zeros({1, 3});
  for (int i = 0; i < 2; ++i) h = cell(torch::ones({1, 2}), h);
  Tensor y = h.sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
void multihead() {
  torch::nn::MultiheadAttention mha(torch::nn::MultiheadAttentionOptions(4, 2));
  Tensor x = torch::ones({3, 1, 4});
  Tensor out, w;
  std::tie(out, w) = mha(x, x, x);
  Tensor y = out.sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
void packed() {
  torch::nn::LSTM lstm(2, 3);
  auto p = torch::nn::utils::rnn::pack_padded_sequence(torch::ones({3, 1, 2}), torch::tensor({3}));
  auto [out, state] = lstm->forward_with_packed_input(p);
  auto [padded, lengths] = torch::nn::utils::rnn::pad_packed_sequence(out);
  Tensor y = padded.sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
struct Options {
  double by = 2;
  bool inplace = true;
  std::optional<Tensor> mask = std::nullopt;
};
void aggregate() {
  Tensor y = weight().sigmoid();
  Options o{.by = 3, .mask = y};
  if (o.inplace) o.mask->mul_(o.by); //!
  y.sum().backward();
}
void nestedContainers() {
  Tensor y = weight().sigmoid();
  std::map<int, std::vector<std::pair<std::string, Tensor>>> m;
  m[3].emplace_back("x", y);
  for (auto& [k, list] : m)
    for (auto& [name, t] : list) t.mul_(2); //!
  y.sum().backward();
}
void ternaryReference() {
  Tensor a = weight().sigmoid(), b = plain();
  bool first = true;
  Tensor& r = first ? a : b;
  r.mul_(2); //!
  a.sum().backward();
}
void pointerToTensor() {
  Tensor y = weight().sigmoid();
  Tensor* p = &y;
  (*p).mul_(2); //!
  y.sum().backward();
}
void arrayOfTensors() {
  Tensor y = weight().sigmoid();
  Tensor v[2] = {plain(), y};
  for (Tensor& t : v) t.mul_(2); //!
  y.sum().backward();
}
struct Builder {
  Builder& add(Tensor t) { list.push_back(t); return *this; }
  Tensor build() { return torch::stack(list); }
  std::vector<Tensor> list;
};
void chained() {
  Tensor y = Builder().add(weight()).add(plain()).build().sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
struct Op {
  Tensor operator()(Tensor t) const { return t.sigmoid(); }
  friend Tensor operator|(Tensor t, const Op& o) { return o(t); }
};
void userOperator() {
  Tensor y = weight() | Op{};
  y.mul_(2); //!
  y.sum().backward();
}
void staticLocal() {
  static std::vector<Tensor> cache;
  cache.push_back(weight().sigmoid());
  Tensor y = cache.back();
  y.mul_(2); //!
  y.sum().backward();
}
void whileNotEmpty() {
  Tensor y = weight().sigmoid();
  std::list<Tensor> todo{y};
  while (!todo.empty()) {
    todo.front().mul_(2); //!
    todo.pop_front();
  }
  y.sum().backward();
}
void conditionVariable() {
  Tensor y = weight().sigmoid();
  std::map<int, Tensor> m{{1, y}};
  if (auto it = m.find(1); it != m.end()) it->second.mul_(2); //!
  y.sum().backward();
}
void variadic() {
  auto sum = [](auto... ts) { return (ts + ...); };
  Tensor y = sum(weight(), plain()).sigmoid();
  y.mul_(2); //!
  y.sum().backward();
}
void stdApply() {
  Tensor y = weight().sigmoid();
  std::apply([](Tensor a, Tensor b) { b.mul_(2); }, std::make_tuple(plain(), y)); //!
  y.sum().backward();
}
void visited() {
  std::variant<int, Tensor> v = weight().sigmoid();
  Tensor y = std::get<1>(v);
  std::visit([](auto& x) { x *= 2; }, v); //!
  y.sum().backward();
}
void zipLoop() {
  std::vector<Tensor> a{weight().sigmoid()}, b{plain()};
  auto ia = a.begin();
  auto ib = b.cbegin();
  for (; ia != a.end() && ib != b.cend(); ++ia, ++ib) *ia *= 2; //!
  a[0].sum().backward();
}
void takenBack() {
  std::vector<Tensor> a{plain(), weight().sigmoid()};
  auto y = *std::prev(a.end());
  (*std::next(a.begin())).mul_(2); //!
  y.sum().backward();
}
