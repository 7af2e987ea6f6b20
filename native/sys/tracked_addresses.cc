#include "sys/tracked_addresses.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/unique_fd.h"

namespace vulcan {
namespace {

constexpr const char* kConnections = "/proc/thread-self/net/nf_conntrack";
// The kernel gives whole lines, of a page at most at once.
constexpr std::size_t kBufferBytes = 1 << 16;
constexpr std::string_view kSource = "src=";
// The kernel goes on in a bucket by how many it has given of it, so that one is passed over when another goes
// at that very moment (ct_get_next of net/netfilter/nf_conntrack_standalone.c).
constexpr int kReadings = 2;

// By its text in the listing: whether an address is the source of anything.
using Sources = std::map<std::string, bool, std::less<>>;

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

// Both directions have one: who begins a connection, and who answers.
void Mark(std::string_view lines, Sources& sources) {
  for (auto at = lines.find(kSource); at != std::string_view::npos; at = lines.find(kSource, at)) {
    at += kSource.size();
    const auto found = sources.find(lines.substr(at, lines.find(' ', at) - at));
    if (found != sources.end()) found->second = true;
  }
}

// Whether all has been read.
[[nodiscard]] bool ReadSources(Sources& sources) {
  const UniqueFd file(::open(kConnections, O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  Buffer buffer(kBufferBytes);
  for (;;) {
    const ssize_t got = ::read(file.Get(), buffer.Data(), buffer.Size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    Mark({reinterpret_cast<const char*>(buffer.Data()), static_cast<std::size_t>(got)}, sources);
  }
}

}  // namespace

std::vector<IpAddress> TrackedOf(const std::vector<IpAddress>& addresses) {
  Sources sources;
  for (const IpAddress& each : addresses) sources.emplace(ListedText(each), false);
  for (int reading = 0; reading < kReadings; ++reading) {
    if (!ReadSources(sources)) return addresses;
  }
  std::vector<IpAddress> tracked;
  std::ranges::copy_if(addresses, std::back_inserter(tracked),
                       [&](const IpAddress& each) { return sources.at(ListedText(each)); });
  return tracked;
}

}  // namespace vulcan
