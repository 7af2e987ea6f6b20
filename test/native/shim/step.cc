// Stands before a plugin under its name: what it does is one step of the operation, with a point before and
// one after.
//   VULCAN_PLUGINS=/usr/lib/cni .../bridge
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "shim/control.h"
#include "shim/point.h"

namespace vulcan::shim {
namespace {

[[nodiscard]] std::string Variable(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

struct CloseFile {
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): its owner is the unique_ptr
  void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};

// As plugins report errors.
int Refuse() {
  std::puts(R"({"code": 999, "msg": "refused on purpose"})");
  return EXIT_FAILURE;
}

[[nodiscard]] bool MayGo(const std::string& key, const char* when) {
  const Control* const control = GetControl();
  if (control == nullptr || control->armed == 0) return true;
  const Fate fate = Reach(key, "plugin", when);
  if (fate == Fate::kDie) Die();
  return fate == Fate::kGo;
}

// What it prints is held back until it is known whether it may be said.
[[nodiscard]] int Run(const std::string& file, std::string& output) {
  const std::unique_ptr<std::FILE, CloseFile> kept(std::tmpfile());
  if (!kept) return EXIT_FAILURE;
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(kept.get()), STDOUT_FILENO);
  std::string name = file;
  char* const arguments[] = {name.data(), nullptr};
  pid_t pid = -1;
  if (::posix_spawn(&pid, file.c_str(), &actions, nullptr, arguments, environ) != 0) return EXIT_FAILURE;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::rewind(kept.get());
  for (int each = std::fgetc(kept.get()); each != EOF; each = std::fgetc(kept.get())) {
    output.push_back(static_cast<char>(each));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int Main() {
  const std::string type = program_invocation_short_name;
  const std::string key = type + " " + Variable("CNI_COMMAND");
  if (!MayGo(key, "before")) return Refuse();
  std::string output;
  const int status = Run(Variable("VULCAN_PLUGINS") + "/" + type, output);
  if (!MayGo(key, "after")) return Refuse();
  std::fwrite(output.data(), 1, output.size(), stdout);
  return status;
}

}  // namespace
}  // namespace vulcan::shim

int main() { return vulcan::shim::Main(); }
