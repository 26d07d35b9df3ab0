// Which local variables the rest of a function can still read. See Note [Joining]: what nobody reads
// again is no reason to keep two ways apart.
#pragma once

#include "clang/AST/Decl.h"
#include "clang/AST/ExprCXX.h"
#include "clang/AST/Stmt.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>

namespace torch_tidy::model {

/// A backward analysis over the structure of one function's body, not over a flow graph: it must
/// only never call a variable dead that is read again, except through a name that it does not see
/// (an address that was taken keeps a variable alive for good).
class Liveness {
public:
  /// How a variable may be read.
  enum class Use { None, Value, Any };
  /// Tells of a member function of tensors that it reads what the tensor holds and leaves its graph
  /// alone: item(), detach(), size().
  using ReadsValue = std::function<bool(const clang::CXXMethodDecl *)>;
  /// Tells of an assignment operator that it replaces the whole object.
  using Replaces = std::function<bool(const clang::FunctionDecl *)>;

  Liveness(const clang::FunctionDecl *F, const ReadsValue &, const Replaces &);

  /// How code that runs after S may read V, however S is left (unless by return or an exception).
  Use afterwards(const clang::Stmt *S, const clang::ValueDecl *V) const { return use(After, S, V); }
  /// The same for the rest of S too.
  Use during(const clang::Stmt *S, const clang::ValueDecl *V) const { return use(During, S, V); }
  /// Whether the function's own scope holds V and nothing else can name it.
  bool isLocal(const clang::ValueDecl *V) const { return Numbers.count(V); }
  bool knows(const clang::Stmt *S) const { return After.count(S); }

private:
  using Set = llvm::BitVector; ///< for each variable: whether its value, whether anything is read
  using Sets = llvm::DenseMap<const clang::Stmt *, Set>;
  struct Targets {
    Set Break, Continue, Catch;
  };
  void collect(const clang::Stmt *S);
  void escape(const clang::Stmt *S);
  void number(const clang::ValueDecl *V);
  Set none() const { return Set(2 * static_cast<unsigned>(Numbers.size())); }
  Use use(const Sets &Where, const clang::Stmt *S, const clang::ValueDecl *V) const;
  void addUses(const clang::Stmt *S, Set &To) const;
  void kill(const clang::ValueDecl *V, Set &From) const;
  Set before(const clang::Stmt *S, Set Out, const Targets &T);
  Set beforeExpression(const clang::Expr *E, Set Out) const;
  Set beforeLoop(const clang::Expr *Condition, const clang::Stmt *Body, const clang::Expr *Increment,
                 Set Out, const Targets &T);

  const ReadsValue &IsValueRead;
  const Replaces &IsReplacement;
  llvm::DenseMap<const clang::ValueDecl *, unsigned> Numbers;
  Sets After, During;
};

} // namespace torch_tidy::model
