#pragma once

#include <array>
#include <string>
#include <string_view>

namespace vulcan::plugin {

// Major, minor, micro.
using Version = std::array<int, 3>;

inline constexpr std::array<std::string_view, 5> kSupportedVersions = {"0.3.0", "0.3.1", "0.4.0", "1.0.0",
                                                                       "1.1.0"};

[[nodiscard]] bool IsSupported(std::string_view version);

// "1", "1.0" and "1.0.0" are the same. Throws a PluginError for anything else.
[[nodiscard]] Version ParseVersion(const std::string& text);

// The answer to VERSION.
[[nodiscard]] std::string DescribeVersions();

}  // namespace vulcan::plugin
