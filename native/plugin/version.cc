#include "plugin/version.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "plugin/json.h"
#include "plugin/plugin_error.h"

namespace vulcan::plugin {
namespace {

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

int ParsePart(const std::string& part, const char* name) {
  int number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (error != std::errc{} || end != part.data() + part.size()) {
    throw PluginError(Code::kDecoding, std::string("failed to convert ") + name + " version part " +
                                           Quote(part) + ": strconv.Atoi: parsing " + Quote(part) +
                                           ": invalid syntax");
  }
  return number;
}

}  // namespace

bool IsSupported(std::string_view version) {
  return std::find(kSupportedVersions.begin(), kSupportedVersions.end(), version) != kSupportedVersions.end();
}

Version ParseVersion(const std::string& text) {
  const auto parts = Split(text);
  if (parts.size() > 3)
    throw PluginError(Code::kDecoding, "invalid version " + Quote(text) + ": too many parts");
  static constexpr std::array kNames = {"major", "minor", "micro"};
  Version version{};
  for (std::size_t i = 0; i < parts.size(); ++i) version[i] = ParsePart(parts[i], kNames[i]);
  return version;
}

std::string DescribeVersions() {
  return OrderedJson{{"cniVersion", kSupportedVersions.back()}, {"supportedVersions", kSupportedVersions}}
      .dump();
}

}  // namespace vulcan::plugin
