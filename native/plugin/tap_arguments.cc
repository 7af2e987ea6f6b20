#include "plugin/tap_arguments.h"

#include <net/if.h>
#include <unistd.h>

#include <charconv>
#include <limits>
#include <sstream>
#include <string_view>

#include "plugin/json.h"
#include "plugin/plugin_error.h"

namespace vulcan::plugin {
namespace {

// `what` is "tapUID" or "tapGID". The highest number is the kernel's "no one".
unsigned ParseId(std::string_view value, const char* what) {
  const auto digits = value.starts_with('+') ? value.substr(1) : value;
  unsigned id = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole || id == std::numeric_limits<unsigned>::max()) {
    throw PluginError(Code::kInternal, std::string(what) + " should be numeric convertible, got " +
                                           Quote(value) + ": strconv.Atoi: parsing " + Quote(value) +
                                           ": invalid syntax");
  }
  return id;
}

std::string ParseName(std::string_view value) {
  if (value.size() >= IFNAMSIZ) {
    throw PluginError(Code::kInternal, "TC_REDIRECT_TAP_NAME " + Quote(value) + " is too long",
                      "interface name should be less than 16 characters");
  }
  return std::string(value);
}

}  // namespace

TapArguments ParseTapArguments(const std::string& args) {
  TapArguments arguments{{}, {::geteuid(), ::getegid()}};
  if (args.empty()) return arguments;
  // Ends in one more separator, so that getline sees a last, empty pair.
  std::istringstream pairs(args + ";");
  for (std::string pair; std::getline(pairs, pair, ';');) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) {
      throw PluginError(Code::kInternal, "Invalid cni arguments format, " + Quote(pair));
    }
    const auto key = pair.substr(0, equals);
    const auto value = pair.substr(equals + 1);
    if (key == "TC_REDIRECT_TAP_NAME") arguments.name = ParseName(value);
    if (key == "TC_REDIRECT_TAP_UID") arguments.owner.uid = ParseId(value, "tapUID");
    if (key == "TC_REDIRECT_TAP_GID") arguments.owner.gid = ParseId(value, "tapGID");
  }
  return arguments;
}

}  // namespace vulcan::plugin
