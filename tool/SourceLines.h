// Lines of source files, read once.
#pragma once

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>
#include <memory>
#include <string>

namespace torch_tidy::tool {

class SourceLines {
public:
  /// Line Number (from 1) without its line end; empty if there is none.
  std::string line(const std::string &File, unsigned Number) {
    auto [It, New] = Files.try_emplace(File);
    if (New)
      if (auto Buffer = llvm::MemoryBuffer::getFile(File)) {
        It->second.Text = std::move(*Buffer);
        It->second.Text->getBuffer().split(It->second.Lines, '\n');
      }
    if (Number == 0 || Number > It->second.Lines.size())
      return "";
    return It->second.Lines[Number - 1].rtrim('\r').str();
  }

private:
  struct File {
    std::unique_ptr<llvm::MemoryBuffer> Text;
    llvm::SmallVector<llvm::StringRef, 0> Lines;
  };
  std::map<std::string, File> Files;
};

} // namespace torch_tidy::tool
