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
        "smm": [], "unflatten_dense_tensors": [(r(6), [r(2), r(4)])],
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
