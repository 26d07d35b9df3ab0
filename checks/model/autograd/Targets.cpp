// Targets and weights that are computed with gradients where the loss has none to give them.
#include "autograd/AbstractTorch.h"

#include <algorithm>
#include <map>
#include <set>

namespace torch_tidy::autograd {

namespace {

std::string quoted(const std::string &S) { return "'" + S + "'"; }

bool isOneOf(std::string_view Name, std::initializer_list<std::string_view> List) {
  return std::find(List.begin(), List.end(), Name) != List.end();
}

/// Passes every element on, or some of them, as they are.
bool passes(std::string_view Op) {
  return isOneOf(Op, {"squeeze", "unsqueeze", "view", "reshape", "flatten", "to", "contiguous",
                      "expand", "clone", "transpose", "t", "permute", "alias"});
}
bool selects(std::string_view Op) {
  return isOneOf(Op, {"gather", "index", "select", "index_select", "narrow", "slice", "diagonal"});
}

/// The part of the tape that leads to one value.
struct Cone {
  std::set<TensorId> Leaves;
  std::set<NodeId> Ends; ///< nodes that a parameter goes into
  bool Derivative = false;
  bool Complete = true;
};

class Tape {
  const State &S;
  std::map<NodeId, Cone> Known;

public:
  explicit Tape(const State &S) : S(S) {}

  const Cone &cone(NodeId Of) {
    auto [It, New] = Known.insert({Of, {}});
    if (!New)
      return It->second;
    Cone &C = It->second;
    constexpr size_t Most = 2000;
    std::set<NodeId> Seen{Of};
    std::vector<NodeId> Work{Of};
    while (!Work.empty()) {
      NodeId X = Work.back();
      Work.pop_back();
      C.Derivative |= S.Nodes[X].Operation == "grad";
      for (const Edge &E : S.Nodes[X].Next) {
        if (E.Leaf) {
          C.Leaves.insert(E.Leaf);
          C.Ends.insert(X);
        } else if (E.To && Seen.insert(E.To).second) {
          Work.push_back(E.To);
        }
      }
      C.Complete = Seen.size() < Most;
      if (!C.Complete)
        break;
    }
    return C;
  }

  /// The only operand with a history, if there is one and no leaf.
  NodeId only(NodeId X) const {
    const auto &Next = S.Nodes[X].Next;
    return Next.size() == 1 ? Next[0].To : NodeId();
  }

  /// Behind changes of shape, selections (where asked) and constant factors.
  NodeId behind(NodeId X, bool Selections, bool Factors, bool *Selected = nullptr) const {
    for (int Depth = 0; X && Depth < 32; ++Depth) {
      const std::string &Op = S.Nodes[X].Operation;
      bool Selection = selects(Op);
      bool Factor = isOneOf(Op, {"mul", "div", "neg", "multiply"}) && S.Nodes[X].Next.size() == 1;
      if (!(passes(Op) || (Selections && Selection) || (Factors && Factor)) || !only(X))
        return X;
      if (Selected)
        *Selected |= Selection;
      X = only(X);
    }
    return X;
  }

  /// The values that a side of a comparison is made of: those that were stacked, or the side itself.
  std::vector<NodeId> stacked(NodeId Side) const {
    Side = behind(Side, false, false);
    if (!Side || !isOneOf(S.Nodes[Side].Operation, {"stack", "cat"}))
      return {Side};
    std::vector<NodeId> Parts;
    for (const Edge &E : S.Nodes[Side].Next)
      if (E.To)
        Parts.push_back(behind(E.To, false, false));
    return Parts;
  }

  /// What the network says in data plus a factor times what it says: of several values that are
  /// weighted with each other (lambda-returns), the first.
  NodeId bootstrapped(NodeId Sum) const {
    if (!Sum || S.Nodes[Sum].Operation != "add" || !S.Nodes[Sum].WithData || !only(Sum))
      return {};
    NodeId Said = behind(only(Sum), false, true);
    for (int Depth = 0; Said && Depth < 32; ++Depth) {
      const Node &N = S.Nodes[Said];
      if (N.Operation != "add" || N.Next.size() != 2 || !N.Next[0].To || !N.Next[1].To)
        break;
      Said = behind(N.Next[0].To, false, true);
    }
    return Said;
  }

  /// The difference between data and a value behind a normalisation, (a - a.mean()) / a.std().
  NodeId difference(NodeId X) {
    for (int Depth = 0; X && Depth < 16; ++Depth) {
      X = behind(X, false, true);
      if (!X)
        return {};
      const Node &N = S.Nodes[X];
      if (N.Operation == "div" && N.Next.size() == 2 && N.Next[0].To) {
        X = N.Next[0].To;
        continue;
      }
      if (N.Operation != "sub" && N.Operation != "rsub")
        return {};
      if (N.Next.size() == 1)
        return N.WithData && N.Next[0].To ? X : NodeId();
      if (N.Next.size() != 2 || !N.Next[0].To || !N.Next[1].To)
        return {};
      NodeId Target = behind(N.Next[0].To, false, false);
      if (S.Nodes[Target].Operation == "add" && S.Nodes[Target].WithData)
        return X;
      NodeId Mean = behind(N.Next[1].To, false, false);
      if (S.Nodes[Mean].Operation == "mean" && only(Mean) == N.Next[0].To) {
        X = N.Next[0].To;
        continue;
      }
      return {};
    }
    return {};
  }
};

} // namespace

/// Note [Targets]
/// Nothing in a tape tells a target from a prediction: consistency losses, siamese networks and
/// residuals of differential equations want the gradient of both sides. Two forms leave little
/// doubt, and are told as possible defects:
///  - a bootstrapped target: data plus a factor times what the network said of other data, compared
///    with what it says of this (r + gamma * q(s') against q(s), by another forward pass and through
///    the same parameters). Its gradient pulls the target towards the prediction;
///  - an advantage: the logarithm of a selected probability is multiplied by data minus what a
///    critic says, and the same loss trains that critic by another term. The product is linear in
///    the critic, which has no minimum there.
void AbstractTorch::judgeTargets(Operand Root, Site At) {
  NodeId Start = Root.T ? S.Tensors[Root.T].History : NodeId();
  if (!Start || !Repaired.empty() || S.Parameters.empty() || S.Tensors[Root.T].Untracked)
    return;
  constexpr size_t MostNodes = 3000;
  std::set<NodeId> Seen{Start};
  std::vector<NodeId> All{Start};
  std::map<NodeId, unsigned> Readers;
  bool Candidate = false;
  for (size_t I = 0; I < All.size(); ++I) {
    const Node &N = S.Nodes[All[I]];
    Candidate |= N.WithData;
    for (const Edge &E : N.Next)
      if (E.To) {
        ++Readers[E.To];
        if (Seen.insert(E.To).second)
          All.push_back(E.To);
      }
    if (All.size() > MostNodes)
      return;
  }
  if (!Candidate)
    return;
  Tape Graph(S);
  auto Report = [&](Site Culprit, std::string Message, std::vector<ChainEvent> Chain) {
    if (!Culprit || Repaired.count(Culprit.Number))
      return;
    Defect D;
    D.Kind = DefectKind::DetachMissing;
    D.Effect = Outcome::Wrong;
    D.Culprit = Culprit;
    D.Message = std::move(Message);
    D.Chain = std::move(Chain);
    D.Chain.push_back({At, "backward() runs here"});
    D.InDoubt = true;
    record(std::move(D));
  };
  auto Target = [&](const Node &N, NodeId Side, NodeId Prediction) {
    NodeId Sum, Next;
    for (NodeId Part : Graph.stacked(Side))
      if (NodeId Found = Graph.bootstrapped(Part); Found && !Next)
        Sum = Part, Next = Found;
    if (!Next)
      return;
    NodeId Said = Graph.behind(Prediction, true, false);
    // What the network says, and no sum of that: a step in time has such on both sides.
    for (NodeId X : {Next, Said})
      if (!X || (isOneOf(S.Nodes[X].Operation, {"add", "sub", "rsub"}) &&
                 (S.Nodes[X].WithData || std::none_of(S.Nodes[X].Next.begin(), S.Nodes[X].Next.end(),
                                                      [](const Edge &E) { return bool(E.Leaf); }))))
        return;
    const Cone A = Graph.cone(Said), B = Graph.cone(Next);
    if (!A.Complete || !B.Complete || A.Derivative || B.Derivative || A.Leaves.empty() ||
        A.Leaves != B.Leaves)
      return;
    for (NodeId X : A.Ends)
      if (B.Ends.count(X))
        return;
    bool Best = isOneOf(S.Nodes[Next].Operation, {"max", "amax", "min", "amin"}) ||
                selects(S.Nodes[Next].Operation);
    Report(Best ? S.Nodes[Next].At : S.Nodes[Sum].At,
           "the target is computed with gradients by the network that it is a target for; detach() it",
           {{S.Nodes[Next].At, "the network is asked about other data here"},
            {S.Nodes[Sum].At, "the target is made of it here"},
            {N.At, "it is compared with the prediction here"}});
  };
  for (NodeId Id : All) {
    const Node N = S.Nodes[Id];
    if (N.Next.size() != 2 || !N.Next[0].To || !N.Next[1].To)
      continue;
    std::string_view Op = N.Operation;
    Op = Op.substr(Op.rfind(':') + 1);
    if (isOneOf(Op, {"sub", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "MSELoss",
                     "L1Loss", "SmoothL1Loss", "HuberLoss"})) {
      Target(N, N.Next[0].To, N.Next[1].To);
      Target(N, N.Next[1].To, N.Next[0].To);
    }
    if (Op != "mul")
      continue;
    for (int Log = 0; Log < 2; ++Log) {
      bool Selected = false;
      NodeId L = Graph.behind(N.Next[Log].To, true, true, &Selected);
      std::string_view LogOp = S.Nodes[L].Operation;
      LogOp = LogOp.substr(LogOp.rfind(':') + 1);
      if (!Selected || !isOneOf(LogOp, {"log_softmax", "log", "_log_softmax", "LogSoftmax"}))
        continue;
      NodeId Advantage = Graph.difference(N.Next[1 - Log].To);
      if (!Advantage)
        continue;
      const Cone A = Graph.cone(Advantage), B = Graph.cone(L);
      bool Critic = std::any_of(A.Leaves.begin(), A.Leaves.end(), [&](TensorId T) {
        return !B.Leaves.count(T) &&
               std::find(S.Parameters.begin(), S.Parameters.end(), T) != S.Parameters.end();
      });
      // The value loss reads the difference, or the critic's value in it, as well.
      bool Trained = Readers[Advantage] > 1;
      for (const Edge &E : S.Nodes[Advantage].Next)
        Trained |= E.To && Readers[E.To] > 1;
      if (!Critic || !Trained || !A.Complete || !B.Complete)
        continue;
      Report(N.At, "a log-probability is multiplied by an advantage that still hangs on the critic, "
                   "which another term trains; detach() it",
             {{S.Nodes[Advantage].At, "the advantage is computed here"},
              {N.At, "it weights the log-probability here"}});
    }
  }
}

/// A term of which nothing but the number was used: parameters that it alone is made of.
void AbstractTorch::judgeForgotten(const Tensor &Term, const std::set<TensorId> &Leaves) {
  if (std::any_of(S.Defects.begin(), S.Defects.end(),
                  [](const Defect &D) { return D.Effect == Outcome::Throws; }))
    return; // what comes behind did not run
  Defect D;
  for (TensorId P : Leaves)
    if (S.Tensors[P].EverReached == Reach::Never && !S.Tensors[P].LostAt &&
        !S.Tensors[P].GradTensor &&
        std::find(S.Parameters.begin(), S.Parameters.end(), P) != S.Parameters.end())
      D.Losers.push_back(placeOf(P));
  if (D.Losers.empty())
    return;
  D.Kind = DefectKind::TermUnused;
  D.Effect = Outcome::Undefined;
  D.Culprit = Term.Made;
  D.Message = quoted(Term.Name.empty() ? Term.MadeBy : Term.Name) +
              " is what parameters of the optimizer are there for, and no backward() walks it: no loss "
              "has it for a term";
  D.Chain.push_back({Term.Made, "it is computed here"});
  D.InDoubt = true;
  record(std::move(D));
}

/// Note [Unused terms]
/// A value of one element that was computed with gradients from trained parameters, is kept in a
/// variable or member, and is never read: neither added to a loss nor printed. Sums of losses that
/// were walked by themselves are books, and no such term. What some path reads is none either,
/// unless it is the only thing that is made of some parameters of an optimizer's: those were meant to
/// be trained by it, and whoever reads it prints it.
void AbstractTorch::judgeUnused() {
  if (!Repaired.empty() || S.Parameters.empty() || !S.Stepped)
    return;
  Tape Graph(S);
  std::set<uint32_t> Told;
  for (uint32_t I = 0; I < S.Tensors.size(); ++I) {
    const Tensor T = S.Tensors[TensorId{I}];
    if (!T.Scalar || !T.Home || !T.History || T.Untracked || T.Opaque || T.IsView || !T.Made)
      continue;
    const uint32_t M = T.Memory.Value;
    const bool Read = M < ReadAt.size() && ReadAt[M];
    const Cone C = Graph.cone(T.History);
    if (Read) {
      acquit(DefectKind::TermUnused, T.Made);
      if (C.Complete && !S.Nodes[T.History].Walked && Told.insert(T.Made.Number).second)
        judgeForgotten(T, C.Leaves);
      continue;
    }
    bool Trained = std::any_of(C.Leaves.begin(), C.Leaves.end(), [&](TensorId P) {
      return std::find(S.Parameters.begin(), S.Parameters.end(), P) != S.Parameters.end();
    });
    // All of it may have been walked: the sum of losses of the batches.
    bool Walked = S.Nodes[T.History].Walked;
    for (const Edge &E : S.Nodes[T.History].Next)
      Walked |= E.To && S.Nodes[E.To].Walked && S.Nodes[E.To].Next.size() > 0 &&
                S.Nodes[T.History].Operation != "mean" && S.Nodes[T.History].Operation != "sum";
    if (!Trained || Walked || !C.Complete || !Told.insert(T.Made.Number).second)
      continue;
    Defect D;
    D.Kind = DefectKind::TermUnused;
    D.Effect = Outcome::Wrong;
    D.Culprit = T.Made;
    D.Message = quoted(T.Name.empty() ? T.MadeBy : T.Name) +
                " is computed with gradients from trained parameters and never read: no loss has it "
                "for a term";
    D.Chain.push_back({T.Made, "it is computed here"});
    D.EveryPath = true;
    D.Subject = T.Made.Number;
    D.InDoubt = true;
    record(std::move(D));
  }
}

} // namespace torch_tidy::autograd
