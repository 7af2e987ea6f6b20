#include "shim/point.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "shim/control.h"
#include "shim/next.h"

namespace vulcan::shim {
namespace {

constexpr std::string_view kThreadPrefix = "vulcan-";
constexpr std::string_view kPlugin = "tc-redirect-tap";
constexpr std::string_view kProc = "/proc";

[[nodiscard]] std::string ThreadName() {
  std::array<char, 16> name{};
  Raw(SYS_prctl, PR_GET_NAME, reinterpret_cast<long>(name.data()));
  return name.data();
}

[[nodiscard]] bool IsPlugin() noexcept { return program_invocation_short_name == kPlugin; }

[[nodiscard]] bool IsDigit(char each) noexcept { return each >= '0' && each <= '9'; }

[[nodiscard]] std::uint64_t Hash(std::string_view text) noexcept {
  std::uint64_t hash = 14695981039346656037U;
  for (const char each : text) hash = (hash ^ static_cast<unsigned char>(each)) * 1099511628211U;
  return hash;
}

// A process may be killed at any time, so nothing in shared memory is ever locked.
[[nodiscard]] std::uint32_t Count(Control& control, const std::string& key) noexcept {
  const std::uint64_t hash = Hash(key);
  for (Counter& counter : control.counters) {
    std::uint64_t none = 0;
    if (counter.key == hash || counter.key.compare_exchange_strong(none, hash) || none == hash) {
      return ++counter.count;
    }
  }
  std::abort();
}

void WriteTrace(const std::string& line) noexcept {
  const int before = errno;
  Raw(SYS_write, TraceFd(), reinterpret_cast<long>(line.data()), line.size());
  errno = before;
}

}  // namespace

std::string Subject::Describe() const {
  if (text_ != nullptr) return text_;
  if (fd_ < 0) return {};
  std::array<char, PATH_MAX> text{};
  const std::string path = "/proc/self/fd/" + std::to_string(fd_);
  const long length = Raw(SYS_readlinkat, AT_FDCWD, reinterpret_cast<long>(path.c_str()),
                          reinterpret_cast<long>(text.data()), text.size());
  return {text.data(), static_cast<std::size_t>(length > 0 ? length : 0)};
}

bool IsWatched() noexcept {
  const Control* const control = GetControl();
  if (control == nullptr || control->armed == 0) return false;
  const int before = errno;
  const bool watched = IsPlugin() || ThreadName().starts_with(kThreadPrefix);
  errno = before;
  return watched;
}

std::string OwnKey() {
  if (!IsPlugin()) return ThreadName().substr(kThreadPrefix.size());
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* const command = std::getenv("CNI_COMMAND");
  return std::string(kPlugin) + " " + (command == nullptr ? "" : command);
}

std::string WaitKey() { return OwnKey() + "/wait"; }
std::string ReceiveKey() { return OwnKey() + "/receive"; }

std::string KeyOf(const Subject& subject) {
  const int before = errno;
  const std::string text = subject.Describe();
  const bool of_one =
      text.size() > kProc.size() + 1 && text.starts_with(kProc) && IsDigit(text[kProc.size() + 1]);
  const bool of_processes =
      text == kProc || (of_one && (text.ends_with("/task") || text.ends_with("/ns/net")));
  errno = before;
  return of_processes ? OwnKey() + "/processes" : OwnKey();
}

Fate Reach(const std::string& key, std::string_view call, const Subject& subject) {
  Control& control = *GetControl();
  const int before = errno;
  const std::uint32_t ordinal = Count(control, key);
  if ((control.flags & kTrace) != 0) {
    WriteTrace(key + "\t" + std::to_string(ordinal) + "\t" + std::string(call) + "\t" + subject.Describe() +
               "\t" + control.label.data() + "\n");
  }
  errno = before;
  const Action action = control.action;
  if (action == Action::kNone || ordinal != control.ordinal || key != control.key.data()) return Fate::kGo;
  ++control.hits;
  if (action == Action::kDie) return Fate::kDie;
  if (action == Action::kCrash) {
    if (control.manager == ::getpid()) return Fate::kDie;
    Raw(SYS_kill, control.manager, SIGKILL);
    return Fate::kGo;
  }
  errno = control.error;
  return Fate::kFail;
}

void MarkEnd() noexcept {
  if ((GetControl()->flags & kMarkEnds) != 0) WriteTrace("end\n");
}

void Die() noexcept {
  for (;;) Raw(SYS_kill, ::getpid(), SIGKILL);
}

}  // namespace vulcan::shim
