#include "plugin/previous_result.h"

#include "plugin/plugin_error.h"

namespace vulcan::plugin {

Result NeedPreviousResult(const Config& config) {
  if (!config.prev_result) {
    throw PluginError(Code::kInternal,
                      "no previous result was found, was this plugin chained with a previous one?");
  }
  return ParseResult(*config.prev_result);
}

}  // namespace vulcan::plugin
