#include "plugin/names.h"

#include <net/if.h>

#include <algorithm>
#include <string_view>

#include "plugin/plugin_error.h"

namespace vulcan::plugin {
namespace {

constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kWhitespace = " \t\n\v\f\r";

bool IsAlphanumeric(char c) { return kAlphanumeric.find(c) != std::string_view::npos; }

// ^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$
bool IsName(const std::string& text) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && IsAlphanumeric(text.front()) && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

void ValidateContainerId(const std::string& id) {
  if (!IsName(id)) throw PluginError(Code::kInvalidEnvironment, "invalid characters in containerID", id);
}

void ValidateNetworkName(const std::string& name) {
  if (name.empty()) throw PluginError(Code::kInvalidConfig, "missing network name");
  if (!IsName(name))
    throw PluginError(Code::kInvalidConfig, "invalid characters found in network name", name);
}

void ValidateInterfaceName(const std::string& name) {
  if (name.size() >= IFNAMSIZ) {
    throw PluginError(Code::kInvalidEnvironment, "interface name is too long",
                      "interface name should be less than 16 characters");
  }
  if (name == "." || name == "..") throw PluginError(Code::kInvalidEnvironment, "interface name is . or ..");
  const auto forbidden = [](char c) {
    return c == '/' || c == ':' || kWhitespace.find(c) != std::string_view::npos;
  };
  if (std::any_of(name.begin(), name.end(), forbidden)) {
    throw PluginError(Code::kInvalidEnvironment, "interface name contains / or : or whitespace characters");
  }
}

}  // namespace vulcan::plugin
