// Abstract operations a second: random sequences of operators, views, writes, guards, modules and optimizer
// steps, as the side-by-side test makes them, on the abstract LibTorch alone.
#include "Program.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace torch_tidy;

static void operations(benchmark::State &State) {
  std::vector<test::Program> Programs;
  for (unsigned Seed = 0; Seed < 64; ++Seed)
    Programs.push_back(test::randomProgram(Seed, static_cast<unsigned>(State.range(0))));
  size_t Next = 0;
  int64_t Operations = 0;
  for (auto _ : State) {
    const test::Program &P = Programs[Next++ % Programs.size()];
    const std::vector<std::string> Seen = test::predict(P, 2, 15, 0);
    Operations += std::count_if(Seen.begin(), Seen.end(), [](const std::string &Line) {
      return Line == "ok" || Line == "throws"; // a program ends with its first backward() that throws
    });
  }
  State.SetItemsProcessed(Operations);
}
BENCHMARK(operations)->Arg(20)->Arg(100)->Arg(500);

BENCHMARK_MAIN();
