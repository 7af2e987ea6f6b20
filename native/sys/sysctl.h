#pragma once

#include <optional>
#include <string>

namespace vulcan {

// Keys as under /proc/sys: "net/ipv4/ip_forward". Those of net/ are of the calling thread's network
// namespace.

// Empty when there is no such key.
[[nodiscard]] std::optional<std::string> ReadSysctl(const std::string& key);

// Writes only what differs; whether it did. ENOENT when there is no such key.
bool WriteSysctl(const std::string& key, const std::string& value);

}  // namespace vulcan
