#include "autograd/OperatorTraits.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <string>

namespace torch_tidy::autograd {

namespace {

template <size_t N> bool isOneOf(std::string_view Name, const std::string_view (&List)[N]) {
  return std::find(std::begin(List), std::end(List), Name) != std::end(List);
}

constexpr std::string_view Products[] = {
    "mul",     "multiply", "mm",      "bmm",     "matmul",  "linear", "dot",
    "mv",      "outer",    "ger",     "einsum",  "conv1d",  "conv2d", "conv3d",
    "inner",   "vdot",     "Linear",  "Conv1d",  "Conv2d",  "Conv3d", "kron",
    "tensordot"};
constexpr std::string_view ScalarProducts[] = {"mul", "multiply"};
// d/dx is zero at x = 0: relu by convention, abs by sign(0), powers by 2x.
constexpr std::string_view Flat[] = {"relu", "relu6", "threshold", "abs", "absolute",
                                     "square", "ReLU", "ReLU6"};
constexpr std::string_view ZeroKeepers[] = {
    "relu",   "relu6", "tanh",  "sin",   "abs",   "neg",   "sum",   "mean",   "clone",
    "square", "sqrt",  "asinh", "atan",  "sinh",  "round", "floor", "ceil",   "trunc",
    "sign",   "gelu",  "silu",  "elu",   "selu",  "celu",  "mish",  "leaky_relu", "contiguous",
    "to",     "ReLU",  "Tanh",  "hardtanh"};
constexpr std::string_view NeverNegatives[] = {
    "relu",   "relu6",   "sigmoid", "softmax", "exp",  "abs",     "absolute",    "square",
    "sqrt",   "softplus", "hardsigmoid", "zero", "ReLU", "ReLU6", "Sigmoid", "Softmax", "Softplus",
    "Hardsigmoid", "norm", "var", "std", "_softmax"};
constexpr std::string_view SignKeepers[] = {
        "clone", "dropout", "mean", "sum", "amax", "amin", "cat", "stack", "contiguous", "reshape",
    "flatten", "mul", "add", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "MaxPool2d",
    "AvgPool2d", "Dropout", "leaky_relu", "LeakyReLU", "elu", "ELU", "celu", "CELU", "selu", "SELU",
    "log1p", "expm1", "tanh", "Tanh", "atan", "arctan", "asinh", "sinh", "silu", "SiLU", "gelu", "GELU",
    "mish", "Mish", "softsign", "Softsign", "softshrink", "Softshrink", "hardshrink", "Hardshrink",
    "tanhshrink", "Tanhshrink", "reciprocal", "rsqrt", "clamp", "clamp_max", "clip", "hardtanh",
    "Hardtanh", "maximum", "minimum", "max", "min", "prod", "cumsum", "cumprod",
    "matmul", "mm", "bmm", "dot", "mv", "index", "index_select", "gather", "masked_select", "repeat"};
constexpr std::string_view SignPassers[] = {
    "tanh", "sinh", "asinh", "atan", "arctan", "elu", "selu", "celu", "leaky_relu", "silu", "gelu",
    "mish", "softsign", "expm1", "erf", "sign", "sgn"};
constexpr std::string_view ElementPassers[] = {
    "clone", "contiguous", "reshape", "flatten", "mean", "amax", "amin", "max", "min", "maximum", "minimum",
    "cat", "stack", "repeat", "index", "index_select", "gather", "masked_select", "max_pool1d", "max_pool2d",
    "adaptive_avg_pool2d", "MaxPool1d", "MaxPool2d", "AdaptiveAvgPool2d", "copy"};
constexpr std::string_view Rectifiers[] = {"relu", "ReLU", "leaky_relu", "LeakyReLU", "elu", "ELU",
                                           "celu", "CELU", "rrelu", "RReLU", "abs", "absolute"};
// Measured: they raise on another version, and come out the same on other content.
constexpr std::string_view ShapeReaders[] = {
    "max_pool1d", "max_pool2d", "max_pool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d",
    "max_pool2d_with_indices", "max_pool1d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
    "adaptive_avg_pool3d", "_adaptive_avg_pool2d", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "cummax", "cummin"};
constexpr std::string_view SignReaders[] = {"relu", "ReLU", "leaky_relu", "LeakyReLU", "abs",
                                            "absolute"};
constexpr std::string_view Overwriters[] = {
    "zero_",     "fill_",   "copy_",        "set_",         "normal_", "uniform_", "random_",
    "bernoulli_", "exponential_", "log_normal_", "cauchy_", "geometric_", "eye_", "arange_"};
constexpr std::string_view Shifts[] = {"add_", "sub_", "subtract_"};
constexpr std::string_view Copiers[] = {"to",      "contiguous", "type_as", "cpu",    "cuda",
                                        "float",   "half",       "double",  "bfloat16",
                                        "_to_copy", "clone",     "toType"};
constexpr std::string_view PartViews[] = {"select",   "slice", "narrow", "index", "diagonal",
                                          "as_strided", "unfold"};
constexpr std::string_view IntegralResults[] = {
    "argmax", "argmin", "argsort", "eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf",
    "isfinite", "logical_and", "logical_or", "logical_not", "logical_xor", "nonzero",
    "multinomial", "searchsorted", "bucketize", "bincount"};

constexpr std::string_view Sums[] = {"add",   "sub", "subtract", "rsub",   "stack", "cat",
                                     "concat", "sum", "hstack",   "vstack", "concatenate"};
constexpr std::string_view SumPassers[] = {
    "neg",     "negative", "mean",  "clone",   "to",      "contiguous", "view",
    "reshape", "squeeze",  "unsqueeze", "flatten", "expand", "select", "permute",
    "transpose", "t", "float", "double", "cpu", "cuda", "unbind", "alias", "_to_copy"};
constexpr std::string_view Scales[] = {"mul", "multiply", "div", "divide", "true_divide"};
constexpr std::string_view Reductions[] = {
    "sum", "mean", "prod", "norm", "max", "min", "amax", "amin", "std", "var", "median", "nansum",
    "nanmean", "dot", "vdot", "inner", "all", "any", "logsumexp", "count_nonzero", "dist", "trace",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div",
    "nll_loss2d", "argmax", "argmin", "frobenius_norm"};
constexpr std::string_view Enlargers[] = {
    "stack", "cat", "concat", "hstack", "vstack", "expand", "expand_as", "repeat", "tile",
    "broadcast_to", "full_like", "zeros_like", "ones_like", "new_full", "full", "outer", "ger",
    "meshgrid", "one_hot", "index", "embedding", "linear", "matmul", "mm", "concatenate",
    "arange", "linspace", "eye", "repeat_interleave"};
constexpr std::string_view ElementCopiers[] = {"index", "masked_select", "index_select", "gather",
                                               "take", "take_along_dim"};

constexpr std::string_view ShapeTakers[] = {
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like",
    "randint_like", "new_zeros", "new_ones", "new_empty", "new_full", "new_empty_strided"};
constexpr std::string_view PositivePartKeepers[] = {"relu", "ReLU", "leaky_relu", "LeakyReLU", "elu",
                                                    "ELU", "celu", "CELU", "rrelu", "RReLU"};
// Measured: backward() reads what a weight held before set_data(). They save it transposed, reshaped
// or expanded, so as a tensor of its own.
constexpr std::string_view EvenFillers[] = {"full", "ones", "zeros", "full_like", "ones_like", "zeros_like",
                                            "new_full", "new_ones", "new_zeros"};
constexpr std::string_view ShiftIgnorers[] = {
    "softmax", "log_softmax", "_softmax", "_log_softmax", "Softmax", "LogSoftmax", "layer_norm",
    "native_layer_norm", "LayerNorm", "group_norm", "GroupNorm", "cross_entropy", "cross_entropy_loss",
    "CrossEntropyLoss", "var", "std", "diff"};
constexpr std::string_view ViewSavers[] = {
    "linear", "Linear", "einsum", "tensordot", "prelu", "PReLU", "GRU", "RNN", "GRUCell", "LSTMCell",
    "RNNCell", "MultiheadAttention", "scaled_dot_product_attention"};
constexpr std::string_view PositivePartReaders[] = {"relu", "ReLU", "relu6", "ReLU6"};

Traits make(std::string_view Name) {
  Traits T;
  T.Name = Name;
  // The table measures some functionals as wholes: "nn::functional::softmax".
  std::string_view Plain = Name.substr(Name.rfind(':') + 1);
  if (Plain.size() > 1 && Plain.back() == '_')
    Plain.remove_suffix(1);
  T.Multiplicative = isOneOf(Plain, Products);
  T.ScalarFactor = isOneOf(Plain, ScalarProducts);
  T.FlatAtZero = isOneOf(Plain, Flat);
  T.KeepsZero = isOneOf(Plain, ZeroKeepers);
  T.NeedsShapesOnly = isOneOf(Plain, ShapeReaders);
  T.NeedsSignsOnly = isOneOf(Plain, SignReaders);
  T.NeverNegative = isOneOf(Plain, NeverNegatives);
  T.KeepsSign = isOneOf(Plain, SignKeepers);
  T.PassesSign = isOneOf(Plain, SignPassers);
  T.PassesElements = isOneOf(Plain, ElementPassers);
  T.SameWhereNotNegative = isOneOf(Plain, Rectifiers);
  T.Overwrites = isOneOf(Name, Overwriters);
  T.ShiftOnly = isOneOf(Name, Shifts);
  T.UsuallyCopies = isOneOf(Plain, Copiers);
  T.SelectsPart = isOneOf(Plain, PartViews);
  T.IntegralResult = isOneOf(Plain, IntegralResults);
  T.Sums = isOneOf(Plain, Sums);
  T.PassesSum = isOneOf(Plain, SumPassers);
  T.Scales = isOneOf(Plain, Scales);
  T.Reduces = isOneOf(Plain, Reductions) || Plain.ends_with("_loss") || Plain.ends_with("Loss");
  T.Enlarges = isOneOf(Plain, Enlargers);
  T.CopiesElements = isOneOf(Plain, ElementCopiers);
  T.TakesShape = isOneOf(Plain, ShapeTakers);
  T.KeepsPositivePart = isOneOf(Plain, PositivePartKeepers);
  T.ReadsPositivePart = isOneOf(Plain, PositivePartReaders);
  T.FillsEvenly = isOneOf(Plain, EvenFillers);
  T.IgnoresShift = isOneOf(Plain, ShiftIgnorers);
  T.SavesViews = isOneOf(Plain, ViewSavers);
  return T;
}

} // namespace

const Traits &traitsOf(std::string_view SchemaName) {
  static std::mutex Lock;
  static std::map<std::string, Traits, std::less<>> Known;
  static std::deque<std::string> Names;
  std::string_view Name = SchemaName.substr(0, SchemaName.find('.'));
  std::lock_guard<std::mutex> Guard(Lock);
  auto It = Known.find(Name);
  if (It == Known.end()) {
    Names.emplace_back(Name);
    It = Known.emplace(Names.back(), make(Names.back())).first;
  }
  return It->second;
}

} // namespace torch_tidy::autograd
