#include "plugin/environment.h"

#include <strings.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "plugin/names.h"
#include "plugin/plugin_error.h"

namespace vulcan::plugin {
namespace {

// Which commands can't do without a variable.
enum class Need { kNever, kAlways, kAttachment, kNamespace, kEveryCommand };

bool IsNeeded(Need need, std::string_view command) {
  const bool add_or_check = command == "ADD" || command == "CHECK";
  const bool attachment = add_or_check || command == "DEL";
  switch (need) {
    case Need::kNever:
      return false;
    case Need::kAlways:
      return true;
    case Need::kAttachment:
      return attachment;
    case Need::kNamespace:
      return add_or_check;
    case Need::kEveryCommand:
      return attachment || command == "GC" || command == "STATUS";
  }
  return false;
}

struct Variable {
  const char* name;
  Need need;
  std::string* value;
  void (*validate)(const std::string&);
};

}  // namespace

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread
  return value != nullptr ? value : "";
}

Environment ReadEnvironment() {
  Environment environment;
  std::string path;
  std::string override_value;
  const std::array variables = {
      Variable{"CNI_COMMAND", Need::kAlways, &environment.command, nullptr},
      Variable{"CNI_CONTAINERID", Need::kAttachment, &environment.container_id, ValidateContainerId},
      Variable{"CNI_NETNS", Need::kNamespace, &environment.netns, nullptr},
      Variable{"CNI_IFNAME", Need::kAttachment, &environment.ifname, ValidateInterfaceName},
      Variable{"CNI_ARGS", Need::kNever, &environment.args, nullptr},
      Variable{"CNI_PATH", Need::kEveryCommand, &path, nullptr},
      Variable{"CNI_NETNS_OVERRIDE", Need::kNever, &override_value, nullptr},
  };
  std::string missing;
  for (const Variable& variable : variables) {
    *variable.value = EnvironmentVariable(variable.name);
    if (!IsNeeded(variable.need, environment.command)) continue;
    if (variable.value->empty()) {
      missing += (missing.empty() ? "" : ",") + std::string(variable.name);
    } else if (variable.validate != nullptr) {
      variable.validate(*variable.value);
    }
  }
  if (!missing.empty()) {
    throw PluginError(Code::kInvalidEnvironment, "required env variables [" + missing + "] missing");
  }
  environment.netns_override = override_value == "1" || ::strcasecmp(override_value.c_str(), "true") == 0;
  return environment;
}

}  // namespace vulcan::plugin
