// tc-redirect-tap: a CNI plugin that is chained after one which makes a link, and puts a VM on a TAP in its
// place.
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "plugin/commands.h"
#include "plugin/output.h"
#include "plugin/plugin_error.h"
#include "plugin/version.h"
#include "plugin/version_check.h"

namespace vulcan::plugin {
namespace {

// A human who calls it without a command, rather than a runtime.
void Introduce() {
  std::cerr << "CNI tc-redirect-tap plugin of vulcan-net\nCNI protocol versions supported: ";
  const char* separator = "";
  for (const auto version : kSupportedVersions) {
    std::cerr << separator << version;
    separator = ", ";
  }
  std::cerr << '\n';
}

Config ReadConfig() {
  try {
    return ParseConfig(ReadInput());
  } catch (const Error& error) {
    throw PluginError(Code::kIo, std::string("error reading from stdin: ") + error.what());
  }
}

void Execute(const Environment& environment, const Config& config) {
  const std::string& command = environment.command;
  const std::set<std::string_view> commands = {"ADD", "DEL", "CHECK", "GC", "STATUS"};
  if (!commands.contains(command)) {
    throw PluginError(Code::kInvalidEnvironment, "unknown CNI_COMMAND: " + command);
  }
  CheckVersion(config, command);
  if (command == "ADD") Add(environment, config);
  if (command == "DEL") Del(environment, config);
  if (command == "CHECK") Check(environment, config);
  // GC has nothing to do: all that was made lives in a namespace, and goes with it.
  if (command == "STATUS") Status();
}

std::optional<PluginError> Run() {
  try {
    const Environment environment = ReadEnvironment();
    if (environment.command == "VERSION") {
      Print(DescribeVersions() + "\n");
    } else {
      Execute(environment, ReadConfig());
    }
    return std::nullopt;
  } catch (const PluginError& error) {
    return error;
  } catch (const Error& error) {
    return FromError(error);
  } catch (const std::exception& error) {
    return PluginError(Code::kInternal, error.what());
  }
}

int Main() {
  // A runtime that has gone away is an error of write(), which undoes the ADD.
  std::signal(SIGPIPE, SIG_IGN);
  if (EnvironmentVariable("CNI_COMMAND").empty()) {
    Introduce();
    return EXIT_SUCCESS;
  }
  const auto failure = Run();
  if (!failure) return EXIT_SUCCESS;
  Print(failure->ToJson());
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace vulcan::plugin

int main() {
  try {
    return vulcan::plugin::Main();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
