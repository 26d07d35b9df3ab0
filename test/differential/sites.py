"""Suspicious sites, and look-alikes of each: what a person might write that may or may not harm training.

Nobody says here whether a site is a defect: it is written together with a safe spelling, and running
both tells. Each function takes the program and adds statements; it returns False where it cannot.
"""
import re

from markup import site

LO = "{torch::indexing::Slice(0, 2)}"


def writes(g, e, shape):
    """A statement that changes the content of the tensor e."""
    r = g.r
    c = r.choice(["0.5", "2", "0.1", "3.0", "1.5", "-1"])
    other = f"torch::full_like({e}, 0.3)"
    values = [x for x in g.same_shape(shape) if x not in e]
    if values and r.random() < 0.5:
        other = r.choice(values)
    method = [f"{e}.mul_({c})"] * 3 + [f"{e}.add_({c})"] * 2 + [
        f"{e}.sub_({c})", f"{e}.div_({c})", f"{e}.zero_()", f"{e}.zero_()", f"{e}.fill_({c})", f"{e}.clamp_(-0.05, 0.05)", f"{e}.clamp_(-0.05, 0.05)",
        f"{e}.clamp_min_(0.05)", f"{e}.clamp_max_(0.02)", f"{e}.relu_()", f"{e}.sigmoid_()", f"{e}.tanh_()", f"{e}.exp_()",
        f"{e}.abs_()", f"{e}.neg_()", f"{e}.sin_()", f"{e}.square_()", f"{e}.pow_(2)", f"{e}.masked_fill_({e} > 0.05, {c})",
        f"{e}.masked_fill_({e}.abs() < 0.3, 0)", f"{e}.copy_({other})", f"{e}.copy_({e} * 0.5)", f"{e}.add_({other})", f"{e}.mul_({other})", f"{e}.sub_({other}, 0.5)",
        f"{e}.lerp_({other}, 0.4)", f"{e}.addcmul_({other}, {other})", f"{e}.cos_()", f"{e}.expm1_()", f"{e}.erf_()", f"{e}.atan_()", f"{e}.normal_()", f"{e}.uniform_(-1, 1)",
        f"{e}.div_({e}.norm() + 1e-6)", f"{e}.sub_({e}.mean())", f"{e}.round_()", f"{e}.hardtanh_()" if False else f"{e}.floor_()",
        f"{e}.div_({other} + 2)", f"{e}.multiply_({c})", f"{e}.subtract_({c})", f"{e}.clip_(-0.04, 0.04)", f"{e}.mul_({c}).add_(0.1)", f"{e}.add_({other}, 0.1)"]
    function = [f"torch::relu_({e})", f"torch::sigmoid_({e})", f"torch::tanh_({e})", f"torch::exp_({e})", f"torch::abs_({e})", f"torch::neg_({e})",
                f"torch::clamp_({e}, -0.05, 0.05)", f"torch::zero_({e})", f"torch::fill_({e}, {c})", f"torch::square_({e})", f"torch::sin_({e})",
                f"torch::selu_({e})", f"torch::leaky_relu_({e}, 0.3)", f"torch::celu_({e})", f"torch::clamp_min_({e}, 0.02)", f"torch::elu_({e})", f"torch::silu_({e})"]
    compound = [f"{e} *= {c}", f"{e} += {c}", f"{e} -= {c}", f"{e} /= {c if c != '-1' else '4'}", f"{e} *= {other}", f"{e} += {other}", f"{e} -= 0.1 * {other}"]
    index = [f"{e}.index_put_({{0}}, {c})", f"{e}.index_put_({{{e} > 0.05}}, {c})", f"{e}.index_put_({LO}, {c})"]
    if len(shape) >= 1 and shape[0] >= 2:
        index += [f"{e}[0] = {c}", f"{e}[0] *= {c}", f"{e}[1].zero_()", f"{e}.index({{0}}) = {c}", f"{e}.index({LO}) *= {c}", f"{e}[0].add_({c})",
                  f"{e}.index_fill_(0, torch::tensor({{0}}), {c})", f"{e}.select(0, 0).fill_({c})", f"{e}.narrow(0, 0, 2).mul_({c})"]
    if len(shape) >= 2:
        index += [f"{e}.index({{torch::indexing::Slice(), 0}}) = {c}", f"{e}.index({{torch::indexing::Ellipsis, 0}}) += {c}",
                  f"{e}.index_put_({{torch::indexing::Slice(), torch::indexing::Slice(0, 2)}}, {c})", f"{e}.slice(1, 0, 2).zero_()", f"{e}[0][{min(1, shape[1] - 1)}] = {c}"]
    # torch::relu_ and the like take a Tensor&.
    named = re.fullmatch(r"[A-Za-z_]\w*(\[0\]|\.value)?", e) and e not in g.constants
    if e in g.constants:  # operators want what is not const
        index = [f"{e}.index_put_({{0}}, {c})"]
    return r.choice(r.choices([method, function, compound, index], [5, 2 if named else 0, 3 if e not in g.constants else 0, 3])[0])


def view_of(g, e, shape):
    """(expression, shape, is one of several)"""
    r = g.r
    n = 1
    for s in shape:
        n *= s
    if shape[0] != 4:
        return f"{e}.select(0, 0)", shape[1:]
    some = [(f"{e}.view({{-1}})" if g.contiguous else f"{e}.flatten()", (n,)), (f"{e}.select(0, 0)", shape[1:]), (f"{e}[1]", shape[1:]), (f"{e}.slice(0, 0, 2)", (2,) + shape[1:]),
            (f"{e}.narrow(0, 1, 2)", (2,) + shape[1:]), (f"{e}.index({{0}})", shape[1:]), (f"{e}.index({LO})", (2,) + shape[1:]),
            (f"{e}.unsqueeze(0)", (1,) + shape), (f"{e}.chunk(2, 0)[0]", (2,) + shape[1:]), (f"{e}.unbind(0)[1]", shape[1:]), (f"{e}.split(2, 0)[1]", (2,) + shape[1:]),
            (f"torch::chunk({e}, 2, 0)[1]", (2,) + shape[1:]), (f"{e}.view_as({e})", shape), (f"{e}.alias()" if False else f"{e}.detach()" if False else f"{e}.transpose(0, 1)", (shape[1], shape[0]) + shape[2:]),
            (f"torch::select({e}, 0, 2)", shape[1:])]
    if len(shape) == 2:
        some += [(f"{e}.t()", (shape[1], shape[0])), (f"{e}.select(1, 0)", (shape[0],)), (f"{e}.index({{torch::indexing::Slice(), 0}})", (shape[0],)),
                 (f"{e}.slice(1, 0, 2)", (shape[0], 2)), (f"{e}.diagonal()", (min(shape),))]
    return r.choice(some)


ALIASES = ["{0}.detach()"] * 5 + ["{0}.data()"] * 5 + ["{0}.tensor_data()", "{0}.variable_data()", "torch::detach({0})", "{0}.detach().data()", "{0}.data().detach()"]
GUARDS = [("torch::NoGradGuard {0};", ""), ("torch::NoGradGuard {0};", ""), ("torch::NoGradGuard {0};", ""), ("torch::AutoGradMode {0}(false);", ""), ("c10::InferenceMode {0};", ""),
          ("torch::GradMode::set_enabled(false);", "torch::GradMode::set_enabled(true);"), ("at::NoGradGuard {0};", ""), ("at::AutoGradMode {0}(false);", "")]


def wrap_condition(g, text):
    """Puts statements under a condition that holds when the program is run, or behind a switch that is off."""
    r = g.r
    if r.random() > 0.14 or "\n" in text.strip() and "auto " in text:
        return text
    form = r.random()
    if form < 0.5:
        condition = g.open_condition()
    else:
        condition = g.fixed_condition(r.random() < 0.5)
    return f"if ({condition}) {{\n{text}\n}}"


def writable(e):
    """The same view, spelled so that it is not one of several (those refuse to be written)."""
    for several, one in ((r"torch::chunk\((.*), 2, 0\)\[1\]", r"\1.slice(0, 2, 4)"), (r"\.chunk\(2, 0\)\[0\]", ".slice(0, 0, 2)"),
                         (r"\.unbind\(0\)\[1\]", ".select(0, 1)"), (r"\.split\(2, 0\)\[1\]", ".slice(0, 2, 4)")):
        e = re.sub(several, one, e)
    return e


def through_something(g, k, name, shape, before, stmt=None):
    """A write to `name` in one of many ways; `before` is what the safe spelling does first.

    Returns statements that hold the site.
    """
    r = g.r
    form = r.random()

    def place(as_is, mark_inside=False):
        return site(k, as_is, f"{before} {as_is}") + ("" if mark_inside else f"§{k}§")

    if stmt is None:
        stmt = lambda e: writes(g, e, shape)
    if form < 0.5:
        return place(stmt(name) + ";")
    if form < 0.6:  # a function of the user's
        f = g.fresh(r.choice(["damp", "rescale", "squash", "adjust", "apply_mask", "update"]))
        by = r.choice(["torch::Tensor t", "const torch::Tensor& t", "torch::Tensor& t", "at::Tensor t"])
        g.constants = {"t"} if by.startswith("const") else set()
        body = stmt("t")
        g.constants = set()
        if any(v in body for v in g.names()):
            return place(stmt(name) + ";")
        if r.random() < 0.3:
            g.helper(f"torch::Tensor {f}({by}) {{\n  {body};§{k}§\n  return t;\n}}")
        else:
            g.helper(f"{r.choice(['static ', '', 'inline '])}void {f}({by}) {{\n  {body};§{k}§\n}}")
        return place(f"{f}({name});", True)
    if form < 0.66:
        f = g.fresh(r.choice(["fix", "tweak", "touch"]))
        if r.random() < 0.5:
            return f"auto {f} = [&](torch::Tensor t) {{ {stmt('t')}; }};§{k}§\n" + place(f"{f}({name});", True)
        return f"auto {f} = [&] {{ {stmt(name)}; }};§{k}§\n" + place(f"{f}();", True)
    if form < 0.72:
        box = g.fresh(r.choice(["parts", "list", "items"]))
        if r.random() < 0.5:
            return site(k, "", before) + f"std::vector<torch::Tensor> {box}{{{name}}};\n{stmt(box + '[0]')};§{k}§"
        return site(k, "", before) + f"std::vector<torch::Tensor> {box}{{{name}}};\nfor (auto& t : {box}) {stmt('t')};§{k}§"
    if form < 0.76:
        ref = g.fresh("ref")
        if "auto&" in name:
            return place(stmt(name) + ";")
        if r.random() < 0.5:
            return f"auto& {ref} = {name};\n" + place(stmt(ref) + ";")
        return f"torch::Tensor* {ref} = &{name};\n" + place(stmt(f"(*{ref})") + ";")
    if form < 0.8:
        s = g.fresh("state")
        kind = g.fresh("State")
        g.helper(f"struct {kind} {{\n  torch::Tensor value;\n}};")
        return site(k, "", before) + f"{kind} {s}{{{name}}};\n{stmt(s + '.value')};§{k}§"
    if form < 0.83:
        t = g.fresh("pair")
        if r.random() < 0.5:
            return site(k, "", before) + f"auto {t} = std::make_tuple({name}, 1);\n{stmt(f'std::get<0>({t})')};§{k}§"
        return site(k, "", before) + f"std::map<std::string, torch::Tensor> {t};\n{t}[\"h\"] = {name};\n{stmt(t + '.at(' + chr(34) + 'h' + chr(34) + ')')};§{k}§"
    if form < 0.86:
        t = g.fresh("maybe")
        return site(k, "", before) + f"std::optional<torch::Tensor> {t} = {name};\nif ({t})\n  {stmt('(*' + t + ')')};§{k}§"
    if form < 0.9 and len(shape) >= 2:
        i = g.fresh("i")
        inner = writes_row(g)
        return place(f"for (int {i} = 0; {i} < 2; ++{i}) {inner.format(name, i)};")
    if form < 0.94:
        other = g.fresh("same")
        return site(k, "", before) + f"auto {other} = {name};\n{stmt(other)};§{k}§"
    out = r.choice([f"torch::mul_out({name}, {name}, {name});~{name}.mul({name})", f"torch::add_out({name}, {name}, {name});~{name}.add({name})",
                    f"torch::sigmoid_out({name}, {name});~{name}.sigmoid()", f"torch::clamp_out({name}, {name}, -0.05, 0.05);~{name}.clamp(-0.05, 0.05)"])
    out, plain = out.split("~")
    return site(k, out, f"{name} = {plain};") + f"§{k}§"


def writes_row(g):
    return g.r.choice(["{0}[{1}] *= 0.5", "{0}[{1}].zero_()", "{0}.select(0, {1}).add_(1)", "{0}[{1}] = 0.2", "{0}.index_put_({{{1}}}, 0.1)"])


#---- activations ----------------------------------------------------------------------------------


def inplace(g):
    """A tracked in-place write to an activation."""
    r = g.r
    v = g.target()
    if not v:
        return False
    k = g.site("inplace")
    n = v.name
    clone = f"{n} = {n}.clone();"
    form = r.random()
    if v.data:
        g.line(wrap_condition(g, f"{writes(g, n, v.shape)};§{k}§"))
        return True
    if form < 0.66:
        g.line(wrap_condition(g, through_something(g, k, n, v.shape, clone)))
    elif form < 0.78:  # through a view that is a temporary
        e, shape = view_of(g, n, v.shape)
        stmt = f"{writes(g, e, shape)};"
        g.line(site(k, stmt, f"{clone} {writable(stmt)}") + f"§{k}§")
    elif form < 0.94:  # through a view with a name
        e, shape = view_of(g, n, v.shape)
        w = g.fresh(r.choice(["view", "row", "part", "top", "flat"]))
        g.line(f"auto {w} = {e};")
        if r.random() < 0.3:
            g.more()
        stmt = f"{writes(g, w, shape)};"
        g.line(site(k, stmt, f"{clone} {w} = {writable(e)}; {stmt}") + f"§{k}§")
        g.offer(w, shape)
    else:  # detached in place
        g.line(site(k, f"{n}.detach_();", "") + f"§{k}§")
        g.family(k, "cut")
    return True


def inplace_old_handle(g):
    """A second name is bound, and read after the write through the first."""
    r = g.r
    v = g.target(data=False)
    if not v:
        return False
    k = g.site("inplace")
    old = g.fresh(r.choice(["skip", "identity", "before", "saved"]))
    g.line(f"auto {old} = {v.name};")
    stmt = writes(g, v.name, v.shape) + ";" if r.random() < 0.5 else r.choice(["{0}.relu_();", "torch::relu_({0});", "{0} = torch::relu_({0});", "{0} = {0}.tanh_();", "{0} = {0}.mul_(2);",
                                                                            "{0} = torch::sigmoid_({0});"]).format(v.name)
    g.line(site(k, stmt, f"{v.name} = {v.name}.clone(); {stmt}") + f"§{k}§")
    g.offer(old, v.shape, sure=True)
    return True


def guarded(g):
    """An activation written under a guard."""
    r = g.r
    v = g.target(data=False)
    if not v:
        return False
    k = g.site("guarded-write")
    open_, close = r.choice(GUARDS)
    guard = g.fresh("guard")
    stmt = writes(g, v.name, v.shape) + ";"
    if "Inference" in open_ and ("index" in stmt or "[" in stmt):
        stmt = f"{v.name}.mul_(0.5);"
    body = f"{open_.format(guard)}\n{stmt}§{k}§"
    if close:
        g.line(f"«{k}|{open_}|»\n{site(k, stmt, f'{v.name} = {v.name}.clone(); {stmt}')}§{k}§\n«{k}|{close}|»")
    else:
        g.line(f"{{\n«{k}|{open_.format(guard)}|»\n{site(k, stmt, f'{v.name} = {v.name}.clone(); {stmt}')}§{k}§\n}}")
    return True


def alias(g):
    """An alias made behind autograd's back, and a write to it."""
    r = g.r
    v = g.target()
    if not v:
        return False
    spelled = r.choice(ALIASES)
    k = g.site("detach-write" if "detach" in spelled and "data()" not in spelled or "tensor_data" in spelled else "data-write")
    e, shape = spelled.format(v.name), v.shape
    if r.random() < 0.25:
        e, shape = view_of(g, e, shape)
    elif r.random() < 0.15:
        first, shape = view_of(g, v.name, v.shape)
        e = spelled.format(first)
    form = r.random()
    if v.data:
        g.line(f"{writes(g, e, shape)};§{k}§")
        g.ambiguous(k)  # preparing the data, or spoiling what was saved of it
        return True
    if form < 0.3:  # no name
        stmt = writes(g, e, shape) + ";"
        inner = stmt.replace(e, f"{v.name}") if e == spelled.format(v.name) else None
        if inner and not stmt.startswith("torch::detach"):
            g.line(wrap_condition(g, site(k, stmt, "", f"{v.name} = {v.name}.clone(); {inner}") + f"§{k}§"))
        else:
            direct = e.replace(spelled.format(v.name), v.name).replace(spelled[3:], "")
            g.line(site(k, stmt, "", f"{v.name} = {v.name}.clone(); {writable(stmt.replace(e, direct))}") + f"§{k}§")
        return True
    a = g.fresh(r.choice(["raw", "alias", "stats", "logged", "copy", "frozen", "hist"]))
    g.line(f"auto {a} = {e}{site(k, '', '.clone()')};")
    if r.random() < 0.3:
        g.more()
    if r.random() < 0.2:
        g.line(r.choice(["std::cout << {0}.mean().item<double>() << std::endl;", "(void){0}.sum().item<double>();", "auto mean_of_{0} = {0}.mean();"]).format(a))
    if r.random() < 0.18:
        later = [a, shape, k]
        g.later(lambda: g.line(wrap_condition(g, f"{writes(g, later[0], later[1])};§{k}§")))
        return True
    text = through_something(g, k, a, shape, "")
    g.line(wrap_condition(g, text))
    return True


def raw(g):
    """A write through a pointer or an accessor."""
    r = g.r
    v = g.target(data=r.random() < 0.1)
    if not v:
        return False
    k = g.site("raw-write")
    g.floats = True
    n = v.name
    copy = f"{n}"
    p = g.fresh(r.choice(["p", "ptr", "buf"]))
    i = g.fresh("i")
    held = g.fresh("held")
    # The safe spelling works on a copy of the content.
    pre = site(k, "", f"auto {held} = {n}.detach().clone(); ")
    from_ = site(k, n, held) if not v.data else n
    if v.data:
        pre = ""
    form = r.random()
    if form < 0.25:
        g.line(f"{pre}float* {p} = {from_}.{r.choice(['data_ptr<float>', 'mutable_data_ptr<float>'])}();")
        g.line(r.choice([f"{p}[0] = 5.0f;", f"for (int {i} = 0; {i} < 4; ++{i}) {p}[{i}] = 0.3f;", f"*{p} = 2.0f;", f"{p}[1] += 3.0f;", f"for (int {i} = 0; {i} < 4; ++{i}) {p}[{i}] *= 2.0f;",
                         f"for (int64_t {i} = 0; {i} < {n}.numel(); ++{i}) {p}[{i}] = 0.0f;"]) + f"§{k}§")
    elif form < 0.35:
        g.line(f"{pre}{from_}.data_ptr<float>()[0] = 4.0f;§{k}§")
    elif form < 0.6 and len(v.shape) == 2:
        g.line(f"{pre}auto {p} = {from_}.accessor<float, 2>();")
        g.line(r.choice([f"{p}[0][0] = 3.0f;", f"for (int {i} = 0; {i} < 4; ++{i}) {p}[{i}][0] = 0.0f;", f"{p}[1][1] *= 4.0f;", f"{p}[0][1] += 2.0f;"]) + f"§{k}§")
    elif form < 0.8:
        m = g.fresh("mat")
        # from_blob asks for memory without gaps: activations here have none.
        g.line(f"{pre}auto {m} = torch::from_blob({from_}.data_ptr(), {n}.sizes(), {n}.options().requires_grad(false));" if r.random() < 0.4
               else f"{pre}auto {m} = torch::from_blob({from_}.data_ptr<float>(), {{{', '.join(map(str, v.shape))}}});")
        g.line(writes(g, m, v.shape) + f";§{k}§")
    elif form < 0.9:
        f = g.fresh("scale_buffer")
        g.helper(f"void {f}(float* values, int64_t n) {{\n  for (int64_t i = 0; i < n; ++i)\n    values[i] *= 0.5f;§{k}§\n}}")
        g.line(f"{pre}{f}({from_}.data_ptr<float>(), {n}.numel());")
    else:
        g.line(f"{pre}" + r.choice([f"std::fill_n({from_}.data_ptr<float>(), 4, 1.0f);", f"std::memset({from_}.data_ptr<float>(), 0, 4 * sizeof(float));",
                                   f"std::fill({from_}.data_ptr<float>(), {from_}.data_ptr<float>() + 3, 0.5f);"]) + f"§{k}§")
    return True


def activation_option(g):
    """An activation called with inplace(true)."""
    from layers import INPLACE_ACTIVATIONS, INPLACE_OPTIONS
    r = g.r
    v = g.target(data=False, recent=True)
    if not v:
        return False
    k = g.site("inplace-activation")
    f, m = r.choice(INPLACE_ACTIVATIONS[:2] * 3 + INPLACE_ACTIVATIONS)
    first = INPLACE_OPTIONS.get(m, "")
    flag = site(k, "true", "false")
    limits = ".min_val(-0.1).max_val(0.1)" if m == "Hardtanh" else ""
    n = v.name
    if m == "Dropout":  # in place it draws its numbers in another way: safe is a copy
        flag, n = "true", site(k, v.name, f"{v.name}.clone()")
    old = None
    if r.random() < 0.3:
        old = g.fresh(r.choice(["skip", "residual", "identity"]))
        g.line(f"auto {old} = {v.name};")
    form = r.random()
    if form < 0.45:  # a module
        if m in ("ReLU", "ReLU6", "SELU") and r.random() < 0.5:
            options = f"{flag}"
        elif m == "ReLU" or not first:
            options = f"torch::nn::{m}Options(){limits}.inplace({flag})"
        else:
            options = f"torch::nn::{m}Options({first}).inplace({flag})"
        if m == "RReLU":
            options = f"torch::nn::RReLUOptions().lower(0.2).upper(0.2).inplace({flag})"
        if r.random() < 0.35 and len(v.shape) == 2 and not old:
            d = v.shape[1]
            before = r.choice([[], [f"torch::nn::Linear({d}, {d})"], [f"torch::nn::Linear({d}, {d})", f"torch::nn::{r.choice(['Sigmoid', 'Tanh', 'LayerNorm', 'ELU'])}({{0}})"]])
            before = [b.replace("LayerNorm({0})", "LayerNorm(torch::nn::LayerNormOptions({%d}))" % d).replace("({0})", "()") for b in before]
            name = g.module("branch", "Sequential", ", ".join(before + [f"torch::nn::{m}({options})"] + r.choice([[], [f"torch::nn::Linear({d}, {d})"]])), mark=k)
        else:
            name = g.module("act", m, options, mark=k)
        call = g.call(name, n)
        if r.random() < 0.12 and "branch" not in name and m != "Dropout":  # called for its effect
            g.line(site(k, f"{call};", f"{v.name} = {call};"))
            return True
        out = g.assign(call, v.shape, fresh=True)
    else:
        options = f"F::{m}FuncOptions(){limits}.inplace({flag})" if not first else f"F::{m}FuncOptions({first}).inplace({flag})"
        if m in ("ReLU", "ReLU6", "SELU") and r.random() < 0.4:
            options = f"{r.choice(['', '/*inplace=*/'])}{flag}"
        if m == "RReLU":
            options = f"F::RReLUFuncOptions().lower(0.2).upper(0.2).inplace({flag})"
        if m == "Dropout":
            options = f"F::DropoutFuncOptions().p(0.4).inplace({flag})"
        space = r.choice(["F::", "torch::nn::functional::"]).replace("F::", "F::")
        call = f"{space}{f}({n}, {options})"
        if r.random() < 0.15 and m != "Dropout":
            # Called for its effect: the safe spelling keeps the effect.
            call = call.replace(flag, "true")
            g.line(site(k, f"{call};", f"{v.name} = {v.name}.clone(); {call};") + f"§{k}§")
            return True
        if r.random() < 0.35:
            g.line(f"{v.name} = {call};§{k}§")
            out = v
        else:
            out = g.assign(call, v.shape, fresh=True, mark=k)
    if old:
        g.more()
        g.offer(old, v.shape, sure=True)
    elif r.random() < 0.4:
        g.more()
        g.use(v)
    return True


def look_alike(g):
    """Things that only look dangerous; their twin is themselves or a copy."""
    r = g.r
    v = g.target(data=False)
    if not v:
        return False
    k = g.site("look-alike")
    n = v.name
    a = g.fresh(r.choice(["copy", "snapshot", "tmp"]))
    form = r.randrange(14)
    if form == 0:
        g.line(f"auto {a} = {n}.{r.choice(['clone()', 'detach().clone()', 'data().clone()', 'clone().detach()'])};\n{writes(g, a, v.shape)};§{k}§")
        if r.random() < 0.3:
            g.use_in_loss(f"0.1 * {a}.mean()") if "{0}" else None
    elif form == 1:
        g.line(f"{{\ntorch::NoGradGuard no_grad;\nauto {a} = {n}.{r.choice(['mean(0)', 'abs()', 'pow(2)', 'softmax(-1)'])};\n{a}.mul_(2).add_(1);§{k}§\n}}")
    elif form == 2:
        g.line(f"auto {a} = torch::zeros({{{', '.join(map(str, v.shape))}}});\n{a}.add_({n}.detach());§{k}§\n{a} *= 0.5;")
    elif form == 3:
        g.line(f"auto {a} = torch::zeros({{{', '.join(map(str, v.shape))}}});\n{a} += {n};§{k}§\n{a}.mul_(0.5);")
        g.offer(a, v.shape, sure=r.random() < 0.7)
    elif form == 4:
        g.line(f"auto {a} = torch::empty_like({n});\n{a}.copy_({n});§{k}§")
        g.offer(a, v.shape, sure=r.random() < 0.7)
    elif form == 5:
        g.line(f"auto {a} = ({n}.detach() > 0).to(torch::kFloat32);\n{a}.mul_(0.5).clamp_(0, 1);§{k}§")
        g.use_in_loss(f"({a} * {n}).mean()")
    elif form == 6:
        g.line(f"double {a} = {n}.detach().mean().item<double>();§{k}§\n(void){a};")
    elif form == 7:
        g.line(f"auto {a} = {n} + 1;\n{a}.{r.choice(['mul_(2)', 'add_(1)', 'neg_()', 'div_(3)'])};§{k}§")
        g.offer(a, v.shape, sure=True)
    elif form == 8:
        g.line(f"auto {a} = {n}.detach();§{k}§\nstd::cout << \"mean \" << {a}.mean() << \" max \" << {a}.max() << std::endl;")
    elif form == 9:
        g.line(f"auto {a} = torch::where({n} > 0, {n}, torch::zeros_like({n}));\n{a} *= {g.r.choice(['0.9', '2'])};§{k}§")
        g.offer(a, v.shape, sure=True)
    elif form == 10:
        g.line(f"auto {a} = torch::randn_like({n}.detach());\n{a}.mul_(0.1);§{k}§")
        g.offer(a, v.shape, sure=True)
    elif form == 11:
        g.line(f"std::vector<float> {a}(4);\nstd::copy_n({n}.detach().to(torch::kFloat32).contiguous().data_ptr<float>(), 4, {a}.begin());§{k}§")
    elif form == 12:
        g.line(f"auto {a} = {n}.mul(1);\n{a}.{r.choice(['sub_(0.1)', 'masked_fill_(' + n + ' > 0.1, 0)', 'clamp_(-1, 1)'])};§{k}§")
        g.offer(a, v.shape, sure=True)
    else:
        g.line(f"auto {a} = {n}.detach().cpu().contiguous();§{k}§\n(void){a}.sum().item<float>();")
    return True


def running(g):
    """Statistics kept from step to step."""
    r = g.r
    v = g.target(data=False)
    if not v or len(v.shape) != 2 or g.depth:
        return False
    k = g.site("buffer")
    n, width = v.name, v.shape[1]
    buffer = g.buffer(r.choice(["running", "ema", "centre"]), (width,))
    use = r.choice([f"{n} = {n} - {buffer};", f"{n} = {n} * {buffer};", f"{n} = {n} * ({buffer} + 1);", f"{n} = {n} / ({buffer}.abs() + 1);", ""])
    stat = r.choice([f"{n}.detach().mean(0)", f"{n}.mean(0).detach()", f"{n}.detach().abs().mean(0)"])
    update, safe = r.choice([(f"{buffer}.mul_(0.9).add_({stat}, 0.1);", f"{buffer} = {buffer} * 0.9 + 0.1 * {stat};"), (f"{buffer}.copy_({stat});", f"{buffer} = {stat}.clone();"),
                             (f"{buffer} += 0.1 * {stat};", f"{buffer} = {buffer} + 0.1 * {stat};"), (f"{buffer}.lerp_({stat}, 0.2);", f"{buffer} = torch::lerp({buffer}, {stat}, 0.2);"),
                             (f"{{ torch::NoGradGuard no_grad; {buffer}.mul_(0.8).add_(0.2 * {n}.mean(0)); }}", f"{buffer} = {buffer} * 0.8 + 0.2 * {stat if 'abs' not in stat else n + '.detach().mean(0)'};")])
    lines = [use, site(k, update, safe) + f"§{k}§"]
    if r.random() < 0.3:
        lines.reverse()
    for line in lines:
        if line:
            g.line(line)
    return True


def lost_write(g):
    """A write to a temporary."""
    r = g.r
    v = g.target(data=False)
    if not v or len(v.shape) < 2:
        return False
    k = g.site("lost-write")
    n = v.name
    mask = r.choice([f"{n} > 0", f"{n}.detach() < 0.1"])
    form = r.choice([(f"{n}.index({{{mask}}}) = 0.0;", f"{n} = {n}.clone(); {n}.index_put_({{{mask}}}, 0.0);"), (f"{n}.index({{{mask}}}).mul_(3);", f"{n} = torch::where({mask}, {n} * 3, {n});"),
                     (f"{n}.index({{{mask}}}) *= 2;", f"{n} = torch::where({mask}, {n} * 2, {n});"), (f"{n}.index({{torch::tensor({{0, 1}})}}).zero_();", f"{n} = {n}.clone(); {n}.slice(0, 0, 2).zero_();"),
                     (f"{n}.index_select(0, torch::tensor({{0}})).fill_(1);", f"{n} = {n}.clone(); {n}.slice(0, 0, 1).fill_(1);"), (f"{n}.masked_select({mask}).mul_(2);", f"{n} = torch::where({mask}, {n} * 2, {n});"),
                     (f"{n}.clone().mul_(2);", f"{n} = {n} * 2;"), (f"{n}.abs().add_(1);", f"{n} = {n}.abs() + 1;")])
    if r.random() < 0.25:
        form = (form[1], form[1])
    g.line(site(k, *form) + f"§{k}§")
    return True


#---- cuts -----------------------------------------------------------------------------------------


def cut(g):
    r = g.r
    v = g.target(data=False, recent=True)
    if not v:
        return False
    k = g.site("cut")
    n = v.name
    shape = v.shape
    form = r.randrange(9)
    if form <= 2:
        call = r.choice([".detach()", ".detach()", ".data()", ".detach().clone()", ".tensor_data()", ".clone().detach()"])
        g.line(f"{n} = {n}{site(k, call, '')};§{k}§")
    elif form == 3:
        d = v.shape[-1]
        if len(v.shape) == 4:
            return g.cancel(k)
        open_, close = r.choice(GUARDS[:4])
        fc = g.module("fc", "Linear", f"{d}, {d}")
        if close:
            return g.cancel(k)
        g.line(f"{{\n{site(k, open_.format('guard'), '')}§{k}§\n{n} = torch::tanh({fc}->forward({n}));\n}}")
    elif form == 4:
        h = g.fresh("scale")
        g.line(f"auto {h} = torch::{r.choice(['tensor', 'scalar_tensor'])}({n}.mean().item<double>());§{k}§" if r.random() < 0.5 else f"double {h} = {n}.abs().mean().item<double>() + 0.1;§{k}§")
        g.line(f"{n} = {n} * {h};")
        g.ambiguous(k)
    elif form == 5:
        g.line(f"{n} = {site(k, r.choice(['torch::round(' + n + ')', n + '.sign()', '(' + n + ' > 0).to(torch::kFloat32)', 'torch::floor(' + n + ' * 2)', 'torch::ceil(' + n + ')', 'torch::heaviside(' + n + ', torch::ones({1}).to(' + n + '))']), n)};§{k}§")
    elif form == 6:
        s = g.fresh("kept")
        if len(v.shape) < 2:
            return g.cancel(k)
        g.line(f"auto {s} = {site(k, f'torch::zeros_like({n})', n)};\n«{k}|{s}.copy_({n}.detach());|»§{k}§\n{n} = {s};")
    elif form == 7:
        g.line(f"{n} = {n} + {n}.detach();§{k}§")
        g.ambiguous(k)
    else:
        g.line(f"auto {g.fresh('target')} = {n}.detach();§{k}§")
    return True


#---- parameters -----------------------------------------------------------------------------------


def parameter_write(g):
    """A parameter changed: where decides. The safe spelling does it after backward()."""
    r = g.r
    p = g.any_parameter()
    if not p or g.depth:
        return False
    k = g.site("parameter-write")
    name, shape = (p.inner if g.in_forward else p.outer), p.shape
    outer = p.outer
    c = r.choice(["0.9", "1.1", "0.5"])
    values = [f"{{0}}.mul_({c})", "{0}.clamp_(-0.05, 0.05)", f"{{0}} *= {c}", "{0}.zero_()", "{0}.copy_({0} * 0.7)", "{0}.fill_(0.2)", "{0}.add_(0.3)", "{0}.sub_(0.1)", "{0}.div_(1.5)", "{0}[0] = 0.1", "{0}.normal_(0, 0.1)",
              "{0}.data_write"]
    w = r.choice(values[:-1])
    form = r.random()
    guard = g.fresh("guard")
    if form < 0.2:
        stmt = w.format(name) + f";§{k}§"
        safe = f"{{ torch::NoGradGuard {guard}; {w.format(outer)}; }}"
    elif form < 0.5:
        stmt = f"{{\n{r.choice(['torch::NoGradGuard', 'torch::NoGradGuard', 'at::NoGradGuard'])} {guard};\n{w.format(name)};§{k}§\n}}"
        safe = f"{{ torch::NoGradGuard {guard}; {w.format(outer)}; }}"
    elif form < 0.75:
        how = r.choice(["data()", "data()", "detach()", "variable_data()", "tensor_data()"])
        w = w.replace("{0} *= ", "{0} *= ")
        stmt = w.replace("{0}", f"{{0}}.{how}").format(name) + f";§{k}§"
        safe = w.replace("{0}", f"{{0}}.{how}").format(outer) + ";"
    elif form < 0.83:
        init = r.choice(["torch::nn::init::normal_({0}, 0.0, 0.1)", "torch::nn::init::constant_({0}, 0.1)", "torch::nn::init::zeros_({0})", "torch::nn::init::uniform_({0}, -0.1, 0.1)", "torch::nn::init::ones_({0})"]
                        + (["torch::nn::init::xavier_uniform_({0})", "torch::nn::init::kaiming_normal_({0})", "torch::nn::init::orthogonal_({0})"] if len(shape) == 2 else []))
        stmt, safe = init.format(name) + f";§{k}§", init.format(outer) + ";"
    elif form < 0.9:
        stmt = r.choice(["{0}.set_data({0}.detach() * 0.8)", "{0}.data() = {0}.detach() * 0.8", "{0}.set_data(torch::full_like({0}, 0.2))", "{0}.data() = torch::full_like({0}.detach(), 0.15)"]).format(name) + f";§{k}§"
        safe = stmt.replace(name, outer).replace(f"§{k}§", "")
    elif form < 0.95:
        g.floats = True
        stmt = f"{name}.data_ptr<float>()[0] = 0.7f;§{k}§"
        safe = f"{outer}.data_ptr<float>()[0] = 0.7f;"
    else:
        loop = r.choice(["for (auto& p : {0}) p.data().clamp_(-0.1, 0.1);", "for (auto p : {0}) p.data().mul_(0.9);", "for (auto& p : {0}) {{ torch::NoGradGuard no_grad; p.mul_(0.95); }}",
                         "for (const auto& p : {0}) p.detach().clamp_(-0.1, 0.1);"])
        where = g.parameters_expression() if g.in_forward else g.outer_parameters()
        stmt, safe = loop.format(where) + f"§{k}§", loop.format(g.outer_parameters())
        if where.endswith("parameters()") and r.random() < 0.5:
            stmt, safe = [t.replace("parameters()", "named_parameters()").replace("p.", "p.value().", 1).replace("no_grad; p.mul_", "no_grad; p.value().mul_") for t in (stmt, safe)]
        if g.in_forward and not g.parameters_expression():
            return g.cancel(k)
    if g.place in ("top", "setup", "after_backward", "after_step"):
        # Nothing is in flight: harmless but for grad mode.
        inner = stmt.replace(f"§{k}§", "")
        g.line(f"{site(k, stmt.replace(f'§{k}§', ''), '{ torch::NoGradGuard safe_guard; ' + inner + ' }')}§{k}§" if "\n" not in stmt else stmt)
        return True
    g.line(f"«{k}|{stmt.replace(f'§{k}§', '')}|»§{k}§" if "\n" not in stmt else stmt_lines(k, stmt))
    g.after_backward.append(f"«{k}||{safe}»")
    return True


def stmt_lines(k, stmt):
    return "\n".join(f"«{k}|{line.replace(f'§{k}§', '')}|»" + (f"§{k}§" if f"§{k}§" in line else "") for line in stmt.split("\n"))


def frozen(g):
    """requires_grad switched, with a write in between."""
    r = g.r
    p = g.any_parameter()
    if not p or g.depth:
        return False
    k = g.site("requires-grad")
    name = p.inner if g.in_forward else p.outer
    if g.place not in ("setup", "top"):
        return g.cancel(k)
    form = r.random()
    if form < 0.5:
        g.line(f"{name}.{r.choice(['requires_grad_(false)', 'set_requires_grad(false)'])};\n{name}.mul_(0.9);§{k}§\n{name}.{r.choice(['requires_grad_(true)', 'set_requires_grad(true)', 'requires_grad_()'])};")
    else:
        t = g.fresh("extra")
        g.line(f"auto {t} = torch::randn({{3}}).requires_grad_(true);\n" + site(k, f"{t}.mul_(2);", f"{{ torch::NoGradGuard guard; {t}.mul_(2); }}") + f"§{k}§")
        g.use_in_loss(f"{t}.pow(2).mean()")
    return True
