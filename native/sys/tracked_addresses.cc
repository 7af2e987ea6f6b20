#include "sys/tracked_addresses.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/buffer.h"
#include "base/unique_fd.h"

namespace vulcan {
namespace {

constexpr const char* kConnections = "/proc/thread-self/net/nf_conntrack";
// The kernel gives whole lines, of a page at most at once.
constexpr std::size_t kBufferBytes = 1 << 16;
constexpr std::string_view kSource = "src=";
// A line is about the place where the one before it was, so that one is passed over when another of its
// bucket goes at that very moment (ct_get_next of net/netfilter/nf_conntrack_standalone.c).
constexpr int kReadings = 2;

using Texts = std::unordered_set<std::string>;

// As the kernel lists it: nothing of an IPv6 address is left out (%pI6).
[[nodiscard]] std::string ListedText(const IpAddress& address) {
  if (address.Family() == AF_INET) return address.ToString();
  std::string text;
  const auto bytes = address.Bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0 && i % 2 == 0) text += ':';
    std::array<char, 3> hex{};
    std::snprintf(hex.data(), hex.size(), "%02x", std::to_integer<unsigned>(bytes[i]));
    text += hex.data();
  }
  return text;
}

// The sources of both directions: who begins a connection, and who answers.
void TakeSources(std::string_view lines, Texts& sources) {
  for (auto at = lines.find(kSource); at != std::string_view::npos; at = lines.find(kSource, at)) {
    at += kSource.size();
    sources.emplace(lines.substr(at, lines.find(' ', at) - at));
  }
}

// Whether all has been read.
[[nodiscard]] bool ReadSources(Texts& sources) {
  const UniqueFd file(::open(kConnections, O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  Buffer buffer(kBufferBytes);
  for (;;) {
    const ssize_t got = ::read(file.Get(), buffer.Data(), buffer.Size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    TakeSources({reinterpret_cast<const char*>(buffer.Data()), static_cast<std::size_t>(got)}, sources);
  }
}

}  // namespace

std::vector<IpAddress> TrackedOf(const std::vector<IpAddress>& addresses) {
  Texts sources;
  for (int reading = 0; reading < kReadings; ++reading) {
    if (!ReadSources(sources)) return addresses;
  }
  std::vector<IpAddress> tracked;
  std::ranges::copy_if(addresses, std::back_inserter(tracked),
                       [&](const IpAddress& each) { return sources.contains(ListedText(each)); });
  return tracked;
}

}  // namespace vulcan
