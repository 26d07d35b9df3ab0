#include "process.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace torch_tidy::confirm {
namespace {

volatile sig_atomic_t interrupted = 0;
void on_interrupt(int signal) { interrupted = signal; }

struct Running {
  pid_t pid;
  size_t index;
  std::chrono::steady_clock::time_point deadline;
};

// Writes why exec failed into `report`; all between fork and exec is safe after fork.
[[noreturn]] void become(const Command &command, char *const *argv, int report) {
  setpgid(0, 0);
  const int in = open("/dev/null", O_RDONLY);
  const int out = command.output.empty()
                      ? open("/dev/null", O_WRONLY)
                      : open(command.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int err = command.errors.empty()
                      ? out
                      : open(command.errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (in >= 0 && out >= 0 && err >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 &&
      dup2(err, 2) >= 0) {
    const rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
#ifndef __SANITIZE_ADDRESS__ // whose shadow memory counts, and is larger than any limit
    if (command.memory > 0) {
      // Not RLIMIT_AS: CUDA reserves far more address space than it uses.
      const rlimit memory = {command.memory, command.memory};
      setrlimit(RLIMIT_DATA, &memory);
    }
#endif
    if (command.directory.empty() || chdir(command.directory.c_str()) == 0) {
      execvp(argv[0], argv);
    }
  }
  const int error = errno;
  (void)!write(report, &error, sizeof error);
  _exit(127);
}

Exit start(const Command &command, size_t index, std::vector<Running> &running) {
  Exit exit;
  std::vector<char *> argv;
  for (const std::string &argument : command.arguments) {
    argv.push_back(const_cast<char *>(argument.c_str()));
  }
  argv.push_back(nullptr);
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    exit.error = std::strerror(errno);
    return exit;
  }
  const pid_t pid = fork();
  if (pid == 0) {
    become(command, argv.data(), report[1]);
  }
  close(report[1]);
  if (pid < 0) {
    exit.error = std::strerror(errno);
  } else {
    setpgid(pid, pid); // also here: whoever comes first
    int error = 0;
    if (read(report[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
      waitpid(pid, nullptr, 0);
      exit.error = "cannot run " + command.arguments[0] + ": " + std::strerror(error);
    } else {
      running.push_back({pid, index, std::chrono::steady_clock::now() + command.timeout});
    }
  }
  close(report[0]);
  return exit;
}

} // namespace

std::vector<Exit> run_all(const std::vector<Command> &commands, unsigned jobs) {
  std::vector<Exit> exits(commands.size());
  std::vector<Running> running;
  struct sigaction action = {};
  struct sigaction old_int = {};
  struct sigaction old_term = {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, &old_int);
  sigaction(SIGTERM, &action, &old_term);
  size_t next = 0;
  while (next < commands.size() || !running.empty()) {
    while (next < commands.size() && running.size() < std::max(1U, jobs) && interrupted == 0) {
      exits[next] = start(commands[next], next, running);
      ++next;
    }
    const auto now = std::chrono::steady_clock::now();
    for (size_t i = 0; i < running.size();) {
      Running &one = running[i];
      Exit &exit = exits[one.index];
      if (interrupted != 0 || (now >= one.deadline && !exit.timed_out)) {
        exit.timed_out = true;
        kill(-one.pid, SIGKILL);
      }
      int status = 0;
      const pid_t ended = waitpid(one.pid, &status, WNOHANG);
      if (ended == 0) {
        ++i;
        continue;
      }
      kill(-one.pid, SIGKILL); // what it left behind
      if (WIFEXITED(status)) {
        exit.status = WEXITSTATUS(status);
      } else if (WIFSIGNALED(status)) {
        exit.signal = WTERMSIG(status);
      }
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (interrupted != 0 && running.empty()) {
      sigaction(SIGINT, &old_int, nullptr);
      sigaction(SIGTERM, &old_term, nullptr);
      raise(interrupted);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  }
  sigaction(SIGINT, &old_int, nullptr);
  sigaction(SIGTERM, &old_term, nullptr);
  return exits;
}

std::string told(const Exit &exit, const Command &command) {
  if (!exit.error.empty()) {
    return exit.error;
  }
  if (exit.timed_out) {
    return "took more than " + std::to_string(command.timeout.count()) + " s (--timeout)";
  }
  if (exit.signal != 0) {
    return std::string("crashed (") + strsignal(exit.signal) + ")";
  }
  return "ended with exit status " + std::to_string(exit.status);
}

} // namespace torch_tidy::confirm
