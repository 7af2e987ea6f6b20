#include "sys/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "sys/io.h"

namespace vulcan {
namespace {

constexpr int kInheritedAs = 3;

// posix_spawn's functions return what others leave in errno.
void Check(int error, const char* function) {
  if (error != 0) throw Error(error, function);
}

class Actions {
 public:
  Actions() { Check(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void Duplicate(int from, int to) {
    Check(::posix_spawn_file_actions_adddup2(&actions_, from, to), "posix_spawn_file_actions_adddup2");
  }
  void CloseFrom(int first) {
    Check(::posix_spawn_file_actions_addclosefrom_np(&actions_, first),
          "posix_spawn_file_actions_addclosefrom_np");
  }
  [[nodiscard]] const posix_spawn_file_actions_t* Get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  Attributes() {
    Check(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  [[nodiscard]] const posix_spawnattr_t* Get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

// Above all that the child's descriptors are duplicated to, so that none is overwritten before its turn.
[[nodiscard]] UniqueFd AboveStdio(int fd) {
  UniqueFd above(::fcntl(fd, F_DUPFD_CLOEXEC, kInheritedAs + 1));
  if (!above) throw SystemError("fcntl(F_DUPFD_CLOEXEC)");
  return above;
}

[[nodiscard]] Pipe OpenPipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) throw SystemError("pipe2");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  // Ours alone: the child's end must block.
  if (::fcntl(pipe.read.Get(), F_SETFL, O_NONBLOCK) != 0) throw SystemError("fcntl(F_SETFL)");
  pipe.write = AboveStdio(pipe.write.Get());
  return pipe;
}

[[nodiscard]] UniqueFd OpenInput(const std::string& text) {
  const UniqueFd file(::memfd_create("stdin", MFD_CLOEXEC));
  if (!file) throw SystemError("memfd_create");
  WriteAll(file.Get(), text, "stdin");
  if (::lseek(file.Get(), 0, SEEK_SET) != 0) throw SystemError("lseek");
  return AboveStdio(file.Get());
}

// As execve takes them; they live as long as `strings`.
[[nodiscard]] std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& each : strings) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[nodiscard]] UniqueFd OpenPidfd(pid_t pid) {
  // glibc 2.36 declares its wrapper without extern "C".
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const Error error = SystemError("pidfd_open");
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw error;
  }
  return pidfd;
}

}  // namespace

std::optional<Spawned> Spawn(const SpawnPlan& plan) {
  std::vector<std::string> args{plan.file};
  args.insert(args.end(), plan.args.begin(), plan.args.end());
  std::vector<std::string> env = plan.env;

  const UniqueFd input = OpenInput(plan.input);
  Pipe output = OpenPipe();
  Pipe errors = OpenPipe();
  UniqueFd inherited;
  Actions actions;
  actions.Duplicate(input.Get(), STDIN_FILENO);
  actions.Duplicate(output.write.Get(), STDOUT_FILENO);
  actions.Duplicate(errors.write.Get(), STDERR_FILENO);
  if (plan.inherited_fd >= 0) {
    inherited = AboveStdio(plan.inherited_fd);
    actions.Duplicate(inherited.Get(), kInheritedAs);
  }
  actions.CloseFrom(inherited ? kInheritedAs + 1 : kInheritedAs);

  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, plan.file.c_str(), actions.Get(), Attributes().Get(),
                                  Pointers(args).data(), Pointers(env).data());
  if (error == ETXTBSY) return std::nullopt;
  if (error != 0) throw Error(error, "posix_spawn").Path(plan.file);
  return Spawned{pid, OpenPidfd(pid), std::move(output.read), std::move(errors.read)};
}

}  // namespace vulcan
