#include "plugin/config.h"

#include "plugin/names.h"
#include "plugin/plugin_error.h"

namespace vulcan::plugin {
namespace {

template <typename Function>
auto Explained(const char* context, Function function) {
  try {
    return function();
  } catch (const PluginError& error) {
    throw PluginError(Code::kDecoding, std::string(context) + error.what());
  }
}

}  // namespace

Config ParseConfig(std::string_view text) {
  constexpr const char* kDecoding = "error unmarshall network config: ";
  const Json object = Explained(kDecoding, [&] { return ParseJson(text); });
  if (!object.is_object()) {
    throw PluginError(Code::kDecoding, std::string(kDecoding) + "json: cannot unmarshal " +
                                           object.type_name() + " into an object");
  }
  Config config;
  config.name = Explained(kDecoding, [&] { return StringMember(object, "name"); });
  ValidateNetworkName(config.name);
  config.version =
      Explained("decoding version from network config: ", [&] { return StringMember(object, "cniVersion"); });
  if (config.version.empty()) config.version = "0.1.0";
  if (const Json* found = Member(object, "prevResult")) config.prev_result = *found;
  return config;
}

}  // namespace vulcan::plugin
