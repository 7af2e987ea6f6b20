// What a runtime gives to the plugin: configuration with prevResult, CNI_ARGS, and the environment. The
// input's first byte chooses which.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "plugin/config.h"
#include "plugin/environment.h"
#include "plugin/plugin_error.h"
#include "plugin/result.h"
#include "plugin/tap_arguments.h"
#include "plugin/version.h"
#include "plugin/version_check.h"

namespace vulcan::plugin {
namespace {

// A result that was read and written once is the same ever after.
void ExpectStable(const Result& result) {
  for (const std::string_view version : kSupportedVersions) {
    const std::string text = FormatResult(result, std::string(version));
    const std::string again = FormatResult(ParseResult(ParseJson(text)), std::string(version));
    if (text != again) std::abort();
  }
}

void ReadConfig(const std::string& text) {
  const Config config = ParseConfig(text);
  if (config.prev_result) ExpectStable(ParseResult(*config.prev_result));
  CheckVersion(config, "CHECK");
}

void ReadArguments(const std::string& text) { static_cast<void>(ParseTapArguments(text)); }

void ReadVariables(const std::string& text) {
  constexpr std::array kNames = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",
                                 "CNI_IFNAME",  "CNI_ARGS",        "CNI_PATH"};
  std::istringstream values(text);
  for (const char* name : kNames) {
    std::string value;
    std::getline(values, value);
    ::setenv(name, value.c_str(), 1);
  }
  const Environment environment = ReadEnvironment();
  static_cast<void>(ParseTapArguments(environment.args));
}

using Read = void (*)(const std::string&);
constexpr std::array<Read, 3> kReads = {ReadConfig, ReadArguments, ReadVariables};

}  // namespace
}  // namespace vulcan::plugin

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  try {
    vulcan::plugin::kReads.at(data[0] % vulcan::plugin::kReads.size())(text);
  } catch (const vulcan::plugin::PluginError& error) {
    // What it says must be JSON, whatever was quoted in it.
    static_cast<void>(vulcan::plugin::ParseJson(error.ToJson()));
  } catch (const vulcan::Error&) {
    return 0;
  }
  return 0;
}
