#include "plugin/version_check.h"

#include "plugin/plugin_error.h"
#include "plugin/version.h"

namespace vulcan::plugin {
namespace {

constexpr Version kFirstWithCheck{0, 4, 0};
constexpr Version kFirstWithGcAndStatus{1, 1, 0};

void NeedVersion(const Config& config, const std::string& command, const Version& since) {
  const Version version = ParseVersion(config.version);
  const auto refuse = [&](const char* whose) {
    throw PluginError(Code::kIncompatibleVersion, std::string(whose) + " version does not allow " + command);
  };
  if (version < since) refuse("config");
  if (version > ParseVersion(std::string(kSupportedVersions.back()))) refuse("plugin");
}

}  // namespace

void CheckVersion(const Config& config, const std::string& command) {
  if (command == "CHECK") NeedVersion(config, command, kFirstWithCheck);
  if (command == "GC" || command == "STATUS") NeedVersion(config, command, kFirstWithGcAndStatus);
  if (IsSupported(config.version)) return;
  std::string supported;
  for (const auto version : kSupportedVersions) supported += (supported.empty() ? "" : " ") + Quote(version);
  throw PluginError(Code::kIncompatibleVersion, "incompatible CNI versions",
                    "config is " + Quote(config.version) + ", plugin supports [" + supported + "]");
}

}  // namespace vulcan::plugin
