#include "sys/socket_counts.h"

#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "sys/io.h"

namespace vulcan {
namespace {

constexpr const char* kInThread = "net/sockstat";
constexpr const char* kPath = "/proc/thread-self/net/sockstat";
constexpr std::size_t kLimit = 4096;

// Lines are like "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 294".
[[nodiscard]] std::optional<int> Find(std::string_view text, std::string_view line, std::string_view name) {
  const auto at = text.find(line);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view its = text.substr(at, text.find('\n', at) - at);
  const auto found = its.find(name);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view digits = its.substr(found + name.size());
  int count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return error == std::errc{} ? std::optional(count) : std::nullopt;
}

}  // namespace

// What is below "net" is looked up anew each time, in the namespace that the thread is in by then
// (pde_force_lookup of fs/proc/internal.h, since Linux 5.0).
SocketCounts CountSockets(int thread) {
  const UniqueFd file(::openat(thread, kInThread, O_RDONLY | O_CLOEXEC));
  if (!file) throw SystemError("openat", kPath);
  const std::string text = ReadAll(file.Get(), kLimit, kPath);
  const auto open = Find(text, "sockets: ", "used ");
  const auto waiting = Find(text, "TCP: ", " tw ");
  const auto incomplete = Find(text, "FRAG: ", "inuse ");
  if (!open || !waiting || !incomplete) throw Error(EBADMSG, "read").Path(kPath);
  return {*open, *waiting, *incomplete};
}

}  // namespace vulcan
