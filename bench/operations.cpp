// Abstract operations a second: random sequences of operators, views, writes, guards, modules and optimizer
// steps, as the side-by-side test makes them, on the abstract LibTorch alone.
#include "Program.h"

#include <benchmark/benchmark.h>

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
    benchmark::DoNotOptimize(test::predict(P, 2, 15, 0));
    Operations += static_cast<int64_t>(P.size());
  }
  State.SetItemsProcessed(Operations);
}
BENCHMARK(operations)->Arg(20)->Arg(100)->Arg(500);

BENCHMARK_MAIN();
