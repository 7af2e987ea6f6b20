#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

namespace vulcan::plugin {

struct Version {
  int major = 0;
  int minor = 0;
  int micro = 0;

  friend auto operator<=>(const Version&, const Version&) = default;
};

inline constexpr std::array<std::string_view, 5> kSupportedVersions = {"0.3.0", "0.3.1", "0.4.0", "1.0.0",
                                                                       "1.1.0"};

[[nodiscard]] bool IsSupported(std::string_view version);

// "1", "1.0" and "1.0.0" are the same. Throws a PluginError for anything else.
[[nodiscard]] Version ParseVersion(const std::string& text);

// The answer to VERSION.
[[nodiscard]] std::string DescribeVersions();

}  // namespace vulcan::plugin
