// torch-tidy-run: the process in which a variant of a program runs. Also what a program of
// registered models links to become runnable on its own (TorchTidy::RuntimeMain).
namespace torch_tidy {
int run_registered_models(int argc, char **argv);
}

int main(int argc, char **argv) { return torch_tidy::run_registered_models(argc, argv); }
