#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plugin/json.h"

namespace vulcan::plugin {

// What this plugin reads of the network's configuration.
struct Config {
  std::string name;
  // "0.1.0" when there is none.
  std::string version;
  // As it came; whoever needs it parses it, so that DEL works with a bad one.
  std::optional<Json> prev_result;
};

[[nodiscard]] Config ParseConfig(std::string_view text);

}  // namespace vulcan::plugin
