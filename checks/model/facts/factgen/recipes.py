"""Sample calls written by hand for operators that PyTorch's samples do not reach, and rows for what
is no operator."""

from .derive import Row


def add(pools, torch):
    direct = pools[0]

    def r(*shape):
        return torch.rand(*shape) * 0.8 + 0.1

    def i(*shape):
        return torch.randint(0, 2, shape)

    image = r(2, 3, 6, 6)
    calls = {
        "nll_loss": [(r(4, 5), i(4)), (r(4, 5), i(4), r(5))],
        "nll_loss2d": [(r(2, 3, 4, 4), i(2, 4, 4))],
        "nll_loss_nd": [(r(4, 5), i(4)), (r(2, 3, 4, 4), i(2, 4, 4))],
        "nll_loss_forward": [(r(4, 5), i(4), r(5), 1, -100)],
        "nll_loss2d_forward": [(r(2, 3, 4, 4), i(2, 4, 4), r(3), 1, -100)],
        "cross_entropy_loss": [(r(4, 5), i(4)), (r(4, 5), i(4), r(5)), (r(4, 5), r(4, 5)),
                               (r(4, 5), r(4, 5), r(5)), (r(2, 3, 4, 4), i(2, 4, 4))],
        "binary_cross_entropy": [(r(4, 5), r(4, 5), r(4, 5))],
        "binary_cross_entropy_with_logits": [(r(4, 5), r(4, 5), r(4, 5), r(5))],
        "clamp": [(r(4, 5), 0.2, 0.7), (r(4, 5), None, 0.7),
                  (r(4, 5), torch.full((4, 5), 0.2), torch.full((4, 5), 0.7))],
        "clamp_min": [(r(4, 5), 0.2), (r(4, 5), torch.full((4, 5), 0.2))],
        "clamp_max": [(r(4, 5), 0.7), (r(4, 5), torch.full((4, 5), 0.7))],
        "matrix_power": [(r(3, 3), 2), (r(3, 3), 3)],
        "linalg_matrix_power": [(r(3, 3), 2), (r(3, 3), 3)],
        "cdist": [(r(4, 3), r(5, 3)), (r(4, 3), r(5, 3), 1.0)],
        "_cdist_forward": [(r(4, 3), r(5, 3), 2.0, None), (r(4, 3), r(5, 3), 1.0, None)],
        "pdist": [(r(4, 3),)],
        "_pdist_forward": [(r(4, 3),)],
        "adaptive_avg_pool1d": [(r(2, 3, 8), [1]), (r(2, 3, 8), [3])],
        "adaptive_avg_pool2d": [(image, [1, 1]), (image, [3, 3])],
        "adaptive_avg_pool3d": [(r(1, 2, 4, 4, 4), [1, 1, 1]), (r(1, 2, 4, 4, 4), [2, 2, 2])],
        "fake_quantize_per_channel_affine": [(r(4, 5), torch.full((5,), 0.1), i(5).int(), 1, 0, 255)],
        "fake_quantize_per_channel_affine_cachemask": [
            (r(4, 5), torch.full((5,), 0.1), i(5).int(), 1, 0, 255)],
        "native_dropout_backward": [(r(4, 5), r(4, 5) > 0.5, 2.0)],
        "corrcoef": [(torch.randn(3, 8),)],
        "linalg_lstsq": [(torch.randn(5, 3), torch.randn(5, 2))],
        "grid_sampler_3d": [(r(1, 2, 3, 3, 3), r(1, 3, 3, 3, 3) - 0.5, 0, 0, False)],
        "quantile": [(r(4, 5), 0.5), (r(4, 5), 0.5, 1), (r(4, 5), torch.tensor([0.2, 0.4]), 1)],
        "nanquantile": [(r(4, 5), 0.5), (r(4, 5), 0.5, 1), (r(4, 5), torch.tensor([0.2]), 1)],
        "clip": [(r(4, 5), 0.2, 0.7), (r(4, 5), None, 0.7), (r(4, 5), 0.2)],
        "fill": [(r(4, 5), torch.tensor(0.5))],
        "conv2d": [(image, r(4, 3, 3, 3), r(4), [1, 1], "same")],
        "conv1d": [(r(2, 3, 6), r(4, 3, 3), r(4), [1], "same")],
        "conv3d": [(r(1, 2, 4, 4, 4), r(3, 2, 3, 3, 3), r(3), [1, 1, 1], "same")],
        "_convolution_mode": [(image, r(4, 3, 3, 3), r(4), [1, 1], "same", [1, 1], 1)],
        "_convolution": [(image, r(4, 3, 3, 3), r(4), [1, 1], [0, 0], [1, 1], False, [0, 0], 1,
                          False, False, False, False)],
        "slow_conv3d": [(r(1, 2, 4, 4, 4), r(3, 2, 2, 2, 2), [2, 2, 2], r(3))],
        "slow_conv_dilated2d": [(image, r(4, 3, 3, 3), [3, 3], r(4))],
        "slow_conv_dilated3d": [(r(1, 2, 4, 4, 4), r(3, 2, 2, 2, 2), [2, 2, 2], r(3))],
        "slow_conv_transpose2d": [(image, r(3, 4, 3, 3), [3, 3], r(4))],
        "slow_conv_transpose3d": [(r(1, 2, 4, 4, 4), r(2, 3, 2, 2, 2), [2, 2, 2], r(3))],
        "thnn_conv2d": [(image, r(4, 3, 3, 3), [3, 3], r(4))],
        "conv_depthwise3d": [(r(1, 2, 4, 4, 4), r(2, 1, 2, 2, 2), [2, 2, 2], r(2), [1, 1, 1],
                              [0, 0, 0], [1, 1, 1])],
        "conv_tbc": [(r(6, 2, 3), r(3, 3, 4), r(4), 0)],
        "im2col": [(image, [2, 2], [1, 1], [0, 0], [1, 1])],
        "col2im": [(r(1, 12, 9), [4, 4], [2, 2], [1, 1], [0, 0], [1, 1])],
        "pad_sequence": [([r(3, 2), r(2, 2)],)],
        "upsample_nearest1d": [(r(2, 3, 4), [8]), (r(2, 3, 4), None, [2.0])],
        "upsample_nearest2d": [(image, [12, 12]), (image, None, [2.0, 2.0])],
        "upsample_nearest3d": [(r(1, 2, 3, 3, 3), [6, 6, 6]),
                               (r(1, 2, 3, 3, 3), None, [2.0, 2.0, 2.0])],
        "_upsample_nearest_exact1d": [(r(2, 3, 4), [8]), (r(2, 3, 4), None, [2.0])],
        "_upsample_nearest_exact2d": [(image, [12, 12]), (image, None, [2.0, 2.0])],
        "_upsample_nearest_exact3d": [(r(1, 2, 3, 3, 3), [6, 6, 6]),
                                      (r(1, 2, 3, 3, 3), None, [2.0, 2.0, 2.0])],
        "_upsample_bilinear2d_aa": [(image, [12, 12], False), (image, None, False, [2.0, 2.0])],
        "_upsample_bicubic2d_aa": [(image, [12, 12], False), (image, None, False, [2.0, 2.0])],
        "affine_grid_generator": [(r(2, 2, 3), [2, 3, 4, 4], False)],
        "embedding_bag": [(r(5, 3), i(6), torch.tensor([0, 3])),
                          (r(5, 3), i(6), torch.tensor([0, 3]), False, 0, False, r(6), False),
                          (r(5, 3), i(6), torch.tensor([0, 3]), False, 1)],
        # PyTorch's samples of it give the weight first, as the operator has it.
        "nn::functional::embedding_bag": [
            (i(4, 2), r(5, 3)), (i(6), r(5, 3), torch.tensor([0, 3]))],
        "istft": [(torch.complex(r(5, 6), r(5, 6)), 8)],
        "view_as_real": [(torch.complex(r(4), r(4)),)],
        "view_as_complex": [(r(4, 2),)],
        "imag": [(torch.complex(r(4), r(4)),)],
        "real": [(torch.complex(r(4), r(4)),), (r(4),)],
        "float_power": [(r(4), 2.0), (r(4), r(4))],
        "linalg_norm": [(r(4, 4), "fro"), (r(4, 4), "nuc")],
        "linalg_cond": [(r(4, 4) + torch.eye(4) * 3, "fro")],
        "nuclear_norm": [(r(4, 4),), (r(4, 4), [0, 1])],
        "gradient": [([0] and r(5),), (r(5, 5), [0.5, 0.5], [0, 1])],
        "is_nonzero": [(torch.tensor(1.0),)],
        "trace_backward": [(torch.tensor(1.0), [3, 3])],
        "value_selecting_reduction_backward": [(r(4), 1, i(4), [4, 5], False)],
        "matmul_backward": [(r(3, 5), r(3, 4), r(4, 5), [True, True])],
        "unflatten_dense_tensors": [(r(6), [r(2), r(4)])],
        # Made-up strides would read beyond the storage.
        "_reshape_alias": [(r(4, 6), [2, 12], [12, 1])],
        "remainder": [(r(4, 5), 0.3), (r(4, 5), r(4, 5))],
        "item": [(torch.tensor(1.0),)],
        "multi_margin_loss": [(r(4, 5), i(4), 1, 1.0, r(5))],
        "native_channel_shuffle": [(r(2, 4, 3, 3), 2)],
        "channel_shuffle": [(r(2, 4, 3, 3), 2)],
        "_pad_enum": [(image, [1, 1, 1, 1], 0), (image, [1, 1, 1, 1], 1)],
        "dropout": [(r(4, 5), 0.5, True), (r(4, 5), 0.5, False)],
        "feature_dropout": [(image, 0.5, True), (image, 0.5, False)],
        "alpha_dropout": [(r(4, 5), 0.5, True), (r(4, 5), 0.5, False)],
        "feature_alpha_dropout": [(image, 0.5, True), (image, 0.5, False)],
        "conv_tbc_backward": [(r(4, 2, 4), r(6, 2, 3), r(3, 3, 4), r(4), 0)],
        "gumbel_softmax": [(r(4, 5), 1.0, False), (r(4, 5), 1.0, True)],
        "lp_pool1d": [(r(2, 3, 8), 2.0, 2)],
        "lp_pool2d": [(image, 2.0, 2)],
        "lp_pool3d": [(r(1, 2, 4, 4, 4), 2.0, 2)],
        "fractional_max_pool2d_with_indices": [(r(2, 3, 8, 8), 2, 3)],
        "fractional_max_pool3d_with_indices": [(r(2, 3, 6, 6, 6), 2, 2)],
        "triplet_margin_with_distance_loss": [(r(4, 5), r(4, 5), r(4, 5))],
        "multi_head_attention_forward": [(
            r(5, 2, 8), r(5, 2, 8), r(5, 2, 8), 8, 2, r(24, 8), r(24), None, None, False, 0.0,
            r(8, 8), r(8))],
        "lstm": [(r(5, 2, 3), [r(1, 2, 4), r(1, 2, 4)], [r(16, 3), r(16, 4), r(16), r(16)], True,
                  1, 0.0, True, False, False)],
        "gru": [(r(5, 2, 3), r(1, 2, 4), [r(12, 3), r(12, 4), r(12), r(12)], True, 1, 0.0, True,
                 False, False)],
        "rnn_tanh": [(r(5, 2, 3), r(1, 2, 4), [r(4, 3), r(4, 4), r(4), r(4)], True, 1, 0.0, True,
                      False, False)],
        "rnn_relu": [(r(5, 2, 3), r(1, 2, 4), [r(4, 3), r(4, 4), r(4), r(4)], True, 1, 0.0, True,
                      False, False)],
        "lstm_cell": [(r(2, 3), [r(2, 4), r(2, 4)], r(16, 3), r(16, 4), r(16), r(16))],
        "scatter": [(r(4, 5), 1, i(4, 5), 0.5)],
        "scatter_": [(r(4, 5), 1, i(4, 5), 0.5)],
        "_conj": [(torch.complex(r(4), r(4)),)],
    }
    for name, samples in calls.items():
        bucket = direct.calls.setdefault(name, {})
        # First, so that the limit on samples does not cut them off.
        mine = {("recipe", n): (args, {}) for n, args in enumerate(samples)}
        direct.calls[name] = {**mine, **bucket}
    integers = (torch.tensor([5, 3]), torch.tensor([1, 2]))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift",
                 "bitwise_right_shift", "__and__", "__or__", "__xor__", "__lshift__", "__rshift__",
                 "__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"):
        bucket = direct.calls.setdefault(name, {})
        bucket.update({("recipe", "tensor"): (integers, {}),
                       ("recipe", "scalar"): ((integers[0], 1), {}),
                       ("recipe", "reverse"): ((1, integers[1]), {})})
    double = torch.rand(4, dtype=torch.float64) + 0.1
    direct.calls["float_power"][("recipe", "double")] = ((double, 2.0), {})
    direct.calls["float_power"][("recipe", "doubles")] = ((double, double), {})
    reduce = {("recipe", "reduce"): ((r(4, 5), 1, i(4, 5), 0.5), {"reduce": "add"})}
    for name in ("scatter", "scatter_"):
        direct.calls[name] = {**reduce, **direct.calls[name]}
    for op in ("add", "mul", "div"):
        direct.calls.setdefault(f"_foreach_{op}", {})[("recipe", 0)] = (
            ([r(2, 3), r(4)], torch.tensor(0.5)), {})


def extra_rows():
    """Tensor::index and index_put_ with an index list ({0, Slice(), mask}): views, copies and
    index_put_, chosen by what the list holds; see ATen/TensorIndexing.h."""
    return [
        Row("index.TensorIndex", [("self", "Tensor", ""), ("indices", "index", "")],
            [("M", 0, "")], [], "rule"),
        Row("index_put_.TensorIndex",
            [("self", "Tensor", "wb"), ("indices", "index", ""), ("values", "Tensor", "")],
            [("S", 0, "")], [], "rule"),
        Row("index_put_.TensorIndexScalar",
            [("self", "Tensor", "wb"), ("indices", "index", ""), ("value", "Scalar", "")],
            [("S", 0, "")], [], "rule"),
    ]
